/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the kernel keeps its hands off pages that fault after they were protected. With
 * its tiering mode on it promotes only by threshold and rate limit, which can be set to
 * nothing, but for one case: when a zone of the faulting CPU's node has plenty of free
 * memory it promotes whatever is touched (pgdat_free_space_enough() in
 * kernel/sched/fair.c: 1 GiB or a sixteenth of the node above the high watermark).
 */
#ifndef TIERD_SAMPLER_HINT_GUARD_H
#define TIERD_SAMPLER_HINT_GUARD_H

struct tierd_root;

/*
 * 0 while free memory is below three quarters of that on all nodes with CPUs, or cannot
 * come that far. -EBUSY, with a text that says what to do, if not; errors of reading.
 */
int tierd_hint_guard_check(const struct tierd_root *root, char **ret_error);

#endif
