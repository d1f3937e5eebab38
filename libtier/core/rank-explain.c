/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why pages stay, by engine rank: each page is placed on the scale of the last plan, by
 * what is believed of its rate now, and asked about at the boundaries as they were
 * decided. Of many pages a cohort's cell is asked about at once.
 */
#include "core/rank.h"

#include "base/util.h"

/* Below tier 0 the lower boundary has a say as well, if the upper one has no use for the
 * page. */
static enum tier_why judge(const struct tier_rank *rank, const struct tier_standing *page)
{
	const struct tier_decision *first = &rank->decisions[0];
	const struct tier_decision *second = &rank->decisions[1];
	enum tier_why why;

	if (!first->is_made)
		return TIER_WHY_UNKNOWN;
	why = tier_decision_judge(first, page);
	if (page->tier > 0 && second->is_made && !tier_why_is_to_move(why)) {
		enum tier_why next = tier_decision_judge(second, page);

		if (tier_why_is_to_move(next))
			return next;
	}
	return why;
}

/* A page of the cohort that is in @tier and whose count is in @bin. */
struct stand {
	struct tier_cohort_rate rate;
	struct tier_cell cell;
	struct tier_standing standing;
};

static void take_stand(const struct tier_group *group, struct tier_beliefs *beliefs,
	const struct tier_cohort *cohort, unsigned tier, unsigned bin, struct stand *ret)
{
	const struct tier_rank *rank = group->engine_state;
	struct tier_cut cut = tier_cut_of(group, &rank->scale);

	tier_beliefs_of_page(beliefs, cohort, bin, &ret->rate);
	tier_layout_place(&rank->scale, &ret->rate, &ret->cell);
	ret->standing = (struct tier_standing){
		.tier = tier,
		.cell = &ret->cell,
		.class = tier_cut_classify(&cut, &ret->cell, ret->rate.is_known),
	};
}

void tier_rank_explain(const struct tier_group *group, const struct tier_block *block,
	unsigned page, struct tier_explanation *ret)
{
	struct tier_beliefs beliefs;
	struct stand stand;

	if (!block->cohort)
		return;
	tier_beliefs_init(&beliefs, &group->rates);
	take_stand(group, &beliefs, block->cohort, tier_block_tier(block, page),
		tier_block_count_bin(block, page), &stand);
	stand.standing.is_resting = tier_block_is_resting(
		block, page, group->now_ns, group->config.cool_down_ns);
	ret->rate = stand.rate.mean;
	ret->rate_low = stand.rate.low;
	ret->rate_high = stand.rate.high;
	ret->heat_class = stand.standing.class;
	ret->why = judge(group->engine_state, &stand.standing);
}

/* ---- Adding up ----------------------------------------------------------------- */

static void add(struct tier_whys *whys, unsigned tier, enum tier_why why, int64_t pages)
{
	uint64_t *sums = tier == 0 ? whys->fast_pages : whys->slow_pages;

	sums[why] += pages;
}

static void count_cohort(const struct tier_group *group, struct tier_beliefs *beliefs,
	const struct tier_cohort *cohort, struct tier_whys *whys)
{
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
			struct stand stand;

			if (cohort->cells[tier][bin].pages == 0)
				continue;
			take_stand(group, beliefs, cohort, tier, bin, &stand);
			add(whys, tier, judge(group->engine_state, &stand.standing),
				cohort->cells[tier][bin].pages);
		}
}

/* Moves a page that rests from where its cohort's cell was counted. */
static void recount_page(const struct tier_group *group, struct tier_beliefs *beliefs,
	const struct tier_block *block, unsigned page, struct tier_whys *whys)
{
	unsigned tier = tier_block_tier(block, page);
	struct stand stand;

	take_stand(group, beliefs, block->cohort, tier, tier_block_count_bin(block, page),
		&stand);
	add(whys, tier, judge(group->engine_state, &stand.standing), -1);
	stand.standing.is_resting = true;
	add(whys, tier, judge(group->engine_state, &stand.standing), 1);
}

static void recount_block(const struct tier_group *group, struct tier_beliefs *beliefs,
	const struct tier_block *block, struct tier_whys *whys)
{
	for (unsigned word = 0; word < TIER_BITMAP_WORDS; word++)
		for (uint64_t rest = block->moved[word]; rest; rest &= rest - 1) {
			unsigned page = word * 64 + __builtin_ctzll(rest);

			if (tier_block_has(block, page))
				recount_page(group, beliefs, block, page, whys);
		}
}

void tier_rank_count_whys(const struct tier_group *group, struct tier_whys *ret)
{
	const struct tier_blockmap *map = &group->map;
	struct tier_beliefs beliefs;

	tier_beliefs_init(&beliefs, &group->rates);
	for (const struct tier_cohort *c = group->census.cohorts; c; c = c->hh.next)
		count_cohort(group, &beliefs, c, ret);
	for (uint32_t i = 0; i < tier_blockmap_end(map); i++) {
		const struct tier_block *block = tier_blockmap_at(map, i);

		if (block->in_use && block->cohort &&
			tier_block_has_rest(
				block, group->now_ns, group->config.cool_down_ns))
			recount_block(group, &beliefs, block, ret);
	}
}
