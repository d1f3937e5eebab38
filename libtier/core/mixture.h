/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the rates of many things are distributed, learnt from their counts: the
 * nonparametric maximum-likelihood estimate of a Poisson mixture (Kiefer and Wolfowitz,
 * "Consistency of the maximum likelihood estimator in the presence of infinitely many
 * incidental parameters", 1956), on a fixed logarithmic grid, by expectation-maximisation
 * (Laird 1978; Koenker and Mizera, "Convex optimization, shape constraints, and compound
 * decisions", JASA 2014).
 *
 * It assumes no shape. Two kinds of pages become two peaks, between which nothing is
 * expected, so that noise within either moves nobody; a Zipf distribution becomes a
 * slope, on which every difference counts for what it is. Rates are relative to a mean
 * of 1. What is learnt is kept from call to call: a few rounds at a time are enough.
 */
#ifndef TIER_CORE_MIXTURE_H
#define TIER_CORE_MIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#define TIER_MIXTURE_POINTS 144

struct tier_mixture {
	float rate[TIER_MIXTURE_POINTS];
	float log_rate[TIER_MIXTURE_POINTS];
	float weight[TIER_MIXTURE_POINTS]; /* sums to 1 */
};

/* So many things with the same evidence. */
struct tier_evidence {
	double count;    /* of events */
	double expected; /* of events at a rate of 1 */
	double things;
};

/* What is believed of the rate of one thing. */
struct tier_belief {
	double mean;
	double deviation; /* standard */
};

/*
 * @lowest: of the grid. To begin with, rates are believed to be near 1, or with weight
 * @tail a point, beside about 1, anywhere.
 */
void tier_mixture_init(struct tier_mixture *mixture, double lowest,
	double points_per_octave, double tail);

/*
 * Learns from @evidence. Errors: -ENOMEM, and nothing was learnt.
 */
int tier_mixture_learn(
	struct tier_mixture *mixture, const struct tier_evidence *evidence, size_t n);

/* The posterior given one count. */
struct tier_belief tier_mixture_believe(
	const struct tier_mixture *mixture, double count, double expected);

#endif
