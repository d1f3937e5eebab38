/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the simulator simulates: its books against a recount, its copies against the
 * clock and the rules of libtier's migrator.
 */
#include "sim-watcher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Books ------------------------------------------------------------------------- */

static void assert_books(const struct sim *sim)
{
	uint64_t used[TIER_TIERS_MAX] = { 0 };

	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		const struct sim_tenant *tenant = &sim->tenants[i];
		double weight[TIER_TIERS_MAX] = { 0 }, total = 0;
		uint64_t pages[TIER_TIERS_MAX] = { 0 };

		for (uint64_t page = 0; page < tenant->world.pages; page++) {
			pages[tenant->tier[page]]++;
			used[tenant->tier[page]]++;
			weight[tenant->tier[page]] += tenant->world.weight[page];
			total += tenant->world.weight[page];
		}
		for (unsigned tier = 0; tier < sim->config.n_tiers; tier++) {
			assert_int_equal(tenant->pages[tier], pages[tier]);
			assert_true(fabs(tenant->weight[tier] - weight[tier]) < 1e-6);
		}
		assert_true(fabs(total - tenant->world.total) < 1e-6);
	}
	for (unsigned tier = 0; tier < sim->config.n_tiers; tier++) {
		assert_int_equal(sim->used_pages[tier], used[tier]);
		assert_true(used[tier] <= sim->config.tiers[tier].pages);
	}
}

static void the_books_are_right_whatever_happens(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.busy_share = 0.1;
	config.n_tenants = 2;
	config.tenants[0].quota_pages = PAGES / 4;
	config.tenants[0].world.phase_at_s = 5;
	config.tenants[1] = config.tenants[0];
	config.tenants[1].world = (struct sim_world_config){
		.kind = GUPS_KIND_HOTSET,
		.pages = PAGES,
		.hot_share = 0.1,
		.hot_probability = 0.9,
		.accesses_per_s = 1e6,
		.pages_at_first = PAGES / 4,
		.growth_pages_per_s = 1000,
	};
	sim = new_sim(&config, &sim_policy_count);
	assert_books(sim);
	pass(sim, 20);
	assert_books(sim);
	assert_int_equal(sim->tenants[1].world.pages, PAGES);
	sim_free(sim);
}

/* The best placement by sorting, which the simulator does without. */
static int compare_descending(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x < y) - (x > y);
}

static void the_best_placement_is_the_best(void **state _unused_)
{
	for (int kind = 0; kind < GUPS_KIND_MAX; kind++) {
		struct sim_config config = small_machine();
		float sorted[PAGES];
		double best = 0;
		struct sim *sim;

		config.tenants[0].world.kind = kind;
		config.tenants[0].world.zipf_exponent = 0.99;
		config.tenants[0].world.reverse = kind != GUPS_KIND_RANDOM;
		sim = new_sim(&config, &watcher);
		memcpy(sorted, sim->tenants[0].world.weight, sizeof(sorted));
		qsort(sorted, PAGES, sizeof(sorted[0]), compare_descending);
		for (unsigned i = 0; i < PAGES / 2; i++)
			best += sorted[i];
		assert_true(fabs(sim->tenants[0].best_share - best) < 1e-5);
		sim_free(sim);
	}
}

static void one_seed_makes_one_run(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim_moment moments[3];

	for (int i = 0; i < 3; i++) {
		struct sim *sim;

		config.tenants[0].world.scattered = true;
		config.seed = i < 2 ? 7 : 8;
		sim = new_sim(&config, &sim_policy_rank);
		pass(sim, 3);
		sim_look(sim, &moments[i]);
		sim_free(sim);
	}
	assert_memory_equal(&moments[0], &moments[1], sizeof(moments[0]));
	assert_memory_not_equal(&moments[0], &moments[2], sizeof(moments[0]));
}

/* ---- Migration --------------------------------------------------------------------- */

static void copying_takes_its_time_and_results_come_after(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.tiers[0].pages = PAGES;
	config.tenants[0].quota_pages = PAGES;
	config.tenants[0].fast_pages = PAGES / 2;
	sim = new_sim(&config, &watcher);
	watch.promote_first = PAGES / 2;
	watch.promote_n = PAGES / 2;
	pass(sim, 0.5);
	assert_int_equal(sim->tenants[0].pages[0], PAGES / 2);
	pass(sim, 1.5);
	assert_int_equal(sim->tenants[0].pages[0], PAGES / 2 + 3 * 2048);
	assert_int_equal(watch.completed[TIER_RESULT_DONE], 0);
	pass(sim, 0.5);
	assert_int_equal(watch.completed[TIER_RESULT_DONE], PAGES / 2);
	assert_int_equal(watch.completed_ns, 2500000000);
	assert_books(sim);
	sim_free(sim);
}

static void promotions_wait_for_room(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim_moment moment;
	struct sim *sim = new_sim(&config, &watcher);

	watch.promote_first = PAGES / 2;
	watch.promote_n = 300;
	watch.demote_n = 200;
	pass(sim, 1);
	assert_int_equal(watch.limits.room_pages[0], 0);
	assert_int_equal(watch.completed[TIER_RESULT_DONE], 400);
	assert_int_equal(watch.completed[TIER_RESULT_NOROOM], 100);
	sim_look(sim, &moment);
	assert_int_equal(moment.over_pages, 0);
	assert_int_equal(moment.moved_pages[TIER_PROMOTE], 200);
	assert_int_equal(moment.back_pages, 0);
	assert_books(sim);
	sim_free(sim);
}

static void what_is_owed_makes_no_room(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.tenants[0].quota_pages = PAGES / 2 - 50;
	config.tenants[0].fast_pages = PAGES / 2;
	sim = new_sim(&config, &watcher);
	watch.promote_first = PAGES / 2;
	watch.promote_n = watch.demote_n = 100;
	watch.owed = 50;
	pass(sim, 1);
	assert_int_equal(watch.completed[TIER_RESULT_DONE], 150);
	assert_int_equal(watch.completed[TIER_RESULT_NOROOM], 50);
	assert_int_equal(sim->tenants[0].pages[0], PAGES / 2 - 50);
	sim_free(sim);
}

static void room_is_promised_once(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.n_tenants = 2;
	config.tenants[0].fast_pages = PAGES / 8;
	config.tenants[1] = config.tenants[0];
	sim = new_sim(&config, &watcher);
	watch.promote_first = PAGES / 8;
	watch.promote_n = PAGES / 8;
	/* The first tenant's plan has all the room, the second's comes after it. */
	pass(sim, 0.5);
	assert_int_equal(watch.plans, 2);
	assert_int_equal(watch.limits.room_pages[0], 0);
	sim_free(sim);
}

static void a_huge_page_takes_as_long_as_its_parts(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.move_pages_per_s = 256;
	sim = new_sim(&config, &watcher);
	watch.move_pages = TIER_BLOCK_PAGES;
	watch.demote_n = 3;
	pass(sim, 4.5);
	assert_int_equal(watch.completed[TIER_RESULT_DONE], 0);
	pass(sim, 2);
	assert_int_equal(watch.completed[TIER_RESULT_DONE], 3);
	sim_free(sim);
}

static void a_plan_cut_short_has_a_successor_at_once(void **state _unused_)
{
	for (int is_cut_short = 0; is_cut_short < 2; is_cut_short++) {
		struct sim_config config = small_machine();
		struct sim *sim = new_sim(&config, &watcher);

		watch.demote_n = 10;
		watch.is_cut_short = is_cut_short;
		pass(sim, 0.5);
		assert_int_equal(watch.plans, 1);
		pass(sim, 0.5);
		assert_int_equal(watch.plans, 2 + is_cut_short);
		sim_free(sim);
	}
}

static void first_touch_takes_what_it_is_told(void **state _unused_)
{
	static const struct {
		uint64_t slow, fast, from, to;
	} cases[] = {
		{ 0, 0, 0, PAGES / 2 },
		{ PAGES / 4, 0, PAGES / 4, PAGES * 3 / 4 },
		{ 0, 100, 0, 100 },
		{ PAGES, 0, PAGES, PAGES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_config config = small_machine();
		struct sim *sim;

		config.tenants[0].slow_pages = cases[i].slow;
		config.tenants[0].fast_pages = cases[i].fast;
		sim = new_sim(&config, &watcher);
		for (uint64_t page = 0; page < PAGES; page++)
			assert_int_equal(sim->tenants[0].tier[page] == 0,
				page >= cases[i].from && page < cases[i].to);
		sim_free(sim);
	}
}

static void a_full_tier_takes_nothing(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.tiers[1].pages = PAGES / 2 + 10;
	sim = new_sim(&config, &watcher);
	watch.demote_n = 100;
	pass(sim, 1);
	assert_int_equal(watch.completed[TIER_RESULT_DONE], 10);
	assert_int_equal(watch.completed[TIER_RESULT_NOMEM], 90);
	assert_books(sim);
	sim_free(sim);
}

static void some_are_busy(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.busy_share = 0.25;
	sim = new_sim(&config, &watcher);
	watch.demote_n = 2000;
	pass(sim, 1);
	assert_true(fabs(watch.completed[TIER_RESULT_BUSY] - 500.0) < SIGMA * 20);
	sim_free(sim);
}

static void coming_back_within_a_minute_is_counted(void **state _unused_)
{
	static const struct {
		double seconds;
		uint64_t back;
	} cases[] = { { 2, 100 }, { 58, 100 }, { 62, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_config config = small_machine();
		struct sim *sim = new_sim(&config, &watcher);
		struct sim_moment moment;

		watch.demote_n = 100;
		pass(sim, cases[i].seconds);
		watch.promote_n = 100;
		pass(sim, 1.5);
		sim_look(sim, &moment);
		assert_int_equal(moment.back_pages, cases[i].back);
		sim_free(sim);
	}
}

static void accesses_are_as_fast_as_where_they_go(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim_moment before, after;
	struct sim *sim = new_sim(&config, &sim_policy_oracle);

	sim_look(sim, &before);
	assert_true(fabs(before.accesses_per_s - 1e6) < 1);
	pass(sim, 5);
	sim_look(sim, &after);
	assert_true(fabs(after.hit_ratio - after.best_ratio) < 1e-6);
	assert_true(fabs(after.latency_ns - after.best_latency_ns) < 1e-3);
	assert_true(fabs(after.accesses_per_s -
			    1e6 * before.latency_ns / after.latency_ns) < 1);
	sim->config.tiers[1].bandwidth_bytes = 1;
	assert_true(sim_accesses_per_s(sim, &sim->tenants[0]) < 1);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_books_are_right_whatever_happens),
		cmocka_unit_test(the_best_placement_is_the_best),
		cmocka_unit_test(one_seed_makes_one_run),
		cmocka_unit_test(copying_takes_its_time_and_results_come_after),
		cmocka_unit_test(promotions_wait_for_room),
		cmocka_unit_test(what_is_owed_makes_no_room),
		cmocka_unit_test(room_is_promised_once),
		cmocka_unit_test(a_huge_page_takes_as_long_as_its_parts),
		cmocka_unit_test(a_plan_cut_short_has_a_successor_at_once),
		cmocka_unit_test(first_touch_takes_what_it_is_told),
		cmocka_unit_test(a_full_tier_takes_nothing),
		cmocka_unit_test(some_are_busy),
		cmocka_unit_test(coming_back_within_a_minute_is_counted),
		cmocka_unit_test(accesses_are_as_fast_as_where_they_go),
	};

	return cmocka_run_group_tests(tests, NULL, sim_watcher_done);
}
