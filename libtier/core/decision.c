/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/decision.h"

#include <math.h>

#include "base/util.h"
#include "core/group.h"

/* No plan is longer, whatever its budget: 256 MiB each way. */
#define BUDGET_PAGES_MAX 65536U

/* Filling stops so far below the quota, so that growth does not turn it at once. */
#define FILL_SLACK_PAGES_MAX 2048U
#define FILL_SLACK_DIVISOR   256U

/* ---- Classes ------------------------------------------------------------------- */

/* The band around the cut within which a move would not pay is half the margin wide. */
struct tier_cut tier_cut_of(
	const struct tier_group *group, const struct tier_scale *scale)
{
	return (struct tier_cut){
		.bin = (int)tier_scale_bin(scale, group->stats.cut_rate),
		.band = (int)ceil(4 * log2(group->config.margin)),
	};
}

enum tier_class tier_cut_classify(
	const struct tier_cut *cut, const struct tier_cell *cell, bool is_known)
{
	if (!is_known)
		return TIER_CLASS_UNKNOWN;
	if (cell->low >= cut->bin + cut->band)
		return TIER_CLASS_HOT;
	if (cell->high + cut->band <= cut->bin)
		return TIER_CLASS_COLD;
	return TIER_CLASS_WARM;
}

bool tier_cut_is_in_doubt(const struct tier_cut *cut, const struct tier_cell *cell,
	bool is_known, int spread)
{
	if (!is_known)
		return cut->bin > 0;
	return cell->low - spread < cut->bin - cut->band &&
	       cell->high + spread > cut->bin + cut->band;
}

/* ---- Deciding how far each direction goes -------------------------------------- */

struct deciding {
	const struct tier_group_config *config;
	const struct tier_limits *limits;
	const struct tier_scale *scale;
	const struct tier_decision *decision;
	const uint64_t *fast;
	uint64_t slow[TIER_RATE_BINS]; /* pages below the boundary, by their low end */
	uint64_t budget;
	struct tier_reach *reach;
};

static void take(struct tier_mark *mark, struct tier_edge *edge, const uint64_t *bins,
	uint64_t pages)
{
	if (pages == 0)
		return;
	tier_mark_take(mark, pages);
	*edge = (struct tier_edge){ true, mark->bin, tier_mark_left(mark, bins) == 0 };
}

static void take_up(struct deciding *deciding, uint64_t pages)
{
	struct tier_reach *reach = deciding->reach;

	take(&reach->up, &reach->up_edge, deciding->slow, pages);
}

static void take_down(struct deciding *deciding, uint64_t pages)
{
	struct tier_reach *reach = deciding->reach;

	take(&reach->down, &reach->down_edge, deciding->fast, pages);
}

static void decide_owed(struct deciding *deciding)
{
	const struct tier_decision *decision = deciding->decision;
	struct tier_reach *reach = deciding->reach;
	struct tier_mark *down = &reach->down;

	reach->owed = decision->quota_owed;
	if (decision->upper == 0)
		reach->owed += deciding->limits->owed_pages;
	if (reach->owed > deciding->budget) {
		reach->owed = deciding->budget;
		reach->is_cut_short = true;
	}
	while (down->pages < reach->owed && tier_mark_rise(down, deciding->fast))
		take_down(deciding, TIER_MIN(tier_mark_left(down, deciding->fast),
					    reach->owed - down->pages));
}

/* Hot pages may use all the room there is, others leave a little. */
static void decide_room(struct deciding *deciding)
{
	const struct tier_decision *decision = deciding->decision;
	struct tier_reach *reach = deciding->reach;
	struct tier_mark *up = &reach->up;
	uint64_t room, slack;

	if (reach->owed > 0 || decision->held > decision->quota)
		return;
	room = TIER_MIN(decision->quota - decision->held,
		deciding->limits->room_pages[decision->upper]);
	slack = TIER_MIN(FILL_SLACK_PAGES_MAX, decision->quota / FILL_SLACK_DIVISOR);
	reach->room = room;
	while (tier_mark_fall(up, deciding->slow)) {
		double rate = tier_scale_floor(deciding->scale, up->bin);
		bool is_hot = rate > 0 && rate >= decision->cut;
		uint64_t most = is_hot ? room - up->pages
				       : room - TIER_MIN(room, up->pages + slack);

		if (most == 0)
			break;
		if (up->pages == deciding->budget) {
			reach->is_cut_short = true;
			break;
		}
		most = TIER_MIN(most, deciding->budget - up->pages);
		take_up(deciding, TIER_MIN(tier_mark_left(up, deciding->slow), most));
	}
}

static bool exchange_pays(const struct deciding *deciding)
{
	const struct tier_group_config *config = deciding->config;
	const struct tier_decision *decision = deciding->decision;
	const struct tier_reach *reach = deciding->reach;
	double newcomer = tier_scale_floor(deciding->scale, reach->up.bin);
	double victim = tier_scale_floor(deciding->scale, reach->down.bin + 1);
	double gap_ns = (double)config->latency_ns[decision->lower] -
			config->latency_ns[decision->upper];
	double gain = (newcomer - victim) * gap_ns * ((double)config->horizon_ns / 1e9);

	if (reach->down.bin == TIER_RATE_BINS - 1)
		return false;
	return newcomer >= victim * config->margin && gain >= 2.0 * config->copy_cost_ns;
}

static void decide_exchange(struct deciding *deciding)
{
	const uint64_t *slow = deciding->slow, *fast = deciding->fast;
	struct tier_reach *reach = deciding->reach;

	while (tier_mark_fall(&reach->up, slow) && tier_mark_rise(&reach->down, fast) &&
		exchange_pays(deciding)) {
		uint64_t budget =
			deciding->budget - TIER_MAX(reach->up.pages, reach->down.pages);
		uint64_t pages = TIER_MIN(tier_mark_left(&reach->up, slow),
			tier_mark_left(&reach->down, fast));

		if (budget == 0) {
			reach->is_cut_short = true;
			return;
		}
		pages = TIER_MIN(pages, budget);
		take_up(deciding, pages);
		take_down(deciding, pages);
	}
}

static void decide(struct deciding *deciding, uint64_t budget, struct tier_reach *ret)
{
	*ret = (struct tier_reach){ .up.bin = TIER_RATE_BINS - 1 };
	deciding->budget = budget;
	deciding->reach = ret;
	decide_owed(deciding);
	decide_room(deciding);
	decide_exchange(deciding);
}

void tier_decision_make(struct tier_decision *decision, const struct tier_group *group,
	const struct tier_limits *limits, const struct tier_layout *layout,
	unsigned upper)
{
	struct deciding deciding = {
		.config = &group->config,
		.limits = limits,
		.scale = &layout->scale,
		.decision = decision,
		.fast = layout->high[upper],
	};

	*decision = (struct tier_decision){
		.is_made = true,
		.upper = upper,
		.lower = tier_plan_choose_lower(&group->config, limits, upper),
		.held = upper == 0 ? limits->fast_pages : group->tier_pages[upper],
		.quota = upper == 0 ? limits->quota_pages : TIER_UNLIMITED_PAGES,
		.cut = upper == 0 ? group->stats.cut_rate : 0,
		.budget = TIER_MIN(limits->budget_pages, BUDGET_PAGES_MAX),
	};
	decision->quota_owed = tier_saturating_sub(decision->held, decision->quota);
	decision->node_is_full = limits->room_pages[upper] <
				 tier_saturating_sub(decision->quota, decision->held);
	for (unsigned tier = upper + 1; tier < TIER_TIERS_MAX; tier++)
		for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++)
			deciding.slow[bin] += layout->low[tier][bin];
	decide(&deciding, decision->budget, &decision->now);
	decide(&deciding, TIER_UNLIMITED_PAGES, &decision->whole);
}

/* ---- Answering for it ---------------------------------------------------------- */

/* @in_part: also where not all pages of a bin move, and nothing tells which will. */
static bool is_reached(const struct tier_decision *decision,
	const struct tier_reach *reach, const struct tier_standing *page, bool in_part)
{
	bool is_up = page->tier > decision->upper;
	const struct tier_edge *edge = is_up ? &reach->up_edge : &reach->down_edge;
	unsigned bin = is_up ? page->cell->low : page->cell->high;

	if (!edge->is_any)
		return false;
	if (bin == edge->bin)
		return edge->is_whole || in_part;
	return is_up == (bin > edge->bin);
}

bool tier_decision_spares_resting(
	const struct tier_decision *decision, enum tier_direction direction)
{
	return direction == TIER_PROMOTE || decision->now.owed == 0;
}

/* One that no budget would bring up. */
static enum tier_why judge_slow(
	const struct tier_decision *decision, const struct tier_standing *page)
{
	if (decision->quota == 0)
		return TIER_WHY_QUOTA_ZERO;
	switch (page->class) {
	case TIER_CLASS_UNKNOWN:
		return TIER_WHY_UNKNOWN;
	case TIER_CLASS_HOT:
		return TIER_WHY_NO_ROOM;
	case TIER_CLASS_WARM:
		return decision->node_is_full ? TIER_WHY_NO_ROOM : TIER_WHY_WARM;
	default:
		return TIER_WHY_COLD;
	}
}

/* One that no budget would bring down. */
static enum tier_why judge_fast(const struct tier_standing *page)
{
	switch (page->class) {
	case TIER_CLASS_UNKNOWN:
		return TIER_WHY_UNKNOWN;
	case TIER_CLASS_HOT:
		return TIER_WHY_HOT;
	case TIER_CLASS_WARM:
		return TIER_WHY_WARM;
	default:
		return TIER_WHY_SPARE;
	}
}

enum tier_why tier_decision_judge(
	const struct tier_decision *decision, const struct tier_standing *page)
{
	bool is_up = page->tier > decision->upper;

	if (!is_reached(decision, &decision->whole, page, true))
		return is_up ? judge_slow(decision, page) : judge_fast(page);
	if (page->is_resting && tier_decision_spares_resting(
					decision, is_up ? TIER_PROMOTE : TIER_DEMOTE))
		return TIER_WHY_COOLING_DOWN;
	return is_reached(decision, &decision->now, page, false) ? TIER_WHY_DUE
								 : TIER_WHY_BUDGET;
}
