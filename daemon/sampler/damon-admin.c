/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See the kernel's Documentation/admin-guide/mm/damon/usage.rst for the files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "enforce/sysctl.h"
#include "settings/errtext.h"
#include "sampler/damon-admin.h"

#define KDAMONDS "/sys/kernel/mm/damon/admin/kdamonds"
#define COUNT    KDAMONDS "/nr_kdamonds"
#define KDAMOND  KDAMONDS "/0"
#define STATE    KDAMOND "/state"
#define CONTEXT  KDAMOND "/contexts/0"
#define TARGETS  CONTEXT "/targets"
#define ATTRS    CONTEXT "/monitoring_attrs"

#define PATH_SIZE 128

/* In the order in which they are written; put back in the opposite one. */
static const struct {
	const char *path;
	const char *before;
	const char *ours;
} settings[] = {
	{ COUNT, "0", "1" },
	{ STATE, "off", "on" },
};

static int put_number(const struct tierd_root *root, const char *path, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	return tierd_root_write_line(root, path, text);
}

/* ---- Taking it ----------------------------------------------------------------- */

static int fail_write(int r, const char *path, char **ret_error)
{
	if (r == -EROFS || r == -EACCES || r == -EPERM)
		return tierd_error(ret_error, r,
			"not allowed to write %s: tierd.service lets tierd do so "
			"(ReadWritePaths=), as root",
			path);
	return tierd_error(ret_error, r, "cannot write %s: %s", path, strerror(-r));
}

int tierd_damon_admin_probe(const struct tierd_root *root, char **ret_error)
{
	_cleanup_(freep) char *count = NULL;
	_cleanup_(closep) int fd = -EBADF;
	int r = tierd_root_read_line(root, COUNT, &count);

	if (r == -ENOENT)
		return tierd_error(ret_error, -ENODEV,
			"this kernel has no DAMON that could be set up (%s is not there: "
			"CONFIG_DAMON_SYSFS)",
			COUNT);
	if (r < 0)
		return tierd_error(
			ret_error, r, "cannot read %s: %s", COUNT, strerror(-r));
	if (strcmp(count, settings[0].before) != 0)
		return tierd_error(ret_error, -EBUSY,
			"somebody else has set DAMON up (%s is %s): stop that program, or "
			"write 0 to it",
			COUNT, count);
	r = tierd_root_open_file(root, COUNT, O_WRONLY, &fd);
	return r < 0 ? fail_write(r, COUNT, ret_error) : 0;
}

/* On record as it was when DAMON was free, whatever it is by now. */
static int hold(struct tierd_journal *journal, size_t i)
{
	struct tierd_held held = { .attribute = TIERD_ATTRIBUTE_SYSCTL };

	snprintf(held.path, sizeof(held.path), "%s", settings[i].path);
	snprintf(held.before, sizeof(held.before), "%s", settings[i].before);
	snprintf(held.wanted, sizeof(held.wanted), "%s", settings[i].ours);
	return tierd_journal_hold(journal, &held);
}

static int set_up(const struct tierd_root *root,
	const struct tierd_damon_intervals *intervals, char **ret_error)
{
	const struct {
		const char *path;
		long value;
	} numbers[] = {
		{ ATTRS "/intervals/sample_us", intervals->sample_us },
		{ ATTRS "/intervals/aggr_us", intervals->aggregation_us },
		{ ATTRS "/intervals/update_us", intervals->update_us },
		{ ATTRS "/nr_regions/max", intervals->regions_max },
		{ ATTRS "/nr_regions/min", intervals->regions_min },
	};
	int r;

	r = tierd_root_write_line(root, KDAMOND "/contexts/nr_contexts", "1");
	if (r < 0)
		return fail_write(r, KDAMOND "/contexts/nr_contexts", ret_error);
	r = tierd_root_write_line(root, CONTEXT "/operations", "vaddr");
	if (r < 0)
		return tierd_error(ret_error, r == -EINVAL ? -ENODEV : r,
			"this kernel's DAMON cannot watch processes (CONFIG_DAMON_VADDR)");
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		r = put_number(root, numbers[i].path, numbers[i].value);
		if (r < 0)
			return fail_write(r, numbers[i].path, ret_error);
	}
	return 0;
}

int tierd_damon_admin_take(const struct tierd_root *root, struct tierd_journal *journal,
	const struct tierd_damon_intervals *intervals, char **ret_error)
{
	int r;

	r = tierd_damon_admin_probe(root, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(settings) && r >= 0; i++)
		r = hold(journal, i);
	if (r < 0)
		tierd_error(ret_error, r, "cannot keep DAMON in the journal: %s",
			strerror(-r));
	if (r >= 0) {
		r = tierd_root_write_line(root, COUNT, settings[0].ours);
		if (r < 0)
			fail_write(r, COUNT, ret_error);
	}
	if (r >= 0)
		r = set_up(root, intervals, ret_error);
	if (r < 0)
		tierd_damon_admin_release(root, journal);
	return r;
}

void tierd_damon_admin_release(
	const struct tierd_root *root, struct tierd_journal *journal)
{
	for (size_t i = ARRAY_SIZE(settings); i-- > 0;)
		(void)tierd_sysctl_release(root, journal, settings[i].path);
}

/* ---- Whom to watch ------------------------------------------------------------- */

static int set_targets(const struct tierd_root *root, const pid_t *pids, size_t n)
{
	int r = put_number(root, TARGETS "/nr_targets", (long)n);

	for (size_t i = 0; i < n && r >= 0; i++) {
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), TARGETS "/%zu/pid_target", i);
		r = put_number(root, path, pids[i]);
	}
	return r;
}

int tierd_damon_admin_watch(const struct tierd_root *root, struct tierd_journal *journal,
	const pid_t *pids, size_t n)
{
	pid_t thread;
	int r;

	r = tierd_damon_admin_thread(root, &thread);
	if (r >= 0)
		r = set_targets(root, pids, n);
	if (r >= 0)
		r = hold(journal, 1);
	return r < 0 ? r
		     : tierd_root_write_line(
			       root, STATE, thread > 0 ? "commit" : settings[1].ours);
}

int tierd_damon_admin_pause(const struct tierd_root *root)
{
	pid_t thread;
	int r = tierd_damon_admin_thread(root, &thread);

	return r < 0 || thread == 0
		       ? r
		       : tierd_root_write_line(root, STATE, settings[1].before);
}

static int parse_thread(const char *text, pid_t *ret)
{
	char *end;
	long pid = strtol(text, &end, 10);

	if (end == text || *end)
		return -EBADMSG;
	*ret = pid > 0 ? (pid_t)pid : 0;
	return 0;
}

int tierd_damon_admin_thread(const struct tierd_root *root, pid_t *ret)
{
	_cleanup_(freep) char *count = NULL, *state = NULL, *pid = NULL;
	int r;

	r = tierd_root_read_line(root, COUNT, &count);
	if (r < 0 || strcmp(count, settings[0].ours) != 0)
		return -EBUSY;
	r = tierd_root_read_line(root, STATE, &state);
	if (r < 0)
		return r;
	if (strcmp(state, settings[1].ours) != 0) {
		*ret = 0;
		return 0;
	}
	r = tierd_root_read_line(root, KDAMOND "/pid", &pid);
	return r < 0 ? r : parse_thread(pid, ret);
}
