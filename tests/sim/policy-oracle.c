/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oracle knows the true rates and is bound by nothing but the copying. Ranks are
 * walked from both ends, once for each tier: what it has passed it need not look at again
 * until the truth changes or a move fails.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "exchange.h"
#include "sim.h"

struct sim_policy {
	const struct sim_world *truth;
	const uint8_t *tier;
	unsigned n_tiers;
	uint64_t hot[TIER_TIERS_MAX];  /* ranks before it lie in the tier, or above … */
	uint64_t cold[TIER_TIERS_MAX]; /* … and from it on, not in the tier */
	uint8_t *taken;                /* by the plan that is being carried out */
};

static void start_over(struct sim_policy *policy)
{
	for (unsigned tier = 0; tier < policy->n_tiers; tier++) {
		policy->hot[tier] = 0;
		policy->cold[tier] = policy->truth->pages;
	}
}

static struct sim_policy *oracle_free(struct sim_policy *policy)
{
	if (policy)
		free(policy->taken);
	free(policy);
	return NULL;
}

static int oracle_new(const struct sim_policy_ops *ops _unused_,
	const struct sim_policy_config *config, struct sim_policy **ret)
{
	struct sim_policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return -ENOMEM;
	policy->taken = calloc(config->pages_max, 1);
	if (!policy->taken) {
		oracle_free(policy);
		return -ENOMEM;
	}
	policy->truth = config->truth;
	policy->tier = config->tier;
	policy->n_tiers = config->group.n_tiers;
	start_over(policy);
	*ret = policy;
	return 0;
}

/* ---- The order --------------------------------------------------------------------- */

static uint64_t hottest_below(void *order, unsigned tier)
{
	struct sim_policy *policy = order;

	for (; policy->hot[tier] < policy->truth->pages; policy->hot[tier]++) {
		uint64_t page = sim_world_page(policy->truth, policy->hot[tier]);

		if (policy->tier[page] > tier && !policy->taken[page])
			return page;
	}
	return SIM_NO_PAGE;
}

static uint64_t coldest_in(void *order, unsigned tier)
{
	struct sim_policy *policy = order;

	for (; policy->cold[tier] > 0; policy->cold[tier]--) {
		uint64_t page = sim_world_page(policy->truth, policy->cold[tier] - 1);

		if (policy->tier[page] == tier && !policy->taken[page])
			return page;
	}
	return SIM_NO_PAGE;
}

static bool is_hotter(void *order, uint64_t page, uint64_t than)
{
	const float *weight = ((const struct sim_policy *)order)->truth->weight;

	return weight[page] > weight[than];
}

static unsigned tier_of(void *order, uint64_t page)
{
	return ((const struct sim_policy *)order)->tier[page];
}

static void take(void *order, uint64_t page)
{
	((struct sim_policy *)order)->taken[page] = 1;
}

static const struct sim_order_ops order_ops = {
	.hottest_below = hottest_below,
	.coldest_in = coldest_in,
	.is_hotter = is_hotter,
	.tier_of = tier_of,
	.take = take,
};

/* ---- The policy -------------------------------------------------------------------- */

static int oracle_set_residency(struct sim_policy *policy, uint64_t first _unused_,
	const struct tier_residency *residency _unused_)
{
	start_over(policy);
	return 0;
}

static void oracle_feed(struct sim_policy *policy _unused_,
	const struct tier_sample *samples _unused_, size_t n _unused_)
{
}

static void oracle_advance(struct sim_policy *policy _unused_, uint64_t now_ns _unused_,
	double exposure _unused_)
{
}

static int oracle_plan(
	struct sim_policy *policy, const struct tier_limits *limits, struct sim_plan *ret)
{
	/* What one tier's cursor has passed may have come down to it from another. */
	if (policy->n_tiers > 2)
		start_over(policy);
	return sim_exchange_plan(&order_ops, policy, policy->n_tiers, limits, ret);
}

static void oracle_complete(struct sim_policy *policy, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns _unused_)
{
	policy->taken[(move->address - SIM_BASE) / TIER_PAGE_SIZE] = 0;
	if (result != TIER_RESULT_DONE)
		start_over(policy);
}

const struct sim_policy_ops sim_policy_oracle = {
	.name = "oracle",
	.engine = TIER_ENGINE_INVALID,
	.knows_the_truth = true,
	.new = oracle_new,
	.free = oracle_free,
	.set_residency = oracle_set_residency,
	.feed = oracle_feed,
	.advance = oracle_advance,
	.plan = oracle_plan,
	.complete = oracle_complete,
	.changed = start_over,
};
