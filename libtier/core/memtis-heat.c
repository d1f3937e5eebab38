/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/memtis-heat.h"

#include <string.h>

#include "base/util.h"

#define COOL_SAMPLES      2000000U
#define ADAPT_SAMPLES     100000U
#define COOL_GROWTH_PAGES ((UINT64_C(10) << 30) / TIER_PAGE_SIZE)

/* Fewer hot pages than the quota less this part make pages warm one bin further down. */
#define FEW_DIVISOR 4

#define ACTIVE_FLOOR 1U

/* Blocks that an adaptation sweeps. */
#define SWEEP_BLOCKS 8

/* What a sample adds to a base page, and to a huge one. */
#define BASE_SAMPLE 512U
#define HUGE_SAMPLE 1U

unsigned tier_memtis_bin(uint32_t count)
{
	unsigned bin = 63 - __builtin_clzll((uint64_t)count + 1);

	return TIER_MIN(bin, TIER_HISTOGRAM_BINS - 1U);
}

/* The lowest count in a bin. */
static uint32_t bin_floor(unsigned bin)
{
	return (UINT32_C(1) << bin) - 1;
}

/* ---- One page ------------------------------------------------------------------ */

static bool has_bit(const struct tier_mask *mask, unsigned page)
{
	return mask->words[page / 64] >> (page % 64) & 1;
}

static void set_bit(struct tier_mask *mask, unsigned page)
{
	mask->words[page / 64] |= UINT64_C(1) << (page % 64);
}

static void clear_bit(struct tier_mask *mask, unsigned page)
{
	mask->words[page / 64] &= ~(UINT64_C(1) << (page % 64));
}

static uint64_t pages_of(const struct tier_memtis_book *book)
{
	return book->huge ? TIER_BLOCK_PAGES : 1;
}

static void leave(
	struct tier_memtis *memtis, struct tier_memtis_book *book, unsigned page)
{
	if (!has_bit(&book->entered, page))
		return;
	memtis->hotness_pages[tier_memtis_bin(book->count[page])] -= pages_of(book);
	clear_bit(&book->entered, page);
}

static void enter(
	struct tier_memtis *memtis, struct tier_memtis_book *book, unsigned page)
{
	memtis->hotness_pages[tier_memtis_bin(book->count[page])] += pages_of(book);
	set_bit(&book->entered, page);
	set_bit(&book->seen, page);
}

/* ---- One block ----------------------------------------------------------------- */

/* The histogram was emptied with each cooling: nobody is in it any more. */
static void catch_up(const struct tier_memtis *memtis, struct tier_memtis_book *book)
{
	uint32_t halvings = TIER_MIN(memtis->clock - book->clock, 31U);

	if (halvings == 0)
		return;
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		book->count[page] >>= halvings;
	book->entered = (struct tier_mask){ 0 };
	book->clock = memtis->clock;
}

static void become_huge(struct tier_memtis *memtis, struct tier_memtis_book *book)
{
	bool is_entered = false;
	uint64_t sum = 0;

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		is_entered |= has_bit(&book->entered, page);
		sum += book->count[page];
		leave(memtis, book, page);
	}
	book->huge = true;
	memset(book->count, 0, sizeof(book->count));
	book->count[0] = sum / TIER_BLOCK_PAGES;
	book->seen = (struct tier_mask){ .words[0] = 1 };
	if (is_entered)
		enter(memtis, book, 0);
}

static void become_pages(struct tier_memtis *memtis, struct tier_memtis_book *book)
{
	bool is_entered = has_bit(&book->entered, 0);

	leave(memtis, book, 0);
	book->huge = false;
	memset(&book->seen, UINT8_MAX, sizeof(book->seen));
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		book->count[page] = book->count[0];
		if (is_entered)
			enter(memtis, book, page);
	}
}

static struct tier_memtis_book *open_book(
	struct tier_memtis *memtis, const struct tier_block *block)
{
	struct tier_memtis_book *book = tier_books_at(&memtis->books, block->index);

	catch_up(memtis, book);
	if (book->huge == block->huge)
		return book;
	if (block->huge)
		become_huge(memtis, book);
	else
		become_pages(memtis, book);
	book->stamp = 0;
	return book;
}

static void forget_gone(struct tier_memtis *memtis, struct tier_memtis_book *book,
	const struct tier_block *block)
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++) {
		uint64_t gone = book->seen.words[i] &
				~(block->words[i].place[0] | block->words[i].place[1]);

		for (; gone; gone &= gone - 1) {
			unsigned page = i * 64 + __builtin_ctzll(gone);

			leave(memtis, book, page);
			book->count[page] = 0;
			clear_bit(&book->seen, page);
			book->stamp = 0;
		}
	}
}

/* Pages with a count of @least and more. */
static struct tier_mask pages_from(const struct tier_memtis_book *book, uint32_t least)
{
	struct tier_mask mask;

	if (book->huge) {
		memset(&mask, book->count[0] >= least ? UINT8_MAX : 0, sizeof(mask));
		return mask;
	}
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++) {
		const uint32_t *count = &book->count[i * 64];
		uint64_t word = 0;

		for (unsigned k = 0; k < 64; k++)
			word |= (uint64_t)(count[k] >= least) << k;
		mask.words[i] = word;
	}
	return mask;
}

struct tier_memtis_book *tier_memtis_update(
	struct tier_memtis *memtis, const struct tier_block *block)
{
	struct tier_memtis_book *book = open_book(memtis, block);

	forget_gone(memtis, book, block);
	if (book->stamp != memtis->stamp) {
		book->active = pages_from(book, bin_floor(memtis->active_threshold));
		book->warm = pages_from(book, bin_floor(memtis->warm_threshold));
		book->stamp = memtis->stamp;
	}
	return book;
}

void tier_memtis_remove(struct tier_memtis *memtis, const struct tier_block *block)
{
	struct tier_memtis_book *book = tier_books_at(&memtis->books, block->index);

	catch_up(memtis, book);
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		leave(memtis, book, page);
}

/* ---- All of them --------------------------------------------------------------- */

void tier_memtis_init(struct tier_memtis *memtis)
{
	*memtis = (struct tier_memtis){
		.books.book_bytes = sizeof(struct tier_memtis_book),
		.quota_pages = TIER_UNLIMITED_PAGES,
		.active_threshold = ACTIVE_FLOOR,
		.stamp = 1,
	};
}

void tier_memtis_adapt(struct tier_memtis *memtis)
{
	uint64_t few = memtis->quota_pages - memtis->quota_pages / FEW_DIVISOR;
	unsigned active = TIER_HISTOGRAM_BINS;
	uint64_t hot = 0;

	while (active > 0 &&
		hot + memtis->hotness_pages[active - 1] <= memtis->quota_pages)
		hot += memtis->hotness_pages[--active];
	/* There is no bin above the last to be active in. */
	active = TIER_MIN(TIER_MAX(active, ACTIVE_FLOOR), TIER_HISTOGRAM_BINS - 1U);
	memtis->active_threshold = active;
	memtis->warm_threshold = hot < few ? active - 1 : active;
	memtis->adaptations++;
	memtis->stamp++;
}

void tier_memtis_cool(struct tier_group *group)
{
	struct tier_memtis *memtis = group->engine_state;

	memset(memtis->hotness_pages, 0, sizeof(memtis->hotness_pages));
	memtis->clock++;
	memtis->stamp++;
	memtis->cooled_pages = tier_group_resident_pages(group);
	group->stats.coolings++;
}

/* Brings pages back into the histogram that have been seen but not since the cooling. */
static void sweep_block(struct tier_memtis *memtis, const struct tier_block *block)
{
	struct tier_memtis_book *book = tier_memtis_update(memtis, block);
	struct tier_mask out = tier_mask_and_not(book->seen, book->entered);

	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		for (uint64_t rest = out.words[i]; rest; rest &= rest - 1)
			enter(memtis, book, i * 64 + __builtin_ctzll(rest));
}

static void sweep(struct tier_group *group)
{
	struct tier_memtis *memtis = group->engine_state;
	uint32_t end = tier_blockmap_end(&group->map);
	unsigned swept = 0;

	for (uint32_t n = 0; n < end && swept < SWEEP_BLOCKS; n++) {
		const struct tier_block *block;

		if (memtis->sweep_cursor >= end)
			memtis->sweep_cursor = 0;
		block = tier_blockmap_at(&group->map, memtis->sweep_cursor++);
		if (block->in_use) {
			sweep_block(memtis, block);
			swept++;
		}
	}
}

static void grow(struct tier_memtis_book *book, unsigned page)
{
	uint32_t by = book->huge ? HUGE_SAMPLE : BASE_SAMPLE;

	book->count[page] += TIER_MIN(by, UINT32_MAX - book->count[page]);
}

/* Marks that are up to date stay so. */
static void mark(
	const struct tier_memtis *memtis, struct tier_memtis_book *book, unsigned page)
{
	unsigned bin = tier_memtis_bin(book->count[page]);

	if (book->huge) {
		book->stamp = 0;
		return;
	}
	if (bin >= memtis->active_threshold)
		set_bit(&book->active, page);
	if (bin >= memtis->warm_threshold)
		set_bit(&book->warm, page);
}

void tier_memtis_sample(struct tier_group *group, struct tier_block *block, unsigned page)
{
	struct tier_memtis *memtis = group->engine_state;
	struct tier_memtis_book *book = open_book(memtis, block);

	page = book->huge ? 0 : page;
	leave(memtis, book, page);
	grow(book, page);
	enter(memtis, book, page);
	mark(memtis, book, page);
	memtis->samples++;
	if (memtis->samples % COOL_SAMPLES == 0)
		tier_memtis_cool(group);
	if (memtis->samples % ADAPT_SAMPLES == 0) {
		sweep(group);
		tier_memtis_adapt(memtis);
	}
}

void tier_memtis_watch_growth(struct tier_group *group)
{
	struct tier_memtis *memtis = group->engine_state;
	uint64_t pages = tier_group_resident_pages(group);

	memtis->cooled_pages = TIER_MIN(memtis->cooled_pages, pages);
	if (pages - memtis->cooled_pages >= COOL_GROWTH_PAGES)
		tier_memtis_cool(group);
}
