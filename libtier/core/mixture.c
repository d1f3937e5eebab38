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
#define NATS_MAX 60.0f

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

/* Likelihoods of each rate, relative to the best one: Poisson, less what is common. */
static void weigh(const struct tier_mixture *mixture, double count, double expected,
	float ret[static TIER_MIXTURE_POINTS])
{
	float best = -INFINITY;

	for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++) {
		ret[k] = (float)count * mixture->log_rate[k] -
			 (float)expected * mixture->rate[k];
		best = fmaxf(best, ret[k]);
	}
	for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++)
		ret[k] = ret[k] > best - NATS_MAX ? expf(ret[k] - best) : 0;
}

/* One round of expectation-maximisation. */
static void improve(struct tier_mixture *mixture, const struct tier_evidence *evidence,
	const float *likelihoods, size_t n)
{
	float next[TIER_MIXTURE_POINTS] = { 0 };

	for (size_t i = 0; i < n; i++) {
		const float *likelihood = &likelihoods[i * TIER_MIXTURE_POINTS];
		float sum = 0, share;

		for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++)
			sum += mixture->weight[k] * likelihood[k];
		if (sum <= 0)
			continue;
		share = (float)evidence[i].things / sum;
		for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++)
			next[k] += share * mixture->weight[k] * likelihood[k];
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
	_cleanup_(freep) float *likelihoods = NULL;
	_cleanup_(freep) struct tier_evidence *shares = NULL;
	double things = count_things(evidence, n);

	if (things <= 0)
		return 0;
	likelihoods = calloc(n, TIER_MIXTURE_POINTS * sizeof(*likelihoods));
	shares = calloc(n, sizeof(*shares));
	if (!likelihoods || !shares)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		shares[i] = evidence[i];
		shares[i].things /= things;
		weigh(mixture, evidence[i].count, evidence[i].expected,
			&likelihoods[i * TIER_MIXTURE_POINTS]);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		improve(mixture, shares, likelihoods, n);
	return 0;
}

struct tier_belief tier_mixture_believe(
	const struct tier_mixture *mixture, double count, double expected)
{
	float likelihood[TIER_MIXTURE_POINTS];
	double sum = 0, first = 0, second = 0;

	weigh(mixture, count, expected, likelihood);
	for (unsigned k = 0; k < TIER_MIXTURE_POINTS; k++) {
		double share = (double)mixture->weight[k] * likelihood[k];

		sum += share;
		first += share * mixture->rate[k];
		second += share * mixture->rate[k] * mixture->rate[k];
	}
	if (sum <= 0)
		return (struct tier_belief){ .mean = 1 };
	first /= sum;
	return (struct tier_belief){
		.mean = first,
		.deviation = sqrt(fmax(0, second / sum - first * first)),
	};
}
