/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sim.h"

struct exchange {
	const struct sim_order_ops *ops;
	void *order;
	unsigned n_tiers;
	uint64_t room[TIER_TIERS_MAX];
	uint64_t left[TIER_DIRECTION_MAX];
	struct sim_plan plan;
};

static void add(struct exchange *x, uint64_t page, unsigned to, enum tier_reason reason)
{
	unsigned from = x->ops->tier_of(x->order, page);
	enum tier_direction direction = to < from ? TIER_PROMOTE : TIER_DEMOTE;

	x->ops->take(x->order, page);
	x->left[direction]--;
	x->plan.moves[x->plan.n++] = (struct tier_move){
		.space = SIM_SPACE,
		.address = SIM_BASE + page * TIER_PAGE_SIZE,
		.pages = 1,
		.direction = direction,
		.reason = reason,
		.from = from,
		.to = to,
	};
}

static unsigned tier_with_room(const struct exchange *x, unsigned below)
{
	for (unsigned tier = below + 1; tier < x->n_tiers; tier++)
		if (x->room[tier] > 0)
			return tier;
	return x->n_tiers - 1;
}

static void demote_owed(struct exchange *x, uint64_t pages)
{
	while (x->plan.owed[0] < pages && x->left[TIER_DEMOTE] > 0) {
		uint64_t page = x->ops->coldest_in(x->order, 0);
		unsigned to = tier_with_room(x, 0);

		if (page == SIM_NO_PAGE)
			return;
		add(x, page, to, TIER_REASON_QUOTA);
		if (x->room[to] > 0)
			x->room[to]--;
		x->plan.owed[0]++;
	}
}

static void fill(struct exchange *x, unsigned tier)
{
	while (x->room[tier] > 0 && x->left[TIER_PROMOTE] > 0) {
		uint64_t page = x->ops->hottest_below(x->order, tier);

		if (page == SIM_NO_PAGE)
			return;
		add(x, page, tier, TIER_REASON_FILL);
		x->room[tier]--;
	}
}

static void exchange(struct exchange *x, unsigned tier)
{
	while (x->left[TIER_PROMOTE] > 0 && x->left[TIER_DEMOTE] > 0) {
		uint64_t hot = x->ops->hottest_below(x->order, tier);
		uint64_t cold = x->ops->coldest_in(x->order, tier);
		unsigned below;

		if (hot == SIM_NO_PAGE || cold == SIM_NO_PAGE ||
			!x->ops->is_hotter(x->order, hot, cold))
			return;
		below = x->ops->tier_of(x->order, hot);
		add(x, cold, below, TIER_REASON_EXCHANGE);
		add(x, hot, tier, TIER_REASON_EXCHANGE);
	}
}

int sim_exchange_plan(const struct sim_order_ops *ops, void *order, unsigned n_tiers,
	const struct tier_limits *limits, struct sim_plan *ret)
{
	struct exchange x = {
		.ops = ops,
		.order = order,
		.n_tiers = n_tiers,
		.left = { limits->budget_pages, limits->budget_pages },
	};
	uint64_t owed = tier_saturating_sub(limits->fast_pages, limits->quota_pages) +
			limits->owed_pages;

	x.plan.moves = calloc(2 * limits->budget_pages + 1, sizeof(*x.plan.moves));
	if (!x.plan.moves)
		return -ENOMEM;
	for (unsigned tier = 0; tier < n_tiers; tier++)
		x.room[tier] = limits->room_pages[tier];
	x.room[0] = TIER_MIN(
		x.room[0], tier_saturating_sub(limits->quota_pages, limits->fast_pages));
	memcpy(x.plan.room, x.room, sizeof(x.room));
	demote_owed(&x, owed);
	for (unsigned tier = 0; tier + 1 < n_tiers; tier++) {
		fill(&x, tier);
		exchange(&x, tier);
	}
	x.plan.list = x.plan.moves;
	x.plan.is_cut_short = x.left[TIER_PROMOTE] == 0 || x.left[TIER_DEMOTE] == 0;
	*ret = x.plan;
	return 0;
}
