/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The estimators on blocks whose true rates are known. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "core/hash.h"
#include "core/rates.h"

#define BLOCKS_MAX 1024

struct sampled_world {
	struct tier_block *blocks[BLOCKS_MAX];
	size_t n_blocks;
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

/* @per_page samples of an average page. */
static void sample_world(struct sampled_world *world, size_t n_blocks, weight_t weight,
	double per_page, uint64_t seed)
{
	struct tier_random random = { seed };
	struct tier_residency residency = { 0 };

	memset(residency.resident, 0xff, sizeof(residency.resident));
	*world = (struct sampled_world){ .n_blocks = n_blocks };
	world->rates.significance = 2;
	world->rates.exposure = 1;
	for (size_t i = 0; i < n_blocks; i++) {
		world->blocks[i] = calloc(1, sizeof(*world->blocks[i]));
		assert_non_null(world->blocks[i]);
		tier_block_set_residency(world->blocks[i], &residency);
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
			double mean = per_page * weight(i, page, n_blocks);

			for (unsigned n = poisson(&random, mean); n > 0; n--)
				tier_block_count(world->blocks[i], page);
		}
	}
	tier_rates_fit(&world->rates, world->blocks, n_blocks);
}

static void free_world(struct sampled_world *world)
{
	for (size_t i = 0; i < world->n_blocks; i++)
		free(world->blocks[i]);
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
			apart += world.rates.block_spread > 0.01 ||
				 world.rates.page_spread > 0.5;
			free_world(&world);
		}
	assert_true(apart * 25 <= worlds);
}

static void hot_blocks_stand_out(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct sampled_world world;
		struct tier_block_rate hot, cold;

		/* Five samples a block: 1 % of a sample a page. */
		sample_world(&world, 256, hot_blocks, 0.01, seed);
		assert_true(world.rates.block_spread > 1);
		assert_true(world.rates.page_spread < 1);
		tier_rates_of_block(&world.rates, world.blocks[0], &hot);
		tier_rates_of_block(&world.rates, world.blocks[255], &cold);
		assert_true(hot.mean > 4 * cold.mean);
		assert_true(cold.low <= cold.mean && cold.mean <= cold.high);
		free_world(&world);
	}
}

static void hot_pages_stand_out_of_equal_blocks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct sampled_world world;
		struct tier_block_rate rate;

		sample_world(&world, 256, hot_pages, 0.5, seed);
		assert_true(world.rates.block_spread < 0.1);
		assert_true(world.rates.page_spread > 2 && world.rates.page_spread < 4);
		tier_rates_of_block(&world.rates, world.blocks[0], &rate);
		assert_true(tier_block_rate_factor(&rate, 3) >
			    5 * tier_block_rate_factor(&rate, 0));
		free_world(&world);
	}
}

/* A block that is younger was exposed for less: the same count means more. */
static void young_blocks_are_not_cold(void **state)
{
	struct sampled_world world;
	struct tier_block_rate old, young;

	(void)state;
	sample_world(&world, 64, hot_blocks, 0.1, 1);
	world.blocks[63]->born = 0.9;
	world.blocks[63]->sum = world.blocks[62]->sum = 20;
	tier_rates_fit(&world.rates, world.blocks, world.n_blocks);
	tier_rates_of_block(&world.rates, world.blocks[62], &old);
	tier_rates_of_block(&world.rates, world.blocks[63], &young);
	assert_true(young.mean > 2 * old.mean);
	free_world(&world);
}

static void newborn_blocks_are_unknown(void **state)
{
	struct sampled_world world;
	struct tier_block_rate rate;

	(void)state;
	sample_world(&world, 64, alike, 0.1, 1);
	tier_rates_of_block(&world.rates, world.blocks[0], &rate);
	assert_true(rate.is_known);
	world.blocks[0]->born = 0.99;
	tier_rates_of_block(&world.rates, world.blocks[0], &rate);
	assert_false(rate.is_known);
	free_world(&world);
}

/* Cooling some blocks and not yet others changes nobody's rate by much. */
static void lagging_blocks_keep_their_rate(void **state)
{
	struct sampled_world world;
	struct tier_block_rate before, lagging, cooled;

	(void)state;
	sample_world(&world, 64, hot_blocks, 1, 3);
	tier_rates_of_block(&world.rates, world.blocks[0], &before);
	world.rates.epoch = 1;
	world.rates.exposure /= 2;
	for (size_t i = 32; i < 64; i++)
		tier_block_cool(world.blocks[i], 1, 5);
	tier_rates_fit(&world.rates, world.blocks, world.n_blocks);
	tier_rates_of_block(&world.rates, world.blocks[0], &lagging);
	tier_block_cool(world.blocks[0], 1, 5);
	tier_rates_of_block(&world.rates, world.blocks[0], &cooled);
	assert_true(fabs(lagging.mean / before.mean - 1) < 0.05);
	assert_true(fabs(cooled.mean / before.mean - 1) < 0.15);
	free_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uniform_access_has_one_rate),
		cmocka_unit_test(hot_blocks_stand_out),
		cmocka_unit_test(hot_pages_stand_out_of_equal_blocks),
		cmocka_unit_test(young_blocks_are_not_cold),
		cmocka_unit_test(newborn_blocks_are_unknown),
		cmocka_unit_test(lagging_blocks_keep_their_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
