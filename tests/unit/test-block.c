/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block's sums and classes against a naive count over its pages. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "core/block.h"
#include "core/hash.h"

/* A block and the group's books that follow it. */
struct books {
	struct tier_block block;
	uint64_t tier_pages[TIER_TIERS_MAX];
};

static void assert_books_are_true(struct books *books)
{
	struct tier_block *block = &books->block;
	uint16_t classes[TIER_TIERS_MAX][TIER_HISTOGRAM_BINS] = { 0 };
	uint64_t tiers[TIER_TIERS_MAX] = { 0 };
	uint32_t resident = 0, sum = 0, pairs = 0;

	tier_block_take_stock(block);
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		uint32_t count = block->count[page];

		if (!tier_block_has(block, page)) {
			assert_int_equal(count, 0);
			continue;
		}
		resident++;
		tiers[tier_block_tier(block, page)]++;
		sum += count;
		pairs += count * count - count;
		classes[tier_block_tier(block, page)][tier_count_bin(count)]++;
	}
	assert_int_equal(block->resident_pages, resident);
	assert_int_equal(block->sum, sum);
	assert_int_equal(block->pairs, pairs);
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++) {
		assert_int_equal(block->tier_pages[tier], tiers[tier]);
		assert_int_equal(books->tier_pages[tier], tiers[tier]);
	}
	for (unsigned tier = 0; tier < TIER_TIERS_MAX && !block->huge; tier++)
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
			assert_int_equal(tier_block_class_pages(block, tier, bin),
				classes[tier][bin]);
}

static void random_residency(struct tier_random *random, struct tier_residency *ret)
{
	*ret = (struct tier_residency){ .huge = tier_random_next(random) % 2 };
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		if (ret->huge || tier_random_next(random) % 4 > 0)
			tier_residency_add(ret, page,
				ret->huge ? 1
					  : tier_random_next(random) % TIER_TIERS_MAX);
}

static void whole_residency(struct tier_residency *ret, unsigned tier)
{
	*ret = (struct tier_residency){ 0 };
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		tier_residency_add(ret, page, tier);
}

static void do_something(struct books *books, struct tier_random *random)
{
	struct tier_block *block = &books->block;
	unsigned page = tier_random_next(random) % TIER_BLOCK_PAGES;
	struct tier_residency residency;

	switch (tier_random_next(random) % 32) {
	case 0:
		random_residency(random, &residency);
		tier_block_set_residency(block, &residency, books->tier_pages);
		break;
	case 1:
		tier_block_drop(block, page, books->tier_pages);
		break;
	case 2:
		tier_block_cool(block, block->epoch + 1, 7);
		break;
	case 3:
		tier_block_set_tier(
			block, page, tier_random_next(random) % 3, books->tier_pages);
		break;
	default:
		if (tier_block_has(block, page))
			tier_block_count(block, page);
	}
}

static void books_are_true_whatever_happens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct tier_random random = { seed };
		struct books books = { .block.number = seed };

		for (unsigned i = 0; i < 2000; i++) {
			do_something(&books, &random);
			if (i % 50 == 0)
				assert_books_are_true(&books);
		}
		assert_books_are_true(&books);
		tier_block_drop_all(&books.block, books.tier_pages);
		for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
			assert_int_equal(books.tier_pages[tier], 0);
	}
}

static void only_what_changes_is_a_change(void **state)
{
	struct books books = { .block.number = 1 };
	struct tier_residency residency;

	(void)state;
	whole_residency(&residency, 1);
	assert_true(tier_block_set_residency(&books.block, &residency, books.tier_pages));
	assert_false(
		tier_block_set_residency(&books.block, &residency, books.tier_pages));
	residency.huge = true;
	assert_true(tier_block_set_residency(&books.block, &residency, books.tier_pages));
	residency.tier[0][7] ^= 1;
	assert_true(tier_block_set_residency(&books.block, &residency, books.tier_pages));
}

static void full_counters_stop(void **state)
{
	struct tier_block block = { .number = 1, .words[0].place[0] = 1 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		tier_block_count(&block, 0);
	assert_int_equal(block.count[0], UINT8_MAX);
	tier_block_cool(&block, 1, 3);
	assert_in_range(block.count[0], 100, 155);
}

static void bins_follow_their_floors(void **state)
{
	(void)state;
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
		assert_int_equal(tier_count_bin(tier_histogram_bin_floor(bin)), bin);
	for (unsigned count = 1; count <= UINT8_MAX; count++)
		assert_true(tier_count_bin(count) >= tier_count_bin(count - 1));
	assert_int_equal(tier_count_bin(UINT8_MAX), TIER_HISTOGRAM_BINS - 1);
}

/* Binomial: over many pages the survivors' mean and variance are those of coin tosses. */
static void cooling_thins_and_does_not_shift(void **state)
{
	static const unsigned counts[] = { 1, 2, 5, 63, 64, 200, 255 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		double n = 0, sum = 0, squares = 0, mean, variance;

		for (uint64_t number = 0; number < 40; number++) {
			struct tier_block block = { .number = number };

			memset(block.count, counts[i], sizeof(block.count));
			tier_block_cool(&block, 1, 11);
			for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
				double count = block.count[page];

				n++;
				sum += count;
				squares += count * count;
			}
		}
		mean = sum / n;
		variance = squares / n - mean * mean;
		assert_true(mean > counts[i] * 0.48 && mean < counts[i] * 0.52);
		assert_true(variance > counts[i] * 0.22 && variance < counts[i] * 0.28);
	}
}

static void cooling_is_reproducible(void **state)
{
	struct tier_block a = { .number = 5, .words[0].place[0] = UINT64_MAX }, b;

	(void)state;
	for (unsigned i = 0; i < 640; i++)
		tier_block_count(&a, i % 64);
	b = a;
	tier_block_cool(&a, 3, 9);
	for (unsigned epoch = 1; epoch <= 3; epoch++)
		tier_block_cool(&b, epoch, 9);
	assert_memory_equal(a.count, b.count, sizeof(a.count));
}

static void long_cold_blocks_forget(void **state)
{
	struct tier_block block = { .number = 5, .born = 8 };

	(void)state;
	memset(block.count, UINT8_MAX, sizeof(block.count));
	tier_block_cool(&block, 1000000, 9);
	assert_int_equal(block.epoch, 1000000);
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		assert_int_equal(block.count[page], 0);
	assert_true(block.born == 0);
}

static void a_huge_block_changes_tier_whole(void **state)
{
	struct books books = { .block.number = 1 };
	struct tier_residency residency;

	(void)state;
	whole_residency(&residency, 2);
	residency.huge = true;
	tier_block_set_residency(&books.block, &residency, books.tier_pages);
	assert_true(books.block.huge);
	tier_block_set_tier(&books.block, 0, 0, books.tier_pages);
	assert_books_are_true(&books);
	assert_int_equal(books.block.tier_pages[0], TIER_BLOCK_PAGES);

	residency.resident[3] &= ~UINT64_C(1);
	tier_block_set_residency(&books.block, &residency, books.tier_pages);
	assert_false(books.block.huge);
}

/* Its pages are one thing: they are counted in one class, by their average. */
static void a_huge_block_is_of_one_class(void **state)
{
	struct books books = { .block.number = 1 };
	struct tier_residency residency;

	(void)state;
	whole_residency(&residency, 1);
	residency.huge = true;
	tier_block_set_residency(&books.block, &residency, books.tier_pages);
	for (unsigned i = 0; i < 100; i++)
		tier_block_count(&books.block, i);
	assert_books_are_true(&books);
	assert_int_equal(tier_block_class_pages(&books.block, 1, 1), TIER_BLOCK_PAGES);
}

static void two_classes_may_be_half(void **state)
{
	struct books books = { 0 };
	struct tier_residency residency = { 0 };

	(void)state;
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		tier_residency_add(&residency, page, page % 2);
	tier_block_set_residency(&books.block, &residency, books.tier_pages);
	assert_books_are_true(&books);
	for (unsigned page = 1; page < TIER_BLOCK_PAGES; page += 2)
		tier_block_count(&books.block, page);
	assert_books_are_true(&books);
	assert_int_equal(
		tier_block_class_pages(&books.block, 0, 0), TIER_BLOCK_PAGES / 2);
	assert_int_equal(
		tier_block_class_pages(&books.block, 1, 1), TIER_BLOCK_PAGES / 2);
	assert_int_equal(tier_block_class_pages(&books.block, 1, 0), 0);
}

static void a_huge_block_goes_whole(void **state)
{
	struct books books = { .block.number = 1 };
	struct tier_residency residency;

	(void)state;
	whole_residency(&residency, 1);
	residency.huge = true;
	tier_block_set_residency(&books.block, &residency, books.tier_pages);
	tier_block_count(&books.block, 17);
	tier_block_drop(&books.block, 3, books.tier_pages);
	assert_false(books.block.huge);
	assert_books_are_true(&books);
	assert_int_equal(books.block.resident_pages, 0);
}

static void rest_ends(void **state)
{
	struct tier_block block = { .number = 1, .words[0].place[0] = UINT64_MAX };

	(void)state;
	tier_block_rest(&block, 7, 1000, 100);
	assert_true(tier_block_is_resting(&block, 7, 1099, 100));
	assert_false(tier_block_is_resting(&block, 8, 1099, 100));
	assert_false(tier_block_is_resting(&block, 7, 1100, 100));
	tier_block_rest(&block, 8, 1100, 100);
	assert_false(tier_block_is_resting(&block, 7, 1101, 100));
	assert_true(tier_block_is_resting(&block, 8, 1101, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(books_are_true_whatever_happens),
		cmocka_unit_test(only_what_changes_is_a_change),
		cmocka_unit_test(full_counters_stop),
		cmocka_unit_test(bins_follow_their_floors),
		cmocka_unit_test(cooling_thins_and_does_not_shift),
		cmocka_unit_test(cooling_is_reproducible),
		cmocka_unit_test(long_cold_blocks_forget),
		cmocka_unit_test(a_huge_block_changes_tier_whole),
		cmocka_unit_test(a_huge_block_is_of_one_class),
		cmocka_unit_test(two_classes_may_be_half),
		cmocka_unit_test(a_huge_block_goes_whole),
		cmocka_unit_test(rest_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
