/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engine rank: makes plans in three steps that never look at single pages until the last.
 * It lays the group out by expected rate; walks the layout from both ends to see how far
 * down promotions and how far up demotions reach; and collects pages from the cohorts
 * that have some on the right side of those marks.
 *
 * What is owed is demoted first and never refused. Room is given to the hottest slow
 * pages. Beyond that a slow page takes a fast one's place only where the gain, by the low
 * end of what is believed of the one and the high end of the other, pays for both copies.
 *
 * A plan is about one boundary: above it the upper tier, below it all that are slower.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/collapse.h"
#include "core/group.h"
#include "core/layout.h"
#include "core/rank-picks.h"

/* No plan is longer, whatever its budget: 256 MiB each way. */
#define BUDGET_PAGES_MAX 65536U

/* Demoting more than this share of the fast pages at once lowers the share of accesses
 * they get; that is no change of phase. */
#define EXPECTED_FALL_DIVISOR 64

/* Filling stops so far below the quota, so that growth does not turn it at once. */
#define FILL_SLACK_PAGES_MAX 2048U
#define FILL_SLACK_DIVISOR   256U

/* With less than this part of its budget to move, tier 0 has time for collapses and can
 * wait for a turn of the next boundary. */
#define QUIET_DIVISOR 8

struct planner {
	struct tier_group *group;
	const struct tier_limits *limits;
	const struct tier_layout *layout;
	unsigned upper;
	unsigned lower;
	uint64_t held;  /* pages in the upper tier, … */
	uint64_t quota; /* … and how many there may be */
	double cut;
	uint64_t budget;
	uint64_t quota_owed;
	uint64_t owed;
	uint64_t room;
	bool is_cut_short;
	uint64_t slow[TIER_RATE_BINS]; /* pages below the boundary, by their low end */
	size_t collapses;              /* at most */
	struct tier_mark up;
	struct tier_mark down;
	struct tier_picks promotions;
	struct tier_picks demotions;
};

static void planner_done(struct planner *planner)
{
	tier_picks_done(&planner->promotions);
	tier_picks_done(&planner->demotions);
}

/* ---- Classes ------------------------------------------------------------------- */

static void classify_cell(struct tier_group_stats *stats, const struct tier_cell *cell,
	bool is_known, bool is_fast, int cut, int band)
{
	struct tier_classes *classes = &stats->classes;

	if (!is_known)
		classes->unknown_pages += cell->pages;
	else if (cell->low >= cut + band)
		classes->hot_pages += cell->pages;
	else if (cell->high + band <= cut)
		classes->cold_pages += cell->pages;
	else {
		classes->warm_pages += cell->pages;
		if (is_fast) {
			stats->filtered_warm_pages += cell->pages;
			stats->scanned_pages[TIER_DEMOTE] += cell->pages;
		}
	}
}

/* The band around the cut within which a move would not pay is half the margin wide. */
static int band_of(const struct tier_group *group)
{
	return (int)ceil(4 * log2(group->config.margin));
}

static void classify(struct tier_group *group, const struct tier_layout *layout)
{
	int cut = tier_layout_bin(layout, group->stats.cut_rate);
	int band = band_of(group);

	group->stats.classes = (struct tier_classes){ 0 };
	for (const struct tier_cohort *c = group->census.cohorts; c; c = c->hh.next)
		for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
			for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
				if (c->cells[tier][bin].pages > 0)
					classify_cell(&group->stats, &c->cells[tier][bin],
						c->is_known, tier == 0, cut, band);
}

/* ---- Deciding how far each direction goes -------------------------------------- */

static void decide_owed(struct planner *planner)
{
	const uint64_t *fast = planner->layout->high[planner->upper];

	if (planner->held > planner->quota)
		planner->quota_owed = planner->held - planner->quota;
	planner->owed = planner->quota_owed;
	if (planner->upper == 0)
		planner->owed += planner->limits->owed_pages;
	if (planner->owed > planner->budget) {
		planner->owed = planner->budget;
		planner->is_cut_short = true;
	}
	while (planner->down.pages < planner->owed &&
		tier_mark_rise(&planner->down, fast))
		tier_mark_take(
			&planner->down, TIER_MIN(tier_mark_left(&planner->down, fast),
						planner->owed - planner->down.pages));
}

/* Hot pages may use all the room there is, others leave a little. */
static void decide_room(struct planner *planner)
{
	uint64_t room, slack;

	if (planner->owed > 0 || planner->held > planner->quota)
		return;
	room = TIER_MIN(planner->quota - planner->held,
		planner->limits->room_pages[planner->upper]);
	slack = TIER_MIN(FILL_SLACK_PAGES_MAX, planner->quota / FILL_SLACK_DIVISOR);
	planner->room = room;
	if (room > planner->budget) {
		room = planner->budget;
		slack = 0;
		planner->is_cut_short = true;
	}
	while (planner->up.pages < room && tier_mark_fall(&planner->up, planner->slow)) {
		double rate = tier_layout_bin_floor(planner->layout, planner->up.bin);
		uint64_t taken = planner->up.pages;
		bool is_hot = rate > 0 && rate >= planner->cut;
		uint64_t most =
			is_hot ? room - taken : room - TIER_MIN(room, taken + slack);

		if (most == 0)
			break;
		tier_mark_take(&planner->up,
			TIER_MIN(tier_mark_left(&planner->up, planner->slow), most));
	}
}

static bool exchange_pays(const struct planner *planner)
{
	const struct tier_group_config *config = &planner->group->config;
	double newcomer = tier_layout_bin_floor(planner->layout, planner->up.bin);
	double victim = tier_layout_bin_floor(planner->layout, planner->down.bin + 1);
	double gap_ns = (double)config->latency_ns[planner->lower] -
			config->latency_ns[planner->upper];
	double gain = (newcomer - victim) * gap_ns * ((double)config->horizon_ns / 1e9);

	if (planner->down.bin == TIER_RATE_BINS - 1)
		return false;
	return newcomer >= victim * config->margin && gain >= 2.0 * config->copy_cost_ns;
}

static void decide_exchange(struct planner *planner)
{
	const uint64_t *slow = planner->slow;
	const uint64_t *fast = planner->layout->high[planner->upper];

	while (tier_mark_fall(&planner->up, slow) &&
		tier_mark_rise(&planner->down, fast) && exchange_pays(planner)) {
		uint64_t budget = planner->budget -
				  TIER_MAX(planner->up.pages, planner->down.pages);
		uint64_t pages = TIER_MIN(tier_mark_left(&planner->up, slow),
			tier_mark_left(&planner->down, fast));

		if (budget == 0) {
			planner->is_cut_short = true;
			return;
		}
		pages = TIER_MIN(pages, budget);
		tier_mark_take(&planner->up, pages);
		tier_mark_take(&planner->down, pages);
	}
}

/* Huge pages are made where there is time. */
static void decide_collapses(struct planner *planner)
{
	uint64_t busy = TIER_MAX(planner->up.pages, planner->down.pages);
	uint64_t left =
		(planner->budget - TIER_MIN(busy, planner->budget)) / TIER_BLOCK_PAGES;

	if (planner->upper > 0 || planner->owed > 0 ||
		busy >= planner->budget / QUIET_DIVISOR)
		return;
	planner->collapses = TIER_MIN(
		TIER_MIN(planner->limits->collapses, left), (uint64_t)TIER_COLLAPSES_MAX);
}

/* ---- Collecting ---------------------------------------------------------------- */

/* Picks a page, or passes it over while it rests. */
static void collect_page(struct planner *planner, struct tier_picks *picks,
	const struct tier_block *block, unsigned page, const struct tier_pick *pick)
{
	struct tier_group *group = planner->group;
	bool may_rest = pick->direction == TIER_PROMOTE || planner->owed == 0;

	group->stats.scanned_pages[pick->direction] += pick->pages;
	if (may_rest && tier_block_is_resting(block, page, planner->limits->now_ns,
				group->config.cool_down_ns))
		group->stats.filtered_cooling_pages += pick->pages;
	else
		tier_picks_add(picks, block, page, pick);
}

static void collect_block(struct planner *planner, struct tier_picks *picks,
	const struct tier_block *block, const struct tier_pick *pick)
{
	if (block->huge) {
		collect_page(planner, picks, block, 0, pick);
		return;
	}
	for (unsigned word = 0; word < TIER_BITMAP_WORDS; word++) {
		uint64_t pages =
			tier_block_class_word(block, word, pick->from, pick->count_bin);

		for (; pages; pages &= pages - 1) {
			if (tier_picks_wanted(picks, pick->bin) == 0)
				return;
			collect_page(planner, picks, block,
				word * 64 + __builtin_ctzll(pages), pick);
		}
	}
}

static void collect_cell(struct planner *planner, const struct tier_cohort *cohort,
	unsigned tier, unsigned count_bin)
{
	const struct tier_cell *cell = &cohort->cells[tier][count_bin];
	bool is_promotion = tier > planner->upper;
	struct tier_picks *picks =
		is_promotion ? &planner->promotions : &planner->demotions;
	struct tier_pick pick = {
		.direction = is_promotion ? TIER_PROMOTE : TIER_DEMOTE,
		.from = tier,
		.to = is_promotion ? planner->upper : planner->lower,
		.count_bin = count_bin,
		.bin = is_promotion ? cell->low : cell->high,
		.pages = cohort->key.huge ? TIER_BLOCK_PAGES : 1,
		.rate = tier_layout_bin_floor(planner->layout, cell->mean),
	};

	for (uint32_t i = cohort->first; i != TIER_BLOCK_NONE;) {
		const struct tier_block *block =
			tier_blockmap_at(&planner->group->map, i);

		if (tier_picks_wanted(picks, pick.bin) == 0)
			return;
		tier_blockmap_fetch(&planner->group->map, block->next);
		if (block->classes[tier][count_bin] > 0)
			collect_block(planner, picks, block, &pick);
		i = block->next;
	}
}

static int collect(struct planner *planner)
{
	int r;

	r = tier_picks_init(&planner->promotions, &planner->up, true);
	if (r < 0)
		return r;
	r = tier_picks_init(&planner->demotions, &planner->down, false);
	if (r < 0)
		return r;
	for (const struct tier_cohort *c = planner->group->census.cohorts; c;
		c = c->hh.next)
		for (unsigned tier = planner->upper; tier < TIER_TIERS_MAX; tier++)
			for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
				if (c->cells[tier][bin].pages > 0)
					collect_cell(planner, c, tier, bin);
	return 0;
}

/* Blocks that are hot, as classes have it, in all of their pages. */
static size_t collect_collapses(struct planner *planner, struct tier_move *ret)
{
	struct tier_group *group = planner->group;
	int hot = (int)tier_layout_bin(planner->layout, group->stats.cut_rate) +
		  band_of(group);

	if (planner->collapses == 0)
		return 0;
	return tier_collapse_choose(group, planner->layout, hot, planner->collapses, ret);
}

/* ---- Putting the plan together ------------------------------------------------- */

static bool is_resting(const struct planner *planner, const struct tier_move *move)
{
	const struct tier_group *group = planner->group;
	const struct tier_slot *slot = tier_blockmap_find(
		&group->map, move->space, move->address >> TIER_BLOCK_SHIFT);

	return tier_block_is_resting(tier_blockmap_at(&group->map, slot->index),
		tier_page_in_block(move->address), planner->limits->now_ns,
		group->config.cool_down_ns);
}

/* What is owed is demoted however lately it moved; behind it, nothing that rests is. */
static void spare_resting(
	struct planner *planner, struct tier_move *demotions, size_t *n_demotions)
{
	uint64_t down = 0;
	size_t n = 0;

	for (size_t i = 0; i < *n_demotions; i++) {
		if (down >= planner->owed && is_resting(planner, &demotions[i])) {
			planner->group->stats.filtered_cooling_pages +=
				demotions[i].pages;
			continue;
		}
		down += demotions[i].pages;
		demotions[n++] = demotions[i];
	}
	planner->demotions.pages = down;
	*n_demotions = n;
}

/* Drops the exchanges whose partners could not be collected, from either side. */
static void balance(struct planner *planner, const struct tier_move *demotions,
	size_t *n_demotions, const struct tier_move *promotions, size_t *n_promotions)
{
	uint64_t down = planner->demotions.pages, up = planner->promotions.pages;
	uint64_t most = planner->room + tier_saturating_sub(down, planner->owed);

	while (*n_promotions > 0 && up > most)
		up -= promotions[--*n_promotions].pages;
	while (*n_demotions > 0) {
		uint64_t last = demotions[*n_demotions - 1].pages;

		if (down - last < planner->owed + tier_saturating_sub(up, planner->room))
			break;
		down -= last;
		(*n_demotions)--;
	}
}

static void give_reasons(struct planner *planner, struct tier_plan *plan)
{
	uint64_t up = 0, down = 0;

	for (size_t i = 0; i < plan->n_moves; i++) {
		struct tier_move *move = &plan->moves[i];

		if (move->direction == TIER_PROMOTE) {
			bool is_hot = move->rate > 0 && move->rate >= planner->cut;

			up += move->pages;
			move->reason = up > planner->room ? TIER_REASON_EXCHANGE
				       : is_hot           ? TIER_REASON_HOT
							  : TIER_REASON_FILL;
		} else {
			move->reason = down < planner->quota_owed ? TIER_REASON_QUOTA
				       : down < planner->owed     ? TIER_REASON_NODE
								  : TIER_REASON_EXCHANGE;
			down += move->pages;
		}
	}
}

static int assemble(struct planner *planner, struct tier_plan **ret)
{
	size_t n_down = planner->demotions.n, n_up = planner->promotions.n;
	struct tier_plan *plan = tier_plan_new(n_down + n_up + planner->collapses);
	struct tier_move *promotions;

	if (!plan)
		return -ENOMEM;
	promotions = plan->moves + n_down;
	tier_picks_sort(&planner->demotions, plan->moves);
	tier_picks_sort(&planner->promotions, promotions);
	if (planner->owed > 0)
		spare_resting(planner, plan->moves, &n_down);
	balance(planner, plan->moves, &n_down, promotions, &n_up);
	memmove(plan->moves + n_down, promotions, n_up * sizeof(*promotions));
	plan->n_moves = n_down + n_up;
	plan->upper = planner->upper;
	plan->lower = planner->lower;
	plan->owed_pages = planner->owed;
	plan->room_pages = planner->room;
	plan->is_cut_short = planner->is_cut_short && plan->n_moves > 0;
	give_reasons(planner, plan);
	plan->n_moves += collect_collapses(planner, plan->moves + plan->n_moves);
	*ret = plan;
	return 0;
}

/* ---- Boundaries ---------------------------------------------------------------- */

static int plan_boundary(struct tier_group *group, const struct tier_limits *limits,
	const struct tier_layout *layout, unsigned upper, struct tier_plan **ret)
{
	_cleanup_(planner_done) struct planner planner = {
		.group = group,
		.limits = limits,
		.layout = layout,
		.upper = upper,
		.lower = tier_plan_choose_lower(&group->config, limits, upper),
		.held = upper == 0 ? limits->fast_pages : group->tier_pages[upper],
		.quota = upper == 0 ? limits->quota_pages : TIER_UNLIMITED_PAGES,
		.budget = TIER_MIN(limits->budget_pages, BUDGET_PAGES_MAX),
		.up.bin = TIER_RATE_BINS - 1,
	};
	int r;

	planner.cut = upper == 0 ? group->stats.cut_rate : 0;
	for (unsigned tier = upper + 1; tier < TIER_TIERS_MAX; tier++)
		for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++)
			planner.slow[bin] += layout->low[tier][bin];
	decide_owed(&planner);
	decide_room(&planner);
	decide_exchange(&planner);
	decide_collapses(&planner);
	r = collect(&planner);
	if (r < 0)
		return r;
	r = assemble(&planner, ret);
	if (r < 0)
		return r;
	if (upper == 0 && planner.owed > limits->fast_pages / EXPECTED_FALL_DIVISOR)
		tier_phase_reset(&group->phase);
	return 0;
}

/* Tier 0 comes first; when it has little left to do, the next boundary has a turn. */
static int plan_some_boundary(struct tier_group *group, const struct tier_limits *limits,
	const struct tier_layout *layout, struct tier_plan **ret)
{
	bool is_owed = limits->fast_pages > limits->quota_pages || limits->owed_pages > 0;
	struct tier_plan *plan;
	int r;

	if (group->boundary == 1 && !is_owed) {
		group->boundary = 0;
		r = plan_boundary(group, limits, layout, 1, &plan);
		if (r < 0)
			return r;
		if (plan->n_moves > 0) {
			*ret = plan;
			return 0;
		}
		tier_plan_free(plan);
	}
	r = plan_boundary(group, limits, layout, 0, ret);
	if (r < 0)
		return r;
	if (group->config.n_tiers > 2 &&
		(*ret)->n_moves < limits->budget_pages / QUIET_DIVISOR)
		group->boundary = 1;
	return 0;
}

static int plan(struct tier_group *group, const struct tier_limits *limits,
	struct tier_plan **ret)
{
	_cleanup_(freep) struct tier_layout *layout = malloc(sizeof(*layout));
	int r;

	if (!layout)
		return -ENOMEM;
	r = tier_rates_fit(&group->rates, &group->census);
	if (r < 0)
		return r;
	r = tier_layout_make(layout, &group->rates, &group->census);
	if (r < 0)
		return r;
	tier_scores_update(&group->scores, layout,
		tier_saturating_sub(limits->now_ns, group->planned_ns) / 1e9);
	group->stats.cut_rate = tier_layout_cut(layout, limits->quota_pages);
	classify(group, layout);
	return plan_some_boundary(group, limits, layout, ret);
}

const struct tier_engine_ops tier_engine_rank = {
	.plan = plan,
};
