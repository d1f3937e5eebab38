/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engine rank: makes plans in three steps that never look at single pages until the last.
 * It lays the group out by expected rate; walks the layout from both ends to see how far
 * down promotions and how far up demotions reach (decision.h); and collects pages from
 * the cohorts that have some on the right side of those marks.
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
#include "core/rank.h"

/* Demoting more than this share of the fast pages at once lowers the share of accesses
 * they get; that is no change of phase. */
#define EXPECTED_FALL_DIVISOR 64

/* With less than this part of its budget to move, tier 0 has time for collapses and can
 * wait for a turn of the next boundary. */
#define QUIET_DIVISOR 8

struct planner {
	struct tier_group *group;
	const struct tier_limits *limits;
	const struct tier_layout *layout;
	const struct tier_decision *decision;
	const struct tier_reach *reach;
	size_t collapses; /* at most */
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
	enum tier_class class, bool is_fast)
{
	struct tier_classes *classes = &stats->classes;

	switch (class) {
	case TIER_CLASS_HOT:
		classes->hot_pages += cell->pages;
		break;
	case TIER_CLASS_COLD:
		classes->cold_pages += cell->pages;
		break;
	case TIER_CLASS_WARM:
		classes->warm_pages += cell->pages;
		if (is_fast) {
			stats->filtered_warm_pages += cell->pages;
			stats->scanned_pages[TIER_DEMOTE] += cell->pages;
		}
		break;
	default:
		classes->unknown_pages += cell->pages;
		break;
	}
}

/*
 * By how many bins pages of each count differ from the mean of their kind: a standard
 * deviation of gamma distributed rates of that relative variance, after so many samples.
 */
static void spread_pages(
	const struct tier_rates *rates, int ret[static TIER_HISTOGRAM_BINS])
{
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		double samples = tier_histogram_bin_floor(bin);
		double variance = rates->page_spread / (1 + rates->page_spread * samples);

		ret[bin] = (int)(TIER_BINS_PER_OCTAVE * log2(1 + sqrt(variance)));
	}
}

struct classifying {
	struct tier_group *group;
	struct tier_cut cut;
	int spread[TIER_HISTOGRAM_BINS];
	uint64_t pages;
	uint64_t pages_in_doubt;
};

static void classify_cohort(struct classifying *c, const struct tier_cohort *cohort)
{
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
			const struct tier_cell *cell = &cohort->cells[tier][bin];

			if (cell->pages == 0)
				continue;
			classify_cell(&c->group->stats, cell,
				tier_cut_classify(&c->cut, cell, cohort->is_known),
				tier == 0);
			c->pages += cell->pages;
			if (tier_cut_is_in_doubt(&c->cut, cell, cohort->is_known,
				    cohort->key.huge ? 0 : c->spread[bin]))
				c->pages_in_doubt += cell->pages;
		}
}

static void classify(struct tier_group *group, const struct tier_layout *layout)
{
	struct classifying c = { .group = group,
		.cut = tier_cut_of(group, &layout->scale) };

	spread_pages(&group->rates, c.spread);
	group->stats.classes = (struct tier_classes){ 0 };
	for (const struct tier_cohort *i = group->census.cohorts; i; i = i->hh.next)
		classify_cohort(&c, i);
	group->stats.resolution =
		c.pages > 0 ? 1 - (double)c.pages_in_doubt / c.pages : 0;
}

/* ---- Collapses ----------------------------------------------------------------- */

/* Huge pages are made where there is time. */
static void decide_collapses(struct planner *planner)
{
	const struct tier_reach *reach = planner->reach;
	uint64_t budget = planner->decision->budget;
	uint64_t busy = TIER_MAX(reach->up.pages, reach->down.pages);
	uint64_t left = (budget - TIER_MIN(busy, budget)) / TIER_BLOCK_PAGES;

	if (planner->decision->upper > 0 || reach->owed > 0 ||
		busy >= budget / QUIET_DIVISOR)
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

	group->stats.scanned_pages[pick->direction] += pick->pages;
	if (tier_decision_spares_resting(planner->decision, pick->direction) &&
		tier_block_is_resting(
			block, page, planner->limits->now_ns, group->config.cool_down_ns))
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
	const struct tier_decision *decision = planner->decision;
	bool is_promotion = tier > decision->upper;
	struct tier_picks *picks =
		is_promotion ? &planner->promotions : &planner->demotions;
	struct tier_pick pick = {
		.direction = is_promotion ? TIER_PROMOTE : TIER_DEMOTE,
		.from = tier,
		.to = is_promotion ? decision->upper : decision->lower,
		.count_bin = count_bin,
		.bin = is_promotion ? cell->low : cell->high,
		.pages = cohort->key.huge ? TIER_BLOCK_PAGES : 1,
		.rate = tier_scale_floor(&planner->layout->scale, cell->mean),
	};

	for (uint32_t i = cohort->first; i != TIER_BLOCK_NONE;) {
		const struct tier_block *block =
			tier_blockmap_at(&planner->group->map, i);

		if (tier_picks_wanted(picks, pick.bin) == 0)
			return;
		tier_blockmap_fetch(&planner->group->map, block->next);
		if (tier_block_class_pages(block, tier, count_bin) > 0)
			collect_block(planner, picks, block, &pick);
		i = block->next;
	}
}

static int collect(struct planner *planner)
{
	int r;

	r = tier_picks_init(&planner->promotions, &planner->reach->up, true);
	if (r < 0)
		return r;
	r = tier_picks_init(&planner->demotions, &planner->reach->down, false);
	if (r < 0)
		return r;
	for (const struct tier_cohort *c = planner->group->census.cohorts; c;
		c = c->hh.next)
		for (unsigned tier = planner->decision->upper; tier < TIER_TIERS_MAX;
			tier++)
			for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
				if (c->cells[tier][bin].pages > 0)
					collect_cell(planner, c, tier, bin);
	return 0;
}

/* Blocks that are hot, as classes have it, in all of their pages. */
static size_t collect_collapses(struct planner *planner, struct tier_move *ret)
{
	struct tier_group *group = planner->group;
	const struct tier_scale *scale = &planner->layout->scale;
	struct tier_cut cut = tier_cut_of(group, scale);

	if (planner->collapses == 0)
		return 0;
	return tier_collapse_choose(
		group, scale, cut.bin + cut.band, planner->collapses, ret);
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
		if (down >= planner->reach->owed && is_resting(planner, &demotions[i])) {
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
	uint64_t most =
		planner->reach->room + tier_saturating_sub(down, planner->reach->owed);

	while (*n_promotions > 0 && up > most)
		up -= promotions[--*n_promotions].pages;
	while (*n_demotions > 0) {
		uint64_t last = demotions[*n_demotions - 1].pages;

		if (down - last < planner->reach->owed +
					  tier_saturating_sub(up, planner->reach->room))
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
			bool is_hot =
				move->rate > 0 && move->rate >= planner->decision->cut;

			up += move->pages;
			move->reason = up > planner->reach->room ? TIER_REASON_EXCHANGE
				       : is_hot                  ? TIER_REASON_HOT
								 : TIER_REASON_FILL;
		} else {
			move->reason =
				down < planner->decision->quota_owed ? TIER_REASON_QUOTA
				: down < planner->reach->owed        ? TIER_REASON_NODE
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
	if (planner->reach->owed > 0)
		spare_resting(planner, plan->moves, &n_down);
	balance(planner, plan->moves, &n_down, promotions, &n_up);
	memmove(plan->moves + n_down, promotions, n_up * sizeof(*promotions));
	plan->n_moves = n_down + n_up;
	plan->upper = planner->decision->upper;
	plan->lower = planner->decision->lower;
	plan->owed_pages = planner->reach->owed;
	plan->room_pages = planner->reach->room;
	plan->is_cut_short = planner->reach->is_cut_short && plan->n_moves > 0;
	give_reasons(planner, plan);
	plan->n_moves += collect_collapses(planner, plan->moves + plan->n_moves);
	*ret = plan;
	return 0;
}

/* ---- Boundaries ---------------------------------------------------------------- */

static int plan_boundary(struct tier_group *group, const struct tier_limits *limits,
	const struct tier_layout *layout, unsigned upper, struct tier_plan **ret)
{
	struct tier_rank *rank = group->engine_state;
	struct tier_decision *decision = &rank->decisions[upper];
	_cleanup_(planner_done) struct planner planner = {
		.group = group,
		.limits = limits,
		.layout = layout,
		.decision = decision,
		.reach = &decision->now,
	};
	int r;

	tier_decision_make(decision, group, limits, layout, upper);
	decide_collapses(&planner);
	r = collect(&planner);
	if (r < 0)
		return r;
	r = assemble(&planner, ret);
	if (r < 0)
		return r;
	if (upper == 0 && decision->now.owed > limits->fast_pages / EXPECTED_FALL_DIVISOR)
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
	struct tier_rank *rank = group->engine_state;
	int r;

	if (!layout)
		return -ENOMEM;
	r = tier_rates_fit(&group->rates, &group->census);
	if (r < 0)
		return r;
	r = tier_layout_make(layout, &group->rates, &group->census);
	if (r < 0)
		return r;
	rank->scale = layout->scale;
	tier_scores_update(&group->scores, layout,
		tier_saturating_sub(limits->now_ns, group->planned_ns) / 1e9);
	group->stats.cut_rate = tier_layout_cut(layout, limits->quota_pages);
	classify(group, layout);
	return plan_some_boundary(group, limits, layout, ret);
}

/* ---- The engine ---------------------------------------------------------------- */

static int init(struct tier_group *group)
{
	group->engine_state = calloc(1, sizeof(struct tier_rank));
	return group->engine_state ? 0 : -ENOMEM;
}

static void done(struct tier_group *group)
{
	free(group->engine_state);
}

static size_t bytes(_unused_ const struct tier_group *group)
{
	return sizeof(struct tier_rank);
}

const struct tier_engine_ops tier_engine_rank = {
	.init = init,
	.done = done,
	.bytes = bytes,
	.plan = plan,
	.explain = tier_rank_explain,
	.count_whys = tier_rank_count_whys,
};
