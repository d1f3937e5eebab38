/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "enforce/restore.h"
#include "kernel-tiering.h"
#include "events.h"
#include "log.h"

static const struct {
	const char *path;
	const char *off;
	const char *verb;
} settings[] = {
	{ "/proc/sys/kernel/numa_balancing", "0", "promotes" },
	{ "/sys/kernel/mm/numa/demotion_enabled", "false", "demotes" },
};

/* 1 if it is on; a kernel without the setting does not do it. */
static int is_on(const struct tierd_root *root, size_t i, char **ret_value)
{
	_cleanup_(freep) char *value = NULL;
	int r = tierd_root_read_line(root, settings[i].path, &value);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (strcmp(value, settings[i].off) == 0)
		return 0;
	*ret_value = TAKE_PTR(value);
	return 1;
}

static void warn(size_t i, const char *value)
{
	tierd_log_event(TIERD_EVENT_KERNEL_TIERING, 0,
		TIERD_FIELDS({ "TIERD_PATH", settings[i].path }),
		"%s is %s: the kernel %s pages behind tierd's back, whatever the "
		"quotas (write %s to it)",
		settings[i].path, value, settings[i].verb, settings[i].off);
}

void tierd_kernel_tiering_warn(const struct tierd_root *root)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		_cleanup_(freep) char *value = NULL;

		if (is_on(root, i, &value) > 0)
			warn(i, value);
	}
}

_Static_assert(ARRAY_SIZE(settings) == TIERD_KERNEL_TIERING_SETTINGS, "one more?");

void tierd_kernel_tiering_list(const struct tierd_root *root,
	const char *ret[static TIERD_KERNEL_TIERING_SETTINGS])
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		_cleanup_(freep) char *value = NULL;

		ret[i] = is_on(root, i, &value) > 0 ? settings[i].path : NULL;
	}
}

static int write_off(const struct tierd_root *root, size_t i)
{
	_cleanup_(closep) int fd = -EBADF;
	int r = tierd_root_open_file(root, settings[i].path, O_WRONLY | O_TRUNC, &fd);

	if (r < 0)
		return r;
	return dprintf(fd, "%s\n", settings[i].off) < 0 ? -errno : 0;
}

static void describe(size_t i, const char *before, struct tierd_held *ret)
{
	*ret = (struct tierd_held){ .attribute = TIERD_ATTRIBUTE_SYSCTL };
	snprintf(ret->path, sizeof(ret->path), "%s", settings[i].path);
	snprintf(ret->before, sizeof(ret->before), "%s", before);
	snprintf(ret->wanted, sizeof(ret->wanted), "%s", settings[i].off);
}

static int turn_off(const struct tierd_root *root, struct tierd_journal *journal,
	size_t i, const char *before)
{
	struct tierd_held held;
	int r;

	describe(i, before, &held);
	r = tierd_journal_hold(journal, &held);
	if (r < 0)
		return r;
	r = write_off(root, i);
	if (r < 0)
		(void)tierd_journal_done(journal, &held);
	return r;
}

void tierd_kernel_tiering_stop(
	const struct tierd_root *root, struct tierd_journal *journal)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		_cleanup_(freep) char *value = NULL;
		struct tierd_held held;
		int r = is_on(root, i, &value);

		if (r <= 0)
			continue;
		describe(i, value, &held);
		if (tierd_journal_find(journal, &held)) {
			warn(i, value); /* somebody wants it so */
			continue;
		}
		r = turn_off(root, journal, i, value);
		if (r < 0)
			log_warning_errno(r, "cannot turn %s off", settings[i].path);
		else
			tierd_log_event(TIERD_EVENT_KERNEL_TIERING_OFF, 0,
				TIERD_FIELDS({ "TIERD_PATH", settings[i].path },
					{ "TIERD_BEFORE", value }),
				"%s was %s, and is %s while tierd moves pages",
				settings[i].path, value, settings[i].off);
	}
}

void tierd_kernel_tiering_restore(
	const struct tierd_root *root, struct tierd_journal *journal)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		struct tierd_held key;
		const struct tierd_held *held;
		int r;

		describe(i, "", &key);
		held = tierd_journal_find(journal, &key);
		if (!held)
			continue;
		key = *held;
		r = tierd_restore_one(root, -EBADF, &key, NULL, NULL);
		if (r < 0) {
			log_warning_errno(r, "cannot put %s back", key.path);
			continue;
		}
		(void)tierd_journal_done(journal, &key);
	}
}
