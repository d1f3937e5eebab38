/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/collapse.h"

/* Blocks that one call looks at. Those that change go to the end of their cohort, so that
 * those beyond have their turn. */
#define BLOCKS_PER_CALL 1024

/* So many samples on a block show a relative variance of its pages' rates of a half,
 * which is two standard errors then. */
#define SAMPLES_MIN 128
#define SPREAD_MAX  0.5

/* Pages that are worth moving one by one stay as they are. The more samples a page has
 * the hotter it is. */
static bool is_eligible(const struct tier_cohort *cohort, int least)
{
	return !cohort->key.huge && cohort->key.tiers == 1 &&
	       cohort->cells[0][cohort->key.coldest].low >= least;
}

/* By the pairs of samples that share a page: see rates.c. Counters that may be full say
 * nothing. */
static bool is_alike(const struct tier_block *block)
{
	double pairs = block->sum * (block->sum - 1.0) / TIER_BLOCK_PAGES;

	return block->sum >= SAMPLES_MIN &&
	       tier_block_class_pages(block, 0, TIER_HISTOGRAM_BINS - 1) == 0 &&
	       block->pairs <= (1 + SPREAD_MAX) * pairs;
}

static bool is_resting(const struct tier_group *group, const struct tier_block *block)
{
	uint64_t moved = 0;

	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		moved |= block->moved[i];
	return moved && group->now_ns - block->moved_ns < group->config.cool_down_ns;
}

static bool is_chosen(const struct tier_group *group, const struct tier_block *block)
{
	return block->anonymous && !block->refuses_collapse &&
	       block->resident_pages == TIER_BLOCK_PAGES && is_alike(block) &&
	       !is_resting(group, block);
}

static size_t choose_from_cohort(const struct tier_group *group,
	const struct tier_cohort *cohort, double rate, size_t n_max, unsigned *looked,
	struct tier_move *ret)
{
	size_t n = 0;

	for (uint32_t i = cohort->first;
		i != TIER_BLOCK_NONE && n < n_max && *looked < BLOCKS_PER_CALL;
		(*looked)++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);

		if (is_chosen(group, block))
			ret[n++] = (struct tier_move){
				.space = block->space,
				.address = tier_block_address(block, 0),
				.pages = TIER_BLOCK_PAGES,
				.direction = TIER_COLLAPSE,
				.reason = TIER_REASON_ALIKE,
				.rate = rate,
			};
		i = block->next;
	}
	return n;
}

size_t tier_collapse_choose(struct tier_group *group, const struct tier_scale *scale,
	int least, size_t n_max, struct tier_move *ret)
{
	unsigned looked = 0;
	size_t n = 0;

	if (group->now_ns < group->collapse_from_ns)
		return 0;
	for (const struct tier_cohort *c = group->census.cohorts; c; c = c->hh.next)
		if (is_eligible(c, least))
			n += choose_from_cohort(group, c,
				tier_scale_floor(scale, c->cells[0][c->key.coldest].mean),
				n_max - n, &looked, ret + n);
	group->stats.scanned_pages[TIER_COLLAPSE] += (uint64_t)looked * TIER_BLOCK_PAGES;
	return n;
}

/* What the kernel did to a block that has changed meanwhile the next look will tell. */
static bool is_whole(const struct tier_block *block)
{
	bool is_whole = true;

	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		is_whole &= block->words[i].place[0] == UINT64_MAX &&
			    block->words[i].place[1] == 0;
	return is_whole;
}

void tier_collapse_complete(struct tier_group *group, struct tier_block *block,
	enum tier_result result, uint64_t now_ns)
{
	if (result == TIER_RESULT_NOMEM)
		group->collapse_from_ns = now_ns + TIER_COLLAPSE_PAUSE_NS;
	if (result == TIER_RESULT_DONE && is_whole(block)) {
		block->huge = true;
		tier_block_rest(block, 0, now_ns, group->config.cool_down_ns);
	} else if (result != TIER_RESULT_CANCELLED) {
		block->refuses_collapse = true;
	}
}
