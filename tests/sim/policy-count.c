/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranking by raw count: a page that was sampled more often than another deserves its
 * place. It never forgets, and takes every difference for real. A reference.
 *
 * Pages of like tier and count are in one list, first come first served, so that the
 * hottest and the coldest are at hand.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "exchange.h"
#include "sim.h"

#define COUNT_MAX 4095
#define TAKEN     UINT8_MAX /* on its way */
#define ABSENT    (UINT8_MAX - 1)
#define NONE      UINT32_MAX

struct list {
	uint32_t head, tail;
};

struct sim_policy {
	unsigned n_tiers;
	uint32_t *next, *previous;
	uint16_t *count;
	uint8_t *tier; /* that whose list a page is in, or one of the above */
	struct list lists[TIER_TIERS_MAX][COUNT_MAX + 1];
	unsigned lowest[TIER_TIERS_MAX];  /* no list below it … */
	unsigned highest[TIER_TIERS_MAX]; /* … or above it has pages */
};

static struct sim_policy *count_free(struct sim_policy *policy)
{
	if (!policy)
		return NULL;
	free(policy->next);
	free(policy->previous);
	free(policy->count);
	free(policy->tier);
	free(policy);
	return NULL;
}

static int count_new(const struct sim_policy_ops *ops _unused_,
	const struct sim_policy_config *config, struct sim_policy **ret)
{
	struct sim_policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return -ENOMEM;
	policy->n_tiers = config->group.n_tiers;
	policy->next = malloc(config->pages_max * sizeof(*policy->next));
	policy->previous = malloc(config->pages_max * sizeof(*policy->previous));
	policy->count = calloc(config->pages_max, sizeof(*policy->count));
	policy->tier = malloc(config->pages_max);
	if (!policy->next || !policy->previous || !policy->count || !policy->tier) {
		count_free(policy);
		return -ENOMEM;
	}
	memset(policy->tier, ABSENT, config->pages_max);
	memset(policy->lists, 0xff, sizeof(policy->lists));
	*ret = policy;
	return 0;
}

/* ---- Lists ------------------------------------------------------------------------- */

static void list_add(struct sim_policy *policy, uint32_t page, unsigned tier)
{
	struct list *list = &policy->lists[tier][policy->count[page]];

	policy->lowest[tier] = TIER_MIN(policy->lowest[tier], policy->count[page]);
	policy->highest[tier] = TIER_MAX(policy->highest[tier], policy->count[page]);
	policy->tier[page] = tier;
	policy->next[page] = NONE;
	policy->previous[page] = list->tail;
	if (list->tail != NONE)
		policy->next[list->tail] = page;
	else
		list->head = page;
	list->tail = page;
}

static void list_remove(struct sim_policy *policy, uint32_t page)
{
	struct list *list = &policy->lists[policy->tier[page]][policy->count[page]];
	uint32_t next = policy->next[page], previous = policy->previous[page];

	if (previous != NONE)
		policy->next[previous] = next;
	else
		list->head = next;
	if (next != NONE)
		policy->previous[next] = previous;
	else
		list->tail = previous;
	policy->tier[page] = TAKEN;
}

static uint64_t hottest_in(struct sim_policy *policy, unsigned tier)
{
	unsigned *highest = &policy->highest[tier];

	while (*highest > 0 && policy->lists[tier][*highest].head == NONE)
		(*highest)--;
	if (policy->lists[tier][*highest].head == NONE)
		return SIM_NO_PAGE;
	return policy->lists[tier][*highest].head;
}

static uint64_t hottest_below(void *order, unsigned tier)
{
	struct sim_policy *policy = order;
	uint64_t best = SIM_NO_PAGE;

	for (unsigned below = tier + 1; below < policy->n_tiers; below++) {
		uint64_t page = hottest_in(policy, below);

		if (best == SIM_NO_PAGE ||
			(page != SIM_NO_PAGE &&
				policy->count[page] > policy->count[best]))
			best = page;
	}
	return best;
}

static uint64_t coldest_in(void *order, unsigned tier)
{
	struct sim_policy *policy = order;
	unsigned *lowest = &policy->lowest[tier];

	while (*lowest < COUNT_MAX && policy->lists[tier][*lowest].head == NONE)
		(*lowest)++;
	if (policy->lists[tier][*lowest].head == NONE)
		return SIM_NO_PAGE;
	return policy->lists[tier][*lowest].head;
}

static bool is_hotter(void *order, uint64_t page, uint64_t than)
{
	const struct sim_policy *policy = order;

	return policy->count[page] > policy->count[than];
}

static unsigned tier_of(void *order, uint64_t page)
{
	return ((const struct sim_policy *)order)->tier[page];
}

static void take(void *order, uint64_t page)
{
	list_remove(order, page);
}

static const struct sim_order_ops order_ops = {
	.hottest_below = hottest_below,
	.coldest_in = coldest_in,
	.is_hotter = is_hotter,
	.tier_of = tier_of,
	.take = take,
};

/* ---- The policy -------------------------------------------------------------------- */

static int count_set_residency(
	struct sim_policy *policy, uint64_t first, const struct tier_residency *residency)
{
	for (unsigned i = 0; i < TIER_BLOCK_PAGES; i++) {
		unsigned word = i / 64, bit = i % 64;

		if ((residency->resident[word] >> bit & 1) == 0 ||
			policy->tier[first + i] != ABSENT)
			continue;
		list_add(policy, first + i,
			(residency->tier[0][word] >> bit & 1) |
				(residency->tier[1][word] >> bit & 1) << 1);
	}
	return 0;
}

static void count_feed(
	struct sim_policy *policy, const struct tier_sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t page = (samples[i].address - SIM_BASE) / TIER_PAGE_SIZE;
		unsigned tier = policy->tier[page];

		if (tier == ABSENT || policy->count[page] == COUNT_MAX)
			continue;
		if (tier != TAKEN)
			list_remove(policy, page);
		policy->count[page]++;
		if (tier != TAKEN)
			list_add(policy, page, tier);
	}
}

static void count_advance(struct sim_policy *policy _unused_, uint64_t now_ns _unused_,
	double exposure _unused_)
{
}

static int count_plan(
	struct sim_policy *policy, const struct tier_limits *limits, struct sim_plan *ret)
{
	return sim_exchange_plan(&order_ops, policy, policy->n_tiers, limits, ret);
}

static void count_complete(struct sim_policy *policy, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns _unused_)
{
	uint64_t page = (move->address - SIM_BASE) / TIER_PAGE_SIZE;

	list_add(policy, page, result == TIER_RESULT_DONE ? move->to : move->from);
}

const struct sim_policy_ops sim_policy_count = {
	.name = "count",
	.engine = TIER_ENGINE_INVALID,
	.new = count_new,
	.free = count_free,
	.set_residency = count_set_residency,
	.feed = count_feed,
	.advance = count_advance,
	.plan = count_plan,
	.complete = count_complete,
};
