/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rate controller against simulated programs: it gets there from anywhere, stays
 * there under noise, and steps as it says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "base/util.h"
#include "sampler/rate.h"

#define TICK_NS UINT64_C(500000000)

static const struct tierd_rate_bounds wide = { 1, UINT64_C(1) << 40, 1 };

static uint64_t next(const struct tierd_rate_bounds *bounds, uint64_t period,
	uint64_t target_per_s, uint64_t samples)
{
	const struct tierd_rate_seen seen = { samples, TICK_NS, false };

	return tierd_rate_next(bounds, period, target_per_s, &seen);
}

static double next_uniform(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (double)(*seed >> 11) / (double)(1ULL << 53);
}

static uint64_t poisson(double mean, uint64_t *seed)
{
	double gauss = -6.0;

	for (int i = 0; i < 12; i++)
		gauss += next_uniform(seed);
	return (uint64_t)fmax(0.0, round(mean + sqrt(mean) * gauss));
}

static void test_clamp(_unused_ void **state)
{
	const struct tierd_rate_bounds ibs = { 4090, (1 << 27) - 16, 16 };

	assert_int_equal(tierd_rate_clamp(&ibs, 0), 4096);
	assert_int_equal(tierd_rate_clamp(&ibs, 5007), 5008);
	assert_int_equal(tierd_rate_clamp(&ibs, 5000), 5008);
	assert_int_equal(tierd_rate_clamp(&ibs, 4999), 4992);
	assert_int_equal(tierd_rate_clamp(&ibs, UINT64_MAX), (1 << 27) - 16);
	assert_int_equal(tierd_rate_clamp(&wide, 0), 1);
	assert_int_equal(tierd_rate_clamp(&wide, 12345), 12345);
}

static void test_dead_band(_unused_ void **state)
{
	/* 10,000 a second is 5,000 a tick. */
	assert_int_equal(next(&wide, 199, 10000, 5000), 199);
	assert_int_equal(next(&wide, 199, 10000, 3760), 199);
	assert_int_equal(next(&wide, 199, 10000, 6240), 199);
	assert_int_equal(next(&wide, 199, 10000, 3740), 172);
	assert_int_equal(next(&wide, 199, 10000, 6260), 223);

	/* 32 a second is 16 a tick: what chance does to so few is no reason. */
	assert_int_equal(next(&wide, 200, 32, 27), 200);
	assert_int_equal(next(&wide, 200, 32, 5), 200);
	assert_int_equal(next(&wide, 200, 32, 48), 600);
	assert_int_equal(next(&wide, 200, 32, 0), 100);
	assert_int_equal(next(&wide, 200, 2, 0), 100);
}

static void test_steps_are_bounded(_unused_ void **state)
{
	const struct tierd_rate_bounds narrow = { 150, 300, 1 };

	assert_int_equal(next(&wide, 1000, 1000, 1000000), 4000);
	assert_int_equal(next(&wide, 1000, 1000, 0), 500);
	assert_int_equal(next(&wide, 1, 1000, 0), 1);
	assert_int_equal(next(&wide, wide.max, 1000, 1000000), wide.max);
	assert_int_equal(next(&narrow, 200, 1000, 1000000), 300);
	assert_int_equal(next(&narrow, 200, 1000, 0), 150);
}

static void test_small_periods_are_not_stuck(_unused_ void **state)
{
	const struct tierd_rate_bounds coarse = { 16, 1024, 16 };

	assert_int_equal(next(&wide, 1, 1000, 1010), 2);
	assert_int_equal(next(&wide, 2, 1000, 240), 1);
	assert_int_equal(next(&coarse, 16, 1000, 1010), 32);
}

static void test_throttling_counts_as_overload(_unused_ void **state)
{
	const struct tierd_rate_seen quiet = { 500, TICK_NS, true };
	const struct tierd_rate_seen none = { 0, TICK_NS, true };
	const struct tierd_rate_seen flood = { 5000, TICK_NS, true };

	assert_int_equal(tierd_rate_next(&wide, 100, 1000, &quiet), 200);
	assert_int_equal(tierd_rate_next(&wide, 100, 1000, &none), 200);
	assert_int_equal(tierd_rate_next(&wide, 100, 1000, &flood), 400);
}

static void test_no_time_no_target(_unused_ void **state)
{
	const struct tierd_rate_seen no_time = { 1000, 0, true };

	assert_int_equal(tierd_rate_next(&wide, 100, 1000, &no_time), 100);
	assert_int_equal(next(&wide, 100, 0, 5), wide.max);
}

/* A program with so many accesses a second, from any period to any target. */
static void test_converges(_unused_ void **state)
{
	static const double accesses[] = { 1e6, 3e7, 1e10 };
	static const uint64_t targets[] = { 100, 8300, 80000 };
	uint64_t seed = 88172645463325252;

	for (size_t a = 0; a < ARRAY_SIZE(accesses); a++)
		for (size_t t = 0; t < ARRAY_SIZE(targets); t++)
			for (uint64_t start = 1; start <= UINT64_C(1) << 36; start *= 8) {
				uint64_t period = start;
				double rate;

				for (int tick = 0; tick < 40; tick++)
					period = next(&wide, period, targets[t],
						poisson(accesses[a] * 0.5 /
								(double)period,
							&seed));

				rate = accesses[a] / (double)period;
				assert_true(rate > 0.5 * (double)targets[t]);
				assert_true(rate < 1.5 * (double)targets[t]);
			}
}

/* A rate that wavers by a quarter each way must not make an interrupt storm. */
static void test_is_stable_under_noise(_unused_ void **state)
{
	const uint64_t target = 8000;
	uint64_t seed = 2463534242, period = 199;
	unsigned n_changes = 0, n_off = 0;

	for (int tick = 0; tick < 1000; tick++) {
		double wavering = 0.75 + 0.5 * next_uniform(&seed);
		double mean = 1.6e6 * wavering * 0.5 / (double)period;
		uint64_t before = period;

		period = next(&wide, period, target, poisson(mean, &seed));
		n_changes += period != before;
		n_off += fabs(1.6e6 / (double)period / (double)target - 1.0) > 0.4;
	}
	assert_true(n_changes < 150);
	assert_int_equal(n_off, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clamp),
		cmocka_unit_test(test_dead_band),
		cmocka_unit_test(test_steps_are_bounded),
		cmocka_unit_test(test_small_periods_are_not_stuck),
		cmocka_unit_test(test_throttling_counts_as_overload),
		cmocka_unit_test(test_no_time_no_target),
		cmocka_unit_test(test_converges),
		cmocka_unit_test(test_is_stable_under_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
