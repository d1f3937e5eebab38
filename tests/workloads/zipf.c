/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Zipf-distributed ranks in constant time, exactly, with a table that stays in the cache:
 * one of millions of weights would itself compete for the memory that is measured.
 *
 * Ranks are cut into cells of at most a 64th of their first rank, some hundreds in all. A
 * cell is drawn by the alias method (A. J. Walker, "An Efficient Method for Generating
 * Discrete Random Variables with General Distributions", ACM TOMS 3(3), 1977; tables made
 * as in M. D. Vose, IEEE TSE 17(9), 1991) as if all its ranks had the weight of its
 * first, then a rank in it evenly, and that rank is rejected as often as its own weight
 * is lower. Only a draw that exceeds the ratio of the cell's last weight to its first has
 * to work that weight out; so there is hardly ever a logarithm in the loop. Rejection-
 * inversion (W. Hörmann and G. Derflinger, ACM TOMACS 6(3), 1996) needs two each time,
 * which halved the rate of updates where floating point is emulated.
 */
#include <assert.h>
#include <math.h>

#include "base/util.h"
#include "zipf.h"

#define CELL_SHARE 64

static uint64_t fraction_of(double x)
{
	return x >= 1 ? UINT64_MAX : (uint64_t)ldexp(x, 64);
}

/* The weight of a rank relative to that of the cell's first. */
static double relative_weight(const struct gups_zipf *z, uint64_t rank, uint64_t first)
{
	return pow((double)rank / (double)first, -z->exponent);
}

/* Cuts the ranks into cells and gives each cell's share of all draws. */
static void cut_cells(struct gups_zipf *z, uint64_t n, double *ret_shares)
{
	double total = 0;

	z->n_cells = 0;
	for (uint64_t first = 1, size; first <= n; first += size) {
		struct gups_zipf_cell *cell = &z->cells[z->n_cells];

		assert(z->n_cells < GUPS_ZIPF_CELLS_MAX);
		size = TIER_MIN(TIER_MAX(first / CELL_SHARE, UINT64_C(1)), n - first + 1);
		*cell = (struct gups_zipf_cell){
			.first = first,
			.n = size,
			.accepted =
				fraction_of(relative_weight(z, first + size - 1, first)),
		};
		ret_shares[z->n_cells] = (double)size * relative_weight(z, first, 1);
		total += ret_shares[z->n_cells++];
	}
	for (uint32_t i = 0; i < z->n_cells; i++)
		ret_shares[i] /= total;
}

/* Fills every cell below the mean share up from one that is above it. */
static void make_aliases(struct gups_zipf *z, double *shares)
{
	uint32_t small[GUPS_ZIPF_CELLS_MAX], large[GUPS_ZIPF_CELLS_MAX];
	uint32_t n_small = 0, n_large = 0;

	for (uint32_t i = 0; i < z->n_cells; i++) {
		z->cells[i].own = UINT64_MAX;
		z->cells[i].alias = i;
		shares[i] *= z->n_cells;
		if (shares[i] < 1)
			small[n_small++] = i;
		else
			large[n_large++] = i;
	}
	while (n_small > 0 && n_large > 0) {
		uint32_t poor = small[--n_small], rich = large[n_large - 1];

		z->cells[poor].own = fraction_of(shares[poor]);
		z->cells[poor].alias = rich;
		shares[rich] -= 1 - shares[poor];
		if (shares[rich] < 1)
			small[n_small++] = large[--n_large];
	}
}

void gups_zipf_init(struct gups_zipf *z, uint64_t n, double exponent)
{
	double shares[GUPS_ZIPF_CELLS_MAX];

	z->exponent = exponent;
	cut_cells(z, n, shares);
	make_aliases(z, shares);
}

/*
 * Splits one random number into an index below n, returned, and what is left over, again
 * uniform, as a fraction of 2^64.
 */
static uint64_t split(uint64_t random, uint64_t n, uint64_t *ret_fraction)
{
	unsigned __int128 product = (unsigned __int128)random * n;

	*ret_fraction = (uint64_t)product;
	return (uint64_t)(product >> 64);
}

uint64_t gups_zipf_draw(const struct gups_zipf *z, struct gups_rng *rng)
{
	for (;;) {
		const struct gups_zipf_cell *cell;
		uint64_t fraction, rank;

		cell = &z->cells[split(gups_rng_next(rng), z->n_cells, &fraction)];
		if (fraction >= cell->own)
			cell = &z->cells[cell->alias];

		rank = cell->first + split(gups_rng_next(rng), cell->n, &fraction);
		if (fraction < cell->accepted ||
			ldexp((double)fraction, -64) <
				relative_weight(z, rank, cell->first))
			return rank - 1;
	}
}
