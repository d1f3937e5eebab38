/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "enforce/sysctl.h"
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
	const struct tierd_journal *journal,
	const char *ret[static TIERD_KERNEL_TIERING_SETTINGS])
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		_cleanup_(freep) char *value = NULL;

		ret[i] = NULL;
		if (is_on(root, i, &value) > 0 &&
			!tierd_sysctl_is_held(journal, settings[i].path, value))
			ret[i] = settings[i].path;
	}
}

/* What is held at another value than off serves tierd as it is, as NUMA balancing does a
 * sampler that has seen to it that the kernel moves nothing. */
void tierd_kernel_tiering_stop(
	const struct tierd_root *root, struct tierd_journal *journal)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		_cleanup_(freep) char *value = NULL;
		int r = is_on(root, i, &value);

		if (r <= 0 || tierd_sysctl_is_held(journal, settings[i].path, value))
			continue;
		r = tierd_sysctl_hold(root, journal, settings[i].path, settings[i].off);
		if (r == -EBUSY)
			warn(i, value); /* somebody wants it so */
		else if (r < 0)
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
		int r;

		if (!tierd_sysctl_is_held(journal, settings[i].path, settings[i].off))
			continue;
		r = tierd_sysctl_release(root, journal, settings[i].path);
		if (r < 0)
			log_warning_errno(r, "cannot put %s back", settings[i].path);
	}
}
