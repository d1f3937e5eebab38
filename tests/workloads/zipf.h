/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_ZIPF_H
#define GUPS_ZIPF_H

#include <stdint.h>

#include "rng.h"

#define GUPS_ZIPF_CELLS_MAX 4096

/* Ranks from first on, drawn as if each were as likely as the first. */
struct gups_zipf_cell {
	uint64_t first; /* counted from 1 */
	uint64_t n;
	uint64_t accepted; /* as a fraction of 2^64: below it, every rank is taken */
	uint64_t own; /* as a fraction of 2^64: below it, this cell, else the alias */
	uint32_t alias;
};

struct gups_zipf {
	double exponent;
	uint32_t n_cells;
	struct gups_zipf_cell cells[GUPS_ZIPF_CELLS_MAX];
};

/* Ranks 0 … n - 1, rank k with weight (k + 1)^-exponent; 1 <= n < 2^52, 0 < exponent. */
void gups_zipf_init(struct gups_zipf *z, uint64_t n, double exponent);
uint64_t gups_zipf_draw(const struct gups_zipf *z, struct gups_rng *rng);

#endif
