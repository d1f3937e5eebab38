/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated machine: tenants with worlds of pages, tiers of memory, a sampler, and
 * migration that takes its time. It drives a policy the way the daemon drives a group:
 * samples and residency in, time passes, a plan comes out, its moves take as long as the
 * copying does, and their results go back. All of it follows from a seed, and a tick
 * costs nothing that grows with the memory.
 *
 * The simulator knows the truth, and measures: what it tells the policy is samples only.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"
#include "libtier.h"
#include "world.h"

#define SIM_TENANTS_MAX 2
#define SIM_BASE        UINT64_C(0x7f0000000000)
#define SIM_SPACE       UINT64_C(42)

#define SIM_GIB_PAGES UINT64_C(262144)

struct sim_tier_config {
	uint64_t pages;
	uint64_t headroom_pages; /* kept free: plans are told to leave, or make, that */
	double latency_ns;
	double bandwidth_bytes; /* a second; bounds accesses and copies */
};

/*
 * What perf would deliver. A sampler counts one access in so many; those it is known to
 * have lost are taken off the exposure, the skew nobody knows of.
 */
struct sim_sampler_config {
	double samples_per_s;
	double loss;        /* share of samples lost, in bursts */
	double skew_share;  /* of the address space, at its end, … */
	double skew_missed; /* … misses this share of its samples */
};

/* Hint faults: a scanner protects slow pages in address order, in a loop, and the next
 * touch of each is a sample. In place of the sampler for those who live on faults. */
struct sim_hint_config {
	double pages_per_s;
};

struct sim_tenant_config {
	struct sim_world_config world;
	uint64_t quota_pages; /* TIER_UNLIMITED_PAGES for none */

	/* First touch in address order: the first so many pages in the slow tiers, the
	 * next in the fast one while it has room, and no more than so many; 0: no bound.
	 */
	uint64_t slow_pages;
	uint64_t fast_pages;
	bool huge;
	bool has_policy;
};

struct sim_config {
	unsigned n_tiers;
	struct sim_tier_config tiers[TIER_TIERS_MAX];
	unsigned n_tenants;
	struct sim_tenant_config tenants[SIM_TENANTS_MAX];
	struct sim_sampler_config sampler;
	struct sim_hint_config hint;
	double move_pages_per_s; /* in each direction */
	double busy_share;       /* moves that fail as busy */
	bool tpp_skips_policy;
	double tick_s;
	uint64_t seed;
};

/* What the truth has to say of a moment. */
struct sim_moment {
	double hit_ratio;  /* share of accesses to the fast tier, without a scan's */
	double best_ratio; /* the same if the hottest pages had all the quota */
	double latency_ns; /* of an access, on average */
	double best_latency_ns;
	double accesses_per_s;
	uint64_t moved_pages[TIER_DIRECTION_MAX]; /* until now */
	uint64_t back_pages; /* of these, less than a minute after the way there */
	uint64_t over_pages; /* beyond quotas, the most that a plan has led to */
};

struct sim;
struct sim_policy_ops;

/* Errors: -ENOMEM, -EINVAL (the policy refuses the configuration, or does not exist). */
int sim_new(const struct sim_config *config, const struct sim_policy_ops *policy,
	struct sim_zipf_cache *cache, struct sim **ret);
struct sim *sim_free(struct sim *sim);
DEFINE_CLEANUP(struct sim *, sim_free)

/* Passes one tick. Errors: -ENOMEM. */
int sim_tick(struct sim *sim);

double sim_now_s(const struct sim *sim);
void sim_look(const struct sim *sim, struct sim_moment *ret);

/* The share of a tenant's hot pages (those above the mean) that are in the fast tier. */
double sim_hot_share(const struct sim *sim, unsigned tenant);

/* The share in the fast tier of each GiB, in address order; returns how many. */
#define SIM_PORTIONS_MAX 64
size_t sim_portions(
	const struct sim *sim, unsigned tenant, double ret[static SIM_PORTIONS_MAX]);

/* The tenant's group, or NULL if its policy has none. */
struct tier_group *sim_group(const struct sim *sim, unsigned tenant);

/* Moves the hot part of all worlds by half their size. Errors: -ENOMEM. */
int sim_change_phase(struct sim *sim);

/* Sets a tenant's quota, as an administrator would. */
void sim_set_quota(struct sim *sim, unsigned tenant, uint64_t pages);

#endif
