/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How engine memtis tells hot from cold, after Lee et al., "MEMTIS: Efficient Memory
 * Tiering with Dynamic Page Classification and Page Size Determination" (SOSP 2023).
 *
 * A page's hotness n grows with its samples: by 512 for one on a base page, by 1 for one
 * on a huge page, which is spread over 512. Pages are counted in 16 bins by
 * floor(log2(n + 1)), so that a single sample puts a base page into bin 9. Two thresholds
 * follow from the bins: bins are summed from the hottest down until there are more pages
 * than may be in DRAM; those before that point are active. If they are few, pages one bin
 * below count as warm, else only the active ones do.
 *
 * Cooling halves every n. It is driven by the number of samples, or by growth, and never
 * by time; and it empties the bins, to which a page comes back when it is sampled or
 * swept. With sparse samples the bins then never hold as many pages as DRAM does,
 * thresholds fall to their floors, active 1 and warm 0, and every page there is is warm.
 * That is how the original fails, and it is kept.
 *
 * A block's counts are halved when it is next looked at, not all at the cooling; what a
 * page's n is at any time does not depend on that. How much the original sweeps is not
 * in the paper; a log of it shows some three thousand of 3.7 million pages in bin 8,
 * where only a swept page can be, minutes after a cooling. Here each adaptation sweeps a
 * few blocks. The original also splits huge pages of which few base pages are hot; that
 * is left out, as is its second histogram, which serves for that alone.
 */
#ifndef TIER_CORE_MEMTIS_HEAT_H
#define TIER_CORE_MEMTIS_HEAT_H

#include "core/books.h"
#include "core/draft.h"

struct tier_memtis_book {
	uint32_t clock; /* up to which counts have been halved */
	uint32_t stamp; /* of the thresholds by which pages are marked */
	bool huge;      /* then count[0] is the whole block's, bit 0 stands for it */
	struct tier_mask seen;    /* pages whose count may be above zero */
	struct tier_mask entered; /* pages in the histogram, as of the block's clock */
	struct tier_mask
		active; /* marks, by the thresholds; nothing is said of pages … */
	struct tier_mask warm;            /* … that are not resident */
	uint32_t count[TIER_BLOCK_PAGES]; /* n, as of the block's clock */
};

struct tier_memtis {
	struct tier_books books;
	uint64_t hotness_pages[TIER_HISTOGRAM_BINS];
	uint64_t samples;
	uint64_t adaptations;
	uint64_t quota_pages;  /* as the last plan had it */
	uint64_t cooled_pages; /* resident at the last cooling, or fewest since */
	uint32_t clock;        /* coolings */
	uint32_t stamp;        /* moves on whenever marks become void */
	uint32_t sweep_cursor; /* blocks, as these */
	uint32_t promotion_cursor;
	uint32_t demotion_cursor;
	unsigned active_threshold; /* bins */
	unsigned warm_threshold;
	bool is_cut_short; /* the last plan's promotions, by its budget or the slow tier
			    */
};

unsigned tier_memtis_bin(uint32_t count);

void tier_memtis_init(struct tier_memtis *memtis);

/* Sets the thresholds by the histogram. */
void tier_memtis_adapt(struct tier_memtis *memtis);

/* Halves all counts and empties the histogram. */
void tier_memtis_cool(struct tier_group *group);

/* Cools if the group has grown by much. */
void tier_memtis_watch_growth(struct tier_group *group);

/* Counts a sample; cools and adapts when it is time. */
void tier_memtis_sample(
	struct tier_group *group, struct tier_block *block, unsigned page);

/* Brings a block's book up to date: clock, residency and marks. */
struct tier_memtis_book *tier_memtis_update(
	struct tier_memtis *memtis, const struct tier_block *block);

/* Takes a block that is about to be removed out of the histogram. */
void tier_memtis_remove(struct tier_memtis *memtis, const struct tier_block *block);

#endif
