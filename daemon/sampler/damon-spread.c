/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "sampler/damon-spread.h"

#define PAGE_SHIFT 12

void tierd_damon_spread_init(
	struct tierd_damon_spread *spread, unsigned regions_min, uint64_t seed)
{
	*spread = (struct tierd_damon_spread){ .regions_min = regions_min, .seed = seed };
}

/* Regions of a round come by target, then by address. */
static bool begins_round(
	const struct tierd_damon_spread *spread, const struct tierd_damon_region *region)
{
	return region->target < spread->last_target ||
	       (region->target == spread->last_target &&
		       region->start <= spread->last_start);
}

static void end_round(struct tierd_damon_spread *spread)
{
	spread->total_pages = spread->round_pages;
	spread->period = TIER_MAX(spread->total_pages / spread->regions_min, (uint64_t)1);
	spread->round_pages = 0;
}

static uint64_t pages_of(const struct tierd_damon_region *region)
{
	return tier_saturating_sub(region->end, region->start) >> PAGE_SHIFT;
}

uint64_t tierd_damon_spread_add(
	struct tierd_damon_spread *spread, const struct tierd_damon_region *region)
{
	uint64_t n;

	if (spread->round_pages > 0 && begins_round(spread, region))
		end_round(spread);
	spread->round_pages += pages_of(region);
	spread->last_target = region->target;
	spread->last_start = region->start;
	if (spread->period == 0 || pages_of(region) == 0)
		return 0;
	spread->due += (double)region->accesses * (double)pages_of(region) /
		       (double)spread->period;
	n = (uint64_t)TIER_MIN(spread->due, (double)region->accesses);
	spread->due = TIER_MIN(spread->due - (double)n, 1.0);
	return n;
}

/* Marsaglia's xorshift, "Xorshift RNGs", J. Stat. Software 2003. */
static uint64_t next_random(struct tierd_damon_spread *spread)
{
	spread->seed ^= spread->seed << 13;
	spread->seed ^= spread->seed >> 7;
	spread->seed ^= spread->seed << 17;
	return spread->seed;
}

uint64_t tierd_damon_spread_address(struct tierd_damon_spread *spread,
	const struct tierd_damon_region *region, uint64_t i, uint64_t n)
{
	double part = (double)(next_random(spread) >> 11) / (double)(UINT64_C(1) << 53);
	uint64_t page =
		(uint64_t)((double)pages_of(region) * ((double)i + part) / (double)n);

	return region->start + (TIER_MIN(page, pages_of(region) - 1) << PAGE_SHIFT);
}
