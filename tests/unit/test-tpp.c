/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine tpp: a second touch within the window promotes and nothing else does, memory
 * under a policy can be out of its sight, and demotion goes by age and watermarks.
 */
#include "unit.h"

#include "core/group.h"
#include "base/util.h"

#define SPACE     UINT64_C(7)
#define BASE      UINT64_C(0x7f0000000000)
#define SECOND_NS UINT64_C(1000000000)

struct tpp_world {
	struct tier_group *group;
	struct tier_limits limits;
};

static void setup(struct tpp_world *world, bool skips_policy)
{
	struct tier_group_config config;

	tier_group_config_default(&config);
	config.engine = TIER_ENGINE_TPP;
	config.tpp_window_ns = 10 * SECOND_NS;
	config.tpp_skips_policy = skips_policy;
	*world = (struct tpp_world){
		.limits = {
			.now_ns = 100 * SECOND_NS,
			.quota_pages = 1000,
			.room_pages = { 1000, 100000, 0 },
			.budget_pages = 4096,
		},
	};
	assert_int_equal(tier_group_new(&config, &world->group), 0);
	tier_group_advance(world->group, 100 * SECOND_NS, 0);
}

/* A block whose first @n pages are in @tier, the rest in the slow one. */
static void tell(struct tpp_world *world, uint64_t block, unsigned n, unsigned tier,
	bool huge, bool has_policy)
{
	struct tier_residency residency = { .huge = huge, .has_policy = has_policy };

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		tier_residency_add(&residency, page, page < n ? tier : 1);
	assert_int_equal(tier_group_set_residency(world->group, SPACE,
				 BASE + block * TIER_BLOCK_SIZE, &residency),
		0);
}

static void touch(struct tpp_world *world, uint64_t page, double seconds)
{
	tier_group_feed(world->group,
		&(struct tier_sample){
			.space = SPACE,
			.address = BASE + page * TIER_PAGE_SIZE,
			.time_ns = (uint64_t)(seconds * SECOND_NS),
		},
		1, NULL);
}

static struct tier_plan *make_plan(struct tpp_world *world)
{
	struct tier_plan *plan;

	assert_int_equal(tier_group_plan(world->group, &world->limits, &plan), 0);
	return plan;
}

static size_t count_moves(struct tpp_world *world)
{
	struct tier_plan *plan = make_plan(world);
	size_t n;

	tier_plan_moves(plan, &n);
	tier_plan_free(plan);
	return n;
}

static void test_second_touch_promotes(_unused_ void **state)
{
	struct tpp_world world;
	struct tier_plan *plan;
	const struct tier_move *moves;
	struct tier_group_stats stats;
	size_t n;

	setup(&world, false);
	tell(&world, 0, 0, 0, false, false);
	touch(&world, 7, 50);
	touch(&world, 9, 50);
	touch(&world, 11, 1);
	assert_int_equal(count_moves(&world), 0);
	touch(&world, 7, 55);
	plan = make_plan(&world);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 1);
	assert_int_equal(moves[0].address, BASE + 7 * TIER_PAGE_SIZE);
	assert_int_equal(moves[0].direction, TIER_PROMOTE);
	assert_int_equal(moves[0].reason, TIER_REASON_HOT);
	/* One touch, one attempt; the next touch is another. */
	assert_int_equal(count_moves(&world), 0);
	touch(&world, 7, 57);
	assert_int_equal(count_moves(&world), 1);
	tier_group_get_stats(world.group, &stats);
	assert_int_equal(stats.scanned_pages[TIER_PROMOTE], 2);
	tier_plan_free(plan);
	tier_group_free(world.group);
}

static void test_window(_unused_ void **state)
{
	static const struct {
		double first, second;
		bool is_hot;
	} cases[] = { { 50, 50, true }, { 50, 59.9, true }, { 50, 60.1, false },
		{ 50, 49, true }, { 0.001, 1, true } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tpp_world world;

		setup(&world, false);
		tell(&world, 0, 0, 0, false, false);
		touch(&world, 3, cases[i].first);
		touch(&world, 3, cases[i].second);
		assert_int_equal(count_moves(&world), cases[i].is_hot);
		tier_group_free(world.group);
	}
}

/* Samples that come late do not make the last touch earlier. */
static void test_late_samples(_unused_ void **state)
{
	struct tpp_world world;

	setup(&world, false);
	tell(&world, 0, 0, 0, false, false);
	touch(&world, 3, 50);
	touch(&world, 3, 45);
	assert_int_equal(count_moves(&world), 1);
	touch(&world, 3, 56);
	assert_int_equal(count_moves(&world), 1);
	tier_group_free(world.group);
}

static void test_fast_pages_are_no_candidates(_unused_ void **state)
{
	struct tpp_world world;

	setup(&world, false);
	tell(&world, 0, 10, 0, false, false);
	touch(&world, 3, 50);
	touch(&world, 3, 51);
	assert_int_equal(count_moves(&world), 0);
	/* It has to be touched again where it is slow. */
	tell(&world, 0, 3, 0, false, false);
	assert_int_equal(count_moves(&world), 0);
	touch(&world, 3, 52);
	assert_int_equal(count_moves(&world), 1);
	/* Nor is one a candidate that left meanwhile. */
	touch(&world, 20, 50);
	touch(&world, 20, 51);
	tell(&world, 0, 30, 0, false, false);
	assert_int_equal(count_moves(&world), 0);
	tier_group_free(world.group);
}

static void test_blindness(_unused_ void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		bool skips_policy = i & 1, has_policy = i & 2;
		struct tpp_world world;

		setup(&world, skips_policy);
		tell(&world, 0, 0, 0, false, has_policy);
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
			touch(&world, page, 50);
			touch(&world, page, 51);
		}
		assert_int_equal(count_moves(&world),
			skips_policy && has_policy ? 0 : TIER_BLOCK_PAGES);
		tier_group_free(world.group);
	}
}

static void test_huge(_unused_ void **state)
{
	struct tpp_world world;
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	setup(&world, false);
	tell(&world, 0, 0, 0, true, false);
	touch(&world, 7, 50);
	touch(&world, 400, 51);
	plan = make_plan(&world);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 1);
	assert_int_equal(moves[0].pages, TIER_BLOCK_PAGES);
	tier_plan_free(plan);
	/* Its pages, once it is split, were all touched when it was. */
	tell(&world, 0, 0, 0, false, false);
	touch(&world, 300, 52);
	assert_int_equal(count_moves(&world), 1);
	tier_group_free(world.group);
}

/* Of 600 fast pages 40 are owed: never touched ones first, then the oldest. */
static void test_oldest_first(_unused_ void **state)
{
	struct tpp_world world;
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	setup(&world, false);
	tell(&world, 0, 512, 0, false, false);
	tell(&world, 1, 88, 0, false, false);
	for (unsigned page = 0; page < 600; page++)
		if (page < 200 || page >= 210)
			touch(&world, page, page < 100 ? 99 : page < 550 ? 90 : 20);
	world.limits.fast_pages = 600;
	world.limits.owed_pages = 60;
	plan = make_plan(&world);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 60);
	for (size_t i = 0; i < n; i++) {
		uint64_t page = (moves[i].address - BASE) / TIER_PAGE_SIZE;

		assert_int_equal(moves[i].direction, TIER_DEMOTE);
		assert_int_equal(moves[i].reason, TIER_REASON_NODE);
		assert_true((page >= 200 && page < 210) || page >= 550);
	}
	tier_plan_free(plan);
	/* Then those of ten seconds ago, and those of one second stay. */
	world.limits.owed_pages = 61;
	plan = make_plan(&world);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 61);
	assert_int_equal(moves[60].address, BASE + 100 * TIER_PAGE_SIZE);
	tier_plan_free(plan);
	tier_group_free(world.group);
}

/* Of 1,000 pages: below 20 free up to 30, and promotions leave 30. */
static void test_watermarks(_unused_ void **state)
{
	static const struct {
		unsigned free, down, room;
	} cases[] = { { 0, 30, 0 }, { 19, 11, 0 }, { 20, 0, 0 }, { 25, 0, 0 },
		{ 30, 0, 0 }, { 36, 0, 6 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tpp_world world;
		struct tier_plan *plan;
		size_t n;

		setup(&world, false);
		tell(&world, 0, 512, 0, false, false);
		tell(&world, 1, 488 - cases[i].free, 0, false, false);
		world.limits.fast_pages = 1000 - cases[i].free;
		plan = make_plan(&world);
		tier_plan_moves(plan, &n);
		assert_int_equal(n, cases[i].down);
		assert_int_equal(tier_plan_owed_pages(plan), cases[i].down);
		assert_int_equal(tier_plan_room_pages(plan), cases[i].room);
		tier_plan_free(plan);
		tier_group_free(world.group);
	}
}

/* A full fast tier stays as it is, whatever is tried. */
static void test_stuck(_unused_ void **state)
{
	struct tpp_world world;
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	setup(&world, false);
	tell(&world, 0, 512, 0, false, false);
	tell(&world, 1, 468, 0, false, false);
	tell(&world, 2, 0, 0, false, false);
	for (unsigned page = 1024; page < 1536; page++) {
		touch(&world, page, 50);
		touch(&world, page, 51);
	}
	world.limits.fast_pages = 980;
	plan = make_plan(&world);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 512);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(moves[i].direction, TIER_PROMOTE);
		assert_int_equal(moves[i].reason, TIER_REASON_EXCHANGE);
	}
	assert_int_equal(tier_plan_room_pages(plan), 0);
	tier_plan_free(plan);
	tier_group_free(world.group);
}

static void test_quota(_unused_ void **state)
{
	struct tpp_world world;
	struct tier_plan *plan;
	const struct tier_move *moves;
	size_t n;

	setup(&world, false);
	tell(&world, 0, 512, 0, false, false);
	world.limits.fast_pages = 512;
	world.limits.quota_pages = 400;
	plan = make_plan(&world);
	moves = tier_plan_moves(plan, &n);
	assert_int_equal(n, 112 + 12);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(
			moves[i].reason, i < 112 ? TIER_REASON_QUOTA : TIER_REASON_NODE);
	tier_plan_free(plan);
	tier_group_free(world.group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_touch_promotes),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_late_samples),
		cmocka_unit_test(test_fast_pages_are_no_candidates),
		cmocka_unit_test(test_blindness),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_oldest_first),
		cmocka_unit_test(test_watermarks),
		cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_quota),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
