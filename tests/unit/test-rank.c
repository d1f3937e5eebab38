/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether plans lead anywhere: simulated machines of several layouts and seeds converge
 * on the best placement, then leave it alone, and never exceed the quota on the way. The
 * bounds have room; how fast it goes is the benchmarks' business.
 */
#include "unit.h"

#include <math.h>

#include "policy.h"
#include "sim.h"

#define SEEDS 3

#define PAGES UINT64_C(131072)
#define QUOTA UINT64_C(46080)
#define FAST  UINT64_C(57344) /* to begin with */

static struct sim_zipf_cache cache;

/* The quota is what binds: DRAM has room for all. */
static struct sim_config machine(enum gups_kind kind, uint64_t pages)
{
	return (struct sim_config){
		.n_tiers = 2,
		.tiers = { { 2 * PAGES, 0, 100, 1e12 }, { 2 * PAGES, 0, 300, 1e12 } },
		.n_tenants = 1,
		.tenants = { {
			.quota_pages = QUOTA,
			.fast_pages = FAST,
			.world = {
				.kind = kind,
				.pages = pages,
				.hot_share = 0.2,
				.hot_probability = 0.9,
				.zipf_exponent = 0.99,
				.reverse = kind != GUPS_KIND_RANDOM,
				.accesses_per_s = 1e6,
			},
		} },
		.sampler = { .samples_per_s = 20000 },
		.move_pages_per_s = 16384,
		.tick_s = 0.25,
	};
}

static struct sim_config hotset(void)
{
	return machine(GUPS_KIND_HOTSET, PAGES);
}

static struct sim *new_sim(const struct sim_config *config)
{
	struct sim *sim;

	assert_int_equal(sim_new(config, &sim_policy_rank, &cache, &sim), 0);
	return sim;
}

static void pass(struct sim *sim, double seconds)
{
	for (double until_s = sim_now_s(sim) + seconds; sim_now_s(sim) < until_s;)
		assert_int_equal(sim_tick(sim), 0);
}

static double share_of_best(const struct sim *sim)
{
	struct sim_moment moment;

	sim_look(sim, &moment);
	return moment.hit_ratio / moment.best_ratio;
}

static uint64_t moved_pages(const struct sim *sim)
{
	struct sim_moment moment;

	sim_look(sim, &moment);
	return moment.moved_pages[TIER_PROMOTE] + moment.moved_pages[TIER_DEMOTE];
}

static void assert_quota_kept(const struct sim *sim)
{
	struct sim_moment moment;

	sim_look(sim, &moment);
	assert_int_equal(moment.over_pages, 0);
}

static uint64_t phase_changes(const struct sim *sim)
{
	struct tier_group_stats stats;

	tier_group_get_stats(sim_group(sim, 0), &stats);
	return stats.phase_changes;
}

struct expectation {
	struct sim_config config;
	double within_s;
	double share_of_best;
	double settled_mib; /* moved in the half minute after that, at most */
};

static void expect(const struct expectation *expectation)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_config config = expectation->config;
		struct sim *sim;
		double share;
		uint64_t moved;

		config.seed = seed;
		sim = new_sim(&config);
		pass(sim, expectation->within_s);
		share = share_of_best(sim);
		moved = moved_pages(sim);
		pass(sim, 30);
		moved = moved_pages(sim) - moved;
		if (share < expectation->share_of_best ||
			moved / 256.0 > expectation->settled_mib)
			fail_msg("seed %d: %.3f of the best, then %.1f MiB moved",
				(int)seed, share, moved / 256.0);
		assert_quota_kept(sim);
		sim_free(sim);
	}
}

static double resolution_after(const struct sim_config *config, double seconds)
{
	struct sim *sim = new_sim(config);
	struct tier_group_stats stats;

	pass(sim, seconds);
	tier_group_get_stats(sim_group(sim, 0), &stats);
	sim_free(sim);
	return stats.resolution;
}

/* What no plan has looked at is not known to be in doubt, nor not to be. */
static void there_is_no_resolution_without_a_plan(void **state)
{
	struct sim_config config = hotset();

	(void)state;
	config.seed = 1;
	assert_true(isnan(resolution_after(&config, 0)));
}

/* Blocks tell the two sides of the cut apart soon; where single pages have to, it takes
 * more samples than there are. Uniform access has no sides. */
static void the_cut_is_resolved_where_it_can_be(void **state)
{
	struct sim_config blocks = hotset(), pages = hotset();
	struct sim_config uniform = machine(GUPS_KIND_RANDOM, PAGES), sparse = hotset();

	(void)state;
	sparse.sampler.samples_per_s = 200;
	pages.tenants[0].world.scattered = true;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		blocks.seed = pages.seed = uniform.seed = sparse.seed = seed;
		assert_in_range(1000 * resolution_after(&sparse, 1), 0, 900);
		assert_in_range(1000 * resolution_after(&blocks, 5), 970, 1000);
		assert_in_range(1000 * resolution_after(&uniform, 5), 970, 1000);
		assert_in_range(1000 * resolution_after(&pages, 2), 0, 500);
	}
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
	expectation.config.tenants[0].huge = true;
	expect(&expectation);
}

static void a_small_hot_set_of_few_accesses_comes_up(void **state)
{
	struct expectation expectation = { hotset(), 10, 0.95, 16 };

	(void)state;
	expectation.config.tenants[0].world.hot_share = 0.05;
	expectation.config.tenants[0].world.hot_probability = 0.5;
	expect(&expectation);
}

static void scattered_hot_pages_come_up(void **state)
{
	struct expectation expectation = { hotset(), 20, 0.95, 200 };

	(void)state;
	expectation.config.tenants[0].world.scattered = true;
	expect(&expectation);
}

static void zipf_comes_up(void **state)
{
	struct expectation expectation = { machine(GUPS_KIND_ZIPF, PAGES), 12, 0.95,
		100 };

	(void)state;
	expect(&expectation);
}

/* A scattered group over its quota loses hits as it is cut down, which is not the
 * workload's doing. */
static void being_cut_down_is_no_phase_change(void **state)
{
	struct sim_config config = hotset();
	struct sim *sim;

	(void)state;
	config.tenants[0].world.scattered = true;
	config.tenants[0].fast_pages = PAGES;
	config.tenants[0].quota_pages = PAGES / 4;
	config.seed = 1;
	sim = new_sim(&config);
	pass(sim, 10);
	assert_int_equal(phase_changes(sim), 0);
	sim_free(sim);
}

static void uniform_access_moves_next_to_nothing(void **state)
{
	struct expectation expectation = { machine(GUPS_KIND_RANDOM, PAGES), 10, 0.99,
		4 };

	(void)state;
	expectation.config.tenants[0].fast_pages = QUOTA;
	expect(&expectation);
}

static void nor_does_it_in_small_groups(void **state)
{
	static const uint64_t blocks[] = { 8, 16, 64 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		uint64_t pages = blocks[i] * TIER_BLOCK_PAGES;
		struct expectation expectation = { machine(GUPS_KIND_RANDOM, pages), 10,
			0.99, 1 };

		expectation.config.tenants[0].quota_pages = pages / 2;
		expectation.config.tenants[0].fast_pages = pages / 2;
		expectation.config.sampler.samples_per_s = 2000;
		expect(&expectation);
	}
}

static void room_is_filled(void **state)
{
	struct expectation expectation = { machine(GUPS_KIND_RANDOM, PAGES), 15, 0.99,
		4 };

	(void)state;
	expectation.config.tenants[0].quota_pages = PAGES + 4096;
	expectation.config.tenants[0].slow_pages = PAGES;
	expect(&expectation);
}

static void a_moved_hot_set_is_found_again(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_config config = hotset();
		struct sim *sim;

		config.seed = seed;
		sim = new_sim(&config);
		pass(sim, 60);
		assert_int_equal(sim_change_phase(sim), 0);
		pass(sim, 12);
		assert_int_equal(phase_changes(sim), 1);
		assert_true(share_of_best(sim) > 0.95);
		assert_quota_kept(sim);
		sim_free(sim);
	}
}

static void a_smaller_quota_is_met(void **state)
{
	struct sim_config config = hotset();
	struct sim *sim;

	(void)state;
	config.seed = 1;
	sim = new_sim(&config);
	pass(sim, 10);
	sim_set_quota(sim, 0, QUOTA / 2);
	tier_group_expect_change(sim_group(sim, 0));
	pass(sim, 10);
	assert_true(share_of_best(sim) > 0.95);
	sim_free(sim);
}

static int done(void **state)
{
	(void)state;
	sim_zipf_cache_done(&cache);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_no_resolution_without_a_plan),
		cmocka_unit_test(the_cut_is_resolved_where_it_can_be),
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

	return cmocka_run_group_tests(tests, NULL, done);
}
