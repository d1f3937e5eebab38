/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chooses blocks of base pages that would be better off as one huge page. A page that
 * finds no huge page free when it is touched first comes up small, and stays so wherever
 * it moves. But a huge page moves whole, and what was known of its pages is lost: so only
 * blocks are chosen of which every page is hot, and whose counts, though there are enough
 * of them, do not tell the pages apart.
 *
 * It knows the scale of a plan, and nothing of what else is in it.
 */
#ifndef TIER_CORE_COLLAPSE_H
#define TIER_CORE_COLLAPSE_H

#include "core/group.h"
#include "core/scale.h"

/* No plan collapses more blocks: 128 MiB. */
#define TIER_COLLAPSES_MAX 64

/* After a huge page could not be had the group does without for so long. */
#define TIER_COLLAPSE_PAUSE_NS (UINT64_C(60) * 1000 * 1000 * 1000)

/*
 * Writes up to @n_max moves to @ret and returns how many. @least is the bin of the scale
 * from which on pages are hot. Looks at a bounded number of blocks.
 */
size_t tier_collapse_choose(struct tier_group *group, const struct tier_scale *scale,
	int least, size_t n_max, struct tier_move *ret);

/* Takes note of what became of one: residency follows, and refusals are remembered until
 * residency is looked at again. */
void tier_collapse_complete(struct tier_group *group, struct tier_block *block,
	enum tier_result result, uint64_t now_ns);

#endif
