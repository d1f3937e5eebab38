/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small simulated machine for testing plans: pages with true access rates, two tiers,
 * a sampler with a rate, and migrations of a given speed. Everything follows from a seed.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "core/hash.h"
#include "libtier.h"

struct world_config {
	uint64_t pages;
	uint64_t hot_pages; /* 0: all alike */
	double hot_share;   /* of the accesses that go to the hot set */
	double zipf;        /* exponent; 0: hot_pages and hot_share count */
	bool scattered;     /* hot pages anywhere, or else together at the end */
	bool huge;
	uint64_t quota_pages;
	uint64_t fast_pages; /* to begin with: the first so many */
	double accesses_per_s;
	double samples_per_s;
	double moves_per_s; /* pages each way */
	uint64_t seed;
};

struct world {
	struct world_config config;
	struct tier_group *group;
	struct tier_random random;
	double *cumulative; /* of access probabilities */
	double *rate;       /* probability of each page */
	uint8_t *fast;
	double now_s;
	uint64_t moved_pages;
	uint64_t worst_over_quota;
};

void world_init(struct world *world, const struct world_config *config);
void world_done(struct world *world);

/* Passes so many seconds in ticks of a quarter. */
void world_run(struct world *world, double seconds);

/* Moves the hot set to the other end. */
void world_change_phase(struct world *world);

/* Share of accesses that hit the fast tier; best is that of the best placement. */
double world_hit_ratio(const struct world *world);
double world_best_hit_ratio(const struct world *world);

/* Share of the hot pages that are fast. */
double world_hot_share(const struct world *world);

#endif
