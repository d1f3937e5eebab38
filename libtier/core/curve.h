/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What more fast memory would bring: samples scored by the bin in which the last layout
 * had their page, before they were counted. Only some samples are scored.
 *
 * Pages wander between bins from layout to layout. A bin's samples are therefore held
 * against the pages it had when they fell, not those it has now: else a bin that was left
 * behind would promise its samples for no pages at all.
 */
#ifndef TIER_CORE_CURVE_H
#define TIER_CORE_CURVE_H

#include "core/layout.h"

struct tier_scores {
	double bins[TIER_RATE_BINS];  /* samples, decayed */
	double pages[TIER_RATE_BINS]; /* of layouts, each times the samples scored by it
				       */
	double samples;               /* in all bins when the layout was made */
	uint64_t laid_out[TIER_RATE_BINS]; /* pages of the last layout */
};

/* Scores one sample of a page whose block the last layout knew. A count that was not yet
 * there is younger than the layout. */
static inline void tier_scores_add(struct tier_scores *scores,
	const struct tier_block *block, unsigned tier, unsigned count_bin)
{
	const struct tier_cell *cells = block->cohort->cells[tier];

	while (count_bin > 0 && cells[count_bin].pages == 0)
		count_bin--;
	scores->bins[cells[count_bin].mean]++;
}

/* Notes that there is a new layout, @seconds after the last one. */
void tier_scores_update(
	struct tier_scores *scores, const struct tier_layout *layout, double seconds);

void tier_scores_get(const struct tier_scores *scores, struct tier_curve *ret);

#endif
