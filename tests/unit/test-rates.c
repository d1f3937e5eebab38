/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estimators on blocks whose true rates are known. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "core/hash.h"
#include "core/rates.h"

#define SPACE 1

struct sampled_world {
	struct tier_blockmap map;
	struct tier_census census;
	struct tier_rates rates;
};

/* Gives page @page of block @block the weight it is to be sampled with. */
typedef double (*weight_t)(size_t block, unsigned page, size_t n_blocks);

static double alike(size_t block, unsigned page, size_t n_blocks)
{
	(void)block;
	(void)page;
	(void)n_blocks;
	return 1;
}

/* A fifth of the blocks gets nine accesses in ten. */
static double hot_blocks(size_t block, unsigned page, size_t n_blocks)
{
	(void)page;
	return block < n_blocks / 5 ? 0.9 / 0.2 : 0.1 / 0.8;
}

static double hot_pages(size_t block, unsigned page, size_t n_blocks)
{
	(void)block;
	(void)n_blocks;
	return page % 5 == 0 ? 0.9 / 0.2 : 0.1 / 0.8;
}

static unsigned poisson(struct tier_random *random, double mean)
{
	double limit = exp(-mean), product = 1;
	unsigned n = 0;

	while ((product *= (tier_random_next(random) >> 11) * 0x1p-53) > limit)
		n++;
	return n;
}

static struct tier_block *block_of(const struct sampled_world *world, uint64_t number)
{
	return tier_blockmap_at(
		&world->map, tier_blockmap_find(&world->map, SPACE, number)->index);
}

static void touch(struct sampled_world *world, uint64_t number)
{
	tier_blockmap_touch(&world->map, tier_blockmap_find(&world->map, SPACE, number),
		block_of(world, number));
}

/* What estimates take several looks to learn is given them; each is news. */
static void fit(struct sampled_world *world)
{
	assert_int_equal(tier_census_update(&world->census, &world->map,
				 world->rates.exposure, world->rates.epoch),
		0);
	for (unsigned look = 0; look < 8; look++) {
		world->rates.taught = 0;
		assert_int_equal(tier_rates_fit(&world->rates, &world->census), 0);
	}
}

static struct tier_cohort_rate rate_of(const struct sampled_world *world, uint64_t number)
{
	struct tier_cohort_rate rate;
	struct tier_beliefs beliefs;

	tier_beliefs_init(&beliefs, &world->rates);
	tier_beliefs_of_cohort(&beliefs, block_of(world, number)->cohort, &rate);
	return rate;
}

/* @per_page samples of an average page. */
static void sample_world(struct sampled_world *world, size_t n_blocks, weight_t weight,
	double per_page, uint64_t seed)
{
	struct tier_random random = { seed };

	*world = (struct sampled_world){ 0 };
	tier_blockmap_init(&world->map);
	tier_rates_init(&world->rates);
	world->rates.exposure = 1;
	for (size_t i = 0; i < n_blocks; i++) {
		struct tier_slot *slot;
		struct tier_block *block;

		assert_int_equal(tier_blockmap_add(&world->map, SPACE, i, 0, &slot), 0);
		block = tier_blockmap_at(&world->map, slot->index);
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
			double mean = per_page * weight(i, page, n_blocks);

			block->words[page / 64].place[0] |= UINT64_C(1) << page % 64;
			for (unsigned n = poisson(&random, mean); n > 0; n--)
				tier_block_count(block, page);
		}
	}
	fit(world);
}

static void free_world(struct sampled_world *world)
{
	tier_census_done(&world->census);
	tier_blockmap_done(&world->map);
}

static void uniform_access_has_one_rate(void **state)
{
	static const size_t sizes[] = { 8, 16, 64, 1024 };
	static const double densities[] = { 0.005, 0.05, 0.5 };
	unsigned worlds = 0, apart = 0;

	(void)state;
	for (size_t i = 0; i < 3 * 4; i++)
		for (uint64_t seed = 1; seed <= 25; seed++) {
			struct sampled_world world;

			sample_world(&world, sizes[i % 4], alike, densities[i / 4], seed);
			worlds++;
			apart += world.rates.block_spread > 0 ||
				 world.rates.page_spread > 0;
			free_world(&world);
		}
	assert_true(apart * 50 <= worlds);
}

static void hot_blocks_stand_out(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct sampled_world world;
		struct tier_cohort_rate hot, cold;

		/* Five samples a block: 1 % of a sample a page. */
		sample_world(&world, 256, hot_blocks, 0.01, seed);
		assert_true(world.rates.block_spread > 1);
		assert_true(world.rates.page_spread < 1);
		hot = rate_of(&world, 0);
		cold = rate_of(&world, 255);
		assert_true(hot.mean > 4 * cold.mean);
		assert_true(cold.low <= cold.mean && cold.mean <= cold.high);
		free_world(&world);
	}
}

/* Two kinds of blocks are two rates, whatever chance made of each block's count. */
static void noise_within_a_kind_is_no_difference(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct sampled_world world;
		double least = INFINITY, most = 0;

		sample_world(&world, 1024, hot_blocks, 0.05, seed);
		for (uint64_t i = 1024 / 5 + 1; i < 1024; i++) {
			struct tier_cohort_rate rate = rate_of(&world, i);

			least = fmin(least, rate.high);
			most = fmax(most, rate.low);
		}
		assert_true(most < 1.25 * least);
		free_world(&world);
	}
}

static void hot_pages_stand_out_of_equal_blocks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct sampled_world world;
		struct tier_beliefs beliefs;
		double expected;

		sample_world(&world, 256, hot_pages, 0.5, seed);
		assert_true(world.rates.block_spread < 0.1);
		assert_true(world.rates.page_spread > 2 && world.rates.page_spread < 4);
		expected = rate_of(&world, 0).expected;
		tier_beliefs_init(&beliefs, &world.rates);
		assert_true(tier_beliefs_page_factor(&beliefs, expected, 3) >
			    5 * tier_beliefs_page_factor(&beliefs, expected, 0));
		free_world(&world);
	}
}

/* Blocks that happen to hold more or fewer of a scattered hot set's pages are alike. */
static void scattered_hot_pages_do_not_make_hot_blocks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct tier_random random = { seed };
		struct sampled_world world;

		sample_world(&world, 1024, alike, 0, seed);
		for (uint64_t i = 0; i < 1024 * TIER_BLOCK_PAGES; i++) {
			bool is_hot = tier_random_next(&random) % 10 == 0;
			unsigned n = poisson(&random, is_hot ? 2.7 : 0.03);

			touch(&world, i / TIER_BLOCK_PAGES);
			for (; n > 0; n--)
				tier_block_count(block_of(&world, i / TIER_BLOCK_PAGES),
					i % TIER_BLOCK_PAGES);
		}
		fit(&world);
		assert_true(world.rates.page_spread > 4);
		assert_true(world.rates.block_spread < 0.005);
		free_world(&world);
	}
}

/* A block that is younger was exposed for less: the same count means more. */
static void young_blocks_are_not_cold(void **state)
{
	struct sampled_world world;

	(void)state;
	sample_world(&world, 64, hot_blocks, 0.1, 1);
	for (uint64_t i = 62; i < 64; i++) {
		memset(block_of(&world, i)->count, 0, TIER_BLOCK_PAGES);
		memset(block_of(&world, i)->count, 1, 20);
		touch(&world, i);
	}
	block_of(&world, 63)->born = 0.9;
	fit(&world);
	assert_true(rate_of(&world, 63).mean > 2 * rate_of(&world, 62).mean);
	free_world(&world);
}

static void newborn_blocks_are_unknown(void **state)
{
	struct sampled_world world;

	(void)state;
	sample_world(&world, 64, alike, 0.1, 1);
	assert_true(rate_of(&world, 0).is_known);
	block_of(&world, 0)->born = 0.99;
	touch(&world, 0);
	fit(&world);
	assert_false(rate_of(&world, 0).is_known);
	assert_true(rate_of(&world, 1).is_known);
	free_world(&world);
}

/* Cooling some blocks and not yet others changes nobody's rate by much. */
static void lagging_blocks_keep_their_rate(void **state)
{
	struct sampled_world world;
	double before;

	(void)state;
	sample_world(&world, 64, hot_blocks, 1, 3);
	before = rate_of(&world, 0).mean;
	world.rates.epoch = 1;
	world.rates.exposure /= 2;
	for (uint64_t i = 32; i < 64; i++) {
		tier_block_cool(block_of(&world, i), 1, 5);
		touch(&world, i);
	}
	fit(&world);
	assert_true(fabs(rate_of(&world, 0).mean / before - 1) < 0.15);
	tier_block_cool(block_of(&world, 0), 1, 5);
	touch(&world, 0);
	fit(&world);
	assert_true(fabs(rate_of(&world, 0).mean / before - 1) < 0.15);
	free_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uniform_access_has_one_rate),
		cmocka_unit_test(hot_blocks_stand_out),
		cmocka_unit_test(noise_within_a_kind_is_no_difference),
		cmocka_unit_test(hot_pages_stand_out_of_equal_blocks),
		cmocka_unit_test(scattered_hot_pages_do_not_make_hot_blocks),
		cmocka_unit_test(young_blocks_are_not_cold),
		cmocka_unit_test(newborn_blocks_are_unknown),
		cmocka_unit_test(lagging_blocks_keep_their_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
