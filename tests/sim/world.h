/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a workload does to its memory: pages, how often each is really accessed, and how
 * that changes. The laws and layouts are those of gups, by its own code, so a row of the
 * table and a run of gups with the same words mean the same accesses.
 *
 * A world knows the truth and nothing of tiers, samplers or engines. Drawing a page costs
 * the same whatever the size. Weights are relative: a page gets weight / total of the
 * accesses.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "distribution.h"

struct sim_world_config {
	enum gups_kind kind;
	uint64_t pages; /* in the end, if it grows */
	double hot_share;
	double hot_probability;
	double zipf_exponent;
	bool reverse;   /* the hot part lies at the end */
	bool scattered; /* hot pages lie anywhere */
	double accesses_per_s;
	double phase_at_s; /* when the hot part moves on by half of all; 0: never */

	/* A scan in address order, from the start, on top of the other accesses. */
	double scan_at_s;
	double scan_for_s;
	double scan_pages_per_s;

	/* A heap whose newest hot_share × pages are the hot ones; 0: all there at once.
	 */
	uint64_t pages_at_first;
	double growth_pages_per_s;
};

/* The weights of zipf's ranks, which cost more than all else in a short run: kept from
 * run to run. */
struct sim_zipf_cache {
	uint64_t pages;
	double exponent;
	float *weights; /* they sum to 1 */
};

void sim_zipf_cache_done(struct sim_zipf_cache *cache);

struct sim_world {
	struct sim_world_config config;
	struct gups_distribution distribution;
	unsigned phase;
	uint64_t pages; /* so far */
	uint64_t hot_pages;
	float *weight; /* of each page */
	double total;
};

/* Errors: -ENOMEM. */
int sim_world_init(struct sim_world *world, struct sim_zipf_cache *cache,
	const struct sim_world_config *config, uint64_t seed);
void sim_world_done(struct sim_world *world);

/* Pages accessed, one after the other; scans are not in it. */
void sim_world_draw(
	struct sim_world *world, struct gups_rng *rng, size_t n, uint64_t *ret);

/* Lines of memory a second that the scan reads just now. */
double sim_world_scan_accesses(const struct sim_world *world, double now_s);

/* Where the scan has got to. */
uint64_t sim_world_scan_page(const struct sim_world *world, double now_s);

/* The page of a rank, 0 the hottest; equal ones come in any order. */
uint64_t sim_world_page(const struct sim_world *world, uint64_t rank);

/* The share of accesses that go to the hottest so many pages. */
double sim_world_best_share(const struct sim_world *world, uint64_t pages);

/* Moves the hot part: every weight may have changed. Errors: -ENOMEM. */
int sim_world_change_phase(struct sim_world *world, struct sim_zipf_cache *cache);

/* Adds a page at the end. Returns the one that ceased to be hot, and the weight it lost.
 */
uint64_t sim_world_grow(struct sim_world *world, double *ret_lost);

#endif
