/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "world.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/util.h"

/* A scan reads a page from its first to its last line. */
#define LINES_PER_PAGE 64

void sim_zipf_cache_done(struct sim_zipf_cache *cache)
{
	free(cache->weights);
	*cache = (struct sim_zipf_cache){ 0 };
}

static int cache_zipf(struct sim_zipf_cache *cache, uint64_t pages, double exponent)
{
	double sum = 0;
	float *weights;

	if (cache->weights && cache->pages == pages && cache->exponent == exponent)
		return 0;
	weights = malloc(pages * sizeof(*weights));
	if (!weights)
		return -ENOMEM;
	for (uint64_t rank = 0; rank < pages; rank++) {
		weights[rank] = pow(rank + 1, -exponent);
		sum += weights[rank];
	}
	for (uint64_t rank = 0; rank < pages; rank++)
		weights[rank] /= sum;
	sim_zipf_cache_done(cache);
	*cache = (struct sim_zipf_cache){ pages, exponent, weights };
	return 0;
}

static bool is_growing(const struct sim_world *world)
{
	return world->config.growth_pages_per_s > 0;
}

static double hot_weight(const struct sim_world *world)
{
	return world->config.hot_probability / world->hot_pages;
}

static double cold_weight(const struct sim_world *world)
{
	return (1 - world->config.hot_probability) /
	       (world->config.pages - world->hot_pages);
}

static double weight_of_rank(
	const struct sim_world *world, const struct sim_zipf_cache *cache, uint64_t rank)
{
	switch (world->config.kind) {
	case GUPS_KIND_ZIPF:
		return cache->weights[rank];
	case GUPS_KIND_HOTSET:
		return rank < world->hot_pages ? hot_weight(world) : cold_weight(world);
	default:
		return 1.0 / world->config.pages;
	}
}

static int weigh_pages(struct sim_world *world, struct sim_zipf_cache *cache)
{
	if (world->config.kind == GUPS_KIND_ZIPF) {
		int r = cache_zipf(
			cache, world->config.pages, world->config.zipf_exponent);

		if (r < 0)
			return r;
	}
	world->total = 0;
	for (uint64_t rank = 0; rank < world->pages; rank++) {
		double weight = weight_of_rank(world, cache, rank);

		world->weight[sim_world_page(world, rank)] = weight;
		world->total += weight;
	}
	return 0;
}

int sim_world_init(struct sim_world *world, struct sim_zipf_cache *cache,
	const struct sim_world_config *config, uint64_t seed)
{
	uint64_t hot = TIER_MAX(config->hot_share * config->pages, 1.0);

	*world = (struct sim_world){
		.config = *config,
		.hot_pages = hot,
		.pages = config->growth_pages_per_s > 0 ? config->pages_at_first
							: config->pages,
	};
	gups_distribution_init(
		&world->distribution, &(struct gups_distribution_config){
					      .kind = config->kind,
					      .pages = config->pages,
					      .hot_pages = hot,
					      .hot_probability = config->hot_probability,
					      .zipf_exponent = config->zipf_exponent,
					      .reverse = config->reverse,
					      .scatter = config->scattered,
					      .seed = seed,
				      });
	world->weight = malloc(config->pages * sizeof(*world->weight));
	if (!world->weight)
		return -ENOMEM;
	return weigh_pages(world, cache);
}

void sim_world_done(struct sim_world *world)
{
	free(world->weight);
}

/* ---- Accesses ---------------------------------------------------------------------- */

static uint64_t draw_of_heap(const struct sim_world *world, struct gups_rng *rng)
{
	double hot = world->hot_pages * hot_weight(world) / world->total;

	if (gups_rng_unit(rng) < hot)
		return world->pages - 1 - gups_rng_below(rng, world->hot_pages);
	return gups_rng_below(rng, world->pages - world->hot_pages);
}

void sim_world_draw(
	struct sim_world *world, struct gups_rng *rng, size_t n, uint64_t *ret)
{
	if (!is_growing(world)) {
		gups_distribution_draw(&world->distribution, rng, world->phase, n, ret);
		return;
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = draw_of_heap(world, rng);
}

double sim_world_scan_accesses(const struct sim_world *world, double now_s)
{
	const struct sim_world_config *config = &world->config;

	if (config->scan_pages_per_s <= 0 || now_s <= config->scan_at_s ||
		now_s > config->scan_at_s + config->scan_for_s)
		return 0;
	return config->scan_pages_per_s * LINES_PER_PAGE;
}

uint64_t sim_world_scan_page(const struct sim_world *world, double now_s)
{
	double gone = (now_s - world->config.scan_at_s) * world->config.scan_pages_per_s;

	return (uint64_t)TIER_MAX(gone, 0.0) % world->pages;
}

/* ---- The truth --------------------------------------------------------------------- */

uint64_t sim_world_page(const struct sim_world *world, uint64_t rank)
{
	if (is_growing(world))
		return world->pages - 1 - rank;
	return gups_distribution_page(&world->distribution, rank, world->phase);
}

double sim_world_best_share(const struct sim_world *world, uint64_t pages)
{
	double sum = 0;

	pages = TIER_MIN(pages, world->pages);
	if (world->config.kind == GUPS_KIND_ZIPF) {
		for (uint64_t rank = 0; rank < pages; rank++)
			sum += world->weight[sim_world_page(world, rank)];
		return sum / world->total;
	}
	if (world->config.kind == GUPS_KIND_RANDOM)
		return (double)pages / world->pages;
	sum = TIER_MIN(pages, world->hot_pages) * hot_weight(world);
	if (pages > world->hot_pages)
		sum += (pages - world->hot_pages) * cold_weight(world);
	return sum / world->total;
}

int sim_world_change_phase(struct sim_world *world, struct sim_zipf_cache *cache)
{
	world->phase ^= 1;
	return weigh_pages(world, cache);
}

uint64_t sim_world_grow(struct sim_world *world, double *ret_lost)
{
	uint64_t cooled = world->pages - world->hot_pages;

	*ret_lost = world->weight[cooled] - (float)cold_weight(world);
	world->weight[cooled] = cold_weight(world);
	world->weight[world->pages++] = hot_weight(world);
	world->total += cold_weight(world);
	return cooled;
}
