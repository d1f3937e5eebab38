/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lays a group's pages out by expected rate, in logarithmic bins: what is slow by the low
 * end of what is believed of it, what is fast by the high end, and all by the mean. The
 * first two decide moves, so that a move needs evidence from both sides; the third gives
 * the cut, the rate at which the quota is full.
 */
#ifndef TIER_CORE_LAYOUT_H
#define TIER_CORE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "core/block.h"
#include "core/rates.h"

#define TIER_RATE_BINS   256
#define TIER_CLASSES_MAX (TIER_SPEED_MAX * TIER_HISTOGRAM_BINS)

/* Pages of a block that nothing tells apart: same tier, same count bin. */
struct tier_class {
	enum tier_speed speed;
	unsigned count_bin;
	bool is_huge; /* the whole block, and one folio */
	bool is_known;
	uint32_t pages;
	unsigned bin; /* of the rate that decides its moves */
	double mean;
	double low;
	double high;
};

struct tier_layout {
	double unit;                   /* the rate that falls on the middle bin */
	float scale;                   /* its inverse; 0 if there is no rate */
	uint64_t slow[TIER_RATE_BINS]; /* by low */
	uint64_t fast[TIER_RATE_BINS]; /* by high */
	uint64_t all[TIER_RATE_BINS];  /* by mean */
};

/* Sets the rate that falls on the middle bin. */
void tier_layout_set_unit(struct tier_layout *layout, double unit);

/* Splits a block into classes; returns how many there are. */
size_t tier_layout_classify(const struct tier_layout *layout,
	const struct tier_rates *rates, const struct tier_block *block,
	struct tier_class ret[static TIER_CLASSES_MAX]);

void tier_layout_add(struct tier_layout *layout, const struct tier_class *class);

/* Eight bins an octave; the lowest also takes all that is less, the highest all above. */
unsigned tier_layout_bin(const struct tier_layout *layout, double rate);
double tier_layout_bin_floor(const struct tier_layout *layout, unsigned bin);

/* The rate of the last page that finds a place in @quota_pages; 0 if all do. */
double tier_layout_cut(const struct tier_layout *layout, uint64_t quota_pages);

#endif
