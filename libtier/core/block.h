/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A block is 2 MiB of one address space and the unit of bookkeeping: a dense array of
 * sample counts, bitmaps of what is resident and what is fast, and the sums that the
 * estimators in rates.h want. A block knows nothing of its group; it keeps its own sums
 * true whatever happens to its pages.
 *
 * Pages are also counted by class: tier times count bin, so that a plan can weigh a block
 * without looking at its 512 pages.
 */
#ifndef TIER_CORE_BLOCK_H
#define TIER_CORE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "libtier.h"

enum tier_speed {
	TIER_FAST,
	TIER_SLOW,
	TIER_SPEED_MAX,
};

struct tier_block {
	uint64_t space;
	uint64_t number; /* address >> TIER_BLOCK_SHIFT */
	double born;     /* the group's exposure when the block appeared, in its epoch */
	uint64_t moved_ns; /* when a page of moved[] last moved */
	uint32_t index;    /* in the group's array of blocks */
	uint32_t epoch;    /* up to which cooling has been applied */
	uint32_t sum;      /* samples of all pages, also beyond a page's full counter */
	uint32_t pairs;    /* sum over pages of c * (c - 1) */
	uint16_t resident_pages;
	uint16_t fast_pages;
	uint8_t coldest_fast_bin; /* of its rates, as the last plan laid them out */
	uint8_t hottest_slow_bin;
	bool huge;
	uint16_t classes[TIER_SPEED_MAX][TIER_HISTOGRAM_BINS];
	uint64_t resident[TIER_BITMAP_WORDS];
	uint64_t fast[TIER_BITMAP_WORDS];
	uint64_t moved[TIER_BITMAP_WORDS]; /* moved less than a cool-down ago */
	uint8_t count[TIER_BLOCK_PAGES];
};

static inline unsigned tier_page_in_block(uint64_t address)
{
	return (address >> TIER_PAGE_SHIFT) % TIER_BLOCK_PAGES;
}

static inline uint64_t tier_block_address(const struct tier_block *block, unsigned page)
{
	return (block->number << TIER_BLOCK_SHIFT) + ((uint64_t)page << TIER_PAGE_SHIFT);
}

static inline bool tier_bitmap_has(const uint64_t *bitmap, unsigned page)
{
	return bitmap[page / 64] >> (page % 64) & 1;
}

static inline void tier_bitmap_add(uint64_t *bitmap, unsigned page)
{
	bitmap[page / 64] |= UINT64_C(1) << (page % 64);
}

static inline enum tier_speed tier_block_speed(
	const struct tier_block *block, unsigned page)
{
	return tier_bitmap_has(block->fast, page) ? TIER_FAST : TIER_SLOW;
}

/* The class bin of a count: exact up to 3, then two bins an octave. */
unsigned tier_count_bin(uint8_t count);

/* Counts a sample on a resident page. */
void tier_block_count(struct tier_block *block, unsigned page);

/* Takes over what was found resident; pages that went away lose their counts. */
void tier_block_set_residency(
	struct tier_block *block, const struct tier_residency *residency);

/* Notes that a page, or the whole of a huge block, is now in another tier. */
void tier_block_set_speed(struct tier_block *block, unsigned page, enum tier_speed speed);

/* Notes that a page, or the whole of a huge block, is no longer resident or movable. */
void tier_block_drop(struct tier_block *block, unsigned page);

/* Marks a page, or the whole of a huge block, as resting after a move. */
void tier_block_rest(
	struct tier_block *block, unsigned page, uint64_t now_ns, uint64_t cool_down_ns);

static inline bool tier_block_is_resting(const struct tier_block *block, unsigned page,
	uint64_t now_ns, uint64_t cool_down_ns)
{
	return tier_bitmap_has(block->moved, page) &&
	       now_ns - block->moved_ns < cool_down_ns;
}

/*
 * Cools the block to @epoch: every count survives each epoch with probability one half.
 * Thinning keeps Poisson counts Poisson, where a shift would turn each 1 into 0. Which
 * counts survive follows from seed, page and epoch alone.
 */
void tier_block_cool(struct tier_block *block, uint32_t epoch, uint64_t seed);

#endif
