/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counting samples: the one path that runs hundreds of thousands of times a second. What
 * it costs is cache misses, so samples go through it in flights whose misses overlap: for
 * all of a flight slots are fetched, then the pages' bits and counts, and only then is
 * anything counted.
 */
#include "base/util.h"
#include "core/group.h"
#include "core/hash.h"

#define FLIGHT 32

/* One sample in so many is scored for the curve. */
#define SCORE_ONE_IN 16

struct flight {
	const struct tier_sample *samples;
	unsigned n;
	size_t homes[FLIGHT];
	struct tier_slot *slots[FLIGHT];
};

static void fetch_slots(const struct tier_blockmap *map, struct flight *flight)
{
	for (unsigned i = 0; i < flight->n; i++) {
		const struct tier_sample *sample = &flight->samples[i];

		flight->homes[i] = tier_blockmap_home(
			map, sample->space, sample->address >> TIER_BLOCK_SHIFT);
		__builtin_prefetch(&map->slots[flight->homes[i]], 1);
	}
}

static void fetch_pages(const struct tier_blockmap *map, struct flight *flight)
{
	for (unsigned i = 0; i < flight->n; i++) {
		const struct tier_sample *sample = &flight->samples[i];
		struct tier_slot *slot = tier_blockmap_probe(map, flight->homes[i],
			sample->space, sample->address >> TIER_BLOCK_SHIFT);
		unsigned page = tier_page_in_block(sample->address);
		struct tier_block *block;

		flight->slots[i] = slot;
		if (!slot)
			continue;
		block = tier_blockmap_at(map, slot->index);
		__builtin_prefetch(&block->words[page / 64]);
		__builtin_prefetch(&block->count[page], 1);
		if (!slot->changed)
			__builtin_prefetch(block, 1);
	}
}

/* Thins loads and stores by their weights; chance follows from seed, place and number. */
static bool is_kept(const struct tier_group *group, const struct tier_sample *sample)
{
	uint32_t keep = sample->is_store ? group->store_keep : group->load_keep;

	return keep == UINT32_MAX ||
	       (uint32_t)tier_hash(group->config.seed ^
				   tier_hash(sample->address ^ group->counted << 48 ^
					     sample->time_ns)) < keep;
}

static void score(struct tier_group *group, const struct tier_block *block, unsigned page)
{
	if (block->cohort)
		tier_scores_add(&group->scores, block, tier_block_tier(block, page),
			tier_count_bin(block->count[page]));
}

static enum tier_sampled count_sample(struct tier_group *group, struct tier_slot *slot,
	const struct tier_sample *sample)
{
	unsigned page = tier_page_in_block(sample->address);
	struct tier_block *block;
	bool is_slow;

	if (!slot)
		return TIER_SAMPLED_UNKNOWN;
	block = tier_blockmap_at(&group->map, slot->index);
	if (!tier_block_has(block, page))
		return TIER_SAMPLED_UNCOVERED;
	is_slow = tier_block_tier(block, page) > 0;
	if (slot->epoch != group->rates.epoch)
		tier_blockmap_cool(
			&group->map, slot, block, group->rates.epoch, group->config.seed);
	if (!slot->changed)
		tier_blockmap_touch(&group->map, slot, block);
	if (is_kept(group, sample)) {
		if (++group->counted % SCORE_ONE_IN == 0)
			score(group, block, page);
		tier_block_count(block, page);
	}
	if (group->engine->sampled)
		group->engine->sampled(group, block, page,
			sample->time_ns ? sample->time_ns : group->now_ns);
	return is_slow ? TIER_SAMPLED_SLOW : TIER_SAMPLED_FAST;
}

static void count_flight(
	struct tier_group *group, const struct flight *flight, uint8_t *ret_sampled)
{
	for (unsigned i = 0; i < flight->n; i++) {
		enum tier_sampled sampled =
			count_sample(group, flight->slots[i], &flight->samples[i]);

		group->stats.samples[sampled]++;
		if (ret_sampled)
			ret_sampled[i] = sampled;
	}
}

_public_ void tier_group_feed(struct tier_group *group, const struct tier_sample *samples,
	size_t n, uint8_t *ret_sampled)
{
	uint64_t fast = group->stats.samples[TIER_SAMPLED_FAST];
	uint64_t slow = group->stats.samples[TIER_SAMPLED_SLOW];

	for (size_t i = 0; i < n;) {
		struct flight flight = {
			.samples = samples + i,
			.n = TIER_MIN(n - i, (size_t)FLIGHT),
		};

		if (group->map.n_slots > 0) {
			fetch_slots(&group->map, &flight);
			fetch_pages(&group->map, &flight);
		}
		count_flight(group, &flight, ret_sampled ? ret_sampled + i : NULL);
		i += flight.n;
	}
	group->phase.fast += group->stats.samples[TIER_SAMPLED_FAST] - fast;
	group->phase.slow += group->stats.samples[TIER_SAMPLED_SLOW] - slow;
}
