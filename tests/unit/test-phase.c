/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The phase detector on shares with the noise that real windows have. */
#include <math.h>

#include "unit.h"

#include "core/hash.h"
#include "core/phase.h"

/* @n samples of which the fast tier has @share, in portions of @portion. */
static unsigned feed(struct tier_phase *phase, struct tier_random *random, double share,
	unsigned n, unsigned portion)
{
	unsigned changes = 0;

	for (unsigned i = 0; i < n; i++) {
		double u = (tier_random_next(random) >> 11) * 0x1p-53;

		if (u < share)
			phase->fast++;
		else
			phase->slow++;
		if (i % portion == portion - 1)
			changes += tier_phase_has_changed(phase);
	}
	return changes;
}

static void steady_shares_raise_no_alarm(void **state)
{
	static const double shares[] = { 0, 0.03, 0.3, 0.5, 0.9, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		for (uint64_t seed = 1; seed <= 20; seed++) {
			struct tier_random random = { seed };
			struct tier_phase phase = { 0 };

			assert_int_equal(
				feed(&phase, &random, shares[i], 100000, 250), 0);
			assert_true(fabs(tier_phase_share(&phase) - shares[i]) < 0.1);
		}
}

static void a_fall_is_seen_once_and_soon(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct tier_random random = { seed };
		struct tier_phase phase = { 0 };

		assert_int_equal(feed(&phase, &random, 0.9, 20000, 1000), 0);
		assert_int_equal(feed(&phase, &random, 0.2, 4000, 1000), 1);
		assert_int_equal(feed(&phase, &random, 0.2, 20000, 1000), 0);
	}
}

static void a_rise_is_progress(void **state)
{
	struct tier_random random = { 1 };
	struct tier_phase phase = { 0 };

	(void)state;
	for (double share = 0.1; share < 0.95; share += 0.1)
		assert_int_equal(feed(&phase, &random, share, 2000, 500), 0);
}

static void a_fall_by_decree_is_no_alarm(void **state)
{
	struct tier_random random = { 1 };
	struct tier_phase phase = { 0 };

	(void)state;
	assert_int_equal(feed(&phase, &random, 0.9, 20000, 1000), 0);
	tier_phase_reset(&phase);
	assert_true(isnan(tier_phase_share(&phase)));
	assert_int_equal(feed(&phase, &random, 0.3, 20000, 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady_shares_raise_no_alarm),
		cmocka_unit_test(a_fall_is_seen_once_and_soon),
		cmocka_unit_test(a_rise_is_progress),
		cmocka_unit_test(a_fall_by_decree_is_no_alarm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
