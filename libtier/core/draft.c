/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* No plan is longer, whatever its budget: 256 MiB each way. */
#define BUDGET_PAGES_MAX 65536U

struct tier_mask tier_mask_of_slow(const struct tier_block *block)
{
	struct tier_mask mask;

	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		mask.words[i] = block->words[i].place[1];
	return mask;
}

struct tier_mask tier_mask_of_fast(const struct tier_block *block)
{
	struct tier_mask mask;

	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		mask.words[i] = block->words[i].place[0] & ~block->words[i].place[1];
	return mask;
}

/* ---- Wanting ------------------------------------------------------------------- */

static uint64_t saturating_add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void tier_draft_init(struct tier_draft *draft, struct tier_group *group,
	const struct tier_limits *limits)
{
	uint64_t most = saturating_add(limits->fast_pages, limits->room_pages[0]);

	*draft = (struct tier_draft){
		.group = group,
		.limits = limits,
		.capacity = TIER_MIN(limits->quota_pages, most),
		.over = tier_saturating_sub(limits->fast_pages, limits->quota_pages),
		.lower = tier_plan_choose_lower(&group->config, limits, 0),
	};
	draft->free = tier_saturating_sub(draft->capacity, limits->fast_pages);
}

void tier_draft_done(struct tier_draft *draft)
{
	for (unsigned i = 0; i < TIER_DIRECTION_MAX; i++)
		free(draft->lists[i].moves);
}

int tier_draft_want(
	struct tier_draft *draft, enum tier_direction direction, uint64_t pages)
{
	struct tier_draft_list *list = &draft->lists[direction];
	uint64_t budget =
		TIER_MIN(draft->limits->budget_pages, (uint64_t)BUDGET_PAGES_MAX);

	if (pages > budget)
		draft->is_cut_short = true;
	pages = TIER_MIN(pages, budget);
	if (pages == 0)
		return 0;
	list->moves = calloc(pages, sizeof(*list->moves));
	if (!list->moves)
		return -ENOMEM;
	list->target = pages;
	return 0;
}

/* ---- Scanning ------------------------------------------------------------------ */

static uint64_t lowest_bits(uint64_t word, uint64_t n)
{
	uint64_t rest = word;

	for (; rest && n > 0; n--)
		rest &= rest - 1;
	return word & ~rest;
}

/* Bits up to the highest one of @word. */
static uint64_t up_to(uint64_t word)
{
	return word ? UINT64_MAX >> __builtin_clzll(word) : 0;
}

static void take(struct tier_draft *draft, enum tier_direction direction,
	const struct tier_block *block, unsigned page)
{
	struct tier_draft_list *list = &draft->lists[direction];
	uint32_t pages = block->huge ? TIER_BLOCK_PAGES : 1;

	list->moves[list->n++] = (struct tier_move){
		.space = block->space,
		.address = tier_block_address(block, page),
		.pages = pages,
		.direction = direction,
		.from = tier_block_tier(block, page),
		.to = direction == TIER_PROMOTE ? 0 : draft->lower,
	};
	list->pages += pages;
}

static uint64_t scan_word(struct tier_draft *draft, enum tier_direction direction,
	const struct tier_block *block, unsigned i, uint64_t listed, uint64_t kept)
{
	uint64_t wanted = tier_draft_wanted(draft, direction);
	uint64_t candidates = listed & ~kept;
	uint64_t taken = lowest_bits(candidates, wanted);

	if (wanted == 0)
		return 0;
	for (uint64_t rest = taken; rest; rest &= rest - 1)
		take(draft, direction, block, i * 64 + __builtin_ctzll(rest));
	return tier_draft_wanted(draft, direction) > 0 ? listed : listed & up_to(taken);
}

static struct tier_mask scan_huge(struct tier_draft *draft, enum tier_direction direction,
	const struct tier_block *block, struct tier_mask listed, struct tier_mask kept)
{
	if (tier_draft_wanted(draft, direction) == 0)
		return (struct tier_mask){ 0 };
	if (listed.words[0] & ~kept.words[0])
		take(draft, direction, block, 0);
	return listed;
}

struct tier_mask tier_draft_scan(struct tier_draft *draft, enum tier_direction direction,
	const struct tier_block *block, struct tier_mask listed, struct tier_mask kept)
{
	struct tier_mask scanned = { 0 };

	if (block->huge)
		scanned = scan_huge(draft, direction, block, listed, kept);
	for (unsigned i = 0; i < TIER_BITMAP_WORDS && !block->huge; i++)
		if (listed.words[i])
			scanned.words[i] = scan_word(draft, direction, block, i,
				listed.words[i], kept.words[i]);
	draft->group->stats.scanned_pages[direction] += tier_mask_pages(scanned);
	return scanned;
}

/* ---- Finishing ----------------------------------------------------------------- */

static void give_reasons(const struct tier_draft *draft, struct tier_plan *plan)
{
	uint64_t up = 0, down = 0;

	for (size_t i = 0; i < plan->n_moves; i++) {
		struct tier_move *move = &plan->moves[i];

		if (move->direction == TIER_PROMOTE) {
			up += move->pages;
			move->reason =
				up > draft->room ? TIER_REASON_EXCHANGE : TIER_REASON_HOT;
		} else {
			move->reason = down < draft->over   ? TIER_REASON_QUOTA
				       : down < draft->owed ? TIER_REASON_NODE
							    : TIER_REASON_EXCHANGE;
			down += move->pages;
		}
	}
}

static void append(struct tier_plan *plan, const struct tier_draft_list *list)
{
	if (list->n > 0)
		memcpy(plan->moves + plan->n_moves, list->moves,
			list->n * sizeof(*list->moves));
	plan->n_moves += list->n;
}

int tier_draft_finish(struct tier_draft *draft, struct tier_plan **ret)
{
	const struct tier_draft_list *up = &draft->lists[TIER_PROMOTE];
	const struct tier_draft_list *down = &draft->lists[TIER_DEMOTE];
	struct tier_plan *plan = tier_plan_new(up->n + down->n);

	if (!plan)
		return -ENOMEM;
	append(plan, down);
	append(plan, up);
	plan->lower = draft->lower;
	plan->owed_pages = TIER_MIN(draft->owed, draft->limits->budget_pages);
	plan->room_pages = draft->room;
	plan->is_cut_short = draft->is_cut_short && plan->n_moves > 0;
	give_reasons(draft, plan);
	*ret = plan;
	return 0;
}
