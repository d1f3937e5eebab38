/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether plans lead anywhere: simulated machines of several layouts and seeds converge
 * on the best placement, then leave it alone, and never exceed the quota on the way. The
 * bounds have room; how fast it goes is the benchmarks' business.
 */
#include "unit.h"

#include "world.h"

#define SEEDS 3

static const struct world_config machine = {
	.pages = 128 * 1024,
	.quota_pages = 45 * 1024,
	.fast_pages = 56 * 1024,
	.accesses_per_s = 1e6,
	.samples_per_s = 20000,
	.moves_per_s = 16384,
};

struct expectation {
	struct world_config config;
	double within_s;
	double share_of_best;
	double settled_mib; /* moved in the half minute after that, at most */
};

static void expect(const struct expectation *expectation)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world_config config = expectation->config;
		struct world world;
		double share;
		uint64_t moved;

		config.seed = seed;
		world_init(&world, &config);
		world_run(&world, expectation->within_s);
		share = world_hit_ratio(&world) / world_best_hit_ratio(&world);
		moved = world.moved_pages;
		world_run(&world, 30);
		moved = world.moved_pages - moved;
		if (share < expectation->share_of_best ||
			moved / 256.0 > expectation->settled_mib)
			fail_msg("seed %d: %.3f of the best, then %.1f MiB moved",
				(int)seed, share, moved / 256.0);
		assert_int_equal(world.worst_over_quota, 0);
		world_done(&world);
	}
}

static struct world_config hotset(void)
{
	struct world_config config = machine;

	config.hot_pages = config.pages / 5;
	config.hot_share = 0.9;
	return config;
}

static void a_contiguous_hot_set_comes_up(void **state)
{
	struct expectation expectation = { hotset(), 8, 0.97, 8 };

	(void)state;
	expect(&expectation);
}

static void so_does_one_of_huge_pages(void **state)
{
	struct expectation expectation = { hotset(), 8, 0.95, 16 };

	(void)state;
	expectation.config.huge = true;
	expect(&expectation);
}

static void a_small_hot_set_of_few_accesses_comes_up(void **state)
{
	struct expectation expectation = { hotset(), 10, 0.95, 16 };

	(void)state;
	expectation.config.hot_pages = expectation.config.pages / 20;
	expectation.config.hot_share = 0.5;
	expect(&expectation);
}

static void scattered_hot_pages_come_up(void **state)
{
	struct expectation expectation = { hotset(), 20, 0.95, 200 };

	(void)state;
	expectation.config.scattered = true;
	expect(&expectation);
}

static void zipf_comes_up(void **state)
{
	struct expectation expectation = { machine, 12, 0.95, 100 };

	(void)state;
	expectation.config.zipf = 0.99;
	expect(&expectation);
}

/* A scattered group over its quota loses hits as it is cut down, which is not the
 * workload's doing. */
static void being_cut_down_is_no_phase_change(void **state)
{
	struct world_config config = hotset();
	struct tier_group_stats stats;
	struct world world;

	(void)state;
	config.scattered = true;
	config.fast_pages = config.pages;
	config.quota_pages = config.pages / 4;
	config.seed = 1;
	world_init(&world, &config);
	world_run(&world, 10);
	tier_group_get_stats(world.group, &stats);
	assert_int_equal(stats.phase_changes, 0);
	world_done(&world);
}

static void uniform_access_moves_next_to_nothing(void **state)
{
	struct expectation expectation = { machine, 10, 0.99, 4 };

	(void)state;
	expectation.config.fast_pages = expectation.config.quota_pages;
	expect(&expectation);
}

static void nor_does_it_in_small_groups(void **state)
{
	static const uint64_t blocks[] = { 8, 16, 64 };

	(void)state;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct expectation expectation = { machine, 10, 0.99, 1 };

		expectation.config.pages = blocks[i] * TIER_BLOCK_PAGES;
		expectation.config.quota_pages = expectation.config.pages / 2;
		expectation.config.fast_pages = expectation.config.pages / 2;
		expectation.config.samples_per_s = 2000;
		expect(&expectation);
	}
}

static void room_is_filled(void **state)
{
	struct expectation expectation = { machine, 15, 0.99, 4 };

	(void)state;
	expectation.config.quota_pages = machine.pages + 4096;
	expectation.config.fast_pages = 0;
	expect(&expectation);
}

static void a_moved_hot_set_is_found_again(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world_config config = hotset();
		struct tier_group_stats stats;
		struct world world;

		config.seed = seed;
		world_init(&world, &config);
		world_run(&world, 60);
		world_change_phase(&world);
		world_run(&world, 12);
		tier_group_get_stats(world.group, &stats);
		assert_int_equal(stats.phase_changes, 1);
		assert_true(
			world_hit_ratio(&world) > 0.95 * world_best_hit_ratio(&world));
		assert_int_equal(world.worst_over_quota, 0);
		world_done(&world);
	}
}

static void a_smaller_quota_is_met(void **state)
{
	struct world_config config = hotset();
	struct world world;

	(void)state;
	config.seed = 1;
	world_init(&world, &config);
	world_run(&world, 10);
	world.config.quota_pages /= 2;
	tier_group_expect_change(world.group);
	world_run(&world, 10);
	assert_true(world_hit_ratio(&world) > 0.95 * world_best_hit_ratio(&world));
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_contiguous_hot_set_comes_up),
		cmocka_unit_test(so_does_one_of_huge_pages),
		cmocka_unit_test(a_small_hot_set_of_few_accesses_comes_up),
		cmocka_unit_test(scattered_hot_pages_come_up),
		cmocka_unit_test(zipf_comes_up),
		cmocka_unit_test(being_cut_down_is_no_phase_change),
		cmocka_unit_test(uniform_access_moves_next_to_nothing),
		cmocka_unit_test(nor_does_it_in_small_groups),
		cmocka_unit_test(room_is_filled),
		cmocka_unit_test(a_moved_hot_set_is_found_again),
		cmocka_unit_test(a_smaller_quota_is_met),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
