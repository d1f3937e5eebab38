/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes plans, in three steps that never look at single pages until the last: lay the
 * group out by expected rate; walk the layout from both ends to see how far down
 * promotions and how far up demotions reach; collect pages from the blocks that have some
 * on the right side of those marks.
 *
 * What is owed is demoted first and never refused. Room is given to the hottest slow
 * pages. Beyond that a slow page takes a fast one's place only where the gain, by the low
 * end of what is believed of the one and the high end of the other, pays for both copies.
 */
#include "core/plan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/group.h"
#include "core/layout.h"

/* No plan is longer, whatever its budget: 256 MiB each way. */
#define BUDGET_PAGES_MAX 65536U

/* Demoting more than this share of the fast pages at once lowers the share of accesses
 * they get; that is no change of phase. */
#define EXPECTED_FALL_DIVISOR 64

/* Filling stops so far below the quota, so that growth does not turn it at once. */
#define FILL_SLACK_PAGES_MAX 2048U
#define FILL_SLACK_DIVISOR   256U

/* A walk over a side's bins, from the end where its moves begin. */
struct mark {
	unsigned bin;   /* reached, not finished */
	uint64_t taken; /* of this bin */
	uint64_t pages; /* in all */
};

/* Moves of one direction as they are collected, with the bins to sort them by. */
struct picks {
	struct tier_move *moves;
	uint8_t *bins;
	size_t n;
	size_t n_max;
	uint64_t pages;
	uint64_t left;        /* pages to pick in all */
	uint64_t left_in_bin; /* pages to pick of the mark's bin */
};

struct planner {
	struct tier_group *group;
	const struct tier_limits *limits;
	struct tier_layout layout;
	double cut;
	uint64_t budget;
	uint64_t quota_owed;
	uint64_t owed;
	uint64_t room;
	bool is_cut_short;
	struct mark up;
	struct mark down;
	struct picks promotions;
	struct picks demotions;
};

static void picks_done(struct picks *picks)
{
	free(picks->moves);
	free(picks->bins);
}

static void planner_done(struct planner *planner)
{
	picks_done(&planner->promotions);
	picks_done(&planner->demotions);
}

/* ---- Laying out ---------------------------------------------------------------- */

static void count_class(struct tier_classes *classes, const struct tier_class *class,
	double cut, double band)
{
	if (!class->is_known)
		classes->unknown_pages += class->pages;
	else if (class->low >= cut * band)
		classes->hot_pages += class->pages;
	else if (class->high * band <= cut)
		classes->cold_pages += class->pages;
	else
		classes->warm_pages += class->pages;
}

static void note_reach(struct tier_block *block, const struct tier_class *class)
{
	if (class->speed == TIER_FAST)
		block->coldest_fast_bin = TIER_MIN(block->coldest_fast_bin, class->bin);
	else
		block->hottest_slow_bin = TIER_MAX(block->hottest_slow_bin, class->bin);
}

static void lay_out_block(struct planner *planner, struct tier_block *block, double band)
{
	struct tier_group_stats *stats = &planner->group->stats;
	struct tier_class classes[TIER_CLASSES_MAX];
	size_t n = tier_layout_classify(
		&planner->layout, &planner->group->rates, block, classes);

	block->coldest_fast_bin = UINT8_MAX;
	block->hottest_slow_bin = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t warm = stats->classes.warm_pages;

		tier_layout_add(&planner->layout, &classes[i]);
		note_reach(block, &classes[i]);
		count_class(&stats->classes, &classes[i], stats->cut_rate, band);
		if (classes[i].speed == TIER_FAST)
			stats->filtered_warm_pages += stats->classes.warm_pages - warm;
	}
}

/* One pass over the blocks. Classes are told by the last plan's cut: this one is not yet
 * known, and the two differ by little. */
static void lay_out(struct planner *planner)
{
	struct tier_group *group = planner->group;
	double band = sqrt(group->config.margin);

	group->stats.classes = (struct tier_classes){ 0 };
	group->stats.filtered_warm_pages = 0;
	tier_layout_set_unit(&planner->layout, group->rates.mean);
	for (size_t i = 0; i < group->map.n_blocks; i++)
		lay_out_block(planner, group->map.blocks[i], band);
	planner->cut = tier_layout_cut(&planner->layout, planner->limits->quota_pages);
	group->stats.cut_rate = planner->cut;
}

/* ---- Deciding how far each direction goes -------------------------------------- */

static uint64_t mark_left(const struct mark *mark, const uint64_t *bins)
{
	return bins[mark->bin] - mark->taken;
}

static void mark_take(struct mark *mark, uint64_t pages)
{
	mark->taken += pages;
	mark->pages += pages;
}

/* Moves to the next bin that has pages left; false at the end of the scale. */
static bool mark_up_next(struct mark *mark, const uint64_t *bins)
{
	while (mark_left(mark, bins) == 0) {
		if (mark->bin == 0)
			return false;
		*mark = (struct mark){ mark->bin - 1, 0, mark->pages };
	}
	return true;
}

static bool mark_down_next(struct mark *mark, const uint64_t *bins)
{
	while (mark_left(mark, bins) == 0) {
		if (mark->bin == TIER_RATE_BINS - 1)
			return false;
		*mark = (struct mark){ mark->bin + 1, 0, mark->pages };
	}
	return true;
}

static void decide_owed(struct planner *planner)
{
	const struct tier_limits *limits = planner->limits;
	const uint64_t *fast = planner->layout.fast;

	if (limits->fast_pages > limits->quota_pages)
		planner->quota_owed = limits->fast_pages - limits->quota_pages;
	planner->owed = planner->quota_owed + limits->owed_pages;
	if (planner->owed > planner->budget) {
		planner->owed = planner->budget;
		planner->is_cut_short = true;
	}
	while (planner->down.pages < planner->owed &&
		mark_down_next(&planner->down, fast))
		mark_take(&planner->down, TIER_MIN(mark_left(&planner->down, fast),
						  planner->owed - planner->down.pages));
}

/* Hot pages may use all the room there is, others leave a little. */
static void decide_room(struct planner *planner)
{
	const struct tier_limits *limits = planner->limits;
	const uint64_t *slow = planner->layout.slow;
	uint64_t room, slack;

	if (planner->owed > 0)
		return;
	room = TIER_MIN(limits->quota_pages - limits->fast_pages, limits->room_pages);
	slack = TIER_MIN(FILL_SLACK_PAGES_MAX, limits->quota_pages / FILL_SLACK_DIVISOR);
	planner->room = room;
	if (room > planner->budget) {
		room = planner->budget;
		slack = 0;
		planner->is_cut_short = true;
	}
	while (planner->up.pages < room && mark_up_next(&planner->up, slow)) {
		double rate = tier_layout_bin_floor(&planner->layout, planner->up.bin);
		uint64_t taken = planner->up.pages;
		bool is_hot = rate > 0 && rate >= planner->cut;
		uint64_t most =
			is_hot ? room - taken : room - TIER_MIN(room, taken + slack);

		if (most == 0)
			break;
		mark_take(&planner->up, TIER_MIN(mark_left(&planner->up, slow), most));
	}
}

static bool exchange_pays(const struct planner *planner)
{
	const struct tier_group_config *config = &planner->group->config;
	double newcomer = tier_layout_bin_floor(&planner->layout, planner->up.bin);
	double victim = tier_layout_bin_floor(&planner->layout, planner->down.bin + 1);
	double gain = (newcomer - victim) * config->latency_gap_ns *
		      ((double)config->horizon_ns / 1e9);

	if (planner->down.bin == TIER_RATE_BINS - 1)
		return false;
	return newcomer >= victim * config->margin && gain >= 2.0 * config->copy_cost_ns;
}

static void decide_exchange(struct planner *planner)
{
	const uint64_t *slow = planner->layout.slow, *fast = planner->layout.fast;

	while (mark_up_next(&planner->up, slow) && mark_down_next(&planner->down, fast) &&
		exchange_pays(planner)) {
		uint64_t budget = planner->budget -
				  TIER_MAX(planner->up.pages, planner->down.pages);
		uint64_t pages = TIER_MIN(
			mark_left(&planner->up, slow), mark_left(&planner->down, fast));

		if (budget == 0) {
			planner->is_cut_short = true;
			return;
		}
		pages = TIER_MIN(pages, budget);
		mark_take(&planner->up, pages);
		mark_take(&planner->down, pages);
	}
}

/* ---- Collecting ---------------------------------------------------------------- */

static int picks_init(struct picks *picks, const struct mark *mark)
{
	picks->left = mark->pages;
	picks->left_in_bin = mark->taken;
	picks->n_max = mark->pages;
	if (mark->pages == 0)
		return 0;
	picks->moves = calloc(picks->n_max, sizeof(*picks->moves));
	picks->bins = calloc(picks->n_max, sizeof(*picks->bins));
	return picks->moves && picks->bins ? 0 : -ENOMEM;
}

/* How many pages of a class are wanted, given where its bin lies from the mark's. */
static uint64_t picks_wanted(const struct picks *picks, const struct mark *mark,
	unsigned bin, bool is_promotion)
{
	if (bin == mark->bin)
		return TIER_MIN(picks->left, picks->left_in_bin);
	return (bin > mark->bin) == is_promotion ? picks->left : 0;
}

static void picks_add(struct picks *picks, const struct mark *mark,
	const struct tier_block *block, const struct tier_class *class, unsigned page)
{
	bool is_promotion = class->speed == TIER_SLOW;
	uint64_t pages = class->is_huge ? TIER_BLOCK_PAGES : 1;
	uint64_t counted = TIER_MIN(pages, picks->left);

	picks->bins[picks->n] = class->bin;
	picks->moves[picks->n++] = (struct tier_move){
		.space = block->space,
		.address = tier_block_address(block, page),
		.pages = pages,
		.direction = is_promotion ? TIER_PROMOTE : TIER_DEMOTE,
		.rate = class->mean,
	};
	picks->pages += pages;
	picks->left -= counted;
	if (class->bin == mark->bin)
		picks->left_in_bin -= TIER_MIN(counted, picks->left_in_bin);
}

static void collect_class(struct planner *planner, const struct tier_block *block,
	const struct tier_class *class)
{
	bool is_promotion = class->speed == TIER_SLOW;
	struct picks *picks = is_promotion ? &planner->promotions : &planner->demotions;
	const struct mark *mark = is_promotion ? &planner->up : &planner->down;
	bool may_rest = is_promotion || planner->owed == 0;
	uint64_t cool_down_ns = planner->group->config.cool_down_ns;
	uint64_t now_ns = planner->limits->now_ns;

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		if (picks_wanted(picks, mark, class->bin, is_promotion) == 0)
			return;
		if (!class->is_huge &&
			(!tier_bitmap_has(block->resident, page) ||
				tier_block_speed(block, page) != class->speed ||
				tier_count_bin(block->count[page]) != class->count_bin))
			continue;
		if (may_rest && tier_block_is_resting(block, page, now_ns, cool_down_ns))
			planner->group->stats.filtered_cooling_pages +=
				class->is_huge ? TIER_BLOCK_PAGES : 1;
		else
			picks_add(picks, mark, block, class, page);
		if (class->is_huge)
			return;
	}
}

/* Whether any class of the block can be wanted, without looking at them all. */
static bool is_in_reach(const struct planner *planner, const struct tier_block *block)
{
	bool has_slow = block->fast_pages < block->resident_pages;

	return (planner->promotions.left > 0 && has_slow &&
		       block->hottest_slow_bin >= planner->up.bin) ||
	       (planner->demotions.left > 0 && block->fast_pages > 0 &&
		       block->coldest_fast_bin <= planner->down.bin);
}

static int collect(struct planner *planner)
{
	struct tier_group *group = planner->group;
	int r;

	r = picks_init(&planner->promotions, &planner->up);
	if (r < 0)
		return r;
	r = picks_init(&planner->demotions, &planner->down);
	if (r < 0)
		return r;

	for (size_t i = 0; i < group->map.n_blocks; i++) {
		struct tier_block *block = group->map.blocks[i];
		struct tier_class classes[TIER_CLASSES_MAX];
		size_t n;

		if (!is_in_reach(planner, block))
			continue;
		n = tier_layout_classify(&planner->layout, &group->rates, block, classes);
		for (size_t k = 0; k < n; k++)
			collect_class(planner, block, &classes[k]);
	}
	return 0;
}

/* ---- Putting the plan together ------------------------------------------------- */

/* A stable counting sort by bin into @out, hottest first or coldest first. */
static void picks_sort(
	const struct picks *picks, bool hottest_first, struct tier_move *out)
{
	size_t start[TIER_RATE_BINS + 1] = { 0 };

	for (size_t i = 0; i < picks->n; i++) {
		unsigned bin = picks->bins[i];

		start[(hottest_first ? TIER_RATE_BINS - 1 - bin : bin) + 1]++;
	}
	for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++)
		start[bin + 1] += start[bin];
	for (size_t i = 0; i < picks->n; i++) {
		unsigned bin = picks->bins[i];

		out[start[hottest_first ? TIER_RATE_BINS - 1 - bin : bin]++] =
			picks->moves[i];
	}
}

/* Drops moves from the end until no more than @pages are left. */
static size_t trim(
	const struct tier_move *moves, size_t n, uint64_t *pages, uint64_t most)
{
	while (n > 0 && *pages > most)
		*pages -= moves[--n].pages;
	return n;
}

static uint64_t saturating_sub(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Drops the exchanges whose partners could not be collected, from either side. */
static void balance(struct planner *planner, const struct tier_move *demotions,
	size_t *n_demotions, const struct tier_move *promotions, size_t *n_promotions)
{
	uint64_t down = planner->demotions.pages, up = planner->promotions.pages;

	*n_promotions = trim(promotions, *n_promotions, &up,
		planner->room + saturating_sub(down, planner->owed));
	while (*n_demotions > 0) {
		uint64_t last = demotions[*n_demotions - 1].pages;

		if (down - last < planner->owed + saturating_sub(up, planner->room))
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
		planner->group->stats.planned_pages[move->reason] += move->pages;
	}
}

static int assemble(struct planner *planner, struct tier_plan **ret)
{
	size_t n_down = planner->demotions.n, n_up = planner->promotions.n;
	struct tier_plan *plan;
	struct tier_move *promotions;

	plan = calloc(1, sizeof(*plan) + (n_down + n_up) * sizeof(plan->moves[0]));
	if (!plan)
		return -ENOMEM;
	promotions = plan->moves + n_down;
	picks_sort(&planner->demotions, false, plan->moves);
	picks_sort(&planner->promotions, true, promotions);
	balance(planner, plan->moves, &n_down, promotions, &n_up);
	memmove(plan->moves + n_down, promotions, n_up * sizeof(*promotions));
	plan->n_moves = n_down + n_up;
	plan->owed_pages = planner->owed;
	plan->is_cut_short = planner->is_cut_short && plan->n_moves > 0;
	give_reasons(planner, plan);
	*ret = plan;
	return 0;
}

_public_ int tier_group_plan(struct tier_group *group, const struct tier_limits *limits,
	struct tier_plan **ret)
{
	_cleanup_(planner_done) struct planner planner = {
		.group = group,
		.limits = limits,
		.budget = TIER_MIN(limits->budget_pages, BUDGET_PAGES_MAX),
		.up.bin = TIER_RATE_BINS - 1,
	};
	int r;

	if (limits->now_ns < group->now_ns)
		return -EINVAL;
	tier_rates_fit(&group->rates, group->map.blocks, group->map.n_blocks);
	lay_out(&planner);
	decide_owed(&planner);
	decide_room(&planner);
	decide_exchange(&planner);
	r = collect(&planner);
	if (r < 0)
		return r;
	r = assemble(&planner, ret);
	if (r < 0)
		return r;
	if (planner.owed > limits->fast_pages / EXPECTED_FALL_DIVISOR)
		tier_phase_reset(&group->phase);
	group->stats.plans++;
	return 0;
}

_public_ struct tier_plan *tier_plan_free(struct tier_plan *plan)
{
	free(plan);
	return NULL;
}

_public_ const struct tier_move *tier_plan_moves(
	const struct tier_plan *plan, size_t *ret_n)
{
	*ret_n = plan->n_moves;
	return plan->moves;
}

_public_ uint64_t tier_plan_owed_pages(const struct tier_plan *plan)
{
	return plan->owed_pages;
}

_public_ bool tier_plan_is_cut_short(const struct tier_plan *plan)
{
	return plan->is_cut_short;
}
