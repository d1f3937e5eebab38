/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lays a group's pages out by expected rate, in logarithmic bins: by the low end of what
 * is believed of them, by the high end, and by the mean. A page is a newcomer by the low
 * end and a victim by the high end, so that a move needs evidence from both sides; the
 * mean gives the cut, the rate at which the quota is full.
 */
#ifndef TIER_CORE_LAYOUT_H
#define TIER_CORE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "core/census.h"
#include "core/rates.h"
#include "core/scale.h"

struct tier_layout {
	struct tier_scale scale;                      /* around the mean */
	uint64_t low[TIER_TIERS_MAX][TIER_RATE_BINS]; /* pages */
	uint64_t high[TIER_TIERS_MAX][TIER_RATE_BINS];
	uint64_t mean[TIER_RATE_BINS]; /* of all tiers */
};

/* Lays out all of @census and marks its cells with their bins. Errors: -ENOMEM, and
 * nothing is laid out. */
int tier_layout_make(struct tier_layout *layout, const struct tier_rates *rates,
	struct tier_census *census);

/* Marks a cell with the bins of its pages' rate. */
void tier_layout_place(const struct tier_scale *scale,
	const struct tier_cohort_rate *rate, struct tier_cell *cell);

/* The rate of the last page that finds a place in @quota_pages; 0 if all do. */
double tier_layout_cut(const struct tier_layout *layout, uint64_t quota_pages);

#endif
