/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reproducible randomness: the finaliser of SplitMix64 as a hash and the generator built
 * on it (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
 */
#ifndef TIER_CORE_HASH_H
#define TIER_CORE_HASH_H

#include <stdint.h>

static inline uint64_t tier_hash(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

struct tier_random {
	uint64_t state;
};

static inline uint64_t tier_random_next(struct tier_random *random)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return tier_hash(random->state);
}

#endif
