/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A random-looking permutation of any size that needs no table: on the next power of two,
 * rounds of an odd multiplication and an xor with the upper half, each of them
 * invertible; what falls outside the wanted size is sent round again until it falls
 * inside (cycle walking: J. Black and P. Rogaway, "Ciphers with Arbitrary Finite
 * Domains", 2002), fewer than two turns on average. It knows nothing of pages.
 */
#include "base/util.h"
#include "rng.h"
#include "scatter.h"

static unsigned bits_for(uint64_t n)
{
	return n <= 1 ? 1 : 64 - (unsigned)__builtin_clzll(n - 1);
}

void gups_scatter_init(struct gups_scatter *s, uint64_t n, uint64_t seed)
{
	unsigned bits = bits_for(n);
	struct gups_rng rng;

	gups_rng_init(&rng, seed, UINT64_C(0x5ca77e5));
	s->n = n;
	s->mask = (UINT64_C(2) << (bits - 1)) - 1;
	s->shift = (bits + 1) / 2;
	for (unsigned r = 0; r < GUPS_SCATTER_ROUNDS; r++) {
		s->factor[r] = gups_rng_next(&rng) | 1;
		s->addend[r] = gups_rng_next(&rng);
	}
}
