/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Engine memtis, a reference: what the kmigraterd threads of MEMTIS do, one a node. How
 * pages are told apart is memtis-heat.h's affair; here is what is done with it.
 *
 * The slow node's thread promotes: as many pages as are active below, but not more than
 * the slow tier has free beyond its watermark. It tries whether or not there is room; a
 * promotion must leave 3 % of the DRAM free that the group may use, or it fails.
 *
 * The fast node's thread demotes: as many pages as promotions need room for, and, once
 * less than 2 % is free, what brings that back to 3 %. It scans inactive pages first and
 * passes over those that are warm. Active pages have their turn, and warm ones are passed
 * over no longer, only when room is needed urgently: by the quota or by allocations
 * (limits.owed_pages), or by promotions where there are fewer inactive pages than they
 * want places.
 *
 * Lists are scanned in the order of blocks, each from where the last scan stopped, as a
 * kernel's lists rotate. The original's threads wake twice a second; here a plan is a
 * turn of both, made as often as the caller asks for one, and bounded by its budget.
 *
 * Not kept, of what plans of engine rank promise: promotions are planned without room;
 * pages may move back at once, for there is no rest after a move; no gain is asked for.
 * The quota holds as long as promotions wait for room. Only tier 0 has a boundary here.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "core/memtis-heat.h"

#define PROMOTION_FREE_PERCENT 3
#define DEMOTION_FREE_PERCENT  2

struct turn {
	struct tier_draft draft;
	struct tier_memtis *memtis;
	uint64_t active_below;
	uint64_t inactive_above;
	bool is_urgent;
};

static void turn_done(struct turn *turn)
{
	tier_draft_done(&turn->draft);
}

static uint64_t percent(uint64_t pages, unsigned n)
{
	return pages / 100 * n + pages % 100 * n / 100;
}

/* ---- What there is ------------------------------------------------------------- */

static void survey_block(struct turn *turn, const struct tier_block *block)
{
	const struct tier_memtis_book *book = tier_memtis_update(turn->memtis, block);
	struct tier_classes *classes = &turn->draft.group->stats.classes;
	struct tier_mask fast = tier_mask_of_fast(block);
	struct tier_mask slow = tier_mask_of_slow(block);
	unsigned active_below = tier_mask_pages(tier_mask_and(slow, book->active));
	unsigned active_above = tier_mask_pages(tier_mask_and(fast, book->active));
	unsigned fast_pages = tier_mask_pages(fast);
	unsigned warm = tier_mask_pages(tier_mask_and(fast, book->warm)) +
			tier_mask_pages(tier_mask_and(slow, book->warm));

	turn->active_below += active_below;
	turn->inactive_above += fast_pages - active_above;
	classes->hot_pages += active_below + active_above;
	classes->warm_pages += warm - active_below - active_above;
	classes->cold_pages += fast_pages + tier_mask_pages(slow) - warm;
}

static void survey(struct turn *turn)
{
	struct tier_group *group = turn->draft.group;

	group->stats.classes = (struct tier_classes){ 0 };
	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);

		if (block->in_use)
			survey_block(turn, block);
	}
}

/* ---- What is wanted ------------------------------------------------------------ */

static int decide(struct turn *turn)
{
	struct tier_draft *draft = &turn->draft;
	const struct tier_limits *limits = draft->limits;
	uint64_t kept = percent(draft->capacity, PROMOTION_FREE_PERCENT);
	uint64_t least = percent(draft->capacity, DEMOTION_FREE_PERCENT);
	uint64_t up = TIER_MIN(turn->active_below, limits->room_pages[draft->lower]);
	uint64_t down;
	int r;

	draft->owed = draft->over + limits->owed_pages;
	draft->room = draft->owed > 0 ? 0 : tier_saturating_sub(draft->free, kept);
	turn->is_urgent = draft->owed > 0;
	if (draft->free < least)
		draft->owed += kept - draft->free;
	r = tier_draft_want(draft, TIER_PROMOTE, up);
	if (r < 0)
		return r;
	up = draft->lists[TIER_PROMOTE].target;
	turn->memtis->is_cut_short = up < turn->active_below;
	down = draft->owed + tier_saturating_sub(up, draft->room);
	turn->is_urgent |= turn->inactive_above < down;
	return tier_draft_want(draft, TIER_DEMOTE, down);
}

/* ---- Scanning ------------------------------------------------------------------ */

static void promote_from(struct turn *turn, const struct tier_block *block,
	const struct tier_memtis_book *book)
{
	tier_draft_scan(&turn->draft, TIER_PROMOTE, block,
		tier_mask_and(tier_mask_of_slow(block), book->active),
		(struct tier_mask){ 0 });
}

static void demote_inactive_from(struct turn *turn, const struct tier_block *block,
	const struct tier_memtis_book *book)
{
	struct tier_mask kept = turn->is_urgent ? (struct tier_mask){ 0 } : book->warm;
	struct tier_mask scanned = tier_draft_scan(&turn->draft, TIER_DEMOTE, block,
		tier_mask_and_not(tier_mask_of_fast(block), book->active), kept);

	turn->draft.group->stats.filtered_warm_pages +=
		tier_mask_pages(tier_mask_and(scanned, kept));
}

static void demote_active_from(struct turn *turn, const struct tier_block *block,
	const struct tier_memtis_book *book)
{
	tier_draft_scan(&turn->draft, TIER_DEMOTE, block,
		tier_mask_and(tier_mask_of_fast(block), book->active),
		(struct tier_mask){ 0 });
}

/* Goes round all blocks once, or until enough is found. */
static void scan(struct turn *turn, enum tier_direction direction, uint32_t *cursor,
	void (*visit)(struct turn *turn, const struct tier_block *block,
		const struct tier_memtis_book *book))
{
	const struct tier_blockmap *map = &turn->draft.group->map;
	uint32_t end = tier_blockmap_end(map);

	for (uint32_t n = 0; n < end && tier_draft_wanted(&turn->draft, direction) > 0;
		n++) {
		const struct tier_block *block;

		if (*cursor >= end)
			*cursor = 0;
		block = tier_blockmap_at(map, (*cursor)++);
		if (block->in_use)
			visit(turn, block,
				tier_books_at(&turn->memtis->books, block->index));
	}
}

/* ---- The engine ---------------------------------------------------------------- */

static int plan(struct tier_group *group, const struct tier_limits *limits,
	struct tier_plan **ret)
{
	_cleanup_(turn_done) struct turn turn = { .memtis = group->engine_state };
	struct tier_memtis *memtis = turn.memtis;
	int r;

	tier_draft_init(&turn.draft, group, limits);
	memtis->quota_pages = turn.draft.capacity;
	survey(&turn);
	r = decide(&turn);
	if (r < 0)
		return r;
	scan(&turn, TIER_DEMOTE, &memtis->demotion_cursor, demote_inactive_from);
	if (turn.is_urgent)
		scan(&turn, TIER_DEMOTE, &memtis->demotion_cursor, demote_active_from);
	scan(&turn, TIER_PROMOTE, &memtis->promotion_cursor, promote_from);
	return tier_draft_finish(&turn.draft, ret);
}

/* By the marks that the last plan went by. */
static void explain(const struct tier_group *group, const struct tier_block *block,
	unsigned page, struct tier_explanation *ret)
{
	const struct tier_memtis *memtis = group->engine_state;
	const struct tier_memtis_book *book = tier_books_at(&memtis->books, block->index);
	uint64_t bit = UINT64_C(1) << page % 64;
	bool is_active = book->active.words[page / 64] & bit;
	bool is_warm = book->warm.words[page / 64] & bit;
	bool is_fast = tier_block_tier(block, page) == 0;

	if (is_active) {
		ret->heat_class = TIER_CLASS_HOT;
		ret->why = is_fast                ? TIER_WHY_HOT
			   : memtis->is_cut_short ? TIER_WHY_BUDGET
						  : TIER_WHY_DUE;
	} else if (is_warm) {
		ret->heat_class = TIER_CLASS_WARM;
		ret->why = TIER_WHY_WARM;
	} else {
		ret->heat_class = TIER_CLASS_COLD;
		ret->why = is_fast ? TIER_WHY_SPARE : TIER_WHY_COLD;
	}
}

static int init(struct tier_group *group)
{
	struct tier_memtis *memtis = malloc(sizeof(*memtis));

	if (!memtis)
		return -ENOMEM;
	tier_memtis_init(memtis);
	group->engine_state = memtis;
	return 0;
}

static void done(struct tier_group *group)
{
	struct tier_memtis *memtis = group->engine_state;

	tier_books_done(&memtis->books);
	free(memtis);
}

static int added(struct tier_group *group, struct tier_block *block)
{
	struct tier_memtis *memtis = group->engine_state;

	return tier_books_open(&memtis->books, block->index);
}

static void removed(struct tier_group *group, struct tier_block *block)
{
	struct tier_memtis *memtis = group->engine_state;

	tier_memtis_remove(memtis, block);
	tier_books_close(&memtis->books, block->index);
}

static void sampled(struct tier_group *group, struct tier_block *block, unsigned page,
	_unused_ uint64_t time_ns)
{
	tier_memtis_sample(group, block, page);
}

static size_t bytes(const struct tier_group *group)
{
	const struct tier_memtis *memtis = group->engine_state;

	return sizeof(*memtis) + tier_books_bytes(&memtis->books);
}

const struct tier_engine_ops tier_engine_memtis = {
	.cools_itself = true,
	.init = init,
	.done = done,
	.added = added,
	.removed = removed,
	.sampled = sampled,
	.advanced = tier_memtis_watch_growth,
	.bytes = bytes,
	.plan = plan,
	.explain = explain,
};

_public_ int tier_group_get_memtis_state(
	const struct tier_group *group, struct tier_memtis_state *ret)
{
	const struct tier_memtis *memtis = group->engine_state;

	if (group->engine != &tier_engine_memtis)
		return -EOPNOTSUPP;
	*ret = (struct tier_memtis_state){
		.active_threshold = memtis->active_threshold,
		.warm_threshold = memtis->warm_threshold,
		.samples = memtis->samples,
		.adaptations = memtis->adaptations,
		.coolings = memtis->clock,
	};
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
		ret->hotness_pages[bin] = memtis->hotness_pages[bin];
	return 0;
}
