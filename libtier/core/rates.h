/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Expected access rates from sparse counts, by hierarchical empirical Bayes.
 *
 * A count is evidence, not a rate. Pages are Poisson around rates that are Gamma
 * distributed around their block's, and blocks' rates are Gamma distributed around the
 * group's (Gamma-Poisson shrinkage; Efron and Morris, "Data analysis using Stein's
 * estimator", JASA 1975). How widely each level spreads is estimated by the method of
 * moments from what its counts vary beyond Poisson noise, less a few standard errors of
 * that estimate. So uniform access shrinks to a single rate, a contiguous hot set speaks
 * through its blocks, and scattered hot pages speak for themselves.
 *
 * The spread of pages is each block's own as far as its samples carry it and the pooled
 * one beyond: pooling alone lets the one steep block of a Zipf distribution convince all
 * others that their pages differ.
 */
#ifndef TIER_CORE_RATES_H
#define TIER_CORE_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/block.h"

struct tier_rates {
	double exposure; /* the group's, at @epoch */
	uint32_t epoch;
	double significance;
	double mean;         /* accesses a second and page */
	double block_spread; /* relative variance of block rates; 0: all alike */
	double page_spread;  /* the same of pages within a block, pooled */
	double samples;      /* decayed */
	uint64_t pages;
};

/* What is expected of one block's pages, in accesses a second and page. */
struct tier_block_rate {
	double mean;
	double low; /* by so many standard errors as the group's significance says */
	double high;
	double factor_base; /* of a page without samples: by how much it exceeds these */
	double factor_step; /* what each sample adds to that */
	bool is_known;      /* watched long enough to be told from its peers */
};

/* Fits the model to @blocks; exposure, epoch and significance are set by the caller. */
void tier_rates_fit(
	struct tier_rates *rates, struct tier_block *const *blocks, size_t n_blocks);

void tier_rates_of_block(const struct tier_rates *rates, const struct tier_block *block,
	struct tier_block_rate *ret);

/* By how much a page with @count samples exceeds its block's rates. */
static inline double tier_block_rate_factor(
	const struct tier_block_rate *rate, unsigned count)
{
	return rate->factor_base + rate->factor_step * count;
}

#endif
