/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_SIM_INTERNAL_H
#define SIM_SIM_INTERNAL_H

#include "policy.h"
#include "sim.h"

/* Copying goes on in so many steps a tick. */
#define SIM_SLICES 8

/* A plan on its way. The moves of each direction are carried out in order. */
struct sim_job {
	struct sim_plan plan;
	uint8_t *results;                /* enum tier_result of each move */
	size_t next[TIER_DIRECTION_MAX]; /* first move not yet carried out, or n */
	int64_t room[TIER_TIERS_MAX]; /* what promotions may take; below 0: still owed */
	uint64_t number;
};

/* Ticks ahead that a fault can be foreseen. */
#define SIM_HINT_BUCKETS 256

struct sim_hint_bucket {
	uint32_t *pages;
	size_t n, n_max;
};

struct sim_hints {
	uint64_t cursor;
	uint8_t *is_protected; /* page by page */
	struct sim_hint_bucket buckets[SIM_HINT_BUCKETS];
};

struct sim_tenant {
	const struct sim_tenant_config *config;
	struct sim_world world;
	uint64_t quota_pages;
	uint8_t *tier;   /* of each page */
	uint16_t *moved; /* last: 1 + 2 × tick + direction; 0: never */
	uint64_t pages[TIER_TIERS_MAX];
	double weight[TIER_TIERS_MAX];
	double best_share, best_latency_ns;
	double parallelism; /* accesses under way at a time */
	double samples_due; /* the fraction left over */
	struct sim_policy *policy;
	struct sim_job job;
	bool has_job;
	bool has_backlog;
	struct sim_hints hints;
};

struct sim {
	struct sim_config config;
	const struct sim_policy_ops *ops;
	struct sim_zipf_cache *cache;
	struct gups_rng rng;
	uint64_t tick;
	double now_s;
	uint64_t used_pages[TIER_TIERS_MAX];
	struct sim_tenant tenants[SIM_TENANTS_MAX];
	double budget_pages[TIER_DIRECTION_MAX]; /* of the slice */
	uint64_t jobs;
	bool phase_is_done;
	struct sim_moment total; /* its counters only */
};

static inline uint64_t sim_now_ns(const struct sim *sim)
{
	return sim->now_s * 1e9;
}

/* sim.c: the latency of an access, and accesses a second, as pages lie now. */
double sim_latency_ns(const struct sim *sim, const struct sim_tenant *tenant);
double sim_accesses_per_s(const struct sim *sim, const struct sim_tenant *tenant);

/* sampler.c: what was sampled in the tick that ends now; then time passes for policies.
 * Errors: -ENOMEM. */
int sim_sample(struct sim *sim);
int sim_hints_init(struct sim_hints *hints, uint64_t pages);
void sim_hints_done(struct sim_hints *hints);

/* migrate.c. Errors: -ENOMEM. */
int sim_plan(struct sim *sim, struct sim_tenant *tenant);
void sim_migrate(struct sim *sim);
void sim_job_done(struct sim_job *job);

/* place.c: first touch, what is told of it, and growth. Errors: -ENOMEM. */
int sim_place(struct sim *sim, struct sim_tenant *tenant);
int sim_grow(struct sim *sim, struct sim_tenant *tenant);
void sim_set_tier(
	struct sim *sim, struct sim_tenant *tenant, uint64_t page, unsigned tier);
void sim_weigh(struct sim *sim, struct sim_tenant *tenant);

#endif
