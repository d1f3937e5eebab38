/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/mixture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/util.h"

#define ROUNDS 8

/* No point of the grid is ever given up altogether, or it could not come back. */
#define WEIGHT_MIN 1e-7f

/* What is believed before there is evidence: this much in logarithms around 1. */
#define FIRST_DEVIATION 0.1

/* Likelihoods below the best one by more than this many nats are nil. */
#define NATS_MAX 25.0f

static void normalise(float weights[static TIER_MIXTURE_POINTS])
{
	float sum = 0;

	for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++) {
		weights[k] = fmaxf(weights[k], WEIGHT_MIN);
		sum += weights[k];
	}
	for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++)
		weights[k] /= sum;
}

void tier_mixture_init(struct tier_mixture *mixture, double lowest,
	double points_per_octave, double tail)
{
	for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++) {
		double rate = lowest * exp2(k / points_per_octave);
		double z = log(rate) / FIRST_DEVIATION;

		mixture->rate[k] = rate;
		mixture->log_rate[k] = log(rate);
		mixture->weight[k] = exp(-z * z / 2) + tail;
	}
	normalise(mixture->weight);
}

/* Of some consecutive rates; those of all others are nil. */
struct likelihood {
	unsigned first;
	unsigned n;
	float of[TIER_MIXTURE_POINTS];
};

/* Poisson, less what does not depend on the rate. */
static float log_likelihood(
	const struct tier_mixture *mixture, unsigned k, float count, float expected)
{
	return count * mixture->log_rate[k] - expected * mixture->rate[k];
}

/* The grid's nearest to the most likely rate. */
static unsigned peak(const struct tier_mixture *mixture, double count, double expected)
{
	double k;

	if (count <= 0)
		return 0;
	if (expected <= 0)
		return TIER_MIXTURE_POINTS - 1;
	k = (log(count / expected) - mixture->log_rate[0]) /
	    (mixture->log_rate[1] - mixture->log_rate[0]);
	return (unsigned)fmax(0, fmin(TIER_MIXTURE_POINTS - 1, k + 0.5));
}

/* Likelihood falls to either side of its peak; relative to that, until it is nil. */
static void weigh(const struct tier_mixture *mixture, double count, double expected,
	struct likelihood *ret)
{
	unsigned top = peak(mixture, count, expected), first = top, end = top + 1;
	float best = log_likelihood(mixture, top, count, expected);

	while (first > 0 &&
		log_likelihood(mixture, first - 1, count, expected) > best - NATS_MAX)
		first--;
	while (end < TIER_MIXTURE_POINTS &&
		log_likelihood(mixture, end, count, expected) > best - NATS_MAX)
		end++;
	ret->first = first;
	ret->n = end - first;
	for (unsigned k = first; k < end; k++)
		ret->of[k - first] =
			expf(log_likelihood(mixture, k, count, expected) - best);
}

/* One round of expectation-maximisation. */
static void improve(struct tier_mixture *mixture, const struct tier_evidence *evidence,
	const struct likelihood *likelihoods, size_t n)
{
	float next[TIER_MIXTURE_POINTS] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct likelihood *likelihood = &likelihoods[i];
		const float *weight = mixture->weight + likelihood->first;
		float sum = 0, share;

		for (unsigned k = 0; k < likelihood->n; k++)
			sum += weight[k] * likelihood->of[k];
		share = (float)evidence[i].things / sum;
		for (unsigned k = 0; k < likelihood->n; k++)
			next[likelihood->first + k] +=
				share * weight[k] * likelihood->of[k];
	}
	for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++)
		mixture->weight[k] = next[k];
	normalise(mixture->weight);
}

static double count_things(const struct tier_evidence *evidence, size_t n)
{
	double things = 0;

	for (size_t i = 0; i < n; i++)
		things += evidence[i].things;
	return things;
}

int tier_mixture_learn(
	struct tier_mixture *mixture, const struct tier_evidence *evidence, size_t n)
{
	_cleanup_(freep) struct likelihood *likelihoods = NULL;
	_cleanup_(freep) struct tier_evidence *shares = NULL;
	double things = count_things(evidence, n);

	if (things <= 0)
		return 0;
	likelihoods = malloc(n * sizeof(*likelihoods));
	shares = malloc(n * sizeof(*shares));
	if (!likelihoods || !shares)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		shares[i] = evidence[i];
		shares[i].things /= things;
		weigh(mixture, evidence[i].count, evidence[i].expected, &likelihoods[i]);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		improve(mixture, shares, likelihoods, n);
	return 0;
}

struct tier_belief tier_mixture_believe(
	const struct tier_mixture *mixture, double count, double expected)
{
	struct likelihood likelihood;
	double sum = 0, first = 0, second = 0;

	weigh(mixture, count, expected, &likelihood);
	for (unsigned i = 0; i < likelihood.n; i++) {
		double rate = mixture->rate[likelihood.first + i];
		double share =
			(double)mixture->weight[likelihood.first + i] * likelihood.of[i];

		sum += share;
		first += share * rate;
		second += share * rate * rate;
	}
	first /= sum;
	return (struct tier_belief){
		.mean = first,
		.deviation = sqrt(fmax(0, second / sum - first * first)),
	};
}
