/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a group: samples and residency come in, time passes, results of moves come
 * back. It keeps the books that engines read and decides when counts are cooled; it never
 * decides what to move.
 */
#include "core/group.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/collapse.h"
#include "core/tap.h"

DEFINE_CLEANUP(struct tier_group *, tier_group_free)

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
		.engine = TIER_ENGINE_RANK,
		.n_tiers = 2,
		.latency_ns = { 100, 300, 1000 },
		.copy_cost_ns = 5 * 1000,
		.horizon_ns = UINT64_C(600) * 1000 * 1000 * 1000,
		.cool_down_ns = UINT64_C(5) * 1000 * 1000 * 1000,
		.half_life_ns = UINT64_C(300) * 1000 * 1000 * 1000,
		.tpp_window_ns = UINT64_C(60) * 1000 * 1000 * 1000,
		.margin = 1.25,
		.load_weight = 1,
		.store_weight = 1,
		.seed = 1,
	};
}

static bool weight_is_valid(double weight)
{
	return weight > 0 && weight <= 1;
}

static bool config_is_valid(const struct tier_group_config *config)
{
	for (unsigned tier = 1; tier < config->n_tiers && tier < TIER_TIERS_MAX; tier++)
		if (config->latency_ns[tier] <= config->latency_ns[tier - 1])
			return false;
	return config->n_tiers >= 2 && config->n_tiers <= TIER_TIERS_MAX &&
	       config->copy_cost_ns > 0 && config->horizon_ns > 0 &&
	       config->half_life_ns > 0 && config->tpp_window_ns > 0 &&
	       isfinite(config->margin) && config->margin >= 1 &&
	       weight_is_valid(config->load_weight) &&
	       weight_is_valid(config->store_weight);
}

static const struct tier_engine_ops *find_engine(enum tier_engine engine)
{
	switch (engine) {
	case TIER_ENGINE_RANK:
		return &tier_engine_rank;
	case TIER_ENGINE_MEMTIS:
		return &tier_engine_memtis;
	case TIER_ENGINE_TPP:
		return &tier_engine_tpp;
	default:
		return NULL;
	}
}

/* Of 2^32, less one. */
static uint32_t chance(double weight)
{
	return (uint32_t)fmin(UINT32_MAX, ldexp(weight, 32));
}

_public_ int tier_group_new(
	const struct tier_group_config *config, struct tier_group **ret)
{
	_cleanup_(tier_group_freep) struct tier_group *group = NULL;
	const struct tier_engine_ops *engine = find_engine(config->engine);
	int r;

	if (!engine || !config_is_valid(config))
		return -EINVAL;
	group = calloc(1, sizeof(*group));
	if (!group)
		return -ENOMEM;
	group->config = *config;
	group->load_keep = chance(config->load_weight);
	group->store_keep = chance(config->store_weight);
	group->thinning.state = config->seed;
	tier_blockmap_init(&group->map);
	tier_rates_init(&group->rates);
	if (engine->init) {
		r = engine->init(group);
		if (r < 0)
			return r;
	}
	group->engine = engine;
	*ret = TAKE_PTR(group);
	return 0;
}

_public_ struct tier_group *tier_group_free(struct tier_group *group)
{
	if (!group)
		return NULL;
	if (group->engine && group->engine->done)
		group->engine->done(group);
	tier_ledger_done(&group->ledger);
	tier_census_done(&group->census);
	tier_blockmap_done(&group->map);
	free(group);
	return NULL;
}

_public_ void tier_group_set_copy_cost(struct tier_group *group, uint64_t copy_cost_ns)
{
	if (copy_cost_ns > 0)
		group->config.copy_cost_ns = copy_cost_ns;
}

_public_ void tier_group_set_skips_policy(struct tier_group *group, bool skips_policy)
{
	group->rates.skips_policy = skips_policy;
}

uint64_t tier_group_resident_pages(const struct tier_group *group)
{
	uint64_t pages = 0;

	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		pages += group->tier_pages[tier];
	return pages;
}

/* ---- Blocks -------------------------------------------------------------------- */

static void remove_block(struct tier_group *group, struct tier_block *block)
{
	if (group->engine->removed)
		group->engine->removed(group, block);
	tier_census_strike(&group->census, &group->map, block);
	tier_block_drop_all(block, group->tier_pages);
	group->huge_blocks -= block->huge;
	tier_blockmap_remove(&group->map, block);
}

static void cool_block(
	struct tier_group *group, struct tier_slot *slot, struct tier_block *block)
{
	tier_blockmap_cool(
		&group->map, slot, block, group->rates.epoch, group->config.seed);
}

static bool residency_is_empty(const struct tier_residency *residency)
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		if (residency->resident[i])
			return false;
	return true;
}

static bool residency_is_valid(
	const struct tier_group *group, const struct tier_residency *residency)
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++) {
		uint64_t high = residency->resident[i] & residency->tier[1][i];

		if (high & residency->tier[0][i] || (high && group->config.n_tiers < 3))
			return false;
	}
	return true;
}

static int add_block(
	struct tier_group *group, uint64_t space, uint64_t number, struct tier_slot **ret)
{
	struct tier_slot *slot;
	struct tier_block *block;
	int r;

	r = tier_blockmap_add(&group->map, space, number, group->rates.epoch, &slot);
	if (r < 0)
		return r;
	block = tier_blockmap_at(&group->map, slot->index);
	block->born = group->rates.exposure;
	if (group->engine->added) {
		r = group->engine->added(group, block);
		if (r < 0) {
			tier_blockmap_remove(&group->map, block);
			return r;
		}
	}
	*ret = slot;
	return 0;
}

static void set_residency(struct tier_group *group, struct tier_slot *slot,
	const struct tier_residency *residency)
{
	struct tier_block *block = tier_blockmap_at(&group->map, slot->index);

	cool_block(group, slot, block);
	group->huge_blocks -= block->huge;
	if (tier_block_set_residency(block, residency, group->tier_pages))
		tier_blockmap_touch(&group->map, slot, block);
	group->huge_blocks += block->huge;
}

_public_ int tier_group_set_residency(struct tier_group *group, uint64_t space,
	uint64_t address, const struct tier_residency *residency)
{
	uint64_t number = address >> TIER_BLOCK_SHIFT;
	struct tier_slot *slot = tier_blockmap_find(&group->map, space, number);
	int r;

	if (!residency_is_valid(group, residency))
		return -EINVAL;
	tier_tap_residency(group, space, address, residency);
	if (residency_is_empty(residency)) {
		if (slot)
			remove_block(group, tier_blockmap_at(&group->map, slot->index));
		return 0;
	}
	if (!slot) {
		r = add_block(group, space, number, &slot);
		if (r < 0)
			return r;
	}
	set_residency(group, slot, residency);
	return 0;
}

static int compare_block_with_range(const void *key, const void *element)
{
	const struct tier_block *block = key;
	const struct tier_range *range = element;
	uint64_t start = tier_block_address(block, 0);

	if (start + (TIER_BLOCK_SIZE - 1) < range->start)
		return -1;
	return start >= range->end;
}

_public_ void tier_group_keep_ranges(struct tier_group *group, uint64_t space,
	const struct tier_range *ranges, size_t n_ranges)
{
	const struct tier_residency none = { 0 };

	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		struct tier_block *block = tier_blockmap_at(&group->map, i);

		if (!block->in_use || block->space != space ||
			(n_ranges > 0 && bsearch(block, ranges, n_ranges, sizeof(*ranges),
						 compare_block_with_range)))
			continue;
		tier_tap_residency(group, space, tier_block_address(block, 0), &none);
		remove_block(group, block);
	}
}

_public_ void tier_group_forget_space(struct tier_group *group, uint64_t space)
{
	tier_group_keep_ranges(group, space, NULL, 0);
	tier_tap_space_end(group, space);
}

/* ---- Time ---------------------------------------------------------------------- */

static void advance_epoch(struct tier_group *group, unsigned epochs)
{
	group->rates.epoch += epochs;
	group->rates.exposure = ldexp(group->rates.exposure, -(int)epochs);
	group->counted >>= epochs;
	group->cooled_ns = group->now_ns;
	if (!group->engine->cools_itself)
		group->stats.coolings++;
}

static bool cooling_is_due(const struct tier_group *group)
{
	uint64_t since_ns = group->now_ns - group->cooled_ns;

	if (since_ns >= group->config.half_life_ns)
		return true;
	return since_ns >= COOL_INTERVAL_MIN_NS &&
	       group->counted > COOL_SAMPLES_PER_PAGE * tier_group_resident_pages(group);
}

static void cool_some_blocks(struct tier_group *group)
{
	uint32_t end = tier_blockmap_end(&group->map);
	uint32_t n = TIER_MIN(end, (uint32_t)COOL_BLOCKS_PER_CALL);

	for (uint32_t i = 0; i < n; i++) {
		struct tier_block *block;

		if (group->cool_cursor >= end)
			group->cool_cursor = 0;
		block = tier_blockmap_at(&group->map, group->cool_cursor++);
		if (block->in_use && block->epoch != group->rates.epoch)
			cool_block(group,
				tier_blockmap_find(
					&group->map, block->space, block->number),
				block);
	}
}

_public_ int tier_group_advance(
	struct tier_group *group, uint64_t now_ns, double exposure)
{
	int changed = 0;

	tier_tap_advance(group, now_ns, exposure);
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
	if (group->engine->advanced)
		group->engine->advanced(group);
	return changed;
}

_public_ void tier_group_expect_change(struct tier_group *group)
{
	tier_phase_reset(&group->phase);
}

_public_ int tier_group_plan(struct tier_group *group, const struct tier_limits *limits,
	struct tier_plan **ret)
{
	struct tier_plan *plan;
	int r;

	if (limits->now_ns < group->now_ns)
		return -EINVAL;
	tier_tap_limits(group, limits);
	r = tier_census_update(
		&group->census, &group->map, group->rates.exposure, group->rates.epoch);
	if (r < 0)
		return r;
	r = group->engine->plan(group, limits, &plan);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plan->n_moves; i++)
		group->stats.planned_pages[plan->moves[i].reason] += plan->moves[i].pages;
	group->planned_ns = limits->now_ns;
	group->stats.plans++;
	*ret = plan;
	return 0;
}

/* ---- Results ------------------------------------------------------------------- */

static void complete_page(struct tier_group *group, struct tier_block *block,
	const struct tier_move *move, enum tier_result result, uint64_t now_ns)
{
	unsigned page = tier_page_in_block(move->address);
	uint64_t cool_down_ns = group->config.cool_down_ns;

	switch (result) {
	case TIER_RESULT_DONE:
		tier_block_set_tier(block, page, move->to, group->tier_pages);
		tier_block_rest(block, page, now_ns, cool_down_ns);
		break;
	case TIER_RESULT_GONE:
		tier_block_drop(block, page, group->tier_pages);
		break;
	case TIER_RESULT_BUSY:
	case TIER_RESULT_UNSUPPORTED:
		/* A page that cannot be demoted must not stand in the way of others that
		 * are owed: it is not movable until residency says so again. */
		if (move->direction == TIER_DEMOTE)
			tier_block_drop(block, page, group->tier_pages);
		else
			tier_block_rest(block, page, now_ns, cool_down_ns);
		break;
	default:
		break;
	}
}

_public_ void tier_group_complete(struct tier_group *group, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns)
{
	struct tier_group_stats *stats = &group->stats;
	struct tier_slot *slot = tier_blockmap_find(
		&group->map, move->space, move->address >> TIER_BLOCK_SHIFT);
	struct tier_block *block;

	assert(result >= 0 && result < TIER_RESULT_MAX);
	assert(move->direction < TIER_DIRECTION_MAX);

	stats->tried_pages[move->direction] += move->pages;
	stats->result_pages[move->direction][result] += move->pages;
	if (move->direction != TIER_COLLAPSE)
		tier_ledger_note(
			&group->ledger, group->map.n_blocks, move, result, now_ns);
	if (!slot)
		return;
	block = tier_blockmap_at(&group->map, slot->index);
	cool_block(group, slot, block);
	group->huge_blocks -= block->huge;
	if (move->direction == TIER_COLLAPSE)
		tier_collapse_complete(group, block, result, now_ns);
	else
		complete_page(group, block, move, result, now_ns);
	group->huge_blocks += block->huge;
	tier_blockmap_touch(&group->map, slot, block);
}
