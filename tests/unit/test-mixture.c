/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mixtures learnt from counts of things whose rates are known. */
#include <math.h>
#include <string.h>

#include "unit.h"

#include "core/mixture.h"

#define COUNTS 64

/* Expected numbers of things with each count, given shares of rates. */
struct population {
	double things;
	double expected;
	size_t n_rates;
	double rates[3];
	double shares[3];
};

static double poisson(unsigned count, double mean)
{
	return exp(count * log(mean) - mean - lgamma(count + 1.0));
}

static void learn(struct tier_mixture *mixture, const struct population *population)
{
	struct tier_evidence evidence[COUNTS];

	tier_mixture_init(mixture, 0x1p-10, 6, 0);
	for (unsigned count = 0; count < COUNTS; count++) {
		evidence[count] = (struct tier_evidence){
			.count = count,
			.expected = population->expected,
		};
		for (size_t i = 0; i < population->n_rates; i++)
			evidence[count].things +=
				population->things * population->shares[i] *
				poisson(count,
					population->rates[i] * population->expected);
	}
	for (unsigned look = 0; look < 20; look++)
		assert_int_equal(tier_mixture_learn(mixture, evidence, COUNTS), 0);
}

static double believe(const struct tier_mixture *mixture, double count, double expected)
{
	return tier_mixture_believe(mixture, count, expected).mean;
}

static void equals_stay_equal(void **state)
{
	static const struct population population = {
		1000,
		4,
		1,
		{ 1 },
		{ 1 },
	};
	struct tier_mixture mixture;

	(void)state;
	learn(&mixture, &population);
	assert_true(believe(&mixture, 12, 4) < 1.3 * believe(&mixture, 0, 4));
}

/* Between two kinds lies nothing: a count is of the one or of the other. */
static void two_kinds_are_told_apart(void **state)
{
	static const struct population population = {
		1000,
		4,
		2,
		{ 0.1, 9 },
		{ 0.9, 0.1 },
	};
	struct tier_mixture mixture;
	struct tier_belief cold, hot;

	(void)state;
	learn(&mixture, &population);
	cold = tier_mixture_believe(&mixture, 2, 4);
	hot = tier_mixture_believe(&mixture, 24, 4);
	assert_true(cold.mean > 0.05 && cold.mean < 0.2);
	assert_true(hot.mean > 8 && hot.mean < 10);
	assert_true(believe(&mixture, 0, 4) > 0.6 * cold.mean);
	assert_true(believe(&mixture, 40, 4) < 1.2 * hot.mean);
}

/* Without evidence a thing is believed to be as things are. */
static void the_unseen_are_average(void **state)
{
	static const struct population population = {
		1000,
		4,
		2,
		{ 0.1, 9.1 },
		{ 0.9, 0.1 },
	};
	struct tier_mixture mixture;
	struct tier_belief unseen;

	(void)state;
	learn(&mixture, &population);
	unseen = tier_mixture_believe(&mixture, 0, 0);
	assert_true(fabs(unseen.mean - 1) < 0.05);
	assert_true(unseen.deviation > 2);
}

/* A grid point that was given up comes back when there is evidence for it. */
static void it_changes_its_mind(void **state)
{
	static const struct population before = { 1000, 4, 1, { 1 }, { 1 } };
	struct tier_evidence evidence[2] = { { 0, 4, 900 }, { 40, 4, 100 } };
	struct tier_mixture mixture;

	(void)state;
	learn(&mixture, &before);
	for (unsigned look = 0; look < 10; look++)
		assert_int_equal(tier_mixture_learn(&mixture, evidence, 2), 0);
	assert_true(believe(&mixture, 40, 4) > 5);
	assert_true(believe(&mixture, 0, 4) < 0.2);
}

static void weights_are_a_distribution(void **state)
{
	static const struct population population = {
		1e6,
		0.01,
		3,
		{ 0.01, 1, 50 },
		{ 0.5, 0.49, 0.01 },
	};
	struct tier_mixture mixture;
	double sum = 0;

	(void)state;
	learn(&mixture, &population);
	for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++) {
		assert_true(mixture.weight[k] > 0);
		sum += mixture.weight[k];
	}
	assert_true(fabs(sum - 1) < 1e-4);
}

static void nothing_teaches_nothing(void **state)
{
	struct tier_evidence none = { .expected = 1 };
	struct tier_mixture before, after;

	(void)state;
	tier_mixture_init(&before, 0x1p-10, 6, 0);
	after = before;
	assert_int_equal(tier_mixture_learn(&after, NULL, 0), 0);
	assert_int_equal(tier_mixture_learn(&after, &none, 1), 0);
	assert_memory_equal(&before, &after, sizeof(before));
}

/* What no rate of the grid explains is taken for the nearest. */
static void extremes_are_finite(void **state)
{
	struct tier_mixture mixture;

	(void)state;
	tier_mixture_init(&mixture, 0x1p-10, 6, 0);
	assert_true(isfinite(believe(&mixture, 1e9, 1e-9)));
	assert_true(isfinite(believe(&mixture, 0, 1e9)));
	assert_true(believe(&mixture, 0, 1e9) < 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_stay_equal),
		cmocka_unit_test(two_kinds_are_told_apart),
		cmocka_unit_test(the_unseen_are_average),
		cmocka_unit_test(it_changes_its_mind),
		cmocka_unit_test(weights_are_a_distribution),
		cmocka_unit_test(nothing_teaches_nothing),
		cmocka_unit_test(extremes_are_finite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
