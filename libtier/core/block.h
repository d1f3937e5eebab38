/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A block is 2 MiB of one address space and the unit of bookkeeping: a dense array of
 * sample counts and bitmaps of what is resident, and where. Its pages and counts change
 * at any time; the sums that are drawn from them, its stock, are those of the last
 * stock-taking, and the census has counted the block by them.
 *
 * What a sample touches lies in two cache lines: a page's bits and its count. A block
 * knows nothing of its group.
 */
#ifndef TIER_CORE_BLOCK_H
#define TIER_CORE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "libtier.h"

/*
 * Where 64 pages are, in two bits each: 0 for a page that is not resident, or else its
 * tier and one. Bit k of a page's two is in place[k].
 */
struct tier_block_word {
	uint64_t place[2];
};

struct tier_block {
	uint64_t space;
	uint64_t number; /* address >> TIER_BLOCK_SHIFT */
	double born;     /* the group's exposure when the block appeared, in its epoch */
	uint64_t moved_ns; /* when a page that is marked as moved last did */
	struct tier_cohort
		*cohort; /* of the census; NULL before the first stock-taking */
	uint32_t next;   /* in its cohort */
	uint32_t previous;
	uint32_t index; /* in the group's map */
	uint32_t epoch; /* up to which cooling has been applied */
	bool in_use;
	bool listed; /* as changed since the last stock-taking */
	bool huge;
	bool has_policy;
	bool anonymous;
	bool refuses_collapse; /* as was seen since residency was last looked at */
	uint8_t large[2];      /* classes that have 256 pages more, named from 1; of 512
				  pages that is two at most, or one twice */

	/* Its stock. */
	uint32_t sum;   /* of counts */
	uint32_t pairs; /* sum over pages of c * (c - 1) */
	uint16_t resident_pages;
	uint16_t tier_pages[TIER_TIERS_MAX];
	uint8_t classes[TIER_TIERS_MAX][TIER_HISTOGRAM_BINS]; /* pages by count bin, less
								 what large adds */

	uint64_t moved[TIER_BITMAP_WORDS]; /* pages that rest, if they do */

	struct tier_block_word words[TIER_BITMAP_WORDS] __attribute__((aligned(64)));
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

static inline unsigned tier_block_place(const struct tier_block *block, unsigned page)
{
	const struct tier_block_word *word = &block->words[page / 64];

	return (word->place[0] >> page % 64 & 1) | (word->place[1] >> page % 64 & 1) << 1;
}

static inline bool tier_block_has(const struct tier_block *block, unsigned page)
{
	return tier_block_place(block, page) > 0;
}

/* Of a page that is resident. */
static inline unsigned tier_block_tier(const struct tier_block *block, unsigned page)
{
	return tier_block_place(block, page) - 1;
}

/* The class bin of a count: exact up to 3, then two bins an octave. */
extern const uint8_t tier_count_bins[UINT8_MAX + 1];

static inline unsigned tier_count_bin(uint8_t count)
{
	return tier_count_bins[count];
}

/* How many pages were in a tier and count bin at the last stock-taking. */
static inline unsigned tier_block_class_pages(
	const struct tier_block *block, unsigned tier, unsigned bin)
{
	unsigned name = tier * TIER_HISTOGRAM_BINS + bin + 1;

	return block->classes[tier][bin] + (block->large[0] == name) * 256U +
	       (block->large[1] == name) * 256U;
}

/* The bin of a page's count; pages of a huge page are not told apart. */
unsigned tier_block_count_bin(const struct tier_block *block, unsigned page);

/* Counts a sample on a resident page; a full counter stays full. */
static inline void tier_block_count(struct tier_block *block, unsigned page)
{
	block->count[page] += block->count[page] != UINT8_MAX;
}

/* Draws stock: all of the above that is said to be of the last stock-taking. */
void tier_block_take_stock(struct tier_block *block);

/* The pages of one of its words that are in @tier and whose count is in @count_bin. */
uint64_t tier_block_class_word(
	const struct tier_block *block, unsigned word, unsigned tier, unsigned count_bin);

/*
 * What follows changes pages; @tier_pages, the group's pages by tier, follows suit.
 */

/* Takes over what was found resident; pages that went away lose their counts. Returns
 * whether anything changed. */
bool tier_block_set_residency(struct tier_block *block,
	const struct tier_residency *residency,
	uint64_t tier_pages[static TIER_TIERS_MAX]);

/* Notes that a page, or the whole of a huge block, is now in another tier. */
void tier_block_set_tier(struct tier_block *block, unsigned page, unsigned tier,
	uint64_t tier_pages[static TIER_TIERS_MAX]);

/* Notes that a page, or the whole of a huge block, is no longer resident or movable. */
void tier_block_drop(struct tier_block *block, unsigned page,
	uint64_t tier_pages[static TIER_TIERS_MAX]);

/* Notes that the block is going away. */
void tier_block_drop_all(
	struct tier_block *block, uint64_t tier_pages[static TIER_TIERS_MAX]);

/* Marks a page, or the whole of a huge block, as resting after a move. */
void tier_block_rest(
	struct tier_block *block, unsigned page, uint64_t now_ns, uint64_t cool_down_ns);

/* Whether the pages that are marked so still rest. */
static inline bool tier_block_has_rest(
	const struct tier_block *block, uint64_t now_ns, uint64_t cool_down_ns)
{
	return now_ns < block->moved_ns || now_ns - block->moved_ns < cool_down_ns;
}

static inline bool tier_block_is_resting(const struct tier_block *block, unsigned page,
	uint64_t now_ns, uint64_t cool_down_ns)
{
	return (block->moved[page / 64] >> page % 64 & 1) &&
	       tier_block_has_rest(block, now_ns, cool_down_ns);
}

/*
 * Cools the block to @epoch: every count survives each epoch with probability one half.
 * Thinning keeps Poisson counts Poisson, where a shift would turn each 1 into 0. Which
 * counts survive follows from seed, block and epoch alone.
 */
void tier_block_cool(struct tier_block *block, uint32_t epoch, uint64_t seed);

#endif
