/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/rates.h"

#include <math.h>

/* Spreads count only as far as they exceed what chance gives this often. */
#define BLOCK_SPREAD_ERRORS 3.0
#define PAGE_SPREAD_ERRORS  2.0 /* pooled over blocks */
#define OWN_SPREAD_ERRORS   4.0 /* of a single block: there are many to go wrong */

/* A block is known once an average one would have been sampled this often. */
#define KNOWN_SAMPLES 1.0

/* The exposure of a block, in the units of its own epoch. */
static double block_exposure(
	const struct tier_rates *rates, const struct tier_block *block)
{
	int lag = (int)(rates->epoch - block->epoch);
	double exposure = ldexp(rates->exposure, lag) - block->born;

	return exposure > 0 ? exposure : 0;
}

static double block_expected(
	const struct tier_rates *rates, const struct tier_block *block)
{
	return rates->mean * block->resident_pages * block_exposure(rates, block);
}

static void fit_mean(
	struct tier_rates *rates, struct tier_block *const *blocks, size_t n_blocks)
{
	double samples = 0, exposure = 0;
	uint64_t pages = 0;

	for (size_t i = 0; i < n_blocks; i++) {
		const struct tier_block *block = blocks[i];
		int lag = (int)(rates->epoch - block->epoch);

		samples += ldexp(block->sum, -lag);
		exposure +=
			ldexp(block->resident_pages * block_exposure(rates, block), -lag);
		pages += block->resident_pages;
	}
	rates->samples = samples;
	rates->pages = pages;
	rates->mean = exposure > 0 ? samples / exposure : 0;
}

/*
 * For S ~ Poisson(m), (S - m)^2 - S has mean 0 and variance 2 m^2; a relative variance v
 * of the rates adds v m^2 to the mean.
 */
static void fit_block_spread(
	struct tier_rates *rates, struct tier_block *const *blocks, size_t n_blocks)
{
	double excess = 0, squares = 0;

	for (size_t i = 0; i < n_blocks; i++) {
		double expected = block_expected(rates, blocks[i]);
		double difference = blocks[i]->sum - expected;

		excess += difference * difference - blocks[i]->sum;
		squares += expected * expected;
	}
	rates->block_spread = 0;
	if (squares > 0)
		rates->block_spread = fmax(
			0, (excess - BLOCK_SPREAD_ERRORS * sqrt(2 * squares)) / squares);
}

/*
 * The relative variance of page rates within one block, from the pairs of samples that
 * share a page, and the variance of that estimate when all pages are alike.
 */
static bool own_page_spread(
	const struct tier_block *block, double *ret_spread, double *ret_variance)
{
	double pairs = (double)block->sum * (block->sum - 1.0);

	if (block->sum < 2 || block->resident_pages == 0 || block->huge)
		return false;
	*ret_spread = block->resident_pages * (double)block->pairs / pairs - 1;
	*ret_variance = 2.0 * block->resident_pages / pairs;
	return true;
}

static void fit_page_spread(
	struct tier_rates *rates, struct tier_block *const *blocks, size_t n_blocks)
{
	double weights = 0, sum = 0, noise = 0;

	for (size_t i = 0; i < n_blocks; i++) {
		double spread, variance, weight;

		if (!own_page_spread(blocks[i], &spread, &variance))
			continue;
		weight = 1 / (1 + variance);
		weights += weight;
		sum += weight * spread;
		noise += weight * weight * variance;
	}
	rates->page_spread = 0;
	if (weights > 0)
		rates->page_spread =
			fmax(0, (sum - PAGE_SPREAD_ERRORS * sqrt(noise)) / weights);
}

void tier_rates_fit(
	struct tier_rates *rates, struct tier_block *const *blocks, size_t n_blocks)
{
	fit_mean(rates, blocks, n_blocks);
	fit_block_spread(rates, blocks, n_blocks);
	fit_page_spread(rates, blocks, n_blocks);
}

static double page_spread(const struct tier_rates *rates, const struct tier_block *block)
{
	double spread, variance, weight;

	if (!own_page_spread(block, &spread, &variance))
		return rates->page_spread;
	weight = 1 / (1 + variance);
	spread = fmax(0, spread - OWN_SPREAD_ERRORS * sqrt(variance));
	return weight * spread + (1 - weight) * rates->page_spread;
}

/* The Gamma posterior of a block's rate: its mean, and bounds on either side of it. */
static void bound_block_rate(const struct tier_rates *rates,
	const struct tier_block *block, double expected, struct tier_block_rate *ret)
{
	double shape, posterior, unit;

	if (rates->block_spread <= 0) {
		ret->mean = ret->low = ret->high = rates->mean;
		return;
	}
	shape = 1 / rates->block_spread;
	posterior = shape + block->sum;
	unit = rates->mean / (shape + expected);
	ret->mean = unit * posterior;
	ret->low = unit * fmax(0, posterior - rates->significance * sqrt(posterior));
	ret->high = unit * (posterior + rates->significance * sqrt(posterior + 1));
}

/* The Gamma posterior of a page's rate relative to its block's: linear in its count. */
static void spread_pages(const struct tier_rates *rates, const struct tier_block *block,
	struct tier_block_rate *ret)
{
	double spread = block->huge ? 0 : page_spread(rates, block);
	double shape;

	if (spread <= 0) {
		ret->factor_base = 1;
		ret->factor_step = 0;
		return;
	}
	shape = 1 / spread;
	ret->factor_step = 1 / (shape + ret->mean * block_exposure(rates, block));
	ret->factor_base = shape * ret->factor_step;
}

void tier_rates_of_block(const struct tier_rates *rates, const struct tier_block *block,
	struct tier_block_rate *ret)
{
	double expected = block_expected(rates, block);

	bound_block_rate(rates, block, expected, ret);
	spread_pages(rates, block, ret);
	ret->is_known =
		expected >= KNOWN_SAMPLES * block->resident_pages / TIER_BLOCK_PAGES;
}
