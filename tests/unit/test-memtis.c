/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine memtis: that its thresholds are those which its authors' kernel logged, that it
 * fails where that one failed and works where it worked, and what its plans keep to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "core/memtis-heat.h"
#include "base/util.h"

#define SPACE     UINT64_C(7)
#define BASE      UINT64_C(0x7f0000000000)
#define SECOND_NS UINT64_C(1000000000)
#define GIB_PAGES (UINT64_C(1) << 18)

/* ---- A group ------------------------------------------------------------------- */

static struct tier_group *new_group(void)
{
	struct tier_group_config config;
	struct tier_group *group;

	tier_group_config_default(&config);
	config.engine = TIER_ENGINE_MEMTIS;
	assert_int_equal(tier_group_new(&config, &group), 0);
	return group;
}

/* Pages from @first up to @end are resident, those below @fast in the fast tier. */
static void tell(struct tier_group *group, uint64_t first, uint64_t end, uint64_t fast)
{
	for (uint64_t page = first; page < end;) {
		struct tier_residency residency = { 0 };
		uint64_t block = page / TIER_BLOCK_PAGES;

		for (; page < end && page / TIER_BLOCK_PAGES == block; page++)
			tier_residency_add(
				&residency, page % TIER_BLOCK_PAGES, page >= fast);
		assert_int_equal(tier_group_set_residency(group, SPACE,
					 BASE + block * TIER_BLOCK_SIZE, &residency),
			0);
	}
}

static void tell_huge(struct tier_group *group, uint64_t block, unsigned tier)
{
	struct tier_residency residency = { .huge = true };

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		tier_residency_add(&residency, page, tier);
	assert_int_equal(tier_group_set_residency(group, SPACE,
				 BASE + block * TIER_BLOCK_SIZE, &residency),
		0);
}

static void sample(struct tier_group *group, uint64_t page, unsigned times)
{
	while (times-- > 0)
		tier_group_feed(group,
			&(struct tier_sample){
				.space = SPACE,
				.address = BASE + page * TIER_PAGE_SIZE,
			},
			1, NULL);
}

static struct tier_plan *make_plan(
	struct tier_group *group, const struct tier_limits *limits)
{
	struct tier_plan *plan;

	assert_int_equal(tier_group_plan(group, limits, &plan), 0);
	return plan;
}

static uint64_t pages_in(const struct tier_plan *plan, enum tier_direction direction)
{
	uint64_t pages = 0;
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);

	for (size_t i = 0; i < n; i++)
		pages += moves[i].direction == direction ? moves[i].pages : 0;
	return pages;
}

static struct tier_group_stats stats_of(const struct tier_group *group)
{
	struct tier_group_stats stats;

	tier_group_get_stats(group, &stats);
	return stats;
}

static struct tier_memtis_state state_of(const struct tier_group *group)
{
	struct tier_memtis_state state;

	assert_int_equal(tier_group_get_memtis_state(group, &state), 0);
	return state;
}

static void assert_histogram(const struct tier_group *group,
	const uint64_t expected[static TIER_HISTOGRAM_BINS])
{
	struct tier_memtis_state state = state_of(group);

	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
		if (state.hotness_pages[bin] != expected[bin])
			fail_msg("bin %u: %lu, not %lu", bin,
				(unsigned long)state.hotness_pages[bin],
				(unsigned long)expected[bin]);
}

/* ---- Thresholds ---------------------------------------------------------------- */

static void test_bins(_unused_ void **state)
{
	static const struct {
		uint32_t count;
		unsigned bin;
	} cases[] = { { 0, 0 }, { 1, 1 }, { 2, 1 }, { 3, 2 }, { 256, 8 }, { 510, 8 },
		{ 511, 9 }, { 512, 9 }, { 1022, 9 }, { 1024, 10 }, { 32767, 15 },
		{ 1 << 20, 15 }, { UINT32_MAX, 15 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(tier_memtis_bin(cases[i].count), cases[i].bin);
}

/* Three histograms as logged, and some whose sums reach the quota. */
static void test_thresholds(_unused_ void **state)
{
	static const struct {
		uint64_t pages[TIER_HISTOGRAM_BINS];
		uint64_t quota;
		unsigned active, warm;
	} cases[] = {
		{ { [8] = 3218, 137552, 99345, 123774, 9384, 2, 1, 18 }, 1703936, 1, 0 },
		{ { 280, [8] = 3316, 64137, 8223, 51, 0, 1, 0, 13 }, 1703936, 1, 0 },
		{ { [9] = 674794, 400637, 25749, 12, 1, 9, 74 }, 1703936, 1, 0 },
		/* 80 of 100: not few. */
		{ { [9] = 30, 80 }, 100, 10, 10 },
		{ { [9] = 30, 74 }, 100, 10, 9 },
		{ { [9] = 30, 75 }, 100, 10, 10 },
		/* Just the quota fits. */
		{ { [9] = 20, 80 }, 100, 1, 1 },
		{ { [9] = 21, 80 }, 100, 10, 10 },
		{ { [0] = 1000, 30 }, 100, 1, 0 },
		{ { [15] = 1000 }, 100, 15, 14 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tier_memtis memtis;

		tier_memtis_init(&memtis);
		memcpy(memtis.hotness_pages, cases[i].pages,
			sizeof(memtis.hotness_pages));
		memtis.quota_pages = cases[i].quota;
		tier_memtis_adapt(&memtis);
		assert_int_equal(memtis.active_threshold, cases[i].active);
		assert_int_equal(memtis.warm_threshold, cases[i].warm);
	}
}

/* ---- The log, replayed --------------------------------------------------------- */

/* 14 GiB, of which 6.5 fit in DRAM. */
#define LOG_PAGES (14 * GIB_PAGES)
#define LOG_FAST  (13 * GIB_PAGES / 2)

static const uint64_t logged[TIER_HISTOGRAM_BINS] = {
	[8] = 3218, 137552, 99345, 123774, 9384, 2, 1, 18
};

/* Samples that put a page into a bin. */
static unsigned samples_for(unsigned bin)
{
	return 1U << (bin - 9);
}

/*
 * The hot pages lie at the end, the few swept ones of bin 8 in the first blocks: sampled
 * before the cooling, which the group's growth brings about.
 */
static void replay_log(struct tier_group *group)
{
	uint64_t page = LOG_PAGES;

	tell(group, 0, 3 * GIB_PAGES, LOG_FAST);
	tier_group_advance(group, SECOND_NS, 0);
	for (uint64_t i = 0; i < logged[8]; i++)
		sample(group, i, 1);
	tell(group, 3 * GIB_PAGES, LOG_PAGES, LOG_FAST);
	tier_group_advance(group, 2 * SECOND_NS, 0);
	for (unsigned bin = 9; bin < TIER_HISTOGRAM_BINS; bin++)
		for (uint64_t i = 0; i < logged[bin]; i++)
			sample(group, --page, samples_for(bin));
	/* Grown it has once. */
	tier_group_advance(group, 3 * SECOND_NS, 0);
}

static void test_log(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.now_ns = 3 * SECOND_NS,
		.fast_pages = LOG_FAST,
		.quota_pages = LOG_FAST,
		.room_pages = { 0, 64 * GIB_PAGES, 0 },
		.budget_pages = 32768,
	};
	struct tier_memtis_state memtis;
	struct tier_group_stats stats;
	struct tier_plan *plan;

	replay_log(group);
	assert_histogram(group, logged);
	plan = make_plan(group, &limits);
	memtis = state_of(group);
	assert_int_equal(memtis.active_threshold, 1);
	assert_int_equal(memtis.warm_threshold, 0);
	assert_int_equal(memtis.coolings, 1);
	stats = stats_of(group);
	assert_int_equal(stats.coolings, 1);
	assert_int_equal(pages_in(plan, TIER_DEMOTE), 0);
	/* All inactive ones are looked at, and all of them are warm. */
	assert_int_equal(stats.scanned_pages[TIER_DEMOTE], LOG_FAST - logged[8]);
	assert_int_equal(stats.filtered_warm_pages, LOG_FAST - logged[8]);
	assert_int_equal(pages_in(plan, TIER_PROMOTE), limits.budget_pages);
	assert_int_equal(stats.scanned_pages[TIER_PROMOTE], limits.budget_pages);
	assert_int_equal(tier_plan_room_pages(plan), 0);
	tier_plan_free(plan);
	tier_group_free(group);
}

/* ---- Plans --------------------------------------------------------------------- */

static void test_promotes_with_room(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.fast_pages = 512,
		.quota_pages = 10000,
		.room_pages = { 100000, 100000, 0 },
		.budget_pages = 4096,
	};
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	tell(group, 0, 2048, 512);
	sample(group, 1000, 1);
	sample(group, 1500, 3);
	sample(group, 5, 1);
	plan = make_plan(group, &limits);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
			moves[i].address, BASE + (i == 0 ? 1000 : 1500) * TIER_PAGE_SIZE);
		assert_int_equal(moves[i].direction, TIER_PROMOTE);
		assert_int_equal(moves[i].reason, TIER_REASON_HOT);
		assert_int_equal(moves[i].from, 1);
		assert_int_equal(moves[i].to, 0);
	}
	/* 3 % of 10,000 stay free. */
	assert_int_equal(tier_plan_room_pages(plan), 10000 - 512 - 300);
	assert_int_equal(tier_plan_owed_pages(plan), 0);
	assert_false(tier_plan_is_cut_short(plan));
	tier_plan_free(plan);
	tier_group_free(group);
}

/* What the slow tier has not free beyond its watermark is not asked up. */
static void test_promotion_target(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.fast_pages = 512,
		.quota_pages = 10000,
		.room_pages = { 100000, 7, 0 },
		.budget_pages = 4096,
	};
	struct tier_plan *plan;

	tell(group, 0, 2048, 512);
	for (unsigned page = 1000; page < 1100; page++)
		sample(group, page, 1);
	plan = make_plan(group, &limits);
	assert_int_equal(pages_in(plan, TIER_PROMOTE), 7);
	tier_plan_free(plan);
	/* What is sampled after a plan counts in the next. */
	sample(group, 1200, 1);
	limits.room_pages[1] = 100000;
	plan = make_plan(group, &limits);
	assert_int_equal(pages_in(plan, TIER_PROMOTE), 101);
	tier_plan_free(plan);
	limits.budget_pages = 60;
	plan = make_plan(group, &limits);
	assert_int_equal(pages_in(plan, TIER_PROMOTE), 60);
	assert_true(tier_plan_is_cut_short(plan));
	tier_plan_free(plan);
	tier_group_free(group);
}

/* Sets thresholds as many hot pages would. */
static void set_thresholds(struct tier_group *group, unsigned active, unsigned warm)
{
	struct tier_memtis *memtis = group->engine_state;

	memtis->active_threshold = active;
	memtis->warm_threshold = warm;
	memtis->stamp++;
}

static void test_demotes_cold_for_hot(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.fast_pages = 1024,
		.quota_pages = 1024,
		.room_pages = { 0, 100000, 0 },
		.budget_pages = 4096,
	};
	struct tier_group_stats stats;
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	tell(group, 0, 2048, 1024);
	for (unsigned page = 1024; page < 1124; page++)
		sample(group, page, 4);
	for (unsigned page = 0; page < 512; page++)
		sample(group, page, page < 64 ? 4 : 2);
	/* 64 active, 448 warm, 512 cold ones above. */
	set_thresholds(group, 11, 10);
	plan = make_plan(group, &limits);
	stats = stats_of(group);
	moves = tier_plan_moves(plan, &n);
	/* Promotions first of all want 3 % free, or 30 pages. */
	assert_int_equal(tier_plan_owed_pages(plan), 30);
	assert_int_equal(pages_in(plan, TIER_DEMOTE), 130);
	assert_int_equal(pages_in(plan, TIER_PROMOTE), 100);
	assert_int_equal(stats.filtered_warm_pages, 448);
	assert_int_equal(stats.scanned_pages[TIER_DEMOTE], 448 + 130);
	assert_int_equal(stats.classes.hot_pages, 164);
	assert_int_equal(stats.classes.warm_pages, 448);
	assert_int_equal(stats.classes.cold_pages, 2048 - 164 - 448);
	for (size_t i = 0; i < n; i++) {
		bool is_demotion = i < 130;

		assert_int_equal(
			moves[i].direction, is_demotion ? TIER_DEMOTE : TIER_PROMOTE);
		assert_int_equal(moves[i].reason,
			i < 30 ? TIER_REASON_NODE : TIER_REASON_EXCHANGE);
		if (is_demotion)
			assert_int_equal(
				moves[i].address, BASE + (512 + i) * TIER_PAGE_SIZE);
	}
	tier_plan_free(plan);
	tier_group_free(group);
}

/* Free pages of 1,000 and what is owed for the watermarks: nothing from 2 % on. */
static void test_watermarks(_unused_ void **state)
{
	static const struct {
		uint64_t free, owed, room;
	} cases[] = { { 0, 30, 0 }, { 19, 11, 0 }, { 20, 0, 0 }, { 30, 0, 0 },
		{ 35, 0, 5 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tier_group *group = new_group();
		struct tier_limits limits = {
			.fast_pages = 1000 - cases[i].free,
			.quota_pages = 1000,
			.room_pages = { 5000, 5000, 0 },
			.budget_pages = 4096,
		};
		struct tier_plan *plan;

		tell(group, 0, 2048, 1000 - cases[i].free);
		set_thresholds(group, 2, 1);
		plan = make_plan(group, &limits);
		assert_int_equal(tier_plan_owed_pages(plan), cases[i].owed);
		assert_int_equal(tier_plan_room_pages(plan), cases[i].room);
		assert_int_equal(pages_in(plan, TIER_DEMOTE), cases[i].owed);
		tier_plan_free(plan);
		tier_group_free(group);
	}
}

/* The quota is kept though all is warm: inactive pages go first, then active ones. */
static void test_urgent(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.fast_pages = 1024,
		.quota_pages = 500,
		.room_pages = { 0, 100000, 0 },
		.budget_pages = 4096,
	};
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	tell(group, 0, 1024, 1024);
	for (unsigned page = 0; page < 512; page++)
		sample(group, page, 1);
	plan = make_plan(group, &limits);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 524 + 15);
	for (size_t i = 0; i < n; i++) {
		bool is_active = (moves[i].address - BASE) / TIER_PAGE_SIZE < 512;

		assert_int_equal(is_active, i >= 512);
		assert_int_equal(
			moves[i].reason, i < 524 ? TIER_REASON_QUOTA : TIER_REASON_NODE);
	}
	assert_int_equal(stats_of(group).filtered_warm_pages, 0);
	tier_plan_free(plan);

	/* What the node is short of is as urgent. */
	limits.quota_pages = 10000;
	limits.room_pages[0] = 5000;
	limits.owed_pages = 17;
	plan = make_plan(group, &limits);
	assert_int_equal(pages_in(plan, TIER_DEMOTE), 17);
	tier_plan_free(plan);
	tier_group_free(group);
}

/* Promotions are urgent where there are not enough inactive pages to give place. */
static void test_urgent_promotion(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.fast_pages = 970,
		.quota_pages = 1000,
		.room_pages = { 30, 100000, 0 },
		.budget_pages = 4096,
	};

	tell(group, 0, 2048, 970);
	for (unsigned page = 10; page < 980; page++)
		sample(group, page, 1);
	/* Ten want up; ten are inactive, and warm. */
	for (unsigned i = 0; i < 2; i++) {
		struct tier_plan *plan = make_plan(group, &limits);

		assert_int_equal(pages_in(plan, TIER_PROMOTE), 10 + i);
		assert_int_equal(pages_in(plan, TIER_DEMOTE), i == 0 ? 0 : 11);
		assert_int_equal(stats_of(group).filtered_warm_pages, 10);
		tier_plan_free(plan);
		sample(group, 1000, 1);
	}
	tier_group_free(group);
}

static void test_warm_huge_stays(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.fast_pages = 512,
		.quota_pages = 512,
		.room_pages = { 0, 100000, 0 },
		.budget_pages = 4096,
	};
	struct tier_plan *plan;

	tell_huge(group, 0, 0);
	plan = make_plan(group, &limits);
	assert_int_equal(pages_in(plan, TIER_DEMOTE), 0);
	assert_int_equal(stats_of(group).filtered_warm_pages, 512);
	tier_plan_free(plan);
	tier_group_free(group);
}

/* Each plan goes on where the last one stopped. */
static void test_lists_rotate(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.fast_pages = 1024,
		.quota_pages = 1024,
		.room_pages = { 0, 100000, 0 },
		.budget_pages = 512,
	};
	uint64_t before = 0;

	tell(group, 0, 4096, 1024);
	for (unsigned page = 1024; page < 4096; page++)
		sample(group, page, 1);
	for (unsigned turn = 0; turn < 6; turn++) {
		struct tier_plan *plan = make_plan(group, &limits);
		const struct tier_move *moves;
		size_t n;

		moves = tier_plan_moves(plan, &n);
		assert_int_equal(pages_in(plan, TIER_PROMOTE), 512);
		assert_true(moves[n - 1].address > before);
		before = moves[n - 1].address;
		tier_plan_free(plan);
	}
	tier_group_free(group);
}

/* ---- Cooling ------------------------------------------------------------------- */

static void test_cools_by_samples(_unused_ void **state)
{
	static const uint64_t before[TIER_HISTOGRAM_BINS] = { [9] = 600, [15] = 1 };
	static const uint64_t after[TIER_HISTOGRAM_BINS] = { [9] = 1 };
	/* The first sweep reaches all blocks, the page sampled meanwhile among them. */
	static const uint64_t swept[TIER_HISTOGRAM_BINS] = { [8] = 600, [15] = 1 };
	struct tier_group *group = new_group();

	tell(group, 0, 1024, 512);
	for (unsigned page = 0; page < 600; page++)
		sample(group, page, 1);
	sample(group, 1000, 2000000 - 600 - 1);
	assert_histogram(group, before);
	assert_int_equal(stats_of(group).coolings, 0);

	/* The cooling also is an adaptation, which sweeps. */
	sample(group, 1000, 1);
	assert_int_equal(stats_of(group).coolings, 1);
	assert_histogram(group, swept);
	tier_memtis_cool(group);
	sample(group, 0, 1);
	/* 512, halved twice, and 512 more. */
	assert_histogram(group, after);
	assert_int_equal(state_of(group).coolings, 2);
	tier_group_free(group);
}

static void test_halves_late(_unused_ void **state)
{
	struct tier_group *group = new_group();
	struct tier_memtis *memtis = group->engine_state;
	const struct tier_memtis_book *book;

	tell(group, 0, 512, 512);
	sample(group, 3, 1);
	for (unsigned i = 0; i < 9; i++)
		tier_memtis_cool(group);
	book = tier_memtis_update(memtis, tier_blockmap_at(&group->map, 0));
	assert_int_equal(book->count[3], 1);
	for (unsigned i = 0; i < 32; i++)
		tier_memtis_cool(group);
	tier_memtis_update(memtis, tier_blockmap_at(&group->map, 0));
	assert_int_equal(book->count[3], 0);
	tier_group_free(group);
}

/* ---- Books --------------------------------------------------------------------- */

static void test_huge(_unused_ void **state)
{
	static const uint64_t one_sample[TIER_HISTOGRAM_BINS] = { [1] = 512 };
	static const uint64_t three[TIER_HISTOGRAM_BINS] = { [2] = 512 };
	static const uint64_t spread[TIER_HISTOGRAM_BINS] = { [8] = 512 };
	struct tier_group *group = new_group();
	struct tier_limits limits = {
		.quota_pages = 10000,
		.room_pages = { 10000, 10000, 0 },
		.budget_pages = 4096,
	};
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	tell_huge(group, 0, 1);
	sample(group, 300, 1);
	assert_histogram(group, one_sample);
	sample(group, 5, 2);
	assert_histogram(group, three);
	plan = make_plan(group, &limits);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 1);
	assert_int_equal(moves[0].pages, TIER_BLOCK_PAGES);
	assert_int_equal(moves[0].address, BASE);
	assert_int_equal(stats_of(group).scanned_pages[TIER_PROMOTE], 512);
	tier_plan_free(plan);

	/* Split, each page is as hot as the whole was; joined, the whole as its pages. */
	tell(group, 0, 512, 0);
	plan = make_plan(group, &limits);
	assert_histogram(group, three);
	assert_int_equal(pages_in(plan, TIER_PROMOTE), 512);
	tier_plan_free(plan);
	for (unsigned page = 0; page < 256; page++)
		sample(group, page, 1);
	tell_huge(group, 0, 1);
	tier_plan_free(make_plan(group, &limits));
	assert_histogram(group, spread);
	tier_group_free(group);
}

static void test_gone(_unused_ void **state)
{
	static const uint64_t none[TIER_HISTOGRAM_BINS] = { 0 };
	static const uint64_t half[TIER_HISTOGRAM_BINS] = { [9] = 256 };
	static const uint64_t swept[TIER_HISTOGRAM_BINS] = { [8] = 255, [15] = 1 };
	struct tier_group *group = new_group();
	struct tier_limits limits = { .quota_pages = 10000, .budget_pages = 100 };

	tell(group, 0, 512, 512);
	for (unsigned page = 0; page < 512; page++)
		sample(group, page, 1);
	tell(group, 0, 256, 512);
	tier_plan_free(make_plan(group, &limits));
	assert_histogram(group, half);
	/* No sweep brings them back. */
	tier_memtis_cool(group);
	sample(group, 0, 100000 - 512);
	assert_histogram(group, swept);
	/* Who comes in their place starts from nothing. */
	tell(group, 0, 512, 512);
	sample(group, 300, 1);
	assert_int_equal(state_of(group).hotness_pages[9], 1);
	tier_group_forget_space(group, SPACE);
	assert_histogram(group, none);
	tier_group_free(group);
}

static void test_other_engines(_unused_ void **state)
{
	struct tier_group_config config;
	struct tier_memtis_state memtis;
	struct tier_group *group;

	tier_group_config_default(&config);
	assert_int_equal(tier_group_new(&config, &group), 0);
	assert_int_equal(tier_group_get_memtis_state(group, &memtis), -EOPNOTSUPP);
	tier_group_free(group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bins),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_promotes_with_room),
		cmocka_unit_test(test_promotion_target),
		cmocka_unit_test(test_demotes_cold_for_hot),
		cmocka_unit_test(test_watermarks),
		cmocka_unit_test(test_urgent),
		cmocka_unit_test(test_urgent_promotion),
		cmocka_unit_test(test_warm_huge_stays),
		cmocka_unit_test(test_lists_rotate),
		cmocka_unit_test(test_cools_by_samples),
		cmocka_unit_test(test_halves_late),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_other_engines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
