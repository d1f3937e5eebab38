/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_SCATTER_H
#define GUPS_SCATTER_H

#include <stdint.h>

#define GUPS_SCATTER_ROUNDS 3

struct gups_scatter {
	uint64_t n;
	uint64_t mask;
	unsigned shift;
	uint64_t factor[GUPS_SCATTER_ROUNDS];
	uint64_t addend[GUPS_SCATTER_ROUNDS];
};

/* A permutation of 0 … n - 1 chosen by the seed; n >= 1. */
void gups_scatter_init(struct gups_scatter *s, uint64_t n, uint64_t seed);

/* The image of i, which must be below n. */
static inline uint64_t gups_scatter_apply(const struct gups_scatter *s, uint64_t i)
{
	do {
		for (unsigned r = 0; r < GUPS_SCATTER_ROUNDS; r++) {
			i = (i * s->factor[r] + s->addend[r]) & s->mask;
			i ^= i >> s->shift;
		}
	} while (i >= s->n);
	return i;
}

#endif
