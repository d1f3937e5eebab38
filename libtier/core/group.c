/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a group: samples and residency come in, time passes, results of moves come
 * back. It keeps the books that plan.c reads and decides when counts are cooled; it never
 * decides what to move.
 */
#include "core/group.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Counts are halved when pages hold this many samples on average, so that full counters
 * stay rare; but not more often than this, so that one busy page cannot starve the rest.
 */
#define COOL_SAMPLES_PER_PAGE 16
#define COOL_INTERVAL_MIN_NS  (UINT64_C(5) * 1000 * 1000 * 1000)

/* A phase change leaves one count in 2^4. */
#define PHASE_COOLINGS 4

/* Blocks that one call of tier_group_advance() cools at most; the rest wait, evaluated
 * under the exposure of their own epoch. */
#define COOL_BLOCKS_PER_CALL 1024

_public_ void tier_group_config_default(struct tier_group_config *ret)
{
	*ret = (struct tier_group_config){
		.latency_gap_ns = 200,
		.copy_cost_ns = 5 * 1000,
		.horizon_ns = UINT64_C(600) * 1000 * 1000 * 1000,
		.cool_down_ns = UINT64_C(5) * 1000 * 1000 * 1000,
		.half_life_ns = UINT64_C(300) * 1000 * 1000 * 1000,
		.margin = 1.25,
		.significance = 2,
		.seed = 1,
	};
}

static bool config_is_valid(const struct tier_group_config *config)
{
	return config->latency_gap_ns > 0 && config->copy_cost_ns > 0 &&
	       config->horizon_ns > 0 && config->half_life_ns > 0 &&
	       isfinite(config->margin) && config->margin >= 1 &&
	       isfinite(config->significance) && config->significance >= 0;
}

_public_ int tier_group_new(
	const struct tier_group_config *config, struct tier_group **ret)
{
	struct tier_group *group;

	if (!config_is_valid(config))
		return -EINVAL;
	group = calloc(1, sizeof(*group));
	if (!group)
		return -ENOMEM;
	group->config = *config;
	group->rates.significance = config->significance;
	*ret = group;
	return 0;
}

_public_ struct tier_group *tier_group_free(struct tier_group *group)
{
	if (group)
		tier_blockmap_done(&group->map);
	free(group);
	return NULL;
}

_public_ void tier_group_set_costs(
	struct tier_group *group, uint64_t latency_gap_ns, uint64_t copy_cost_ns)
{
	if (latency_gap_ns > 0)
		group->config.latency_gap_ns = latency_gap_ns;
	if (copy_cost_ns > 0)
		group->config.copy_cost_ns = copy_cost_ns;
}

/* ---- Blocks -------------------------------------------------------------------- */

static void group_account(
	struct tier_group *group, const struct tier_block *block, int sign)
{
	group->resident_pages += (int64_t)sign * block->resident_pages;
	group->fast_pages += (int64_t)sign * block->fast_pages;
	group->huge_blocks += sign * block->huge;
}

static void remove_block(struct tier_group *group, struct tier_block *block)
{
	group_account(group, block, -1);
	tier_blockmap_remove(&group->map, block);
}

static void cool_block(struct tier_group *group, struct tier_block *block)
{
	tier_block_cool(block, group->rates.epoch, group->config.seed);
}

static bool residency_is_empty(const struct tier_residency *residency)
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		if (residency->resident[i])
			return false;
	return true;
}

static int add_block(struct tier_group *group, uint64_t space, uint64_t number,
	struct tier_block **ret)
{
	int r;

	r = tier_blockmap_add(&group->map, space, number, ret);
	if (r < 0)
		return r;
	(*ret)->born = group->rates.exposure;
	(*ret)->epoch = group->rates.epoch;
	return 0;
}

_public_ int tier_group_set_residency(struct tier_group *group, uint64_t space,
	uint64_t address, const struct tier_residency *residency)
{
	uint64_t number = address >> TIER_BLOCK_SHIFT;
	struct tier_block *block = tier_blockmap_find(&group->map, space, number);
	int r;

	if (residency_is_empty(residency)) {
		if (block)
			remove_block(group, block);
		return 0;
	}
	if (!block) {
		r = add_block(group, space, number, &block);
		if (r < 0)
			return r;
	}
	cool_block(group, block);
	group_account(group, block, -1);
	tier_block_set_residency(block, residency);
	group_account(group, block, 1);
	return 0;
}

static int compare_block_with_range(const void *key, const void *element)
{
	const struct tier_block *block = key;
	const struct tier_range *range = element;
	uint64_t start = tier_block_address(block, 0);

	if (start + TIER_BLOCK_SIZE <= range->start)
		return -1;
	return start >= range->end;
}

_public_ void tier_group_keep_ranges(struct tier_group *group, uint64_t space,
	const struct tier_range *ranges, size_t n_ranges)
{
	for (size_t i = group->map.n_blocks; i-- > 0;) {
		struct tier_block *block = group->map.blocks[i];

		if (block->space == space &&
			(n_ranges == 0 ||
				!bsearch(block, ranges, n_ranges, sizeof(*ranges),
					compare_block_with_range)))
			remove_block(group, block);
	}
}

_public_ void tier_group_forget_space(struct tier_group *group, uint64_t space)
{
	tier_group_keep_ranges(group, space, NULL, 0);
}

/* ---- Samples and time ---------------------------------------------------------- */

static enum tier_sampled count_sample(
	struct tier_group *group, const struct tier_sample *sample)
{
	unsigned page = tier_page_in_block(sample->address);
	struct tier_block *block = tier_blockmap_find(
		&group->map, sample->space, sample->address >> TIER_BLOCK_SHIFT);

	if (!block)
		return TIER_SAMPLED_UNKNOWN;
	if (!tier_bitmap_has(block->resident, page))
		return TIER_SAMPLED_UNCOVERED;
	cool_block(group, block);
	tier_block_count(block, page);
	group->counted++;
	if (tier_block_speed(block, page) == TIER_FAST) {
		group->phase.fast++;
		return TIER_SAMPLED_FAST;
	}
	group->phase.slow++;
	return TIER_SAMPLED_SLOW;
}

_public_ int tier_group_sample(struct tier_group *group, const struct tier_sample *sample)
{
	enum tier_sampled sampled = count_sample(group, sample);

	group->stats.samples[sampled]++;
	return sampled;
}

static void advance_epoch(struct tier_group *group, unsigned epochs)
{
	group->rates.epoch += epochs;
	group->rates.exposure = ldexp(group->rates.exposure, -(int)epochs);
	group->counted >>= epochs;
	group->cooled_ns = group->now_ns;
	group->stats.coolings++;
}

static bool cooling_is_due(const struct tier_group *group)
{
	uint64_t since_ns = group->now_ns - group->cooled_ns;

	if (since_ns >= group->config.half_life_ns)
		return true;
	return since_ns >= COOL_INTERVAL_MIN_NS &&
	       group->counted > COOL_SAMPLES_PER_PAGE * group->resident_pages;
}

static void cool_some_blocks(struct tier_group *group)
{
	size_t n = TIER_MIN(group->map.n_blocks, (size_t)COOL_BLOCKS_PER_CALL);

	for (size_t i = 0; i < n; i++) {
		if (group->cool_cursor >= group->map.n_blocks)
			group->cool_cursor = 0;
		cool_block(group, group->map.blocks[group->cool_cursor++]);
	}
}

_public_ int tier_group_advance(
	struct tier_group *group, uint64_t now_ns, double exposure)
{
	int changed = 0;

	if (group->cooled_ns == 0)
		group->cooled_ns = now_ns;
	group->now_ns = TIER_MAX(group->now_ns, now_ns);
	group->rates.exposure += exposure;
	if (tier_phase_has_changed(&group->phase)) {
		group->stats.phase_changes++;
		advance_epoch(group, PHASE_COOLINGS);
		changed = 1;
	} else if (cooling_is_due(group)) {
		advance_epoch(group, 1);
	}
	cool_some_blocks(group);
	return changed;
}

_public_ void tier_group_expect_change(struct tier_group *group)
{
	tier_phase_reset(&group->phase);
}

/* ---- Results ------------------------------------------------------------------- */

static void complete_page(struct tier_group *group, struct tier_block *block,
	const struct tier_move *move, enum tier_result result, uint64_t now_ns)
{
	unsigned page = tier_page_in_block(move->address);

	switch (result) {
	case TIER_RESULT_DONE:
		tier_block_set_speed(block, page,
			move->direction == TIER_PROMOTE ? TIER_FAST : TIER_SLOW);
		tier_block_rest(block, page, now_ns, group->config.cool_down_ns);
		break;
	case TIER_RESULT_GONE:
		tier_block_drop(block, page);
		break;
	case TIER_RESULT_BUSY:
	case TIER_RESULT_UNSUPPORTED:
		/* A page that cannot be demoted must not stand in the way of others that
		 * are owed: it is not movable until residency says so again. */
		if (move->direction == TIER_DEMOTE)
			tier_block_drop(block, page);
		else
			tier_block_rest(block, page, now_ns, group->config.cool_down_ns);
		break;
	default:
		break;
	}
}

_public_ void tier_group_complete(struct tier_group *group, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns)
{
	struct tier_group_stats *stats = &group->stats;
	struct tier_block *block = tier_blockmap_find(
		&group->map, move->space, move->address >> TIER_BLOCK_SHIFT);

	assert(result >= 0 && result < TIER_RESULT_MAX);
	assert(move->direction < TIER_DIRECTION_MAX);

	stats->tried_pages[move->direction] += move->pages;
	stats->result_pages[move->direction][result] += move->pages;
	if (!block)
		return;
	cool_block(group, block);
	group_account(group, block, -1);
	complete_page(group, block, move, result, now_ns);
	group_account(group, block, 1);
}

/* ---- Seeing -------------------------------------------------------------------- */

_public_ void tier_group_get_stats(
	const struct tier_group *group, struct tier_group_stats *ret)
{
	struct tier_group_stats stats = group->stats;
	uint64_t known;

	stats.resident_pages = group->resident_pages;
	stats.fast_pages = group->fast_pages;
	stats.blocks = group->map.n_blocks;
	stats.huge_blocks = group->huge_blocks;
	stats.tracked_bytes = tier_blockmap_bytes(&group->map);
	stats.hit_ratio = tier_phase_share(&group->phase);
	known = stats.classes.hot_pages + stats.classes.warm_pages +
		stats.classes.cold_pages;
	if (known > 0)
		stats.coverage = (double)known / (known + stats.classes.unknown_pages);
	stats.mean_rate = group->rates.mean;
	stats.block_spread = group->rates.block_spread;
	stats.page_spread = group->rates.page_spread;
	*ret = stats;
}

_public_ void tier_group_get_histogram(
	struct tier_group *group, struct tier_histogram *ret)
{
	struct tier_histogram histogram = { 0 };

	for (size_t i = 0; i < group->map.n_blocks; i++) {
		struct tier_block *block = group->map.blocks[i];

		cool_block(group, block);
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
			histogram.fast_pages[bin] += block->classes[TIER_FAST][bin];
			histogram.slow_pages[bin] += block->classes[TIER_SLOW][bin];
		}
	}
	*ret = histogram;
}

static int compare_blocks(const void *a, const void *b)
{
	const struct tier_block_info *x = a, *y = b;

	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

_public_ int tier_group_list_blocks(
	const struct tier_group *group, struct tier_block_info **ret, size_t *ret_n)
{
	size_t n = group->map.n_blocks;
	struct tier_block_info *infos = calloc(TIER_MAX(n, (size_t)1), sizeof(*infos));

	if (!infos)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct tier_block *block = group->map.blocks[i];

		infos[i] = (struct tier_block_info){
			.space = block->space,
			.address = tier_block_address(block, 0),
			.resident_pages = block->resident_pages,
			.fast_pages = block->fast_pages,
			.samples = block->sum,
			.huge = block->huge,
		};
	}
	qsort(infos, n, sizeof(*infos), compare_blocks);
	*ret = infos;
	*ret_n = n;
	return 0;
}
