/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who decides what moves: the engines of libtier, by the public header alone, and two
 * comparators that live here. Each is handed the same samples, and its plans are carried
 * out by the same machine.
 */
#ifndef SIM_POLICY_H
#define SIM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libtier.h"
#include "world.h"

/* What a policy is told about its tenant. */
struct sim_policy_config {
	struct tier_group_config group;
	uint64_t pages_max;
	const struct sim_world *truth; /* for the oracle */
	const uint8_t *tier;           /* of each page below truth->pages */
};

/* Moves, most urgent first, and what libtier says of them. */
struct sim_plan {
	struct tier_move *moves;  /* own, or else … */
	struct tier_plan *engine; /* … an engine's */
	const struct tier_move *list;
	size_t n;
	uint64_t
		room[TIER_TIERS_MAX]; /* what promotions may take before demotions give */
	uint64_t owed[TIER_TIERS_MAX]; /* to leave a tier before that makes room there */
	bool is_cut_short;
};

struct sim_policy;

struct sim_policy_ops {
	const char *name;
	int engine;       /* enum tier_engine, or TIER_ENGINE_INVALID */
	bool wants_hints; /* hint faults instead of samples */
	bool knows_the_truth;
	int (*new)(const struct sim_policy_ops *ops,
		const struct sim_policy_config *config, struct sim_policy **ret);
	struct sim_policy *(*free)(struct sim_policy *policy);
	/* Pages first … first + TIER_BLOCK_PAGES - 1 have come or gone. */
	int (*set_residency)(struct sim_policy *policy, uint64_t first,
		const struct tier_residency *residency);
	void (*feed)(
		struct sim_policy *policy, const struct tier_sample *samples, size_t n);
	void (*advance)(struct sim_policy *policy, uint64_t now_ns, double exposure);
	int (*plan)(struct sim_policy *policy, const struct tier_limits *limits,
		struct sim_plan *ret);
	void (*complete)(struct sim_policy *policy, const struct tier_move *move,
		enum tier_result result, uint64_t now_ns);
	/* The truth has changed. */
	void (*changed)(struct sim_policy *policy);
	struct tier_group *(*group)(struct sim_policy *policy);
};

void sim_plan_done(struct sim_plan *plan);

/* NULL past the end; in the order of the table's lines. */
const struct sim_policy_ops *sim_policy_get(size_t i);
const struct sim_policy_ops *sim_policy_find(const char *name);

/* Whether tier_group_new() knows the policy's engine; true for those without one. */
bool sim_policy_exists(const struct sim_policy_ops *ops);

extern const struct sim_policy_ops sim_policy_rank;
extern const struct sim_policy_ops sim_policy_memtis;
extern const struct sim_policy_ops sim_policy_tpp;
extern const struct sim_policy_ops sim_policy_count;
extern const struct sim_policy_ops sim_policy_oracle;

#endif
