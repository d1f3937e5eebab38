/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laws against theory, over many seeds, and the layouts against their definition.
 * Statistical bounds are six standard deviations: a right implementation does not fail
 * within a lifetime, and the seeds are fixed anyway.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/util.h"
#include "distribution.h"

#define SEEDS 20
#define SIGMA 6

static void hotset_share_of_hits(void **state _unused_)
{
	static const double probabilities[] = { 0.25, 0.5, 0.9, 0.99, 1.0 };
	const double n = 200000;

	for (size_t i = 0; i < ARRAY_SIZE(probabilities); i++) {
		double p = probabilities[i], sd = sqrt(n * p * (1 - p));
		struct gups_distribution_config c = {
			.kind = GUPS_KIND_HOTSET,
			.pages = 10007,
			.hot_pages = 1999,
			.hot_probability = p,
		};
		struct gups_distribution d;

		gups_distribution_init(&d, &c);
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct gups_rng rng;
			double hits = 0;

			gups_rng_init(&rng, seed, 0);
			for (int k = 0; k < n; k++)
				hits += gups_distribution_rank(&d, &rng) < c.hot_pages;
			assert_true(fabs(hits - n * p) <= SIGMA * sd);
		}
	}
}

/* Sum of squared deviations of counts from expectation, in units of the expectation. */
static double chi_square(const uint64_t *counts, const double *expected, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += pow((double)counts[i] - expected[i], 2) / expected[i];
	return sum;
}

static void assert_chi_square(double sum, double degrees)
{
	double sd = sqrt(2 * degrees);

	assert_true(sum <= degrees + SIGMA * sd);
	assert_true(sum >= degrees - SIGMA * sd);
}

static void hotset_is_even_inside_and_outside(void **state _unused_)
{
	enum { PAGES = 300, HOT = 100, N = 300000 };
	struct gups_distribution_config c = {
		.kind = GUPS_KIND_HOTSET,
		.pages = PAGES,
		.hot_pages = HOT,
		.hot_probability = 0.9,
	};
	struct gups_distribution d;
	double sum = 0, expected[PAGES];

	gups_distribution_init(&d, &c);
	for (int i = 0; i < PAGES; i++)
		expected[i] = i < HOT ? 0.9 * N / HOT : 0.1 * N / (PAGES - HOT);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		uint64_t counts[PAGES] = {};
		struct gups_rng rng;

		gups_rng_init(&rng, seed, 0);
		for (int k = 0; k < N; k++)
			counts[gups_distribution_rank(&d, &rng)]++;
		sum += chi_square(counts, expected, PAGES);
	}
	assert_chi_square(sum, SEEDS * (PAGES - 1));
}

static void random_is_even(void **state _unused_)
{
	enum { PAGES = 257, N = 100000 };
	struct gups_distribution_config c = {
		.kind = GUPS_KIND_RANDOM,
		.pages = PAGES,
		.hot_pages = PAGES,
	};
	struct gups_distribution d;
	double sum = 0, expected[PAGES];

	gups_distribution_init(&d, &c);
	for (int i = 0; i < PAGES; i++)
		expected[i] = (double)N / PAGES;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		uint64_t counts[PAGES] = {}, pages[1];
		struct gups_rng rng;

		gups_rng_init(&rng, seed, 0);
		for (int k = 0; k < N; k++) {
			gups_distribution_draw(&d, &rng, 0, 1, pages);
			counts[pages[0]]++;
		}
		sum += chi_square(counts, expected, PAGES);
	}
	assert_chi_square(sum, SEEDS * (PAGES - 1));
}

/* Expected counts of ranks; those too rare for chi-square are gathered in the last cell.
 */
static size_t zipf_cells(uint64_t pages, double exponent, double n, double *expected)
{
	double total = 0;
	size_t cells = 0;

	for (uint64_t k = 1; k <= pages; k++)
		total += pow((double)k, -exponent);
	for (uint64_t k = 1; k <= pages; k++) {
		double e = n * pow((double)k, -exponent) / total;

		if (e >= 10 || cells == 0)
			expected[cells++] = e;
		else
			break;
	}
	if (cells < pages) {
		double rest = n;

		for (size_t i = 0; i + 1 < cells; i++)
			rest -= expected[i];
		expected[cells - 1] = rest;
	}
	return cells;
}

static void zipf_follows_theory(void **state _unused_)
{
	enum { N = 100000, PAGES_MAX = 5000 };
	static const double exponents[] = { 0.2, 0.5, 0.99, 1.0, 1 + 1e-10, 1.2, 2.5 };
	static const uint64_t sizes[] = { 1, 2, 3, 10, 1000, PAGES_MAX };
	static double expected[PAGES_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(exponents) * ARRAY_SIZE(sizes); i++) {
		double exponent = exponents[i / ARRAY_SIZE(sizes)], sum = 0;
		uint64_t pages = sizes[i % ARRAY_SIZE(sizes)];
		size_t cells = zipf_cells(pages, exponent, N, expected);
		struct gups_zipf z;

		gups_zipf_init(&z, pages, exponent);
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			static uint64_t counts[PAGES_MAX];
			struct gups_rng rng;

			memset(counts, 0, sizeof(counts));
			gups_rng_init(&rng, seed, i);
			for (int k = 0; k < N; k++) {
				uint64_t rank = gups_zipf_draw(&z, &rng);

				assert_true(rank < pages);
				counts[TIER_MIN(rank, (uint64_t)cells - 1)]++;
			}
			sum += chi_square(counts, expected, cells);
		}
		assert_chi_square(sum, SEEDS * (double)(cells - 1));
	}
}

static void zipf_holds_the_largest_tables(void **state _unused_)
{
	const uint64_t n = (UINT64_C(1) << 52) - 1;
	struct gups_rng rng;
	struct gups_zipf z;

	gups_rng_init(&rng, 1, 0);
	gups_zipf_init(&z, n, 0.01);
	assert_true(z.n_cells < GUPS_ZIPF_CELLS_MAX);
	for (int i = 0; i < 1000; i++)
		assert_true(gups_zipf_draw(&z, &rng) < n);
}

static const uint64_t odd_sizes[] = { 1, 2, 3, 5, 7, 63, 64, 65, 513, 1000, 4095, 4097,
	99991, 131072 };

static void assert_bijective(
	const struct gups_distribution *d, unsigned phase, uint8_t *seen)
{
	memset(seen, 0, d->pages);
	for (uint64_t rank = 0; rank < d->pages; rank++) {
		uint64_t page = gups_distribution_page(d, rank, phase);

		assert_true(page < d->pages);
		assert_int_equal(seen[page]++, 0);
	}
}

static void every_layout_is_bijective(void **state _unused_)
{
	static uint8_t seen[131072];

	for (size_t i = 0; i < ARRAY_SIZE(odd_sizes); i++) {
		for (unsigned variant = 0; variant < 16; variant++) {
			uint64_t pages = odd_sizes[i];
			struct gups_distribution_config c = {
				.kind = variant & 1 ? GUPS_KIND_HOTSET : GUPS_KIND_ZIPF,
				.pages = pages,
				.hot_pages = (pages + 2) / 3,
				.zipf_exponent = 0.99,
				.reverse = variant & 2,
				.offset_pages = variant & 2 ? 0 : pages / 5,
				.scatter = variant & 4,
				.seed = variant & 8 ? 1 : 77,
			};
			struct gups_distribution d;

			gups_distribution_init(&d, &c);
			assert_bijective(&d, 0, seen);
			assert_bijective(&d, 1, seen);
		}
	}
}

/*
 * Scattering a hot fifth must fill 2 MiB blocks as chance does: neither in clumps nor
 * more evenly than that, since either would make the pages easier or harder to find.
 */
static void scatter_fills_blocks_as_chance_does(void **state _unused_)
{
	enum { BLOCK = 512, BLOCKS = 300, PAGES = BLOCK * BLOCKS, HOT = PAGES / 5 };
	double share = (double)HOT / PAGES, expected[BLOCKS], sum = 0;

	for (int i = 0; i < BLOCKS; i++)
		expected[i] = BLOCK * share;
	for (uint64_t seed = 0; seed < 100; seed++) {
		uint64_t counts[BLOCKS] = {};
		struct gups_scatter s;

		gups_scatter_init(&s, PAGES, seed);
		for (uint64_t rank = 0; rank < HOT; rank++)
			counts[gups_scatter_apply(&s, rank) / BLOCK]++;
		sum += chi_square(counts, expected, BLOCKS) / (1 - share);
	}
	print_message("mean chi-square %.1f of %d\n", sum / 100, BLOCKS - 1);
	assert_true(sum / 100 < 1.25 * (BLOCKS - 1));
	assert_true(sum / 100 > 0.75 * (BLOCKS - 1));
}

static void scatter_depends_on_the_seed(void **state _unused_)
{
	enum { PAGES = 100003 };
	struct gups_scatter a, b;
	unsigned same = 0, neighbours = 0;

	gups_scatter_init(&a, PAGES, 1);
	gups_scatter_init(&b, PAGES, 2);
	for (uint64_t i = 0; i + 1 < PAGES; i++) {
		uint64_t page = gups_scatter_apply(&a, i);

		same += page == gups_scatter_apply(&b, i);
		neighbours += page + 1 == gups_scatter_apply(&a, i + 1);
	}
	assert_true(same < 20);
	assert_true(neighbours < 100);
}

static void reverse_and_offset_put_the_hot_part_there(void **state _unused_)
{
	struct gups_distribution_config c = {
		.kind = GUPS_KIND_HOTSET,
		.pages = 1001,
		.hot_pages = 200,
		.hot_probability = 0.9,
		.reverse = true,
	};
	struct gups_distribution d;

	gups_distribution_init(&d, &c);
	for (uint64_t rank = 0; rank < c.pages; rank++)
		assert_int_equal(
			gups_distribution_page(&d, rank, 0) >= 801, rank < c.hot_pages);

	c.reverse = false;
	c.offset_pages = 300;
	gups_distribution_init(&d, &c);
	for (uint64_t rank = 0; rank < c.hot_pages; rank++)
		assert_int_equal(gups_distribution_page(&d, rank, 0), 300 + rank);

	c = (struct gups_distribution_config){
		.kind = GUPS_KIND_ZIPF,
		.pages = 1001,
		.hot_pages = 100,
		.zipf_exponent = 1,
		.reverse = true,
	};
	gups_distribution_init(&d, &c);
	for (uint64_t rank = 0; rank < c.pages; rank++)
		assert_int_equal(gups_distribution_page(&d, rank, 0), 1000 - rank);
}

static void a_phase_change_moves_the_whole_hot_set(void **state _unused_)
{
	static uint8_t was_hot[131072];

	for (size_t i = 1; i < ARRAY_SIZE(odd_sizes); i++) {
		for (unsigned variant = 0; variant < 4; variant++) {
			struct gups_distribution_config c = {
				.kind = GUPS_KIND_HOTSET,
				.pages = odd_sizes[i],
				.hot_pages = odd_sizes[i] / 2,
				.hot_probability = 0.9,
				.reverse = variant & 1,
				.scatter = variant & 2,
			};
			struct gups_distribution d;

			gups_distribution_init(&d, &c);
			memset(was_hot, 0, sizeof(was_hot));
			for (uint64_t rank = 0; rank < c.hot_pages; rank++)
				was_hot[gups_distribution_page(&d, rank, 0)] = 1;
			for (uint64_t rank = 0; rank < c.hot_pages; rank++)
				assert_int_equal(
					was_hot[gups_distribution_page(&d, rank, 1)], 0);
		}
	}
}

static void draws_do_not_depend_on_how_they_are_cut(void **state _unused_)
{
	for (int kind = 0; kind < GUPS_KIND_MAX; kind++) {
		struct gups_distribution_config c = {
			.kind = kind,
			.pages = 5000,
			.hot_pages = kind == GUPS_KIND_RANDOM ? 5000 : 500,
			.hot_probability = 0.9,
			.zipf_exponent = 0.99,
		};
		uint64_t whole[100], pieces[100];
		struct gups_distribution d;
		struct gups_rng a, b;

		gups_distribution_init(&d, &c);
		gups_rng_init(&a, 5, 0);
		b = a;
		gups_distribution_draw(&d, &a, 0, 100, whole);
		for (size_t done = 0; done < 100; done += done % 7 + 1)
			gups_distribution_draw(&d, &b, 0,
				TIER_MIN(done % 7 + 1, 100 - done), pieces + done);
		assert_memory_equal(whole, pieces, sizeof(whole));
	}
}

static void kinds_have_names(void **state _unused_)
{
	for (int kind = 0; kind < GUPS_KIND_MAX; kind++)
		assert_int_equal(gups_kind_from_string(gups_kind_to_string(kind)), kind);
	assert_int_equal(gups_kind_from_string("pareto"), GUPS_KIND_INVALID);
	assert_null(gups_kind_to_string(GUPS_KIND_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hotset_share_of_hits),
		cmocka_unit_test(hotset_is_even_inside_and_outside),
		cmocka_unit_test(random_is_even),
		cmocka_unit_test(zipf_follows_theory),
		cmocka_unit_test(zipf_holds_the_largest_tables),
		cmocka_unit_test(every_layout_is_bijective),
		cmocka_unit_test(scatter_fills_blocks_as_chance_does),
		cmocka_unit_test(scatter_depends_on_the_seed),
		cmocka_unit_test(reverse_and_offset_put_the_hot_part_there),
		cmocka_unit_test(a_phase_change_moves_the_whole_hot_set),
		cmocka_unit_test(draws_do_not_depend_on_how_they_are_cut),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
