/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of accesses: samples and hint faults against what was promised of them.
 * Statistical bounds are six standard deviations.
 */
#include "sim-watcher.h"

#include <math.h>
#include <string.h>

/* ---- Samples ----------------------------------------------------------------------- */

static void samples_come_at_their_rate_in_their_tick(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim = new_sim(&config, &watcher);
	double hot, sd;

	watch.skewed_from = PAGES * 0.9 + 1;
	pass(sim, 10);
	assert_int_equal(watch.samples, 100000);
	assert_int_equal(watch.early, 0);
	assert_true(fabs(watch.exposure - 10 * 10000 / 1e6) < 1e-9);
	hot = 0.9 * watch.samples;
	sd = sqrt(hot * 0.1);
	assert_true(fabs(watch.skewed - hot) < SIGMA * sd);
	sim_free(sim);
}

static void what_is_lost_is_taken_off_the_exposure(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.sampler.loss = 0.2;
	sim = new_sim(&config, &watcher);
	pass(sim, 100);
	assert_true(watch.samples > 0.7 * 1e6 && watch.samples < 0.9 * 1e6);
	assert_true(fabs(watch.exposure - watch.samples / 1e6) < 1e-4);
	sim_free(sim);
}

static void a_skew_is_not(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;
	double hot = 0.9 * 100000 * 0.25;

	config.sampler.skew_share = 0.25;
	config.sampler.skew_missed = 0.75;
	sim = new_sim(&config, &watcher);
	watch.skewed_from = PAGES * 0.9 + 1;
	pass(sim, 10);
	assert_true(fabs(watch.skewed - hot) < SIGMA * sqrt(hot));
	/* The first three quarters get five sixths of the cold pages' tenth. */
	watch.skewed_from = PAGES * 0.75;
	watch.samples = watch.skewed = 0;
	pass(sim, 10);
	assert_true(fabs(watch.samples - watch.skewed - 1e4 / 1.2) < SIGMA * 100);
	assert_true(fabs(watch.exposure - 20 * 10000 / 1e6) < 1e-9);
	sim_free(sim);
}

static void a_scan_takes_samples_for_what_it_reads(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;
	double expected;

	config.tenants[0].world.hot_probability = 1;
	config.tenants[0].world.scan_at_s = 2;
	config.tenants[0].world.scan_for_s = 4;
	config.tenants[0].world.scan_pages_per_s = PAGES / 8;
	sim = new_sim(&config, &watcher);
	pass(sim, 2);
	watch.skewed_from = PAGES / 2;
	pass(sim, 4);
	/* Half of it was read, at 64 lines a page; the other half has the hot set. */
	expected = 40000 * (PAGES * 8.0) / (PAGES * 8.0 + 1e6);
	assert_true(fabs(40000 - watch.skewed - expected) < SIGMA * sqrt(expected));
	watch.samples = watch.skewed = 0;
	pass(sim, 8);
	assert_int_equal(watch.samples, 80000);
	assert_int_equal(watch.skewed, 80000);
	sim_free(sim);
}

static struct sim *new_hinted_sim(const struct sim_config *config)
{
	static struct sim_policy_ops ops;

	ops = watcher;
	ops.wants_hints = true;
	return new_sim(config, &ops);
}

/* Protects all slow pages once. */
static void protect_all(struct sim *sim)
{
	sim->config.hint.pages_per_s = PAGES / 2 / sim->config.tick_s;
	pass(sim, sim->config.tick_s);
	sim->config.hint.pages_per_s = 0;
}

static void a_protected_page_faults_once(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim = new_hinted_sim(&config);

	for (unsigned round = 1; round <= 2; round++) {
		uint64_t faults = 0;

		/* Half a minute brings even the coldest pages' next touch. */
		protect_all(sim);
		pass(sim, 30);
		for (uint64_t page = 0; page < PAGES; page++) {
			assert_true(watch.per_page[page] <= (page >= PAGES / 2) * round);
			faults += watch.per_page[page];
		}
		assert_true(faults > 0.99 * round * PAGES / 2);
	}
	sim_free(sim);
}

static void a_page_that_moved_is_not_protected(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.tenants[0].world.accesses_per_s = 1;
	sim = new_hinted_sim(&config);
	watch.demote_n = watch.promote_n = 1000;
	watch.promote_first = PAGES / 2;
	protect_all(sim);
	sim->config.hint.pages_per_s = 0;
	pass(sim, 1);
	assert_int_equal(watch.completed[TIER_RESULT_DONE], 2000);
	sim->tenants[0].parallelism *= 1e6;
	memset(watch.per_page, 0, sizeof(watch.per_page));
	pass(sim, 140);
	for (uint64_t page = PAGES / 2; page < PAGES / 2 + 1000; page++)
		assert_int_equal(watch.per_page[page], 0);
	sim_free(sim);
}

/* Waits longer than can be foreseen are drawn anew, and come out right all the same. */
static void the_coldest_pages_wait_as_long_as_they_should(void **state _unused_)
{
	struct sim_config config = small_machine();
	double expected = PAGES / 2 * (1 - exp(-0.7));
	struct sim *sim;

	config.tenants[0].world.kind = GUPS_KIND_RANDOM;
	config.tenants[0].world.reverse = false;
	config.tenants[0].world.accesses_per_s = PAGES / 200.0;
	sim = new_hinted_sim(&config);
	protect_all(sim);
	pass(sim, 140);
	assert_true(fabs(watch.samples - expected) < SIGMA * sqrt(expected));
	sim_free(sim);
}

static void a_scan_touches_all_it_passes(void **state _unused_)
{
	struct sim_config config = small_machine();
	struct sim *sim;

	config.tenants[0].world.accesses_per_s = 1e-3;
	config.tenants[0].world.scan_at_s = 2;
	config.tenants[0].world.scan_for_s = 2;
	config.tenants[0].world.scan_pages_per_s = PAGES / 2;
	sim = new_hinted_sim(&config);
	protect_all(sim);
	pass(sim, 2.5);
	assert_true(watch.samples <= 1);
	pass(sim, 1.5);
	assert_int_equal(watch.samples, PAGES / 2);
	sim_free(sim);
}

static void hotter_pages_fault_sooner(void **state _unused_)
{
	struct sim_config config = small_machine();
	uint64_t hot = 0, cold = 0;
	struct sim *sim;

	config.hint.pages_per_s = PAGES;
	config.tenants[0].world.accesses_per_s = 10000;
	sim = new_hinted_sim(&config);
	pass(sim, 1);
	/* Hot pages are touched 5.5 times a second, cold ones 0.07 times. */
	for (uint64_t page = PAGES / 2; page < PAGES; page++)
		*(page > PAGES * 0.9 ? &hot : &cold) += watch.per_page[page] > 0;
	assert_true(hot > 0.8 * 0.1 * PAGES);
	assert_true(cold < 0.2 * 0.4 * PAGES);
	sim_free(sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_come_at_their_rate_in_their_tick),
		cmocka_unit_test(what_is_lost_is_taken_off_the_exposure),
		cmocka_unit_test(a_skew_is_not),
		cmocka_unit_test(a_scan_takes_samples_for_what_it_reads),
		cmocka_unit_test(a_protected_page_faults_once),
		cmocka_unit_test(a_page_that_moved_is_not_protected),
		cmocka_unit_test(the_coldest_pages_wait_as_long_as_they_should),
		cmocka_unit_test(a_scan_touches_all_it_passes),
		cmocka_unit_test(hotter_pages_fault_sooner),
	};

	return cmocka_run_group_tests(tests, NULL, sim_watcher_done);
}
