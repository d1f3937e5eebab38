/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for every plan, checked on random groups: quota, room, budget, owed pages,
 * one move a page, the right direction, rest, and the same plan from the same history.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "core/group.h"
#include "base/util.h"
#include "core/hash.h"

#define WORLDS              400
#define BLOCKS              24
#define SPACE               UINT64_C(9)
#define BASE                UINT64_C(0x5500000000)
#define NOW_NS              (UINT64_C(100) * 1000 * 1000 * 1000)
#define SHARE_OF(random, n) (tier_random_next(random) % ((n) + 1))

static void fill_residency(
	struct tier_random *random, unsigned n_tiers, struct tier_residency *residency)
{
	bool is_whole = tier_random_next(random) % 3 != 0;

	unsigned tier = tier_random_next(random) % n_tiers;

	*residency = (struct tier_residency){
		.huge = is_whole && tier_random_next(random) % 4 == 0,
	};
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		if (is_whole || tier_random_next(random) % 2)
			tier_residency_add(residency, page,
				residency->huge ? tier
						: tier_random_next(random) % n_tiers);
}

static struct tier_group *random_group_of(
	enum tier_engine engine, uint64_t seed, unsigned n_tiers)
{
	struct tier_random random = { seed };
	struct tier_group_config config;
	struct tier_group *group;
	size_t samples = tier_random_next(&random) % 20000;

	tier_group_config_default(&config);
	config.engine = engine;
	config.n_tiers = n_tiers;
	assert_int_equal(tier_group_new(&config, &group), 0);
	tier_group_advance(group, NOW_NS - config.cool_down_ns / 2, 0);
	for (unsigned block = 0; block < BLOCKS; block++) {
		struct tier_residency residency;

		fill_residency(&random, n_tiers, &residency);
		assert_int_equal(tier_group_set_residency(group, SPACE,
					 BASE + block * TIER_BLOCK_SIZE, &residency),
			0);
	}
	for (size_t i = 0; i < samples; i++) {
		/* The square of a uniform number: low addresses are hotter. */
		uint64_t page = tier_random_next(&random) % (BLOCKS * TIER_BLOCK_PAGES);

		page = page * page / (BLOCKS * TIER_BLOCK_PAGES);
		tier_group_feed(group,
			&(struct tier_sample){
				.space = SPACE,
				.address = BASE + page * TIER_PAGE_SIZE,
			},
			1, NULL);
	}
	tier_group_advance(group, NOW_NS, 0.01);
	return group;
}

static struct tier_group *random_group(uint64_t seed)
{
	return random_group_of(TIER_ENGINE_RANK, seed, 2 + seed % 2);
}

static struct tier_limits random_limits(struct tier_random *random, uint64_t fast_pages)
{
	uint64_t pages = BLOCKS * TIER_BLOCK_PAGES;

	return (struct tier_limits){
		.now_ns = NOW_NS,
		.fast_pages = fast_pages,
		.quota_pages = tier_random_next(random) % 5 == 0
				       ? TIER_UNLIMITED_PAGES
				       : SHARE_OF(random, pages),
		.room_pages = { SHARE_OF(random, pages), SHARE_OF(random, pages),
			SHARE_OF(random, pages) },
		.owed_pages = tier_random_next(random) % 3 == 0
				      ? SHARE_OF(random, pages / 8)
				      : 0,
		.budget_pages = SHARE_OF(random, pages),
	};
}

static struct tier_block *block_at(const struct tier_group *group, uint64_t address)
{
	struct tier_slot *slot =
		tier_blockmap_find(&group->map, SPACE, address >> TIER_BLOCK_SHIFT);

	assert_non_null(slot);
	return tier_blockmap_at(&group->map, slot->index);
}

static void assert_moves_are_sound(
	const struct tier_group *group, const struct tier_plan *plan)
{
	bool seen[BLOCKS * TIER_BLOCK_PAGES] = { 0 };
	const struct tier_move *moves;
	unsigned upper, lower;
	size_t n;

	moves = tier_plan_moves(plan, &n);
	tier_plan_get_tiers(plan, &upper, &lower);
	assert_true(upper < lower && lower < group->config.n_tiers);

	for (size_t i = 0; i < n; i++) {
		uint64_t first = (moves[i].address - BASE) / TIER_PAGE_SIZE;
		const struct tier_block *block = block_at(group, moves[i].address);

		assert_int_equal(
			moves[i].direction == TIER_PROMOTE, moves[i].to < moves[i].from);
		assert_int_equal(
			moves[i].to, moves[i].direction == TIER_PROMOTE ? upper : lower);
		assert_int_equal(moves[i].pages, block->huge ? TIER_BLOCK_PAGES : 1);
		for (uint32_t k = 0; k < moves[i].pages; k++) {
			unsigned page = (first + k) % TIER_BLOCK_PAGES;

			assert_false(seen[first + k]);
			seen[first + k] = true;
			assert_true(tier_block_has(block, page));
			assert_int_equal(tier_block_tier(block, page), moves[i].from);
		}
	}
}

static void count_pages(const struct tier_move *moves, size_t n,
	uint64_t ret_pages[static TIER_DIRECTION_MAX],
	uint64_t ret_reasons[static TIER_REASON_MAX])
{
	memset(ret_pages, 0, TIER_DIRECTION_MAX * sizeof(*ret_pages));
	memset(ret_reasons, 0, TIER_REASON_MAX * sizeof(*ret_reasons));
	for (size_t i = 0; i < n; i++) {
		ret_pages[moves[i].direction] += moves[i].pages;
		ret_reasons[moves[i].reason] += moves[i].pages;
	}
}

static uint64_t over(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void assert_limits_hold(const struct tier_limits *limits, uint64_t movable_fast,
	const struct tier_move *moves, size_t n)
{
	uint64_t pages[TIER_DIRECTION_MAX], reasons[TIER_REASON_MAX];
	uint64_t owed =
		over(limits->fast_pages, limits->quota_pages) + limits->owed_pages;
	uint64_t after;

	count_pages(moves, n, pages, reasons);
	after = limits->fast_pages + pages[TIER_PROMOTE] - pages[TIER_DEMOTE];

	/* A huge page may straddle the end of what is owed or budgeted. */
	assert_true(pages[TIER_PROMOTE] <= limits->budget_pages + TIER_BLOCK_PAGES);
	assert_true(pages[TIER_DEMOTE] <= limits->budget_pages + TIER_BLOCK_PAGES);
	if (limits->fast_pages <= limits->quota_pages)
		assert_true(after <= limits->quota_pages);
	else
		assert_true(after <= limits->fast_pages);
	assert_true(after <= limits->fast_pages + limits->room_pages[0]);

	/* What is owed and can be carried out is in the plan. */
	assert_true(pages[TIER_DEMOTE] >=
		    TIER_MIN(TIER_MIN(owed, limits->budget_pages), movable_fast));
	if (owed == 0)
		assert_int_equal(
			reasons[TIER_REASON_QUOTA] + reasons[TIER_REASON_NODE], 0);
	else
		assert_int_equal(reasons[TIER_REASON_HOT] + reasons[TIER_REASON_FILL], 0);
}

static void plans_keep_their_limits(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		struct tier_random random = { seed * 77 };
		struct tier_group *group = random_group(seed);
		struct tier_limits limits = random_limits(&random, group->tier_pages[0]);
		struct tier_plan *plan;
		const struct tier_move *moves;
		size_t n;

		assert_int_equal(tier_group_plan(group, &limits, &plan), 0);
		moves = tier_plan_moves(plan, &n);
		assert_moves_are_sound(group, plan);
		assert_limits_hold(&limits, group->tier_pages[0], moves, n);
		tier_plan_free(plan);
		tier_group_free(group);
	}
}

static void the_same_history_gives_the_same_plan(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS / 4; seed++) {
		struct tier_random random = { seed };
		struct tier_group *a = random_group(seed), *b = random_group(seed);
		struct tier_limits limits = random_limits(&random, a->tier_pages[0]);
		struct tier_plan *plan_a, *plan_b;
		const struct tier_move *moves_a, *moves_b;
		size_t n_a, n_b;

		assert_int_equal(tier_group_plan(a, &limits, &plan_a), 0);
		assert_int_equal(tier_group_plan(b, &limits, &plan_b), 0);
		moves_a = tier_plan_moves(plan_a, &n_a);
		moves_b = tier_plan_moves(plan_b, &n_b);
		assert_int_equal(n_a, n_b);
		assert_memory_equal(moves_a, moves_b, n_a * sizeof(*moves_a));
		tier_plan_free(plan_a);
		tier_plan_free(plan_b);
		tier_group_free(a);
		tier_group_free(b);
	}
}

static uint64_t plan_with_budget(
	uint64_t seed, uint64_t budget_pages, bool *ret_cut_short)
{
	struct tier_random random = { seed };
	struct tier_group *group = random_group_of(TIER_ENGINE_RANK, seed, 2);
	struct tier_limits limits = random_limits(&random, group->tier_pages[0]);
	const struct tier_move *moves;
	uint64_t pages = 0;
	struct tier_plan *plan;
	size_t n;

	limits.budget_pages = budget_pages;
	assert_int_equal(tier_group_plan(group, &limits, &plan), 0);
	moves = tier_plan_moves(plan, &n);
	for (size_t i = 0; i < n; i++)
		pages += moves[i].pages;
	*ret_cut_short = tier_plan_is_cut_short(plan);
	tier_plan_free(plan);
	tier_group_free(group);
	return pages;
}

/* It is by its budget, whatever the room was; that a huge page or one that rests comes
 * into play by another budget is rare. */
static void a_plan_cut_short_has_more_to_move(void **state)
{
	unsigned n_cut_short = 0, n_in_vain = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS; seed++) {
		bool is_cut_short, is_whole_cut_short;
		uint64_t pages = plan_with_budget(seed, 1 + seed * 24, &is_cut_short);
		uint64_t whole =
			plan_with_budget(seed, TIER_UNLIMITED_PAGES, &is_whole_cut_short);

		assert_false(is_whole_cut_short);
		if (!is_cut_short)
			assert_int_equal(pages, whole);
		n_cut_short += is_cut_short;
		n_in_vain += is_cut_short && pages >= whole;
	}
	assert_in_range(n_cut_short, WORLDS / 10, WORLDS * 9 / 10);
	assert_in_range(n_in_vain, 0, WORLDS / 100);
}

/* What a migrator lets through of a plan: promotions wait for room, and fail. */
static uint64_t admitted_pages(const struct tier_plan *plan, uint64_t demoted_pages)
{
	uint64_t room = tier_plan_room_pages(plan) +
			over(demoted_pages, tier_plan_owed_pages(plan));
	uint64_t pages = 0;
	const struct tier_move *moves;
	size_t n;

	moves = tier_plan_moves(plan, &n);
	for (size_t i = 0; i < n; i++)
		if (moves[i].direction == TIER_PROMOTE && pages + moves[i].pages <= room)
			pages += moves[i].pages;
	return pages;
}

/* Of the other engines as well: no plan takes a group over its quota, if promotions wait
 * for room, and what is owed is demoted. */
static void reference_plans_keep_the_quota(const struct tier_group *group,
	const struct tier_limits *limits, const struct tier_plan *plan)
{
	uint64_t pages[TIER_DIRECTION_MAX], reasons[TIER_REASON_MAX], after, owed;
	const struct tier_move *moves;
	size_t n;

	moves = tier_plan_moves(plan, &n);
	count_pages(moves, n, pages, reasons);
	owed = over(limits->fast_pages, limits->quota_pages) + limits->owed_pages;
	after = limits->fast_pages + admitted_pages(plan, pages[TIER_DEMOTE]) -
		pages[TIER_DEMOTE];
	assert_true(after <= TIER_MAX(limits->fast_pages, limits->quota_pages));
	assert_true(after <= limits->fast_pages + limits->room_pages[0]);
	if (owed > 0 && pages[TIER_DEMOTE] > 0)
		assert_true(after < limits->fast_pages);
	assert_true(pages[TIER_PROMOTE] <= limits->budget_pages + TIER_BLOCK_PAGES);
	assert_true(pages[TIER_DEMOTE] <= limits->budget_pages + TIER_BLOCK_PAGES);
	assert_true(pages[TIER_DEMOTE] >=
		    TIER_MIN(TIER_MIN(owed, limits->budget_pages), group->tier_pages[0]));
}

static void reference_engines_keep_limits_too(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2 * WORLDS; seed++) {
		enum tier_engine engine = seed % 2 ? TIER_ENGINE_MEMTIS : TIER_ENGINE_TPP;
		struct tier_random random = { seed * 99 };
		struct tier_group *group =
			random_group_of(engine, seed, 2 + seed / 2 % 2);
		struct tier_group *twin = random_group_of(engine, seed, 2 + seed / 2 % 2);
		struct tier_limits limits = random_limits(&random, group->tier_pages[0]);
		struct tier_plan *plan, *twin_plan;
		const struct tier_move *moves, *twin_moves;
		size_t n, n_twin;

		assert_int_equal(tier_group_plan(group, &limits, &plan), 0);
		assert_int_equal(tier_group_plan(twin, &limits, &twin_plan), 0);
		assert_moves_are_sound(group, plan);
		reference_plans_keep_the_quota(group, &limits, plan);
		moves = tier_plan_moves(plan, &n);
		twin_moves = tier_plan_moves(twin_plan, &n_twin);
		assert_int_equal(n, n_twin);
		assert_memory_equal(moves, twin_moves, n * sizeof(*moves));
		tier_plan_free(plan);
		tier_plan_free(twin_plan);
		tier_group_free(group);
		tier_group_free(twin);
	}
}

/* Pages that moved a moment ago stay, unless they are owed. */
static void moved_pages_rest(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= WORLDS / 4; seed++) {
		struct tier_group *group = random_group(seed);
		struct tier_limits limits = {
			.now_ns = NOW_NS,
			.quota_pages = BLOCKS * TIER_BLOCK_PAGES / 2,
			.room_pages = { TIER_UNLIMITED_PAGES, TIER_UNLIMITED_PAGES },
			.budget_pages = 2048,
			.fast_pages = BLOCKS * TIER_BLOCK_PAGES / 2,
		};
		struct tier_plan *first, *second;
		const struct tier_move *moves, *again;
		size_t n, n_again;

		assert_int_equal(tier_group_plan(group, &limits, &first), 0);
		moves = tier_plan_moves(first, &n);
		for (size_t i = 0; i < n; i++)
			tier_group_complete(group, &moves[i], TIER_RESULT_DONE, NOW_NS);
		assert_int_equal(tier_group_plan(group, &limits, &second), 0);
		again = tier_plan_moves(second, &n_again);
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < n_again; k++)
				assert_int_not_equal(moves[i].address, again[k].address);
		tier_plan_free(first);
		tier_plan_free(second);
		tier_group_free(group);
	}
}

static void results_reach_the_books(void **state)
{
	struct tier_group *group = random_group(3);
	struct tier_group_stats before, after;
	struct tier_move move = {
		.space = SPACE,
		.address = BASE,
		.pages = 1,
		.direction = TIER_DEMOTE,
		.to = 1,
	};

	(void)state;
	while (block_at(group, move.address)->huge ||
		!tier_block_has(block_at(group, move.address),
			tier_page_in_block(move.address)) ||
		tier_block_tier(block_at(group, move.address),
			tier_page_in_block(move.address)) > 0)
		move.address += TIER_PAGE_SIZE;
	tier_group_get_stats(group, &before);

	tier_group_complete(group, &move, TIER_RESULT_NOMEM, NOW_NS);
	tier_group_get_stats(group, &after);
	assert_int_equal(after.tier_pages[0], before.tier_pages[0]);
	assert_int_equal(after.result_pages[TIER_DEMOTE][TIER_RESULT_NOMEM], 1);

	tier_group_complete(group, &move, TIER_RESULT_DONE, NOW_NS);
	tier_group_get_stats(group, &after);
	assert_int_equal(after.tier_pages[0], before.tier_pages[0] - 1);
	assert_int_equal(after.resident_pages, before.resident_pages);

	tier_group_complete(group, &move, TIER_RESULT_GONE, NOW_NS);
	tier_group_get_stats(group, &after);
	assert_int_equal(after.resident_pages, before.resident_pages - 1);
	assert_int_equal(after.tried_pages[TIER_DEMOTE], 3);
	tier_group_free(group);
}

static void the_histogram_sums_to_the_resident_pages(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct tier_group *group = random_group(seed);
		struct tier_group_stats stats;
		struct tier_histogram histogram;
		uint64_t fast = 0, slow = 0;

		tier_group_get_stats(group, &stats);
		tier_group_get_histogram(group, &histogram);
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
			fast += histogram.fast_pages[bin];
			slow += histogram.slow_pages[bin];
		}
		assert_int_equal(fast, stats.tier_pages[0]);
		assert_int_equal(fast + slow, stats.resident_pages);
		tier_group_free(group);
	}
}

/* There are more blocks than one call cools. */
static void the_histogram_sums_while_blocks_wait_to_be_cooled(void **state)
{
	struct tier_group_config config;
	struct tier_group *group;
	struct tier_histogram histogram;
	uint64_t fast = 0, all = 0, blocks = 3000, waiting = 0;

	(void)state;
	tier_group_config_default(&config);
	assert_int_equal(tier_group_new(&config, &group), 0);
	tier_group_advance(group, 1, 0);
	for (uint64_t i = 0; i < blocks; i++) {
		struct tier_sample sample = { .space = SPACE,
			.address = BASE + i * TIER_BLOCK_SIZE };
		struct tier_residency residency = { .resident = { UINT64_MAX, i },
			.tier[0] = { i, UINT64_MAX } };

		assert_int_equal(tier_group_set_residency(
					 group, SPACE, sample.address, &residency),
			0);
		for (uint64_t k = 0; k < i % 300; k++)
			tier_group_feed(group, &sample, 1, NULL);
	}
	tier_group_advance(group, 1 + config.half_life_ns, 1);
	for (uint64_t i = 0; i < blocks; i++)
		waiting += block_at(group, BASE + i * TIER_BLOCK_SIZE)->epoch !=
			   group->rates.epoch;
	assert_true(waiting > blocks / 2);
	assert_int_equal(tier_group_get_histogram(group, &histogram), 0);
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		fast += histogram.fast_pages[bin];
		all += histogram.fast_pages[bin] + histogram.slow_pages[bin];
	}
	assert_int_equal(fast, group->tier_pages[0]);
	assert_int_equal(all, tier_group_resident_pages(group));
	tier_group_free(group);
}

static void spaces_and_ranges_are_forgotten(void **state)
{
	/* The second block lies between the two, touched by neither. */
	static const struct tier_range kept[] = {
		{ BASE, BASE + 1 },
		{ BASE + 3 * TIER_BLOCK_SIZE - 1, BASE + BLOCKS * TIER_BLOCK_SIZE },
	};
	struct tier_group *group = random_group(5);
	struct tier_group_stats stats;

	(void)state;
	tier_group_keep_ranges(group, SPACE, kept, ARRAY_SIZE(kept));
	tier_group_get_stats(group, &stats);
	assert_int_equal(stats.blocks, BLOCKS - 1);
	tier_group_forget_space(group, SPACE + 1);
	tier_group_get_stats(group, &stats);
	assert_int_equal(stats.blocks, BLOCKS - 1);
	tier_group_forget_space(group, SPACE);
	tier_group_get_stats(group, &stats);
	assert_int_equal(stats.blocks, 0);
	assert_int_equal(stats.resident_pages, 0);
	assert_int_equal(stats.tier_pages[0], 0);
	tier_group_free(group);
}

static void samples_are_told_apart(void **state)
{
	struct tier_group_config config;
	struct tier_group *group;
	struct tier_residency residency = { .resident = { 3 }, .tier[0] = { 2 } };
	uint8_t sampled[4];

	(void)state;
	tier_group_config_default(&config);
	assert_int_equal(tier_group_new(&config, &group), 0);
	assert_int_equal(tier_group_set_residency(group, SPACE, BASE, &residency), 0);
	tier_group_feed(group,
		(struct tier_sample[]){
			{ .space = SPACE, .address = BASE },
			{ .space = SPACE, .address = BASE + TIER_PAGE_SIZE },
			{ .space = SPACE, .address = BASE + 2 * TIER_PAGE_SIZE },
			{ .space = SPACE + 1, .address = BASE },
		},
		4, sampled);
	assert_int_equal(sampled[0], TIER_SAMPLED_FAST);
	assert_int_equal(sampled[1], TIER_SAMPLED_SLOW);
	assert_int_equal(sampled[2], TIER_SAMPLED_UNCOVERED);
	assert_int_equal(sampled[3], TIER_SAMPLED_UNKNOWN);
	tier_group_free(group);
}

static void assert_list_is_true(const struct tier_group *group)
{
	uint64_t resident = 0, fast = 0, samples = 0, counted = 0;
	struct tier_block_info *blocks;
	struct tier_group_stats stats;
	size_t n;

	assert_int_equal(tier_group_list_blocks(group, &blocks, &n), 0);
	for (size_t i = 0; i < n; i++) {
		const struct tier_block *block = block_at(group, blocks[i].address);

		resident += blocks[i].resident_pages;
		fast += blocks[i].fast_pages;
		samples += blocks[i].samples;
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
			counted += block->count[page];
	}
	free(blocks);
	tier_group_get_stats(group, &stats);
	assert_int_equal(n, stats.blocks);
	assert_int_equal(resident, stats.resident_pages);
	assert_int_equal(fast, stats.tier_pages[0]);
	assert_int_equal(samples, counted);
}

/* With blocks of which no stock was taken yet, with none, and with some. */
static void listed_blocks_are_as_they_are_now(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct tier_group *group = random_group(seed);
		struct tier_histogram histogram;
		struct tier_sample sample = { .space = SPACE };

		assert_list_is_true(group);
		assert_int_equal(tier_group_get_histogram(group, &histogram), 0);
		assert_list_is_true(group);
		for (unsigned i = 0; i < BLOCKS; i += 2) {
			sample.address = BASE + i * (TIER_BLOCK_SIZE + TIER_PAGE_SIZE);
			tier_group_feed(group, &sample, 1, NULL);
		}
		assert_list_is_true(group);
		tier_group_free(group);
	}
}

/* Two plans for times ahead of the group's own leave the samples between them scored. */
static void a_plan_ahead_of_time_keeps_the_curve(void **state)
{
	struct tier_group *group = random_group(4);
	struct tier_limits limits = {
		.now_ns = NOW_NS + 1000,
		.quota_pages = TIER_UNLIMITED_PAGES,
	};
	struct tier_curve before, after;

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		struct tier_plan *plan;

		assert_int_equal(tier_group_plan(group, &limits, &plan), 0);
		tier_plan_free(plan);
		for (unsigned i = 0; round == 0 && i < 1000; i++)
			tier_group_feed(group,
				&(struct tier_sample){
					.space = SPACE,
					.address = BASE + i * TIER_PAGE_SIZE,
				},
				1, NULL);
		tier_group_get_curve(group, round == 0 ? &before : &after);
	}
	assert_true(before.samples > 100);
	assert_true(after.samples > 0.99 * before.samples);
	tier_group_free(group);
}

static void bad_arguments_are_refused(void **state)
{
	struct tier_group_config config;
	struct tier_group *group = NULL;
	struct tier_plan *plan = NULL;
	struct tier_limits limits = { .now_ns = 5 };

	(void)state;
	tier_group_config_default(&config);
	config.margin = 0.5;
	assert_int_equal(tier_group_new(&config, &group), -EINVAL);
	assert_null(group);
	tier_group_config_default(&config);
	assert_int_equal(tier_group_new(&config, &group), 0);
	tier_group_advance(group, 6, 0);
	assert_int_equal(tier_group_plan(group, &limits, &plan), -EINVAL);
	assert_null(plan);
	tier_group_free(group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_keep_their_limits),
		cmocka_unit_test(the_same_history_gives_the_same_plan),
		cmocka_unit_test(a_plan_cut_short_has_more_to_move),
		cmocka_unit_test(reference_engines_keep_limits_too),
		cmocka_unit_test(moved_pages_rest),
		cmocka_unit_test(results_reach_the_books),
		cmocka_unit_test(the_histogram_sums_to_the_resident_pages),
		cmocka_unit_test(the_histogram_sums_while_blocks_wait_to_be_cooled),
		cmocka_unit_test(spaces_and_ranges_are_forgotten),
		cmocka_unit_test(samples_are_told_apart),
		cmocka_unit_test(listed_blocks_are_as_they_are_now),
		cmocka_unit_test(a_plan_ahead_of_time_keeps_the_curve),
		cmocka_unit_test(bad_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
