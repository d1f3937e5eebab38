/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define TICK_S    0.25
#define BASE      UINT64_C(0x7f0000000000)
#define SPACE     UINT64_C(42)
#define SECOND_NS 1000000000.0

static double uniform(struct world *world)
{
	return (tier_random_next(&world->random) >> 11) * 0x1p-53;
}

/* The page that is the i-th hottest. */
static uint64_t page_of_rank(
	const struct world *world, const uint32_t *order, uint64_t rank)
{
	return order ? order[rank] : world->config.pages - 1 - rank;
}

static uint32_t *shuffle(struct world *world)
{
	uint32_t *order = calloc(world->config.pages, sizeof(*order));

	assert_non_null(order);
	for (uint64_t i = 0; i < world->config.pages; i++)
		order[i] = i;
	for (uint64_t i = world->config.pages; i-- > 1;) {
		uint64_t other = tier_random_next(&world->random) % (i + 1);
		uint32_t page = order[i];

		order[i] = order[other];
		order[other] = page;
	}
	return order;
}

static double weight_of_rank(const struct world_config *config, uint64_t rank)
{
	if (config->zipf > 0)
		return pow(rank + 1, -config->zipf);
	if (config->hot_pages == 0)
		return 1;
	return rank < config->hot_pages
		       ? config->hot_share / config->hot_pages
		       : (1 - config->hot_share) / (config->pages - config->hot_pages);
}

static void accumulate(struct world *world)
{
	double sum = 0;

	for (uint64_t i = 0; i < world->config.pages; i++)
		world->cumulative[i] = sum += world->rate[i];
	for (uint64_t i = 0; i < world->config.pages; i++) {
		world->cumulative[i] /= sum;
		world->rate[i] /= sum;
	}
}

static void tell_residency(struct world *world)
{
	uint64_t blocks = world->config.pages / TIER_BLOCK_PAGES;

	for (uint64_t block = 0; block < blocks; block++) {
		struct tier_residency residency = { .huge = world->config.huge };

		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
			tier_residency_add(&residency, page,
				!world->fast[block * TIER_BLOCK_PAGES + page]);
		assert_int_equal(tier_group_set_residency(world->group, SPACE,
					 BASE + block * TIER_BLOCK_SIZE, &residency),
			0);
	}
}

void world_init(struct world *world, const struct world_config *config)
{
	struct tier_group_config group_config;
	uint32_t *order;

	*world = (struct world){ .config = *config, .random.state = config->seed };
	world->cumulative = calloc(config->pages, sizeof(double));
	world->rate = calloc(config->pages, sizeof(double));
	world->fast = calloc(config->pages, 1);
	assert_true(world->cumulative && world->rate && world->fast);

	order = config->scattered ? shuffle(world) : NULL;
	for (uint64_t rank = 0; rank < config->pages; rank++)
		world->rate[page_of_rank(world, order, rank)] =
			weight_of_rank(config, rank);
	free(order);
	accumulate(world);
	memset(world->fast, 1, config->fast_pages);

	tier_group_config_default(&group_config);
	group_config.seed = config->seed;
	assert_int_equal(tier_group_new(&group_config, &world->group), 0);
	tell_residency(world);
}

void world_done(struct world *world)
{
	tier_group_free(world->group);
	free(world->cumulative);
	free(world->rate);
	free(world->fast);
}

void world_change_phase(struct world *world)
{
	for (uint64_t i = 0; i < world->config.pages / 2; i++) {
		double rate = world->rate[i];

		world->rate[i] = world->rate[world->config.pages - 1 - i];
		world->rate[world->config.pages - 1 - i] = rate;
	}
	accumulate(world);
}

static uint64_t draw_page(struct world *world)
{
	double u = uniform(world);
	uint64_t low = 0, high = world->config.pages - 1;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (world->cumulative[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void sample(struct world *world)
{
	for (double n = world->config.samples_per_s * TICK_S; n >= 1; n--)
		tier_group_feed(world->group,
			&(struct tier_sample){
				.space = SPACE,
				.address = BASE + draw_page(world) * TIER_PAGE_SIZE +
					   tier_random_next(&world->random) % 4096,
			},
			1, NULL);
}

static uint64_t count_fast(const struct world *world)
{
	uint64_t fast = 0;

	for (uint64_t i = 0; i < world->config.pages; i++)
		fast += world->fast[i];
	return fast;
}

/* Carries out a plan as the migrator may order it at worst: promotions as early as room
 * lets them. */
static void carry_out(struct world *world, const struct tier_plan *plan)
{
	uint64_t now_ns = world->now_s * SECOND_NS;
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);

	for (size_t i = 0; i < n; i++) {
		uint64_t first = (moves[i].address - BASE) / TIER_PAGE_SIZE;

		for (uint32_t k = 0; k < moves[i].pages; k++) {
			assert_int_equal(world->fast[first + k],
				moves[i].direction == TIER_DEMOTE);
			world->fast[first + k] ^= 1;
		}
		world->moved_pages += moves[i].pages;
		tier_group_complete(world->group, &moves[i], TIER_RESULT_DONE, now_ns);
	}
}

static void tick(struct world *world)
{
	struct tier_limits limits = {
		.quota_pages = world->config.quota_pages,
		.room_pages = { TIER_UNLIMITED_PAGES, TIER_UNLIMITED_PAGES },
		.budget_pages = world->config.moves_per_s * TICK_S,
	};
	struct tier_plan *plan;
	uint64_t fast;

	world->now_s += TICK_S;
	limits.now_ns = world->now_s * SECOND_NS;
	limits.fast_pages = count_fast(world);
	sample(world);
	tier_group_advance(world->group, limits.now_ns,
		TICK_S * world->config.samples_per_s / world->config.accesses_per_s);
	assert_int_equal(tier_group_plan(world->group, &limits, &plan), 0);
	carry_out(world, plan);
	tier_plan_free(plan);
	fast = count_fast(world);
	if (fast > limits.quota_pages && fast > limits.fast_pages)
		world->worst_over_quota = fast - limits.quota_pages;
}

void world_run(struct world *world, double seconds)
{
	for (double until_s = world->now_s + seconds; world->now_s < until_s;)
		tick(world);
}

double world_hit_ratio(const struct world *world)
{
	double sum = 0;

	for (uint64_t i = 0; i < world->config.pages; i++)
		sum += world->fast[i] ? world->rate[i] : 0;
	return sum;
}

static int compare_descending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

double world_best_hit_ratio(const struct world *world)
{
	uint64_t n = world->config.pages;
	double *sorted = calloc(n, sizeof(*sorted)), sum = 0;

	assert_non_null(sorted);
	memcpy(sorted, world->rate, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare_descending);
	for (uint64_t i = 0; i < n && i < world->config.quota_pages; i++)
		sum += sorted[i];
	free(sorted);
	return sum;
}

double world_hot_share(const struct world *world)
{
	double mean = 1.0 / world->config.pages;
	uint64_t hot = 0, fast = 0;

	for (uint64_t i = 0; i < world->config.pages; i++) {
		hot += world->rate[i] > mean;
		fast += world->rate[i] > mean && world->fast[i];
	}
	return hot > 0 ? (double)fast / hot : 0;
}
