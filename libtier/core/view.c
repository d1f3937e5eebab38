/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a group shows of itself to those who look at it. It changes nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/group.h"

_public_ void tier_group_get_stats(
	const struct tier_group *group, struct tier_group_stats *ret)
{
	struct tier_group_stats stats = group->stats;
	uint64_t known;

	memcpy(stats.tier_pages, group->tier_pages, sizeof(stats.tier_pages));
	stats.resident_pages = tier_group_resident_pages(group);
	stats.blocks = group->map.n_blocks;
	stats.huge_blocks = group->huge_blocks;
	stats.tracked_bytes = tier_blockmap_bytes(&group->map) +
			      tier_census_bytes(&group->census) +
			      tier_ledger_bytes(&group->ledger);
	if (group->engine->bytes)
		stats.tracked_bytes += group->engine->bytes(group);
	stats.hit_ratio = tier_phase_share(&group->phase);
	if (group->config.engine != TIER_ENGINE_RANK || stats.plans == 0)
		stats.resolution = NAN;
	known = stats.classes.hot_pages + stats.classes.warm_pages +
		stats.classes.cold_pages;
	if (known > 0)
		stats.coverage = (double)known / (known + stats.classes.unknown_pages);
	stats.mean_rate = group->rates.mean;
	stats.block_spread = group->rates.block_spread;
	stats.page_spread = group->rates.page_spread;
	*ret = stats;
}

_public_ void tier_group_get_curve(const struct tier_group *group, struct tier_curve *ret)
{
	tier_scores_get(&group->scores, ret);
}

/* ---- Histogram ----------------------------------------------------------------- */

/*
 * Of pages with @count samples that are still to be cooled @lag times, the share that
 * will be in each bin: a binomial distribution, by recurrence from its first term.
 */
static void cool_expected(
	unsigned count, unsigned lag, double ret[static TIER_HISTOGRAM_BINS])
{
	double kept = ldexp(1, -(int)lag);
	double share = pow(1 - kept, count);

	memset(ret, 0, TIER_HISTOGRAM_BINS * sizeof(*ret));
	for (unsigned k = 0; k <= count; k++) {
		ret[tier_count_bin(k)] += share;
		share *= (double)(count - k) / (k + 1) * kept / (1 - kept);
	}
}

struct expectation {
	double pages[TIER_TIERS_MAX][TIER_HISTOGRAM_BINS];
};

static void expect_cohort(
	struct expectation *expected, const struct tier_cohort *cohort, unsigned lag)
{
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		double shares[TIER_HISTOGRAM_BINS];

		if (lag > 0)
			cool_expected(tier_histogram_bin_floor(bin), lag, shares);
		for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++) {
			double pages = cohort->cells[tier][bin].pages;

			if (lag == 0)
				expected->pages[tier][bin] += pages;
			for (unsigned to = 0; pages > 0 && lag > 0 && to <= bin; to++)
				expected->pages[tier][to] += pages * shares[to];
		}
	}
}

/* Rounds so that the sum stays what it is. */
static void round_all(const double *expected, uint64_t *ret)
{
	double exact = 0;
	uint64_t rounded = 0;

	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		exact += expected[bin];
		ret[bin] = (uint64_t)llround(exact) - rounded;
		rounded += ret[bin];
	}
}

_public_ int tier_group_get_histogram(
	struct tier_group *group, struct tier_histogram *ret)
{
	struct expectation expected = { 0 };
	uint64_t bins[TIER_TIERS_MAX][TIER_HISTOGRAM_BINS];
	int r;

	r = tier_census_update(
		&group->census, &group->map, group->rates.exposure, group->rates.epoch);
	if (r < 0)
		return r;
	for (const struct tier_cohort *c = group->census.cohorts; c; c = c->hh.next)
		expect_cohort(&expected, c, group->rates.epoch - c->key.epoch);
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		round_all(expected.pages[tier], bins[tier]);
	*ret = (struct tier_histogram){ 0 };
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		ret->fast_pages[bin] = bins[0][bin];
		for (unsigned tier = 1; tier < TIER_TIERS_MAX; tier++)
			ret->slow_pages[bin] += bins[tier][bin];
	}
	return 0;
}

/* ---- Blocks -------------------------------------------------------------------- */

static int compare_blocks(const void *a, const void *b)
{
	const struct tier_block_info *x = a, *y = b;

	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* A block that changed has its stock taken in a copy: it stays as the census counted it.
 */
static struct tier_block_info info_of(const struct tier_block *block)
{
	struct tier_block copy;

	if (block->listed) {
		copy = *block;
		tier_block_take_stock(&copy);
		block = &copy;
	}
	return (struct tier_block_info){
		.space = block->space,
		.address = tier_block_address(block, 0),
		.resident_pages = block->resident_pages,
		.fast_pages = block->tier_pages[0],
		.samples = block->sum,
		.huge = block->huge,
	};
}

_public_ int tier_group_list_blocks(
	const struct tier_group *group, struct tier_block_info **ret, size_t *ret_n)
{
	struct tier_block_info *infos =
		calloc(TIER_MAX(group->map.n_blocks, (size_t)1), sizeof(*infos));
	size_t n = 0;

	if (!infos)
		return -ENOMEM;
	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);

		if (block->in_use)
			infos[n++] = info_of(block);
	}
	qsort(infos, n, sizeof(*infos), compare_blocks);
	*ret = infos;
	*ret_n = n;
	return 0;
}
