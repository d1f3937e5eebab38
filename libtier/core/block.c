/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/block.h"

#include <assert.h>
#include <string.h>

#include "base/util.h"
#include "core/hash.h"

static const uint8_t bin_floor[TIER_HISTOGRAM_BINS] = { 0, 1, 2, 3, 4, 6, 8, 12, 16, 24,
	32, 48, 64, 96, 128, 192 };

_public_ unsigned tier_histogram_bin_floor(unsigned bin)
{
	return bin < TIER_HISTOGRAM_BINS ? bin_floor[bin] : UINT8_MAX;
}

unsigned tier_count_bin(uint8_t count)
{
	if (count < 4)
		return count;
	unsigned octave = 31 - __builtin_clz(count);
	return 2 * octave + (count >> (octave - 1) & 1);
}

static uint16_t *page_class(struct tier_block *block, unsigned page)
{
	return &block->classes[tier_block_speed(block, page)]
			      [tier_count_bin(block->count[page])];
}

void tier_block_count(struct tier_block *block, unsigned page)
{
	assert(tier_bitmap_has(block->resident, page));

	if (block->sum < UINT32_MAX)
		block->sum++;
	if (block->count[page] == UINT8_MAX)
		return;

	(*page_class(block, page))--;
	block->pairs += 2 * block->count[page];
	block->count[page]++;
	(*page_class(block, page))++;
}

static void forget_count(struct tier_block *block, unsigned page)
{
	uint32_t count = block->count[page];

	block->sum -= count < block->sum ? count : block->sum;
	block->pairs -= count * (count - (count > 0));
	block->count[page] = 0;
}

static void insert_page(struct tier_block *block, unsigned page, bool fast)
{
	tier_bitmap_add(block->resident, page);
	if (fast)
		tier_bitmap_add(block->fast, page);
	block->resident_pages++;
	block->fast_pages += fast;
	(*page_class(block, page))++;
}

static void drop_page(struct tier_block *block, unsigned page)
{
	uint64_t mask = ~(UINT64_C(1) << (page % 64));

	if (!tier_bitmap_has(block->resident, page))
		return;
	(*page_class(block, page))--;
	forget_count(block, page);
	block->resident_pages--;
	block->fast_pages -= tier_bitmap_has(block->fast, page);
	block->resident[page / 64] &= mask;
	block->fast[page / 64] &= mask;
	block->moved[page / 64] &= mask;
}

void tier_block_drop(struct tier_block *block, unsigned page)
{
	if (!block->huge) {
		drop_page(block, page);
		return;
	}
	for (page = 0; page < TIER_BLOCK_PAGES; page++)
		drop_page(block, page);
	block->huge = false;
}

static void set_page_speed(struct tier_block *block, unsigned page, enum tier_speed speed)
{
	if (!tier_bitmap_has(block->resident, page) ||
		tier_block_speed(block, page) == speed)
		return;
	(*page_class(block, page))--;
	block->fast[page / 64] ^= UINT64_C(1) << (page % 64);
	block->fast_pages += speed == TIER_FAST ? 1 : -1;
	(*page_class(block, page))++;
}

void tier_block_set_speed(struct tier_block *block, unsigned page, enum tier_speed speed)
{
	if (!block->huge) {
		set_page_speed(block, page, speed);
		return;
	}
	for (page = 0; page < TIER_BLOCK_PAGES; page++)
		set_page_speed(block, page, speed);
}

static void set_residency_word(
	struct tier_block *block, unsigned word, uint64_t resident, uint64_t fast)
{
	uint64_t changed = block->resident[word] ^ resident;
	uint64_t moved = (block->fast[word] ^ fast) & resident & ~changed;

	for (; changed; changed &= changed - 1) {
		unsigned bit = __builtin_ctzll(changed);
		unsigned page = word * 64 + bit;

		if (resident >> bit & 1)
			insert_page(block, page, fast >> bit & 1);
		else
			drop_page(block, page);
	}
	for (; moved; moved &= moved - 1) {
		unsigned bit = __builtin_ctzll(moved);

		set_page_speed(
			block, word * 64 + bit, fast >> bit & 1 ? TIER_FAST : TIER_SLOW);
	}
}

void tier_block_set_residency(
	struct tier_block *block, const struct tier_residency *residency)
{
	for (unsigned word = 0; word < TIER_BITMAP_WORDS; word++)
		set_residency_word(block, word, residency->resident[word],
			residency->fast[word] & residency->resident[word]);
	block->huge = residency->huge && block->resident_pages == TIER_BLOCK_PAGES;
}

void tier_block_rest(
	struct tier_block *block, unsigned page, uint64_t now_ns, uint64_t cool_down_ns)
{
	if (now_ns - block->moved_ns >= cool_down_ns)
		memset(block->moved, 0, sizeof(block->moved));
	block->moved_ns = now_ns;
	if (block->huge)
		memset(block->moved, 0xff, sizeof(block->moved));
	else
		tier_bitmap_add(block->moved, page);
}

/* How many of @count events survive a coin toss each. */
static unsigned thin(unsigned count, struct tier_random *random)
{
	unsigned survivors = 0;

	for (; count >= 64; count -= 64)
		survivors += __builtin_popcountll(tier_random_next(random));
	if (count > 0)
		survivors += __builtin_popcountll(
			tier_random_next(random) & ((UINT64_C(1) << count) - 1));
	return survivors;
}

static void cool_once(struct tier_block *block, uint64_t seed)
{
	struct tier_random random = { tier_hash(
		seed ^ tier_hash(block->space ^
				 tier_hash(block->number << 20 ^ block->epoch))) };
	uint32_t sum = 0, counted = 0, pairs = 0;

	memset(block->classes, 0, sizeof(block->classes));
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		uint32_t count = block->count[page];

		if (!tier_bitmap_has(block->resident, page))
			continue;
		counted += count;
		if (count > 0)
			count = thin(count, &random);
		block->count[page] = count;
		sum += count;
		pairs += count * (count - (count > 0));
		(*page_class(block, page))++;
	}
	block->sum = sum + (block->sum > counted ? (block->sum - counted) / 2 : 0);
	block->pairs = pairs;
	block->born /= 2;
}

void tier_block_cool(struct tier_block *block, uint32_t epoch, uint64_t seed)
{
	for (; block->epoch != epoch; block->epoch++)
		cool_once(block, seed);
}
