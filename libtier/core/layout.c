/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/layout.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Of a page that was not watched for long nobody knows that it is cold. */
void tier_layout_place(const struct tier_scale *scale,
	const struct tier_cohort_rate *rate, struct tier_cell *cell)
{
	cell->low = tier_scale_bin(scale, rate->low);
	cell->high = tier_scale_bin(scale, rate->is_known ? rate->high : INFINITY);
	cell->mean = tier_scale_bin(scale, rate->mean);
}

static void lay_out_cell(struct tier_layout *layout, const struct tier_cohort_rate *rate,
	unsigned tier, struct tier_cell *cell)
{
	tier_layout_place(&layout->scale, rate, cell);
	layout->low[tier][cell->low] += cell->pages;
	layout->high[tier][cell->high] += cell->pages;
	layout->mean[cell->mean] += cell->pages;
}

static void lay_out_cohort(struct tier_layout *layout, struct tier_beliefs *beliefs,
	struct tier_cohort *cohort)
{
	struct tier_cohort_rate of_block;

	tier_beliefs_of_cohort(beliefs, cohort, &of_block);
	cohort->is_known = of_block.is_known;
	cohort->is_laid_out = true;
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		struct tier_cohort_rate rate;
		bool is_rated = false;

		for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++) {
			struct tier_cell *cell = &cohort->cells[tier][bin];

			if (cell->pages == 0)
				continue;
			if (!is_rated)
				rate = tier_beliefs_scale(
					beliefs, cohort, &of_block, bin);
			is_rated = true;
			lay_out_cell(layout, &rate, tier, cell);
		}
	}
}

int tier_layout_make(struct tier_layout *layout, const struct tier_rates *rates,
	struct tier_census *census)
{
	_cleanup_(freep) struct tier_beliefs *beliefs = malloc(sizeof(*beliefs));

	if (!beliefs)
		return -ENOMEM;
	memset(layout, 0, sizeof(*layout));
	layout->scale = tier_scale_around(rates->mean);
	tier_beliefs_init(beliefs, rates);
	for (struct tier_cohort *c = census->cohorts; c; c = c->hh.next)
		lay_out_cohort(layout, beliefs, c);
	return 0;
}

double tier_layout_cut(const struct tier_layout *layout, uint64_t quota_pages)
{
	uint64_t above = 0;

	for (unsigned bin = TIER_RATE_BINS; bin-- > 0;) {
		above += layout->mean[bin];
		if (above > quota_pages)
			return fmax(tier_scale_floor(&layout->scale, bin),
				tier_scale_floor(&layout->scale, 1));
	}
	return 0;
}
