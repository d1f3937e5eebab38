/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block's sums and classes against a naive count over its pages. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "core/block.h"
#include "core/hash.h"

static void assert_block_is_consistent(const struct tier_block *block)
{
	uint16_t classes[TIER_SPEED_MAX][TIER_HISTOGRAM_BINS] = { 0 };
	uint32_t resident = 0, fast = 0, sum = 0, pairs = 0;

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		uint32_t count = block->count[page];

		if (!tier_bitmap_has(block->resident, page)) {
			assert_int_equal(count, 0);
			assert_false(tier_bitmap_has(block->fast, page));
			continue;
		}
		resident++;
		fast += tier_bitmap_has(block->fast, page);
		sum += count;
		pairs += count * count - count;
		classes[tier_block_speed(block, page)][tier_count_bin(count)]++;
	}
	assert_int_equal(block->resident_pages, resident);
	assert_int_equal(block->fast_pages, fast);
	assert_true(block->sum >= sum);
	assert_int_equal(block->pairs, pairs);
	assert_memory_equal(block->classes, classes, sizeof(classes));
}

static void random_residency(struct tier_random *random, struct tier_residency *ret)
{
	for (unsigned i = 0; i < TIER_BITMAP_WORDS; i++) {
		ret->resident[i] = tier_random_next(random) | tier_random_next(random);
		ret->fast[i] = tier_random_next(random);
	}
	ret->huge = tier_random_next(random) % 2;
}

static void do_something(struct tier_block *block, struct tier_random *random)
{
	unsigned page = tier_random_next(random) % TIER_BLOCK_PAGES;
	struct tier_residency residency;

	switch (tier_random_next(random) % 32) {
	case 0:
		random_residency(random, &residency);
		tier_block_set_residency(block, &residency);
		break;
	case 1:
		tier_block_drop(block, page);
		break;
	case 2:
		tier_block_cool(block, block->epoch + 1, 7);
		break;
	case 3:
		tier_block_set_speed(block, page, tier_random_next(random) % 2);
		break;
	default:
		if (tier_bitmap_has(block->resident, page))
			tier_block_count(block, page);
	}
}

static void books_are_true_whatever_happens(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct tier_random random = { seed };
		struct tier_block block = { .number = seed };

		for (unsigned i = 0; i < 2000; i++) {
			do_something(&block, &random);
			if (i % 50 == 0)
				assert_block_is_consistent(&block);
		}
		assert_block_is_consistent(&block);
	}
}

static void full_counters_stop_and_the_sum_goes_on(void **state)
{
	struct tier_block block = { .number = 1 };

	(void)state;
	tier_block_set_residency(&block, &(struct tier_residency){ .resident = { 1 } });
	for (unsigned i = 0; i < 1000; i++)
		tier_block_count(&block, 0);
	assert_int_equal(block.count[0], UINT8_MAX);
	assert_int_equal(block.sum, 1000);
	tier_block_cool(&block, 1, 3);
	assert_in_range(block.sum, 400, 600);
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
			struct tier_residency residency = { 0 };

			memset(residency.resident, 0xff, sizeof(residency.resident));
			tier_block_set_residency(&block, &residency);
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
	struct tier_block a = { .number = 5 }, b;

	(void)state;
	tier_block_set_residency(&a, &(struct tier_residency){ .resident = { ~0ull } });
	for (unsigned i = 0; i < 640; i++)
		tier_block_count(&a, i % 64);
	b = a;
	tier_block_cool(&a, 3, 9);
	for (unsigned epoch = 1; epoch <= 3; epoch++)
		tier_block_cool(&b, epoch, 9);
	assert_memory_equal(a.count, b.count, sizeof(a.count));
}

static void a_huge_block_changes_tier_whole(void **state)
{
	struct tier_block block = { .number = 1 };
	struct tier_residency residency = { .huge = true };

	(void)state;
	memset(residency.resident, 0xff, sizeof(residency.resident));
	tier_block_set_residency(&block, &residency);
	assert_true(block.huge);
	tier_block_set_speed(&block, 0, TIER_FAST);
	assert_int_equal(block.fast_pages, TIER_BLOCK_PAGES);
	assert_block_is_consistent(&block);

	residency.resident[3] &= ~UINT64_C(1);
	tier_block_set_residency(&block, &residency);
	assert_false(block.huge);
}

static void a_huge_block_goes_whole(void **state)
{
	struct tier_block block = { .number = 1 };
	struct tier_residency residency = { .huge = true };

	(void)state;
	memset(residency.resident, 0xff, sizeof(residency.resident));
	tier_block_set_residency(&block, &residency);
	tier_block_count(&block, 17);
	tier_block_drop(&block, 3);
	assert_false(block.huge);
	assert_int_equal(block.resident_pages, 0);
	assert_block_is_consistent(&block);
}

static void rest_ends(void **state)
{
	struct tier_block block = { .number = 1 };

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
		cmocka_unit_test(full_counters_stop_and_the_sum_goes_on),
		cmocka_unit_test(bins_follow_their_floors),
		cmocka_unit_test(cooling_thins_and_does_not_shift),
		cmocka_unit_test(cooling_is_reproducible),
		cmocka_unit_test(a_huge_block_changes_tier_whole),
		cmocka_unit_test(a_huge_block_goes_whole),
		cmocka_unit_test(rest_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
