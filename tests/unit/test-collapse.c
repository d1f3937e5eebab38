/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which blocks are collapsed: eight that are hot, whole and in tier 0, among others that
 * are cold or slow, and one of the eight made unfit in every way there is.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/util.h"
#include "core/collapse.h"
#include "core/hash.h"

#define SPACE       UINT64_C(9)
#define BASE        UINT64_C(0x5500000000)
#define SECOND_NS   (UINT64_C(1000) * 1000 * 1000)
#define NOW_NS      (100 * SECOND_NS)
#define HOT_BLOCKS  8U
#define FAST_BLOCKS 16U
#define ALL_BLOCKS  32U
#define ODD_PAGE    77U

/* Samples of a block. */
#define HOT_SAMPLES  2048
#define COLD_DIVISOR 10
#define FULL_SAMPLES (600 * TIER_BLOCK_PAGES)

enum fault {
	NONE,
	ONE_PAGE_IS_SLOW,
	ONE_PAGE_IS_SLOWER,
	ONE_PAGE_IS_MISSING,
	IS_HUGE,
	IS_A_FILE,
	HALF_IS_COLD,
	ONE_PAGE_HAS_IT_ALL,
	COUNTERS_ARE_FULL, /* though some pages are three times as hot */
	IS_COLD,
	FAULT_MAX,
};

static uint64_t address_of(unsigned block)
{
	return BASE + block * TIER_BLOCK_SIZE;
}

static void set_residency(struct tier_group *group, unsigned block, enum fault fault)
{
	struct tier_residency residency = {
		.anonymous = fault != IS_A_FILE,
		.huge = fault == IS_HUGE,
	};

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		unsigned tier = block >= FAST_BLOCKS;

		if (page == ODD_PAGE && fault == ONE_PAGE_IS_MISSING)
			continue;
		if (page == ODD_PAGE && fault == ONE_PAGE_IS_SLOW)
			tier = 1;
		if (page == ODD_PAGE && fault == ONE_PAGE_IS_SLOWER)
			tier = 2;
		tier_residency_add(&residency, page, tier);
	}
	assert_int_equal(
		tier_group_set_residency(group, SPACE, address_of(block), &residency), 0);
}

static unsigned sampled_page(struct tier_random *random, enum fault fault)
{
	unsigned page = tier_random_next(random) % TIER_BLOCK_PAGES;

	switch (fault) {
	case HALF_IS_COLD:
		return page & ~1U;
	case ONE_PAGE_HAS_IT_ALL:
		return 5;
	case COUNTERS_ARE_FULL:
		return tier_random_next(random) % 2 ? page & ~1U : page;
	default:
		return page;
	}
}

static void sample(struct tier_group *group, struct tier_random *random, unsigned block,
	enum fault fault, unsigned samples)
{
	for (unsigned i = 0; i < samples; i++)
		tier_group_feed(group,
			&(struct tier_sample){
				.space = SPACE,
				.address = address_of(block) +
					   sampled_page(random, fault) * TIER_PAGE_SIZE,
			},
			1, NULL);
}

/* A group whose first block has @fault; hot blocks get @samples. */
static struct tier_group *new_group(enum fault fault, unsigned samples)
{
	struct tier_random random = { 7 };
	struct tier_group_config config;
	struct tier_group *group;

	tier_group_config_default(&config);
	config.n_tiers = 3;
	assert_int_equal(tier_group_new(&config, &group), 0);
	tier_group_advance(group, NOW_NS - SECOND_NS, 0);
	for (unsigned block = 0; block < ALL_BLOCKS; block++) {
		enum fault its = block == 0 ? fault : NONE;
		bool is_hot = block < HOT_BLOCKS && its != IS_COLD;

		set_residency(group, block, its);
		sample(group, &random, block, its,
			its == COUNTERS_ARE_FULL ? FULL_SAMPLES
			: is_hot                 ? samples
						 : samples / COLD_DIVISOR);
	}
	tier_group_advance(group, NOW_NS, 1);
	return group;
}

static struct tier_group *usual_group(enum fault fault)
{
	return new_group(fault, HOT_SAMPLES);
}

static struct tier_limits usual_limits(void)
{
	return (struct tier_limits){
		.now_ns = NOW_NS,
		.fast_pages = FAST_BLOCKS * TIER_BLOCK_PAGES,
		.quota_pages = FAST_BLOCKS * TIER_BLOCK_PAGES,
		.room_pages = { 0, TIER_UNLIMITED_PAGES },
		.budget_pages = 65536,
		.collapses = TIER_COLLAPSES_MAX,
	};
}

/* The blocks that a plan collapses, as bits; all of them are as they should be. */
static uint64_t collapses(struct tier_group *group, const struct tier_limits *limits)
{
	uint64_t blocks = 0;
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	assert_int_equal(tier_group_plan(group, limits, &plan), 0);
	moves = tier_plan_moves(plan, &n);
	for (size_t i = 0; i < n; i++) {
		uint64_t bit = UINT64_C(1) << (moves[i].address - BASE) / TIER_BLOCK_SIZE;

		if (moves[i].direction != TIER_COLLAPSE)
			continue;
		assert_int_equal(moves[i].address % TIER_BLOCK_SIZE, 0);
		assert_int_equal(moves[i].pages, TIER_BLOCK_PAGES);
		assert_int_equal(moves[i].reason, TIER_REASON_ALIKE);
		assert_int_equal(moves[i].from, 0);
		assert_int_equal(moves[i].to, 0);
		assert_true(moves[i].rate > 0);
		assert_int_equal(blocks & bit, 0);
		blocks |= bit;
	}
	tier_plan_free(plan);
	return blocks;
}

#define HOT ((UINT64_C(1) << HOT_BLOCKS) - 1)

static void only_what_is_fit_is_collapsed(void **state)
{
	static const char *const names[FAULT_MAX] = {
		"none",
		"one page is slow",
		"one page is slower",
		"one page is missing",
		"is huge",
		"is a file",
		"half is cold",
		"one page has it all",
		"counters are full",
		"is cold",
	};

	(void)state;
	for (enum fault fault = NONE; fault < FAULT_MAX; fault++) {
		struct tier_group *group = usual_group(fault);
		struct tier_limits limits = usual_limits();
		uint64_t blocks = collapses(group, &limits);

		if (blocks != (fault == NONE ? HOT : HOT & ~UINT64_C(1)))
			fail_msg("%s: %#lx", names[fault], blocks);
		tier_group_free(group);
	}
}

/* Early on a few samples look even on any block. */
static void evidence_is_waited_for(void **state)
{
	struct tier_group *group = new_group(NONE, 100);
	struct tier_limits limits = usual_limits();

	(void)state;
	assert_int_equal(collapses(group, &limits), 0);
	tier_group_free(group);
}

static void everything_else_comes_first(void **state)
{
	static const struct {
		const char *name;
		uint64_t quota_blocks, budget_pages;
		unsigned collapses, blocks;
	} cases[] = {
		{ "asked for none", FAST_BLOCKS, 65536, 0, 0 },
		{ "asked for three", FAST_BLOCKS, 65536, 3, 3 },
		{ "no budget", FAST_BLOCKS, 0, 64, 0 },
		{ "budget of two", FAST_BLOCKS, 1200, 64, 2 },
		{ "over quota", FAST_BLOCKS - 1, 65536, 64, 0 },
		{ "over quota by more than is in the budget", 1, 4096, 64, 0 },
		{ "room for all", ALL_BLOCKS, 65536, 64, HOT_BLOCKS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tier_group *group = usual_group(NONE);
		struct tier_limits limits = usual_limits();
		unsigned blocks;

		limits.quota_pages = cases[i].quota_blocks * TIER_BLOCK_PAGES;
		limits.budget_pages = cases[i].budget_pages;
		limits.collapses = cases[i].collapses;
		blocks = __builtin_popcountll(collapses(group, &limits) & HOT);
		if (blocks != cases[i].blocks)
			fail_msg("%s: %u", cases[i].name, blocks);
		tier_group_free(group);
	}
}

/* All is in DRAM, of which there is more than a plan could ever fill. */
static void room_without_end_is_no_haste(void **state)
{
	struct tier_group *group = usual_group(NONE);
	struct tier_limits limits = usual_limits();

	(void)state;
	for (unsigned block = FAST_BLOCKS; block < ALL_BLOCKS; block++)
		assert_int_equal(tier_group_set_residency(group, SPACE, address_of(block),
					 &(struct tier_residency){ 0 }),
			0);
	limits.quota_pages = TIER_UNLIMITED_PAGES;
	limits.room_pages[0] = UINT64_C(1) << 40;
	limits.budget_pages = 4096;
	limits.collapses = 7;
	assert_int_equal(__builtin_popcountll(collapses(group, &limits)), 7);
	tier_group_free(group);
}

/* Eight slow blocks are as hot as the fast ones, and are to be exchanged. */
static void exchanges_come_first(void **state)
{
	static const struct {
		uint64_t budget_pages;
		uint64_t blocks;
	} cases[] = {
		{ 65536, HOT },
		{ 8 * HOT_BLOCKS * TIER_BLOCK_PAGES, 0 },
		{ 2 * HOT_BLOCKS * TIER_BLOCK_PAGES, 0 },
		{ TIER_BLOCK_PAGES, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tier_random random = { 8 };
		struct tier_group *group = usual_group(NONE);
		struct tier_limits limits = usual_limits();

		for (unsigned block = FAST_BLOCKS; block < FAST_BLOCKS + HOT_BLOCKS;
			block++)
			sample(group, &random, block, NONE, HOT_SAMPLES);
		limits.budget_pages = cases[i].budget_pages;
		assert_int_equal(collapses(group, &limits), cases[i].blocks);
		tier_group_free(group);
	}
}

/* The hot blocks have just been promoted. */
static void moved_blocks_rest_first(void **state)
{
	struct tier_group *group = usual_group(ONE_PAGE_IS_SLOW);
	struct tier_limits limits = usual_limits();
	struct tier_move move = {
		.space = SPACE,
		.address = address_of(0) + ODD_PAGE * TIER_PAGE_SIZE,
		.pages = 1,
		.direction = TIER_PROMOTE,
		.from = 1,
	};

	(void)state;
	tier_group_complete(group, &move, TIER_RESULT_DONE, NOW_NS);
	assert_int_equal(collapses(group, &limits), HOT & ~UINT64_C(1));
	limits.now_ns += 6 * SECOND_NS;
	tier_group_advance(group, limits.now_ns, 0);
	assert_int_equal(collapses(group, &limits), HOT);
	tier_group_free(group);
}

static void complete(struct tier_group *group, unsigned block, enum tier_result result)
{
	struct tier_move move = {
		.space = SPACE,
		.address = address_of(block),
		.pages = TIER_BLOCK_PAGES,
		.direction = TIER_COLLAPSE,
		.reason = TIER_REASON_ALIKE,
	};

	tier_group_complete(group, &move, result, NOW_NS);
}

static void results_reach_the_books(void **state)
{
	struct tier_group *group = usual_group(NONE);
	struct tier_limits limits = usual_limits();
	struct tier_group_stats before, after;

	(void)state;
	tier_group_get_stats(group, &before);
	complete(group, 0, TIER_RESULT_DONE);
	complete(group, 1, TIER_RESULT_BUSY);
	complete(group, 2, TIER_RESULT_UNSUPPORTED);
	complete(group, 3, TIER_RESULT_GONE);
	complete(group, 4, TIER_RESULT_CANCELLED);
	tier_group_get_stats(group, &after);
	assert_int_equal(after.huge_blocks, before.huge_blocks + 1);
	assert_int_equal(after.tried_pages[TIER_COLLAPSE], 5 * TIER_BLOCK_PAGES);
	assert_int_equal(
		after.result_pages[TIER_COLLAPSE][TIER_RESULT_DONE], TIER_BLOCK_PAGES);
	assert_int_equal(
		after.result_pages[TIER_COLLAPSE][TIER_RESULT_BUSY], TIER_BLOCK_PAGES);
	assert_int_equal(after.resident_pages, before.resident_pages);
	assert_int_equal(after.tier_pages[0], before.tier_pages[0]);

	/* What was refused is tried again after another look, and not before. */
	assert_int_equal(collapses(group, &limits), HOT & ~UINT64_C(0xf));
	set_residency(group, 2, NONE);
	assert_int_equal(collapses(group, &limits), (HOT & ~UINT64_C(0xf)) | 4);
	tier_group_free(group);
}

/* A page that left meanwhile may have come back with the collapse, or not. */
static void a_block_that_changed_is_not_taken_for_huge(void **state)
{
	static const enum fault faults[] = { ONE_PAGE_IS_MISSING, ONE_PAGE_IS_SLOW,
		ONE_PAGE_IS_SLOWER };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct tier_group *group = usual_group(faults[i]);
		struct tier_group_stats stats;

		complete(group, 0, TIER_RESULT_DONE);
		tier_group_get_stats(group, &stats);
		assert_int_equal(stats.huge_blocks, 0);
		tier_group_free(group);
	}
}

/* Where one huge page is not to be had the next is not either. */
static void lack_of_huge_pages_stops_all_for_a_while(void **state)
{
	struct tier_group *group = usual_group(NONE);
	struct tier_limits limits = usual_limits();

	(void)state;
	complete(group, 0, TIER_RESULT_NOMEM);
	assert_int_equal(collapses(group, &limits), 0);
	limits.now_ns = NOW_NS + TIER_COLLAPSE_PAUSE_NS - 1;
	tier_group_advance(group, limits.now_ns, 0);
	assert_int_equal(collapses(group, &limits), 0);
	limits.now_ns++;
	tier_group_advance(group, limits.now_ns, 0);
	assert_int_equal(collapses(group, &limits), HOT & ~UINT64_C(1));
	tier_group_free(group);
}

/* Moves are the same with and without collapses, and come before them. */
static void collapses_change_nothing_else(void **state)
{
	(void)state;
	for (unsigned quota = 4; quota < ALL_BLOCKS; quota++) {
		struct tier_limits limits = usual_limits();
		struct tier_plan *with, *without;
		const struct tier_move *moves, *same;
		struct tier_group *group = usual_group(NONE);
		size_t n, n_same;

		limits.quota_pages = quota * TIER_BLOCK_PAGES;
		limits.room_pages[0] = 3 * TIER_BLOCK_PAGES;
		assert_int_equal(tier_group_plan(group, &limits, &with), 0);
		tier_group_free(group);
		group = usual_group(NONE);
		limits.collapses = 0;
		assert_int_equal(tier_group_plan(group, &limits, &without), 0);
		moves = tier_plan_moves(with, &n);
		same = tier_plan_moves(without, &n_same);
		assert_true(n >= n_same);
		if (n_same > 0)
			assert_memory_equal(moves, same, n_same * sizeof(*moves));
		for (size_t i = n_same; i < n; i++)
			assert_int_equal(moves[i].direction, TIER_COLLAPSE);
		tier_plan_free(with);
		tier_plan_free(without);
		tier_group_free(group);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_fit_is_collapsed),
		cmocka_unit_test(evidence_is_waited_for),
		cmocka_unit_test(everything_else_comes_first),
		cmocka_unit_test(exchanges_come_first),
		cmocka_unit_test(room_without_end_is_no_haste),
		cmocka_unit_test(moved_blocks_rest_first),
		cmocka_unit_test(results_reach_the_books),
		cmocka_unit_test(a_block_that_changed_is_not_taken_for_huge),
		cmocka_unit_test(lack_of_huge_pages_stops_all_for_a_while),
		cmocka_unit_test(collapses_change_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
