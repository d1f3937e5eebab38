/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With a promotion rate limit of 0 and a hot threshold of 0 the kernel finds no page
 * worth promoting; both come before the mode. Mode 3, which is balancing and tiering,
 * protects pages on all tiers; tiering alone (2) leaves out the fast one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "enforce/sysctl.h"
#include "sampler/hint-settings.h"
#include "settings/errtext.h"

#define SYSCTLS "/proc/sys/kernel/"
#define KNOBS   "/sys/kernel/debug/sched/numa_balancing/"

#define MODE            SYSCTLS "numa_balancing"
#define SCAN_SIZE       KNOBS "scan_size_mb"
#define SCAN_PERIOD_MIN KNOBS "scan_period_min_ms"
#define SCAN_PERIOD_MAX KNOBS "scan_period_max_ms"

static const struct {
	const char *path;
	const char *value;
} fixed[] = {
	{ SYSCTLS "numa_balancing_promote_rate_limit_MBps", "0" },
	{ KNOBS "hot_threshold_ms", "0" },
	{ KNOBS "scan_delay_ms", "1000" },
	{ SCAN_SIZE, NULL },
	{ SCAN_PERIOD_MIN, NULL },
	{ SCAN_PERIOD_MAX, NULL },
	{ MODE, "3" },
};

static int explain(int r, const char *path, char **ret_error)
{
	switch (r) {
	case -ENOENT:
		if (strncmp(path, KNOBS, strlen(KNOBS)) == 0)
			return tierd_error(ret_error, -ENODEV,
				"there is no %s: NUMA hint faults need a kernel with "
				"CONFIG_NUMA_BALANCING and tiers (6.1 or later), and "
				"debugfs: mount -t debugfs debugfs /sys/kernel/debug",
				path);
		return tierd_error(ret_error, -ENODEV,
			"there is no %s: NUMA hint faults need a kernel with "
			"CONFIG_NUMA_BALANCING and tiers (6.1 or later)",
			path);
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return tierd_error(ret_error, -EACCES,
			"not allowed to change %s: the kernel is locked down (Secure "
			"Boot), or ReadWritePaths= of tierd.service lacks it",
			path);
	case -EBUSY:
		return tierd_error(ret_error, r,
			"%s was changed by somebody else while tierd held it", path);
	default:
		return tierd_error(
			ret_error, r, "cannot change %s: %s", path, strerror(-r));
	}
}

static int hold_number(const struct tierd_root *root, struct tierd_journal *journal,
	const char *path, unsigned number)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", number);
	return tierd_sysctl_hold(root, journal, path, value);
}

static int hold_fixed(const struct tierd_root *root, struct tierd_journal *journal,
	size_t i, const struct tierd_hint_pace *pace)
{
	if (fixed[i].value)
		return tierd_sysctl_hold(root, journal, fixed[i].path, fixed[i].value);
	return hold_number(root, journal, fixed[i].path,
		strcmp(fixed[i].path, SCAN_SIZE) == 0 ? pace->scan_mib : pace->period_ms);
}

int tierd_hint_settings_probe(const struct tierd_root *root, char **ret_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		_cleanup_(closep) int fd = -EBADF;
		int r = tierd_root_open_file(root, fixed[i].path, O_WRONLY, &fd);

		if (r < 0)
			return explain(r, fixed[i].path, ret_error);
	}
	return 0;
}

int tierd_hint_settings_hold(const struct tierd_root *root, struct tierd_journal *journal,
	const struct tierd_hint_pace *pace, char **ret_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		int r = hold_fixed(root, journal, i, pace);

		if (r >= 0)
			continue;
		for (size_t j = 0; j < i; j++)
			(void)tierd_sysctl_release(root, journal, fixed[j].path);
		return explain(r, fixed[i].path, ret_error);
	}
	return 0;
}

int tierd_hint_settings_pace(const struct tierd_root *root, struct tierd_journal *journal,
	const struct tierd_hint_pace *pace)
{
	int r;

	if ((r = hold_number(root, journal, SCAN_SIZE, pace->scan_mib)) < 0 ||
		(r = hold_number(root, journal, SCAN_PERIOD_MAX, pace->period_ms)) < 0)
		return r;
	return hold_number(root, journal, SCAN_PERIOD_MIN, pace->period_ms);
}

void tierd_hint_settings_rest(
	const struct tierd_root *root, struct tierd_journal *journal)
{
	(void)tierd_hint_settings_pace(root, journal, &tierd_hint_pace_rest);
}
