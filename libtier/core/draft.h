/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan in the making, for engines that think as a kernel does: in pages free, in
 * watermarks, in so many pages to bring up or down, and in lists that are scanned until
 * enough is found. The draft knows what the group may use and holds the moves; which
 * pages stand on the lists is the engine's affair.
 */
#ifndef TIER_CORE_DRAFT_H
#define TIER_CORE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/group.h"

/* Pages of a block. In a huge block all or none. */
struct tier_mask {
	uint64_t words[TIER_BITMAP_WORDS];
};

/* Those in the fast tier, or in all others. */
struct tier_mask tier_mask_of_fast(const struct tier_block *block);
struct tier_mask tier_mask_of_slow(const struct tier_block *block);

static inline struct tier_mask tier_mask_and(struct tier_mask a, struct tier_mask b)
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		a.words[i] &= b.words[i];
	return a;
}

static inline struct tier_mask tier_mask_and_not(struct tier_mask a, struct tier_mask b)
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		a.words[i] &= ~b.words[i];
	return a;
}

static inline unsigned tier_mask_pages(struct tier_mask mask)
{
	unsigned pages = 0;

	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		pages += __builtin_popcountll(mask.words[i]);
	return pages;
}

/* Moves one way. */
struct tier_draft_list {
	struct tier_move *moves;
	size_t n;
	uint64_t pages;
	uint64_t target; /* pages; the last folio may go beyond */
};

struct tier_draft {
	struct tier_group *group;
	const struct tier_limits *limits;
	uint64_t capacity; /* pages of the fast tier that the group may use, … */
	uint64_t free;     /* … and that it does not use */
	uint64_t over;     /* pages it has beyond its quota */
	unsigned lower;
	uint64_t room; /* what promotions may take before a demotion gives */
	uint64_t owed; /* what is demoted before a demotion gives */
	bool is_cut_short;
	struct tier_draft_list lists[TIER_DIRECTION_MAX];
};

void tier_draft_init(struct tier_draft *draft, struct tier_group *group,
	const struct tier_limits *limits);
void tier_draft_done(struct tier_draft *draft);

/* Sets how many pages are wanted in a direction, as far as the budget goes. Errors:
 * -ENOMEM. */
int tier_draft_want(
	struct tier_draft *draft, enum tier_direction direction, uint64_t pages);

static inline uint64_t tier_draft_wanted(
	const struct tier_draft *draft, enum tier_direction direction)
{
	const struct tier_draft_list *list = &draft->lists[direction];

	return list->target > list->pages ? list->target - list->pages : 0;
}

/*
 * Scans @listed, pages of @block, until enough is found, and takes what is not in @kept.
 * Returns which pages it looked at; they count as scanned.
 */
struct tier_mask tier_draft_scan(struct tier_draft *draft, enum tier_direction direction,
	const struct tier_block *block, struct tier_mask listed, struct tier_mask kept);

/* Makes the plan. Errors: -ENOMEM. */
int tier_draft_finish(struct tier_draft *draft, struct tier_plan **ret);

#endif
