/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine of libtier as a policy: the group is fed, asked and answered exactly as the
 * daemon does it, through libtier.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "policy.h"
#include "sim.h"

struct sim_policy {
	struct tier_group *group;
};

static struct sim_policy *engine_free(struct sim_policy *policy)
{
	if (policy)
		tier_group_free(policy->group);
	free(policy);
	return NULL;
}

static int engine_new(const struct sim_policy_ops *ops,
	const struct sim_policy_config *config, struct sim_policy **ret)
{
	struct tier_group_config group_config = config->group;
	struct sim_policy *policy = calloc(1, sizeof(*policy));
	int r;

	if (!policy)
		return -ENOMEM;
	group_config.engine = ops->engine;
	r = tier_group_new(&group_config, &policy->group);
	if (r < 0) {
		engine_free(policy);
		return r;
	}
	*ret = policy;
	return 0;
}

static int engine_set_residency(
	struct sim_policy *policy, uint64_t first, const struct tier_residency *residency)
{
	return tier_group_set_residency(
		policy->group, SIM_SPACE, SIM_BASE + first * TIER_PAGE_SIZE, residency);
}

static void engine_feed(
	struct sim_policy *policy, const struct tier_sample *samples, size_t n)
{
	tier_group_feed(policy->group, samples, n, NULL);
}

static void engine_advance(struct sim_policy *policy, uint64_t now_ns, double exposure)
{
	tier_group_advance(policy->group, now_ns, exposure);
}

static int engine_plan(
	struct sim_policy *policy, const struct tier_limits *limits, struct sim_plan *ret)
{
	struct sim_plan plan = { 0 };
	unsigned upper, lower;
	int r;

	r = tier_group_plan(policy->group, limits, &plan.engine);
	if (r < 0)
		return r;
	plan.list = tier_plan_moves(plan.engine, &plan.n);
	tier_plan_get_tiers(plan.engine, &upper, &lower);
	plan.room[upper] = tier_plan_room_pages(plan.engine);
	plan.owed[upper] = tier_plan_owed_pages(plan.engine);
	plan.is_cut_short = tier_plan_is_cut_short(plan.engine);
	*ret = plan;
	return 0;
}

static void engine_complete(struct sim_policy *policy, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns)
{
	tier_group_complete(policy->group, move, result, now_ns);
}

static struct tier_group *engine_group(struct sim_policy *policy)
{
	return policy->group;
}

#define ENGINE_OPS                                                                     \
	.new = engine_new, .free = engine_free, .set_residency = engine_set_residency, \
	.feed = engine_feed, .advance = engine_advance, .plan = engine_plan,           \
	.complete = engine_complete, .group = engine_group

const struct sim_policy_ops sim_policy_rank = {
	.name = "rank",
	.engine = TIER_ENGINE_RANK,
	ENGINE_OPS,
};

const struct sim_policy_ops sim_policy_memtis = {
	.name = "memtis",
	.engine = TIER_ENGINE_MEMTIS,
	ENGINE_OPS,
};

const struct sim_policy_ops sim_policy_tpp = {
	.name = "tpp",
	.engine = TIER_ENGINE_TPP,
	.wants_hints = true,
	ENGINE_OPS,
};
