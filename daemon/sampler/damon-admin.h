/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DAMON's switchboard, /sys/kernel/mm/damon/admin: one kernel thread that watches the
 * address spaces of a list of processes. There is one such switchboard for the whole
 * machine; if anything is configured there it is somebody else's, and left alone. What is
 * written is on record in the journal before, and put back.
 *
 * Knows files and processes, and nothing of what DAMON reports.
 */
#ifndef TIERD_SAMPLER_DAMON_ADMIN_H
#define TIERD_SAMPLER_DAMON_ADMIN_H

#include <sys/types.h>

#include "enforce/journal.h"
#include "settings/root.h"

/* Processes watched at once: each has three regions at least. */
#define TIERD_DAMON_TARGETS_MAX 128

struct tierd_damon_intervals {
	unsigned sample_us;      /* between looks at a page of each region */
	unsigned aggregation_us; /* counts are reported and begin anew */
	unsigned update_us;      /* mappings are looked at */
	unsigned regions_min;    /* over all processes */
	unsigned regions_max;
};

/*
 * Whether it could be taken; nothing is written. Errors: -ENODEV without DAMON, -EBUSY if
 * somebody has configured something, -EACCES, -EROFS; with the reason in *ret_error.
 */
int tierd_damon_admin_probe(const struct tierd_root *root, char **ret_error);

/* Takes it and sets it up, watching nobody yet. Errors: as above, and the journal's. */
int tierd_damon_admin_take(const struct tierd_root *root, struct tierd_journal *journal,
	const struct tierd_damon_intervals *intervals, char **ret_error);

/* Puts back what is still ours. Nobody is watched any more. */
void tierd_damon_admin_release(
	const struct tierd_root *root, struct tierd_journal *journal);

/*
 * Watches these processes, and starts the thread if it does not run. When it does run,
 * this waits for the end of an aggregation, so that after it the n-th target is the n-th
 * process. Errors: -EINVAL if one of them is gone, others.
 */
int tierd_damon_admin_watch(const struct tierd_root *root, struct tierd_journal *journal,
	const pid_t *pids, size_t n);

/* Watches nobody. */
int tierd_damon_admin_pause(const struct tierd_root *root);

/* The thread; 0 when it does not run, as when all its processes have ended. -EBUSY when
 * the switchboard is no longer as it was left. */
int tierd_damon_admin_thread(const struct tierd_root *root, pid_t *ret);

#endif
