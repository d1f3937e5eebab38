/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The block table and its list of changes against plain arrays of what should be there.
 */
#include <errno.h>
#include <string.h>

#include "unit.h"

#include "core/blockmap.h"
#include "core/hash.h"

#define SPACES  3
#define NUMBERS 400

struct expectation {
	bool present[SPACES][NUMBERS];
	bool changed[SPACES][NUMBERS];
	size_t n;
};

static void add_or_remove(struct tier_blockmap *map, struct expectation *expected,
	uint64_t space, uint64_t number)
{
	struct tier_slot *slot = tier_blockmap_find(map, space, number);

	assert_int_equal(slot != NULL, expected->present[space][number]);
	if (slot) {
		struct tier_block *block = tier_blockmap_at(map, slot->index);

		assert_int_equal(block->space, space);
		assert_int_equal(block->number, number);
		assert_int_equal(slot->changed, expected->changed[space][number]);
		tier_blockmap_remove(map, block);
		expected->n--;
	} else {
		assert_int_equal(tier_blockmap_add(map, space, number, 7, &slot), 0);
		assert_int_equal(slot->epoch, 7);
		expected->n++;
	}
	expected->present[space][number] ^= 1;
	expected->changed[space][number] = expected->present[space][number];
	assert_int_equal(map->n_blocks, expected->n);
}

/* Takes all that changed: each once, and nothing else. */
static void take_changed(struct tier_blockmap *map, struct expectation *expected)
{
	struct tier_block *block;

	while ((block = tier_blockmap_take_changed(map))) {
		assert_true(expected->changed[block->space][block->number]);
		expected->changed[block->space][block->number] = false;
	}
	for (unsigned space = 0; space < SPACES; space++)
		for (unsigned number = 0; number < NUMBERS; number++)
			assert_false(expected->changed[space][number]);
}

static void finds_what_was_added_and_not_removed(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct tier_random random = { seed };
		struct expectation expected = { 0 };
		struct tier_blockmap map;

		tier_blockmap_init(&map);
		for (unsigned i = 0; i < 8000; i++) {
			add_or_remove(&map, &expected, tier_random_next(&random) % SPACES,
				tier_random_next(&random) % NUMBERS);
			if (tier_random_next(&random) % 500 == 0)
				take_changed(&map, &expected);
		}
		take_changed(&map, &expected);
		tier_blockmap_done(&map);
	}
}

static void what_is_put_back_comes_again(void **state)
{
	struct tier_blockmap map;
	struct tier_slot *slot;
	struct tier_block *block;
	unsigned n = 0;

	(void)state;
	tier_blockmap_init(&map);
	for (uint64_t number = 0; number < 1000; number++)
		assert_int_equal(tier_blockmap_add(&map, 1, number, 0, &slot), 0);
	for (unsigned i = 0; i < 600; i++)
		block = tier_blockmap_take_changed(&map);
	tier_blockmap_put_back(&map, block);
	/* All may change now: there must be room for them. */
	for (uint64_t number = 0; number < 1000; number++) {
		slot = tier_blockmap_find(&map, 1, number);
		tier_blockmap_touch(&map, slot, tier_blockmap_at(&map, slot->index));
	}
	while (tier_blockmap_take_changed(&map))
		n++;
	assert_int_equal(n, 1000);
	tier_blockmap_done(&map);
}

static void cooling_is_a_change(void **state)
{
	struct tier_blockmap map;
	struct tier_slot *slot;
	struct tier_block *block;

	(void)state;
	tier_blockmap_init(&map);
	assert_int_equal(tier_blockmap_add(&map, 1, 2, 0, &slot), 0);
	block = tier_blockmap_take_changed(&map);
	assert_null(tier_blockmap_take_changed(&map));
	tier_blockmap_cool(&map, slot, block, 0, 1);
	assert_null(tier_blockmap_take_changed(&map));
	tier_blockmap_cool(&map, slot, block, 1, 1);
	assert_int_equal(slot->epoch, 1);
	assert_int_equal(block->epoch, 1);
	assert_ptr_equal(tier_blockmap_take_changed(&map), block);
	tier_blockmap_done(&map);
}

static void is_empty_to_begin_with(void **state)
{
	struct tier_blockmap map;

	(void)state;
	tier_blockmap_init(&map);
	assert_null(tier_blockmap_find(&map, 1, 2));
	assert_null(tier_blockmap_take_changed(&map));
	assert_int_equal(tier_blockmap_bytes(&map), 0);
	tier_blockmap_done(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added_and_not_removed),
		cmocka_unit_test(what_is_put_back_comes_again),
		cmocka_unit_test(cooling_is_a_change),
		cmocka_unit_test(is_empty_to_begin_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
