/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/layout.h"

#include <math.h>
#include <string.h>

#include "base/util.h"

/*
 * The upper bits of an IEEE 754 single are its logarithm, rounded down: the exponent and
 * three bits of the mantissa number the bins, eight an octave. FIRST_BIN is 2^-16.
 */
#define BIN_SHIFT 20
#define FIRST_BIN ((127 - 16) << 3)

void tier_layout_set_unit(struct tier_layout *layout, double unit)
{
	layout->unit = unit;
	layout->scale = unit > 0 ? 1 / unit : 0;
}

unsigned tier_layout_bin(const struct tier_layout *layout, double rate)
{
	float relative = (float)rate * layout->scale;
	uint32_t bits;

	if (isinf(rate))
		return TIER_RATE_BINS - 1;
	memcpy(&bits, &relative, sizeof(bits));
	bits >>= BIN_SHIFT;
	if (bits <= FIRST_BIN)
		return 0;
	return TIER_MIN(bits - FIRST_BIN, TIER_RATE_BINS - 1U);
}

double tier_layout_bin_floor(const struct tier_layout *layout, unsigned bin)
{
	uint32_t bits = (bin + FIRST_BIN) << BIN_SHIFT;
	float relative;

	if (bin == 0)
		return 0;
	memcpy(&relative, &bits, sizeof(relative));
	return relative * layout->unit;
}

static void class_set_rates(const struct tier_layout *layout, struct tier_class *class,
	const struct tier_block_rate *rate)
{
	double factor = tier_block_rate_factor(
		rate, class->is_huge ? 0 : tier_histogram_bin_floor(class->count_bin));

	class->is_known = rate->is_known;
	class->mean = rate->mean * factor;
	class->low = rate->low * factor;
	class->high = rate->is_known ? rate->high * factor : INFINITY;
	class->bin = tier_layout_bin(
		layout, class->speed == TIER_SLOW ? class->low : class->high);
}

size_t tier_layout_classify(const struct tier_layout *layout,
	const struct tier_rates *rates, const struct tier_block *block,
	struct tier_class ret[static TIER_CLASSES_MAX])
{
	struct tier_block_rate rate;
	size_t n = 0;

	tier_rates_of_block(rates, block, &rate);
	if (block->huge) {
		ret[0] = (struct tier_class){
			.speed = block->fast_pages > 0 ? TIER_FAST : TIER_SLOW,
			.is_huge = true,
			.pages = TIER_BLOCK_PAGES,
		};
		class_set_rates(layout, &ret[0], &rate);
		return 1;
	}
	for (unsigned speed = 0; speed < TIER_SPEED_MAX; speed++)
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
			if (block->classes[speed][bin] == 0)
				continue;
			ret[n] = (struct tier_class){
				.speed = speed,
				.count_bin = bin,
				.pages = block->classes[speed][bin],
			};
			class_set_rates(layout, &ret[n++], &rate);
		}
	return n;
}

void tier_layout_add(struct tier_layout *layout, const struct tier_class *class)
{
	uint64_t *bins = class->speed == TIER_SLOW ? layout->slow : layout->fast;

	bins[class->bin] += class->pages;
	layout->all[tier_layout_bin(layout, class->mean)] += class->pages;
}

double tier_layout_cut(const struct tier_layout *layout, uint64_t quota_pages)
{
	uint64_t above = 0;

	for (unsigned bin = TIER_RATE_BINS; bin-- > 0;) {
		above += layout->all[bin];
		if (above > quota_pages)
			return fmax(tier_layout_bin_floor(layout, bin),
				tier_layout_bin_floor(layout, 1));
	}
	return 0;
}
