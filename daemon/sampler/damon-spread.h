/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What DAMON's count of a region says about its pages. DAMON picks one page of each
 * region at random, looks whether it was accessed within the sampling interval, and
 * repeats that n times in an aggregation: a region's count k is how often it was (Park et
 * al., "Profiling Dynamic Data Access Patterns with Controlled Overhead and Quality",
 * Middleware Industry 2019). So k of n is evidence about the region's average page, worth
 * n looks, whatever the region's size; about a single page it says next to nothing.
 *
 * It is turned into samples of single accesses, as all sources deliver them. With k looks
 * that hit, an average page was accessed k times (at the least: what comes more often
 * than once an interval is not seen), the region k · pages times. One in P of these
 * becomes a sample, at a random page of the region; P is the pages of all regions over
 * the least number of regions there may be, which is also the most pages that DAMON lets
 * a region have. Then
 *
 *   - all pages are sampled with the same period P, as the rates need it;
 *   - a region of the largest size gives k samples, just what was seen of it, and a
 *     smaller one fewer: no count claims more than was seen;
 *   - within a region, pages and blocks differ by chance only, which the engine's
 * shrinkage recognises as such: it then goes by the average, as it should.
 *
 * Pure arithmetic, reproducible from the seed.
 */
#ifndef TIERD_SAMPLER_DAMON_SPREAD_H
#define TIERD_SAMPLER_DAMON_SPREAD_H

#include <stdint.h>

struct tierd_damon_region {
	uint64_t target;
	uint64_t start;
	uint64_t end;
	uint64_t accesses; /* k */
};

struct tierd_damon_spread {
	unsigned regions_min;
	uint64_t seed;
	uint64_t period;      /* P; 0: not known before a whole round was seen */
	uint64_t round_pages; /* of this round so far */
	uint64_t total_pages; /* of the last whole round */
	uint64_t last_target; /* of the round so far */
	uint64_t last_start;
	double due; /* samples, below 1, that are left of the regions before */
};

void tierd_damon_spread_init(
	struct tierd_damon_spread *spread, unsigned regions_min, uint64_t seed);

/* Takes the next region, in the order in which they are reported. Returns how many
 * samples come of it. */
uint64_t tierd_damon_spread_add(
	struct tierd_damon_spread *spread, const struct tierd_damon_region *region);

/* The address of the i-th of n samples of the region: random within its n-th part. */
uint64_t tierd_damon_spread_address(struct tierd_damon_spread *spread,
	const struct tierd_damon_region *region, uint64_t i, uint64_t n);

#endif
