/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block table against a plain array of what should be in it. */
#include <string.h>

#include "unit.h"

#include "core/blockmap.h"
#include "core/hash.h"

#define SPACES  3
#define NUMBERS 200

static void finds_what_was_added_and_not_removed(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct tier_random random = { seed };
		struct tier_blockmap map = { 0 };
		bool present[SPACES][NUMBERS] = { 0 };
		size_t n = 0;

		for (unsigned i = 0; i < 5000; i++) {
			uint64_t space = tier_random_next(&random) % SPACES;
			uint64_t number = tier_random_next(&random) % NUMBERS;
			struct tier_block *block =
				tier_blockmap_find(&map, space, number);

			assert_int_equal(block != NULL, present[space][number]);
			if (block) {
				assert_int_equal(block->space, space);
				assert_int_equal(block->number, number);
				tier_blockmap_remove(&map, block);
				n--;
			} else {
				assert_int_equal(
					tier_blockmap_add(&map, space, number, &block),
					0);
				n++;
			}
			present[space][number] ^= 1;
			assert_int_equal(map.n_blocks, n);
		}
		for (size_t i = 0; i < map.n_blocks; i++)
			assert_int_equal(map.blocks[i]->index, i);
		tier_blockmap_done(&map);
	}
}

static void is_empty_to_begin_with(void **state)
{
	struct tier_blockmap map = { 0 };

	(void)state;
	assert_null(tier_blockmap_find(&map, 1, 2));
	assert_int_equal(tier_blockmap_bytes(&map), 0);
	tier_blockmap_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added_and_not_removed),
		cmocka_unit_test(is_empty_to_begin_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
