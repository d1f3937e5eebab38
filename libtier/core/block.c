/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/block.h"

#include <assert.h>
#include <string.h>

#include "base/util.h"
#include "core/hash.h"

/* More epochs than this leave nothing of a count. */
#define COOLINGS_MAX 16

static const uint8_t bin_floor[TIER_HISTOGRAM_BINS] = { 0, 1, 2, 3, 4, 6, 8, 12, 16, 24,
	32, 48, 64, 96, 128, 192 };

_public_ unsigned tier_histogram_bin_floor(unsigned bin)
{
	return bin < TIER_HISTOGRAM_BINS ? bin_floor[bin] : UINT8_MAX;
}

const uint8_t tier_count_bins[UINT8_MAX + 1] = {
	[1] = 1,
	[2] = 2,
	[3] = 3,
	[4 ... 5] = 4,
	[6 ... 7] = 5,
	[8 ... 11] = 6,
	[12 ... 15] = 7,
	[16 ... 23] = 8,
	[24 ... 31] = 9,
	[32 ... 47] = 10,
	[48 ... 63] = 11,
	[64 ... 95] = 12,
	[96 ... 127] = 13,
	[128 ... 191] = 14,
	[192 ... 255] = 15,
};

/* ---- Stock --------------------------------------------------------------------- */

static uint64_t word_of_tier(const struct tier_block_word *word, unsigned tier)
{
	unsigned place = tier + 1;

	return (place & 1 ? word->place[0] : ~word->place[0]) &
	       (place & 2 ? word->place[1] : ~word->place[1]);
}

static uint64_t resident_word(const struct tier_block *block, unsigned word)
{
	return block->words[word].place[0] | block->words[word].place[1];
}

/* The tier of all the word's pages, or TIER_TIERS_MAX if they are in several. */
static unsigned only_tier(const struct tier_block_word *word, uint64_t resident)
{
	unsigned tier = 0;

	while (tier < TIER_TIERS_MAX && word_of_tier(word, tier) != resident)
		tier++;
	return tier;
}

/* Pages by tier and count bin while they are being counted. */
struct tally {
	uint16_t pages[TIER_TIERS_MAX][TIER_HISTOGRAM_BINS];
};

/*
 * Draws the sums over eight counts, of which most are zero. A block that is sampled at
 * all has its stock taken at every tick: this is what a tick mostly does.
 */
static void take_stock_of_counts(
	struct tier_block *block, struct tally *tally, unsigned first, unsigned tier)
{
	for (unsigned page = first; page < first + 8; page++) {
		uint32_t count = block->count[page];
		uint16_t *pages;

		if (count == 0)
			continue;
		pages = tally->pages[tier < TIER_TIERS_MAX
					     ? tier
					     : tier_block_tier(block, page)];
		block->sum += count;
		block->pairs += count * (count - 1);
		pages[0]--;
		pages[tier_count_bin(count)]++;
	}
}

static void take_stock_of_word(
	struct tier_block *block, struct tally *tally, unsigned word)
{
	uint64_t resident = resident_word(block, word);
	unsigned tier = only_tier(&block->words[word], resident);

	for (unsigned page = word * 64; page < word * 64 + 64; page += 8) {
		uint64_t eight;

		memcpy(&eight, &block->count[page], sizeof(eight));
		if (eight)
			take_stock_of_counts(block, tally, page, tier);
	}
}

static void count_tiers(const struct tier_block_word *word, uint64_t resident,
	uint16_t tier_pages[static TIER_TIERS_MAX])
{
	unsigned tier = only_tier(word, resident);

	if (tier < TIER_TIERS_MAX) {
		tier_pages[tier] += resident == UINT64_MAX ? 64 : tier_popcount(resident);
		return;
	}
	for (tier = 0; tier < TIER_TIERS_MAX; tier++)
		tier_pages[tier] += tier_popcount(word_of_tier(word, tier));
}

/* Pages of a huge page are not told apart: all have the average count, rounded up. */
static unsigned level_count(const struct tier_block *block)
{
	return (block->sum + TIER_BLOCK_PAGES - 1) / TIER_BLOCK_PAGES;
}

unsigned tier_block_count_bin(const struct tier_block *block, unsigned page)
{
	return tier_count_bin(block->huge ? level_count(block) : block->count[page]);
}

static void level(struct tally *tally, const struct tier_block *block)
{
	unsigned count = level_count(block);

	*tally = (struct tally){ 0 };
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		tally->pages[tier][tier_count_bin(count)] = block->tier_pages[tier];
}

static void set_classes(struct tier_block *block, const struct tally *tally)
{
	const uint16_t *pages = tally->pages[0];
	uint8_t *classes = block->classes[0];
	unsigned n_large = 0;

	memset(block->large, 0, sizeof(block->large));
	for (unsigned i = 0; i < TIER_TIERS_MAX * TIER_HISTOGRAM_BINS; i++) {
		classes[i] = pages[i];
		for (unsigned rest = pages[i]; rest > UINT8_MAX; rest -= 256)
			block->large[n_large++] = i + 1;
	}
}

void tier_block_take_stock(struct tier_block *block)
{
	struct tally tally = { 0 };

	block->sum = block->pairs = 0;
	block->resident_pages = 0;
	memset(block->tier_pages, 0, sizeof(block->tier_pages));
	for (unsigned word = 0; word < TIER_BITMAP_WORDS; word++)
		count_tiers(&block->words[word], resident_word(block, word),
			block->tier_pages);
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++) {
		tally.pages[tier][0] = block->tier_pages[tier];
		block->resident_pages += block->tier_pages[tier];
	}
	for (unsigned word = 0; word < TIER_BITMAP_WORDS; word++)
		take_stock_of_word(block, &tally, word);
	if (block->huge)
		level(&tally, block);
	set_classes(block, &tally);
}

uint64_t tier_block_class_word(
	const struct tier_block *block, unsigned word, unsigned tier, unsigned count_bin)
{
	uint64_t pages = word_of_tier(&block->words[word], tier), found = 0;
	const uint8_t *counts = &block->count[word * 64];

	for (unsigned i = 0; pages && i < 64; i += 8) {
		uint64_t eight;

		memcpy(&eight, counts + i, sizeof(eight));
		if (eight == 0) {
			found |= count_bin == 0 ? UINT64_C(0xff) << i : 0;
			continue;
		}
		for (unsigned k = i; k < i + 8; k++)
			found |= (uint64_t)(tier_count_bin(counts[k]) == count_bin) << k;
	}
	return found & pages;
}

/* ---- Pages --------------------------------------------------------------------- */

static void account(const struct tier_block_word *word,
	uint64_t tier_pages[static TIER_TIERS_MAX], int sign)
{
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++) {
		uint64_t pages = word_of_tier(word, tier);

		if (pages)
			tier_pages[tier] += (int64_t)sign * tier_popcount(pages);
	}
}

static void forget_counts(uint8_t *counts, uint64_t gone)
{
	for (; gone; gone &= gone - 1)
		counts[__builtin_ctzll(gone)] = 0;
}

static bool set_word(struct tier_block *block, unsigned i,
	const struct tier_residency *residency,
	uint64_t tier_pages[static TIER_TIERS_MAX])
{
	struct tier_block_word *word = &block->words[i];
	uint64_t resident = residency->resident[i];
	uint64_t low = resident & ~residency->tier[0][i];
	uint64_t high = resident & (residency->tier[0][i] | residency->tier[1][i]);

	if (word->place[0] == low && word->place[1] == high)
		return false;
	account(word, tier_pages, -1);
	forget_counts(&block->count[i * 64], resident_word(block, i) & ~resident);
	word->place[0] = low;
	word->place[1] = high;
	block->moved[i] &= resident;
	account(word, tier_pages, 1);
	return true;
}

bool tier_block_set_residency(struct tier_block *block,
	const struct tier_residency *residency,
	uint64_t tier_pages[static TIER_TIERS_MAX])
{
	bool huge = residency->huge, changed = false;

	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++) {
		changed |= set_word(block, i, residency, tier_pages);
		huge &= residency->resident[i] == UINT64_MAX;
	}
	changed |= block->huge != huge || block->has_policy != residency->has_policy;
	block->huge = huge;
	block->has_policy = residency->has_policy;
	block->anonymous = residency->anonymous;
	block->refuses_collapse = false;
	return changed;
}

/* The pages that move with @page: itself, or the whole of a huge block. */
static uint64_t folio_word(const struct tier_block *block, unsigned page, unsigned word)
{
	if (block->huge)
		return UINT64_MAX;
	return word == page / 64 ? UINT64_C(1) << (page % 64) : 0;
}

/* Puts @pages of the word in a place; 0 is nowhere. */
static void set_place(struct tier_block_word *word, uint64_t pages, unsigned place,
	uint64_t tier_pages[static TIER_TIERS_MAX])
{
	struct tier_block_word moved = { { word->place[0] & pages,
		word->place[1] & pages } };

	account(&moved, tier_pages, -1);
	for (unsigned k = 0; k < 2; k++) {
		moved.place[k] = place >> k & 1 ? pages : 0;
		word->place[k] = (word->place[k] & ~pages) | moved.place[k];
	}
	account(&moved, tier_pages, 1);
}

void tier_block_set_tier(struct tier_block *block, unsigned page, unsigned tier,
	uint64_t tier_pages[static TIER_TIERS_MAX])
{
	unsigned first = block->huge ? 0 : page / 64;
	unsigned end = block->huge ? TIER_BITMAP_WORDS : first + 1;

	for (unsigned i = first; i < end; i++) {
		uint64_t pages = folio_word(block, page, i) & resident_word(block, i);

		if (pages)
			set_place(&block->words[i], pages, tier + 1, tier_pages);
	}
}

void tier_block_drop(struct tier_block *block, unsigned page,
	uint64_t tier_pages[static TIER_TIERS_MAX])
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++) {
		uint64_t pages = folio_word(block, page, i) & resident_word(block, i);

		if (pages == 0)
			continue;
		set_place(&block->words[i], pages, 0, tier_pages);
		forget_counts(&block->count[i * 64], pages);
		block->moved[i] &= ~pages;
	}
	block->huge = false;
}

void tier_block_drop_all(
	struct tier_block *block, uint64_t tier_pages[static TIER_TIERS_MAX])
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++)
		account(&block->words[i], tier_pages, -1);
}

void tier_block_rest(
	struct tier_block *block, unsigned page, uint64_t now_ns, uint64_t cool_down_ns)
{
	if (now_ns - block->moved_ns >= cool_down_ns)
		memset(block->moved, 0, sizeof(block->moved));
	block->moved_ns = now_ns;
	if (!block->huge) {
		block->moved[page / 64] |= folio_word(block, page, page / 64);
		return;
	}
	memset(block->moved, 0xff, sizeof(block->moved));
}

/* ---- Cooling ------------------------------------------------------------------- */

/* How many of @count events survive a coin toss each. */
static unsigned thin(unsigned count, struct tier_random *random)
{
	unsigned survivors = 0;

	for (; count >= 64; count -= 64)
		survivors += tier_popcount(tier_random_next(random));
	if (count > 0)
		survivors += tier_popcount(
			tier_random_next(random) & ((UINT64_C(1) << count) - 1));
	return survivors;
}

/* Of eight counts most are zero, often all. */
static void cool_counts(uint8_t *counts, struct tier_random *random)
{
	for (unsigned i = 0; i < 8; i++)
		if (counts[i] > 0)
			counts[i] = thin(counts[i], random);
}

static void cool_once(struct tier_block *block, uint64_t seed)
{
	struct tier_random random = { tier_hash(
		seed ^ tier_hash(block->space ^
				 tier_hash(block->number << 20 ^ block->epoch))) };

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page += 8) {
		uint64_t eight;

		memcpy(&eight, &block->count[page], sizeof(eight));
		if (eight)
			cool_counts(&block->count[page], &random);
	}
	block->born /= 2;
}

void tier_block_cool(struct tier_block *block, uint32_t epoch, uint64_t seed)
{
	if (epoch - block->epoch > COOLINGS_MAX) {
		memset(block->count, 0, sizeof(block->count));
		block->born = 0;
		block->epoch = epoch;
	}
	for (; block->epoch != epoch; block->epoch++)
		cool_once(block, seed);
}
