/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expected access rates from sparse counts, by hierarchical empirical Bayes.
 *
 * A count is evidence, not a rate. Pages are Poisson around rates that vary within their
 * block, and blocks' rates vary within the group. How both vary is learnt from the counts
 * themselves (mixture.h), and only where they vary by more than chance would: uniform
 * access keeps a single rate, a contiguous hot set speaks through its blocks, scattered
 * hot pages speak for themselves.
 *
 * Samples on few pages say less of a block than as many on many: a block that holds some
 * of a scattered hot set's pages varies with how many it happens to hold. Its samples are
 * therefore divided by their design effect (Kish, "Survey Sampling", 1965), which the
 * spread of its pages gives, before blocks are compared.
 */
#ifndef TIER_CORE_RATES_H
#define TIER_CORE_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/census.h"
#include "core/mixture.h"

struct tier_rates {
	double exposure; /* the group's, at @epoch */
	uint32_t epoch;
	bool skips_policy;   /* blocks under a policy of the program's are not watched */
	double mean;         /* accesses a second and page */
	double block_spread; /* relative variance of block rates; 0: all alike */
	double page_spread;  /* the same of pages within a block, pooled */
	struct tier_mixture blocks; /* rates relative to the mean */
	struct tier_mixture pages;  /* rates relative to their block's */
	double samples;             /* held in counts, decayed */
	double taught;              /* samples when mixtures were last taught … */
	uint32_t taught_epoch;      /* … and the epoch then */
};

/* What is expected of the pages of one cohort, in accesses a second and page. */
struct tier_cohort_rate {
	double mean;
	double low; /* less and more so many standard deviations of the block's rate */
	double high;
	double expected; /* samples of a page at the mean */
	bool is_known;   /* watched long enough to be told from its peers */
};

void tier_rates_init(struct tier_rates *rates);

/* Fits the model to the census; exposure and epoch are set by the caller. Errors:
 * -ENOMEM. */
int tier_rates_fit(struct tier_rates *rates, const struct tier_census *census);

/*
 * What is believed of blocks, and by how much pages exceed their block's rate, given what
 * was expected of them and what was counted. Both are worked out once for each pair of an
 * expectation and a count, in logarithmic steps, of which there are few.
 */
#define TIER_BELIEFS      512
#define TIER_FACTOR_STEPS 64

struct tier_beliefs {
	const struct tier_rates *rates;
	struct {
		uint16_t step; /* of the expectation, from 1 on; 0: not yet known */
		uint16_t count_step;
		struct tier_belief belief;
	} blocks[TIER_BELIEFS]; /* each pair has one place; the last that took it stays */
	float pages[TIER_FACTOR_STEPS][TIER_HISTOGRAM_BINS]; /* 0: not yet known */
};

void tier_beliefs_init(struct tier_beliefs *beliefs, const struct tier_rates *rates);
void tier_beliefs_of_cohort(struct tier_beliefs *beliefs,
	const struct tier_cohort *cohort, struct tier_cohort_rate *ret);
double tier_beliefs_page_factor(
	struct tier_beliefs *beliefs, double expected, unsigned count_bin);

/* The same of those of a cohort's pages that are in a count bin: @rate is the cohort's.
 */
struct tier_cohort_rate tier_beliefs_scale(struct tier_beliefs *beliefs,
	const struct tier_cohort *cohort, const struct tier_cohort_rate *rate,
	unsigned count_bin);
void tier_beliefs_of_page(struct tier_beliefs *beliefs, const struct tier_cohort *cohort,
	unsigned count_bin, struct tier_cohort_rate *ret);

#endif
