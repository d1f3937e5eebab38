/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan-checks.h"

#include <math.h>

#include "base/util.h"

/* No plan is longer, whatever its budget. */
#define BUDGET_PAGES_MAX UINT64_C(65536)

struct sums {
	uint64_t pages[TIER_DIRECTION_MAX];
	uint64_t last[TIER_DIRECTION_MAX]; /* pages of the last move of each */
	uint64_t reasons[TIER_REASON_MAX];
};

static uint64_t over(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static struct sums sum_up(const struct tier_plan *plan)
{
	struct sums sums = { 0 };
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);

	for (size_t i = 0; i < n; i++) {
		sums.pages[moves[i].direction] += moves[i].pages;
		sums.last[moves[i].direction] = moves[i].pages;
		sums.reasons[moves[i].reason] += moves[i].pages;
	}
	return sums;
}

/* What promotions may take before a demotion gives. */
static uint64_t room_of(const struct tier_limits *limits, unsigned upper)
{
	if (upper > 0)
		return limits->room_pages[upper];
	return TIER_MIN(
		over(limits->quota_pages, limits->fast_pages), limits->room_pages[0]);
}

/* ---- Moves --------------------------------------------------------------------- */

static bool is_owed(const struct tier_move *move)
{
	return move->reason == TIER_REASON_QUOTA || move->reason == TIER_REASON_NODE;
}

static bool page_may_move(const struct model *model,
	const struct tier_group_config *config, const struct tier_move *move,
	unsigned offset, uint64_t now_ns, bool *seen,
	char ret_why[static PROPERTY_WHY_MAX])
{
	int i = model_find(model, move->space, move->address);
	const struct model_block *block = &model->blocks[i];
	unsigned page = move->address / TIER_PAGE_SIZE % TIER_BLOCK_PAGES + offset;
	uint64_t moved_ns;

	HOLD(i >= 0 && block->is_known && page < TIER_BLOCK_PAGES &&
			block->resident[page],
		"page %u of block %d moves and is not there", page, i);
	HOLD(block->tier[page] == move->from,
		"page %u of block %d moves from tier %u, not %u", page, i, move->from,
		block->tier[page]);
	HOLD(move->pages == (block->huge ? TIER_BLOCK_PAGES : 1),
		"page %u of block %d moves as %u pages", page, i, move->pages);
	HOLD(!seen[i * TIER_BLOCK_PAGES + page], "page %u of block %d moves twice", page,
		i);
	seen[i * TIER_BLOCK_PAGES + page] = true;
	moved_ns = block->moved_ns[page];
	HOLD(config->engine != TIER_ENGINE_RANK || is_owed(move) ||
			moved_ns == MODEL_NEVER ||
			now_ns - moved_ns >= config->cool_down_ns,
		"page %u of block %d moves again (%s, %s) after %.3f s", page, i,
		tier_direction_to_string(move->direction),
		tier_reason_to_string(move->reason), (now_ns - moved_ns) / 1e9);
	return true;
}

static bool moves_are_sound(const struct model *model,
	const struct tier_group_config *config, const struct tier_limits *limits,
	const struct tier_plan *plan, char ret_why[static PROPERTY_WHY_MAX])
{
	bool seen[HISTORY_BLOCKS_MAX * TIER_BLOCK_PAGES] = { 0 };
	unsigned upper, lower;
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);

	tier_plan_get_tiers(plan, &upper, &lower);
	HOLD(upper < lower && lower < config->n_tiers, "between tiers %u and %u", upper,
		lower);
	for (size_t i = 0; i < n; i++) {
		bool up = moves[i].direction == TIER_PROMOTE;

		HOLD(up == (moves[i].to < moves[i].from), "move %zu goes the wrong way",
			i);
		HOLD(moves[i].to == (up ? upper : lower), "move %zu goes to tier %u", i,
			moves[i].to);
		HOLD(i == 0 || moves[i - 1].direction >= moves[i].direction,
			"demotions do not come first");
		HOLD(up ? moves[i].reason <= TIER_REASON_EXCHANGE
			: moves[i].reason >= TIER_REASON_EXCHANGE,
			"move %zu has the reason %s", i,
			tier_reason_to_string(moves[i].reason));
		for (unsigned k = 0; k < moves[i].pages; k++)
			if (!page_may_move(model, config, &moves[i], k, limits->now_ns,
				    seen, ret_why))
				return false;
	}
	return true;
}

/* ---- Limits -------------------------------------------------------------------- */

/* A huge page may straddle the end of the budget. */
static bool budget_holds(
	uint64_t budget, const struct sums *sums, char ret_why[static PROPERTY_WHY_MAX])
{
	for (unsigned i = 0; i < TIER_DIRECTION_MAX; i++)
		HOLD(sums->pages[i] <= budget ||
				(budget > 0 && sums->last[i] > 1 &&
					sums->pages[i] - budget < TIER_BLOCK_PAGES),
			"%zu pages to %s, more than the budget", (size_t)sums->pages[i],
			tier_direction_to_string(i));
	return true;
}

static bool owed_is_paid(const struct model *model, const struct tier_limits *limits,
	const struct sums *sums, char ret_why[static PROPERTY_WHY_MAX])
{
	uint64_t owed =
		over(limits->fast_pages, limits->quota_pages) + limits->owed_pages;
	uint64_t most = TIER_MIN(limits->budget_pages, BUDGET_PAGES_MAX);
	uint64_t movable = TIER_MIN(owed, model_tier_pages(model, 0));
	uint64_t least = TIER_MIN(most, movable);

	HOLD(sums->pages[TIER_DEMOTE] >= least, "%zu pages are owed and %zu demoted",
		(size_t)least, (size_t)sums->pages[TIER_DEMOTE]);
	return true;
}

static bool room_is_there(const struct tier_limits *limits, const struct tier_plan *plan,
	char ret_why[static PROPERTY_WHY_MAX])
{
	unsigned upper, lower;

	tier_plan_get_tiers(plan, &upper, &lower);
	HOLD(tier_plan_room_pages(plan) <= room_of(limits, upper),
		"promotions may take room for %zu pages that is not there",
		(size_t)tier_plan_room_pages(plan));
	return true;
}

static bool owed_comes_first(const struct tier_limits *limits,
	const struct tier_plan *plan, const struct sums *sums,
	char ret_why[static PROPERTY_WHY_MAX])
{
	uint64_t owed =
		over(limits->fast_pages, limits->quota_pages) + limits->owed_pages;
	uint64_t paid =
		sums->reasons[TIER_REASON_QUOTA] + sums->reasons[TIER_REASON_NODE];

	HOLD(tier_plan_owed_pages(plan) <= owed, "%zu pages are owed, not %zu",
		(size_t)owed, (size_t)tier_plan_owed_pages(plan));
	HOLD(paid >= TIER_MIN(owed, sums->pages[TIER_DEMOTE]),
		"%zu of %zu owed pages are demoted as such", (size_t)paid, (size_t)owed);
	HOLD(owed > 0 || paid == 0, "%zu pages are demoted as owed", (size_t)paid);
	HOLD(owed == 0 || sums->reasons[TIER_REASON_HOT] +
					  sums->reasons[TIER_REASON_FILL] ==
				  0,
		"promotions take room while pages are owed");
	return true;
}

static bool quota_and_room_hold(const struct model *model,
	const struct tier_limits *limits, const struct tier_plan *plan,
	const struct sums *sums, char ret_why[static PROPERTY_WHY_MAX])
{
	uint64_t before = limits->fast_pages, after, owed = tier_plan_owed_pages(plan);
	unsigned upper, lower;

	tier_plan_get_tiers(plan, &upper, &lower);
	if (upper > 0)
		before = model_tier_pages(model, upper);
	after = before + sums->pages[TIER_PROMOTE] - sums->pages[TIER_DEMOTE];
	if (upper == 0)
		HOLD(after <= TIER_MAX(before, limits->quota_pages),
			"%zu pages of a quota of %zu", (size_t)after,
			(size_t)limits->quota_pages);
	HOLD(over(after, before) <= limits->room_pages[upper],
		"%zu more than room for %zu", (size_t)over(after, before),
		(size_t)limits->room_pages[upper]);
	HOLD(sums->pages[TIER_PROMOTE] <=
			tier_plan_room_pages(plan) + over(sums->pages[TIER_DEMOTE], owed),
		"some of %zu promotions have no room to wait for",
		(size_t)sums->pages[TIER_PROMOTE]);
	return true;
}

/* ---- Exchanges ----------------------------------------------------------------- */

/* Each newcomer is worth more than each victim, by the margin and both copies. */
static bool exchanges_pay(const struct tier_group_config *config,
	const struct tier_plan *plan, char ret_why[static PROPERTY_WHY_MAX])
{
	double coldest = INFINITY, hottest = -INFINITY, gain_ns, gap_ns;
	unsigned upper, lower;
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);

	for (size_t i = 0; i < n; i++) {
		if (moves[i].reason != TIER_REASON_EXCHANGE)
			continue;
		if (moves[i].direction == TIER_PROMOTE)
			coldest = TIER_MIN(coldest, (double)moves[i].rate);
		else
			hottest = TIER_MAX(hottest, (double)moves[i].rate);
	}
	if (isinf(coldest) || isinf(hottest))
		return true;
	tier_plan_get_tiers(plan, &upper, &lower);
	gap_ns = (double)config->latency_ns[lower] - config->latency_ns[upper];
	gain_ns = (coldest - hottest) * gap_ns * (config->horizon_ns / 1e9);
	HOLD(coldest > hottest && coldest >= hottest * config->margin,
		"a page of rate %g takes the place of one of %g", coldest, hottest);
	HOLD(gain_ns >= 2.0 * config->copy_cost_ns,
		"a gain of %g ns does not pay for the copies", gain_ns);
	return true;
}

static bool rank_is_sound(const struct model *model,
	const struct tier_group_config *config, const struct tier_limits *limits,
	const struct tier_plan *plan, const struct sums *sums,
	char ret_why[static PROPERTY_WHY_MAX])
{
	return owed_comes_first(limits, plan, sums, ret_why) &&
	       quota_and_room_hold(model, limits, plan, sums, ret_why) &&
	       exchanges_pay(config, plan, ret_why);
}

bool plan_is_sound(const struct model *model, const struct tier_group_config *config,
	const struct tier_limits *limits, const struct tier_plan *plan,
	char ret_why[static PROPERTY_WHY_MAX])
{
	struct sums sums = sum_up(plan);

	return moves_are_sound(model, config, limits, plan, ret_why) &&
	       budget_holds(TIER_MIN(limits->budget_pages, BUDGET_PAGES_MAX), &sums,
		       ret_why) &&
	       owed_is_paid(model, limits, &sums, ret_why) &&
	       room_is_there(limits, plan, ret_why) &&
	       (config->engine != TIER_ENGINE_RANK ||
		       rank_is_sound(model, config, limits, plan, &sums, ret_why));
}
