/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What samples cost, and how many are wanted for it, with a sampler that only has stats.
 */
#include <sys/resource.h>

#include "unit.h"

#include "clock.h"
#include "fake-root.h"
#include "sampler/hint-cost.h"
#include "steering.h"

static struct tierd_sampler_stats stats;
static uint64_t target_per_s;

static void get_stats(
	_unused_ const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	*ret = stats;
}

static int set_rate(_unused_ struct tierd_sampler *sampler, uint64_t rate,
	_unused_ uint64_t interval_ns)
{
	target_per_s = rate;
	return 0;
}

static const struct tierd_sampler_ops plain = { .stats = get_stats,
	.set_rate = set_rate };
static const struct tierd_sampler_ops pages = {
	.stats = get_stats,
	.set_rate = set_rate,
	.tells_pages = true,
};

static void test_settled_rate(_unused_ void **state)
{
	static const struct {
		const struct tierd_sampler_ops *ops;
		uint64_t settled, overhead_ppm, cost_ns, rate;
	} cases[] = {
		{ &plain, 500, 50000, 2000, 500 },
		{ &plain, 500, 50000, 1000000, 500 },
		{ &pages, 500, 50000, 2000, 2000 },
		{ &pages, 500, 50000, 10000, 1000 },
		{ &pages, 500, 50000, 1000000, 500 },
		{ &pages, 500, 5000, 2000, 500 },
		{ &pages, 500, 50000, 0, 2000 },
		{ &pages, 500, TIERD_GOVERNOR_NO_CAP, 1000000, 2000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tierd_sampler sampler = { .ops = cases[i].ops };
		const struct tierd_config config = {
			.samples_per_second_settled = cases[i].settled,
			.overhead_max_ppm = cases[i].overhead_ppm,
		};

		stats = (struct tierd_sampler_stats){ .sample_cost_ns =
							      cases[i].cost_ns };
		assert_int_equal(
			tierd_steering_settled_rate(&config, &sampler), cases[i].rate);
	}
	assert_int_equal(
		tierd_steering_rate_factor(&(struct tierd_sampler){ .ops = &plain }), 1);
	assert_int_equal(
		tierd_steering_rate_factor(&(struct tierd_sampler){ .ops = &pages }), 4);
}

/* Five per cent at 25 microseconds each are 2000 a second; what they took is told. */
static void test_overhead_is_capped(_unused_ void **state)
{
	const struct tierd_config config = {
		.cpu_max_ppm = TIERD_GOVERNOR_NO_CAP,
		.overhead_max_ppm = 50000,
	};
	struct tierd_sampler sampler = { .ops = &pages };
	struct tierd_steering steering;
	struct tierd_steering_view view;
	struct fake_root fake;
	uint64_t now_ns = TIERD_NSEC;

	fake_root_init(&fake);
	stats = (struct tierd_sampler_stats){ .sample_cost_ns = 25000 };
	tierd_steering_init(&steering, &config, now_ns);
	for (unsigned i = 0; i < 30; i++) {
		now_ns += TIERD_NSEC;
		stats.overhead_ns += TIERD_NSEC / 50;
		assert_int_equal(tierd_steering_steer(&steering, &fake.root, &config,
					 &sampler, 20000, now_ns),
			0);
	}
	tierd_steering_get_view(&steering, &view);
	assert_int_equal(target_per_s, 2000);
	assert_string_equal(view.limit, "overhead");
	assert_int_equal(view.overhead_ns, 30 * TIERD_NSEC / 50);
	assert_in_range(view.overhead_ns_per_s, TIERD_NSEC / 55, TIERD_NSEC / 50);
	fake_root_done(&fake);
}

static long count_faults(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_minflt;
}

static void test_a_fault_is_measured(_unused_ void **state)
{
	long before = count_faults();
	uint64_t began_ns = tierd_now_ns(), ns, took_ns;

	assert_int_equal(tierd_hint_measure_fault(&ns), 0);
	took_ns = tierd_now_ns() - began_ns;
	assert_true(count_faults() - before >= 500);
	assert_in_range(ns, 50, took_ns / 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settled_rate),
		cmocka_unit_test(test_overhead_is_capped),
		cmocka_unit_test(test_a_fault_is_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
