/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two small tools of engine rank: a mark that walks a layout's bins from one end and
 * takes pages as it goes, and the moves that are then picked of those pages, to be sorted
 * by the bins they came from.
 */
#ifndef TIER_CORE_RANK_PICKS_H
#define TIER_CORE_RANK_PICKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/block.h"

struct tier_mark {
	unsigned bin;   /* reached, not finished */
	uint64_t taken; /* of this bin */
	uint64_t pages; /* in all */
};

static inline uint64_t tier_mark_left(const struct tier_mark *mark, const uint64_t *bins)
{
	return bins[mark->bin] - mark->taken;
}

static inline void tier_mark_take(struct tier_mark *mark, uint64_t pages)
{
	mark->taken += pages;
	mark->pages += pages;
}

/* Moves down, or up, to the next bin that has pages left; false at the end of the
 * scale. */
bool tier_mark_fall(struct tier_mark *mark, const uint64_t *bins);
bool tier_mark_rise(struct tier_mark *mark, const uint64_t *bins);

struct tier_picks {
	struct tier_move *moves;
	uint8_t *bins;
	size_t n;
	uint64_t pages;
	uint64_t left;        /* pages to pick in all */
	uint64_t left_in_bin; /* pages to pick of the mark's bin */
	unsigned mark_bin;
	bool hottest_first; /* bins above the mark's are picked, else those below */
};

/* Pages of one cohort that nothing tells apart. */
struct tier_pick {
	enum tier_direction direction;
	unsigned from;
	unsigned to;
	unsigned count_bin;
	unsigned bin;
	uint32_t pages; /* of each */
	double rate;
};

/* As many pages as the mark took may be picked. Errors: -ENOMEM. */
int tier_picks_init(
	struct tier_picks *picks, const struct tier_mark *mark, bool hottest_first);
void tier_picks_done(struct tier_picks *picks);

/* How many pages of @bin are still wanted. */
static inline uint64_t tier_picks_wanted(const struct tier_picks *picks, unsigned bin)
{
	if (bin == picks->mark_bin)
		return picks->left < picks->left_in_bin ? picks->left
							: picks->left_in_bin;
	return (bin > picks->mark_bin) == picks->hottest_first ? picks->left : 0;
}

void tier_picks_add(struct tier_picks *picks, const struct tier_block *block,
	unsigned page, const struct tier_pick *pick);

/* Writes the moves to @out in their order, those of a bin in the order they came. */
void tier_picks_sort(const struct tier_picks *picks, struct tier_move *out);

#endif
