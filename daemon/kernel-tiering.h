/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own tiering: two hands at the same pages undo each other's work. NUMA
 * balancing promotes beyond any quota; reclaim that demotes moves a whole group when
 * memory.high is meant to hold its growth. Both are off while tierd moves pages, by the
 * journal, and are put back with everything else.
 */
#ifndef TIERD_KERNEL_TIERING_H
#define TIERD_KERNEL_TIERING_H

#include "enforce/journal.h"

/*
 * Turns off what is on. What cannot be turned off, or was turned on again by somebody
 * else since it was, stays, and is logged as a warning.
 */
void tierd_kernel_tiering_stop(
	const struct tierd_root *root, struct tierd_journal *journal);

/* Only says what is on. */
void tierd_kernel_tiering_warn(const struct tierd_root *root);

/* Puts back what was turned off and is off still. */
void tierd_kernel_tiering_restore(
	const struct tierd_root *root, struct tierd_journal *journal);

/* The paths of those settings that are on, and NULL for the others; what tierd itself
 * holds so is not listed. */
#define TIERD_KERNEL_TIERING_SETTINGS 2
void tierd_kernel_tiering_list(const struct tierd_root *root,
	const struct tierd_journal *journal,
	const char *ret[static TIERD_KERNEL_TIERING_SETTINGS]);

#endif
