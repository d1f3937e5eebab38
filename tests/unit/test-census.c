/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The census against a count of every block, whatever happens to blocks. */
#include <errno.h>
#include <string.h>

#include "unit.h"

#include "core/census.h"
#include "core/hash.h"

#define SPACE   UINT64_C(3)
#define NUMBERS 300

struct world {
	struct tier_blockmap map;
	struct tier_census census;
	struct tier_random random;
	uint64_t tier_pages[TIER_TIERS_MAX];
	double exposure;
	uint32_t epoch;
};

static void world_init(struct world *world, uint64_t seed)
{
	*world = (struct world){ .random = { seed }, .exposure = 1 };
	tier_blockmap_init(&world->map);
}

static void world_done(struct world *world)
{
	tier_census_done(&world->census);
	tier_blockmap_done(&world->map);
}

static struct tier_block *get_block(struct world *world, uint64_t number)
{
	struct tier_slot *slot = tier_blockmap_find(&world->map, SPACE, number);
	struct tier_block *block;

	if (!slot) {
		assert_int_equal(tier_blockmap_add(
					 &world->map, SPACE, number, world->epoch, &slot),
			0);
		block = tier_blockmap_at(&world->map, slot->index);
		block->born = world->exposure;
	}
	block = tier_blockmap_at(&world->map, slot->index);
	tier_blockmap_cool(&world->map, slot, block, world->epoch, 1);
	tier_blockmap_touch(&world->map, slot, block);
	return block;
}

static void do_something(struct world *world)
{
	uint64_t number = tier_random_next(&world->random) % NUMBERS;
	unsigned page = tier_random_next(&world->random) % TIER_BLOCK_PAGES;
	struct tier_residency residency = { 0 };
	struct tier_block *block;

	world->exposure += 0.001;
	switch (tier_random_next(&world->random) % 64) {
	case 0:
		world->epoch++;
		world->exposure /= 2;
		return;
	case 1:
		block = get_block(world, number);
		tier_census_strike(&world->census, &world->map, block);
		tier_blockmap_remove(&world->map, block);
		return;
	case 2:
		for (unsigned i = 0; i < TIER_BLOCK_PAGES; i += 1 + page % 3)
			tier_residency_add(&residency, i, i % TIER_TIERS_MAX);
		tier_block_set_residency(
			get_block(world, number), &residency, world->tier_pages);
		return;
	default:
		block = get_block(world, number);
		if (tier_block_has(block, page))
			tier_block_count(block, page);
	}
}

struct totals {
	uint64_t blocks, sum, pairs, resident;
	uint64_t cells[TIER_TIERS_MAX][TIER_HISTOGRAM_BINS];
};

static void count_cohorts(const struct world *world, struct totals *ret)
{
	*ret = (struct totals){ 0 };
	for (const struct tier_cohort *c = world->census.cohorts; c; c = c->hh.next) {
		uint32_t members = 0, previous = TIER_BLOCK_NONE;

		for (uint32_t i = c->first; i != TIER_BLOCK_NONE;) {
			const struct tier_block *block = tier_blockmap_at(&world->map, i);

			assert_ptr_equal(block->cohort, c);
			assert_int_equal(block->previous, previous);
			previous = i;
			members++;
			i = block->next;
		}
		assert_int_equal(c->last, previous);
		assert_int_equal(c->n_blocks, members);
		assert_true(members > 0);
		ret->blocks += members;
		ret->sum += c->sum;
		ret->pairs += c->pairs;
		ret->resident += c->resident_pages;
		for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
			for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
				ret->cells[tier][bin] += c->cells[tier][bin].pages;
	}
}

static void count_blocks(const struct world *world, struct totals *ret)
{
	*ret = (struct totals){ 0 };
	for (uint32_t i = 0; i < tier_blockmap_end(&world->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&world->map, i);

		if (!block->in_use)
			continue;
		ret->blocks++;
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
			uint64_t n = block->count[page];

			if (!tier_block_has(block, page))
				continue;
			ret->resident++;
			ret->sum += n;
			ret->pairs += n * n - n;
			ret->cells[tier_block_tier(block, page)][tier_count_bin(n)]++;
		}
	}
}

static void is_the_sum_of_its_blocks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct totals cohorts, blocks;
		struct world world;

		world_init(&world, seed);
		for (unsigned i = 0; i < 20000; i++) {
			do_something(&world);
			if (i % 1000 != 999)
				continue;
			assert_int_equal(tier_census_update(&world.census, &world.map,
						 world.exposure, world.epoch),
				0);
			count_cohorts(&world, &cohorts);
			count_blocks(&world, &blocks);
			assert_memory_equal(&cohorts, &blocks, sizeof(blocks));
		}
		world_done(&world);
	}
}

/* Blocks of one cohort are of an age, whenever they were counted. */
static void ages_are_kept_apart(void **state)
{
	struct world world;
	double ages[NUMBERS];

	(void)state;
	world_init(&world, 1);
	world.exposure = 0;
	for (uint64_t number = 0; number < NUMBERS; number++) {
		struct tier_block *block = get_block(&world, number);

		world.exposure += 1;
		block->born = number % 7 ? world.exposure * (number % 7) / 8 : 0;
		assert_int_equal(tier_census_update(&world.census, &world.map,
					 world.exposure, world.epoch),
			0);
	}
	for (uint64_t number = 0; number < NUMBERS; number++) {
		const struct tier_block *block = tier_blockmap_at(
			&world.map, tier_blockmap_find(&world.map, SPACE, number)->index);

		ages[number] = world.exposure - block->born;
		assert_true(world.exposure - block->cohort->born > ages[number] / 1.13 &&
			    world.exposure - block->cohort->born < ages[number] * 1.13);
	}
	world_done(&world);
}

/* Many alike are few to look at. */
static void there_are_few_cohorts(void **state)
{
	struct tier_residency residency = { 0 };
	struct world world;

	(void)state;
	world_init(&world, 7);
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		tier_residency_add(&residency, page, 1);
	for (uint64_t number = 0; number < 20000; number++) {
		struct tier_block *block = get_block(&world, number);

		tier_block_set_residency(block, &residency, world.tier_pages);
		for (unsigned i = tier_random_next(&world.random) % 4; i > 0; i--)
			tier_block_count(block,
				tier_random_next(&world.random) % TIER_BLOCK_PAGES);
	}
	assert_int_equal(tier_census_update(
				 &world.census, &world.map, world.exposure, world.epoch),
		0);
	assert_in_range(HASH_COUNT(world.census.cohorts), 4, 12);
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_sum_of_its_blocks),
		cmocka_unit_test(ages_are_kept_apart),
		cmocka_unit_test(there_are_few_cohorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
