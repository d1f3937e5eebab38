/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counting samples: the one path that runs hundreds of thousands of times a second. What
 * it costs is cache misses, so samples go through it in flights whose misses overlap: for
 * all of a flight slots are fetched, then the pages' bits and counts, and only then is
 * anything counted.
 */
#include <string.h>

#include "base/util.h"
#include "core/group.h"
#include "core/tap.h"

#define FLIGHT 32

/* Samples on their way, and where each will be counted. */
struct flight {
	const struct tier_sample *samples;
	unsigned n;
	struct tier_slot *slots[FLIGHT]; /* NULL: nothing is known of the block */
	struct tier_block *blocks[FLIGHT];
};

static void fetch_slots(const struct tier_blockmap *map, struct flight *flight)
{
	for (unsigned i = 0; i < flight->n; i++) {
		const struct tier_sample *sample = &flight->samples[i];

		flight->slots[i] = &map->slots[tier_blockmap_home(
			map, sample->space, sample->address >> TIER_BLOCK_SHIFT)];
		__builtin_prefetch(flight->slots[i], 1);
	}
}

/* Of a block that is to be cooled all is fetched, of one to be listed its head. */
static void fetch_pages(
	const struct tier_blockmap *map, uint32_t epoch, struct flight *flight)
{
	for (unsigned i = 0; i < flight->n; i++) {
		const struct tier_sample *sample = &flight->samples[i];
		unsigned page = tier_page_in_block(sample->address);
		struct tier_slot *slot = tier_blockmap_probe(map, flight->slots[i],
			sample->space, sample->address >> TIER_BLOCK_SHIFT);

		flight->slots[i] = slot;
		if (!slot)
			continue;
		flight->blocks[i] = tier_blockmap_at(map, slot->index);
		__builtin_prefetch(&flight->blocks[i]->words[page / 64]);
		__builtin_prefetch(&flight->blocks[i]->count[page], 1);
		if (slot->epoch != epoch)
			tier_blockmap_fetch(map, slot->index);
		else if (!slot->changed)
			__builtin_prefetch(flight->blocks[i], 1);
	}
}

/* Thins loads and stores by their weights. */
static bool is_kept(struct tier_group *group, const struct tier_sample *sample)
{
	uint32_t keep = sample->is_store ? group->store_keep : group->load_keep;

	return keep == UINT32_MAX || (uint32_t)tier_random_next(&group->thinning) < keep;
}

/* One sample of a flight is scored for the curve. */
static void score(struct tier_group *group, const struct flight *flight)
{
	const struct tier_block *block = flight->blocks[0];
	unsigned page = tier_page_in_block(flight->samples[0].address);

	if (flight->slots[0] && tier_block_has(block, page) && block->cohort &&
		block->cohort->is_laid_out)
		tier_scores_add(&group->scores, block, tier_block_tier(block, page),
			tier_count_bin(block->count[page]));
}

_Static_assert(TIER_SAMPLED_FAST + 1 == TIER_SAMPLED_SLOW, "out of order");

/* The first sample on a block since stock was taken, or since it should have cooled. */
static void prepare(
	struct tier_group *group, struct tier_slot *slot, struct tier_block *block)
{
	tier_blockmap_cool(
		&group->map, slot, block, group->rates.epoch, group->config.seed);
	tier_blockmap_touch(&group->map, slot, block);
}

static enum tier_sampled count_sample(struct tier_group *group,
	const struct flight *flight, unsigned i, bool is_thinned)
{
	const struct tier_sample *sample = &flight->samples[i];
	unsigned page = tier_page_in_block(sample->address);
	struct tier_slot *slot = flight->slots[i];
	struct tier_block *block = flight->blocks[i];
	unsigned place;

	if (!slot)
		return TIER_SAMPLED_UNKNOWN;
	place = tier_block_place(block, page);
	if (place == 0)
		return TIER_SAMPLED_UNCOVERED;
	if (!slot->changed || slot->epoch != group->rates.epoch)
		prepare(group, slot, block);
	if (!is_thinned || is_kept(group, sample))
		tier_block_count(block, page);
	if (group->engine->sampled)
		group->engine->sampled(group, block, page,
			sample->time_ns ? sample->time_ns : group->now_ns);
	/* Nobody can predict this one: no branch. */
	return TIER_SAMPLED_FAST + (place > 1);
}

_public_ void tier_group_feed(struct tier_group *group, const struct tier_sample *samples,
	size_t n, uint8_t *ret_sampled)
{
	uint64_t counts[TIER_SAMPLED_MAX] = { 0 };
	bool is_thinned = group->load_keep < UINT32_MAX || group->store_keep < UINT32_MAX;
	struct flight flight;

	tier_tap_samples(group, samples, n);
	if (group->map.n_slots == 0) {
		group->stats.samples[TIER_SAMPLED_UNKNOWN] += n;
		if (ret_sampled)
			memset(ret_sampled, TIER_SAMPLED_UNKNOWN, n);
		return;
	}
	for (size_t first = 0; first < n; first += flight.n) {
		flight.samples = samples + first;
		flight.n = TIER_MIN(n - first, (size_t)FLIGHT);
		fetch_slots(&group->map, &flight);
		fetch_pages(&group->map, group->rates.epoch, &flight);
		score(group, &flight);
		for (unsigned i = 0; i < flight.n; i++) {
			enum tier_sampled sampled =
				count_sample(group, &flight, i, is_thinned);

			counts[sampled]++;
			if (ret_sampled)
				ret_sampled[first + i] = sampled;
		}
	}
	for (unsigned i = 0; i < TIER_SAMPLED_MAX; i++)
		group->stats.samples[i] += counts[i];
	group->counted += counts[TIER_SAMPLED_FAST] + counts[TIER_SAMPLED_SLOW];
	group->phase.fast += counts[TIER_SAMPLED_FAST];
	group->phase.slow += counts[TIER_SAMPLED_SLOW];
}
