/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers cheap enough for an update loop: SplitMix64 (Steele, Lea and Flood,
 * "Fast Splittable Pseudorandom Number Generators", 2014). Streams are told apart by
 * hashing their number into the start state, since two SplitMix64 sequences whose states
 * differ by a multiple of the increment are the same sequence shifted.
 */
#ifndef GUPS_RNG_H
#define GUPS_RNG_H

#include <stdint.h>

#define GUPS_GOLDEN UINT64_C(0x9e3779b97f4a7c15)

struct gups_rng {
	uint64_t state;
};

static inline uint64_t gups_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t gups_rng_next(struct gups_rng *rng)
{
	rng->state += GUPS_GOLDEN;
	return gups_mix(rng->state);
}

/* Uniform in [0, n); the bias of leaving out the rejection step is below n / 2^64. */
static inline uint64_t gups_rng_below(struct gups_rng *rng, uint64_t n)
{
	return (uint64_t)(((unsigned __int128)gups_rng_next(rng) * n) >> 64);
}

/* Uniform in [0, 1). */
static inline double gups_rng_unit(struct gups_rng *rng)
{
	return (double)(gups_rng_next(rng) >> 11) * 0x1.0p-53;
}

static inline void gups_rng_init(struct gups_rng *rng, uint64_t seed, uint64_t stream)
{
	rng->state = gups_mix(gups_mix(seed + GUPS_GOLDEN) ^ (stream + 1));
}

#endif
