/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of where samples fall: in fixed memory, whatever comes. */
#include "unit.h"

#include "base/util.h"
#include "heatmap.h"

#define MIB    (UINT64_C(1) << 20)
#define SECOND TIERD_HEATMAP_SLOT_NS

static struct tierd_heatmap map;

static uint64_t total(void)
{
	uint64_t samples = 0;

	for (size_t i = 0; i < map.n_lines; i++)
		for (unsigned j = 0; j < TIERD_HEATMAP_SLOTS; j++)
			samples += map.lines[i].samples[j];
	return samples;
}

static void assert_sorted(void)
{
	for (size_t i = 1; i < map.n_lines; i++) {
		const struct tierd_heatmap_line *a = &map.lines[i - 1], *b = a + 1;

		assert_true(a->space < b->space ||
			    (a->space == b->space && a->region < b->region));
	}
}

static void test_lines(_unused_ void **state)
{
	tierd_heatmap_init(&map);
	tierd_heatmap_count(&map, 2, 4 * MIB);
	tierd_heatmap_count(&map, 1, 8 * MIB);
	tierd_heatmap_count(&map, 2, 4 * MIB - 1);
	tierd_heatmap_count(&map, 2, 6 * MIB - 1);
	assert_int_equal(map.n_lines, 3);
	assert_sorted();
	assert_int_equal(map.lines[0].space, 1);
	assert_int_equal(map.lines[1].region, 1);
	assert_int_equal(map.lines[2].samples[map.slot], 2);
}

/* Twice as many regions as lines: they double, and no sample is lost. */
static void test_coarsens(_unused_ void **state)
{
	tierd_heatmap_init(&map);
	for (uint64_t i = 0; i < 2 * TIERD_HEATMAP_LINES; i++)
		tierd_heatmap_count(&map, 1, i * 2 * MIB);
	assert_int_equal(map.shift, 22);
	assert_int_equal(map.n_lines, TIERD_HEATMAP_LINES);
	assert_int_equal(total(), 2 * TIERD_HEATMAP_LINES);
	assert_sorted();
	for (uint64_t i = 0; i < 1000000; i++)
		tierd_heatmap_count(&map, 1, (i * UINT64_C(0x9e3779b97f4a7c15)) >> 17);
	assert_true(map.n_lines <= TIERD_HEATMAP_LINES);
	assert_int_equal(map.n_elsewhere, 0);
	assert_sorted();
}

static void test_many_spaces(_unused_ void **state)
{
	tierd_heatmap_init(&map);
	for (uint64_t i = 0; i < TIERD_HEATMAP_LINES + 5; i++)
		tierd_heatmap_count(&map, i, MIB);
	assert_int_equal(map.n_elsewhere, 5);
	assert_int_equal(total(), TIERD_HEATMAP_LINES);
	/* A minute later they have made way. */
	tierd_heatmap_advance(&map, SECOND, 1);
	tierd_heatmap_advance(&map, (TIERD_HEATMAP_SLOTS + 1) * SECOND, 1);
	assert_int_equal(total(), 0);
	assert_int_equal(map.n_lines, 0);
	assert_int_equal(map.shift, 21); /* and regions are small again */
	tierd_heatmap_count(&map, 1000, MIB);
	assert_int_equal(map.n_lines, 1);
	assert_int_equal(map.n_elsewhere, 5);
}

static void test_time(_unused_ void **state)
{
	unsigned newest = TIERD_HEATMAP_SLOTS - 1;

	tierd_heatmap_init(&map);
	tierd_heatmap_advance(&map, 100 * SECOND, 0.5);
	tierd_heatmap_count(&map, 1, 0);
	tierd_heatmap_advance(&map, 100 * SECOND + SECOND / 2, 0.25);
	assert_true(map.exposure[tierd_heatmap_slot(&map, newest)] == 0.75);
	tierd_heatmap_advance(&map, 101 * SECOND, 0.25);
	tierd_heatmap_count(&map, 1, 0);
	tierd_heatmap_count(&map, 1, 0);
	assert_true(map.exposure[tierd_heatmap_slot(&map, newest)] == 0);
	assert_true(map.exposure[tierd_heatmap_slot(&map, newest - 1)] == 1);
	assert_int_equal(map.lines[0].samples[tierd_heatmap_slot(&map, newest)], 2);
	assert_int_equal(map.lines[0].samples[tierd_heatmap_slot(&map, newest - 1)], 1);
	tierd_heatmap_advance(&map, 100 * SECOND, 0); /* backwards: no */
	tierd_heatmap_advance(&map, (101 + newest) * SECOND, 0);
	assert_int_equal(map.lines[0].samples[tierd_heatmap_slot(&map, 0)], 2);
	assert_int_equal(total(), 2);
	tierd_heatmap_advance(&map, (102 + newest) * SECOND, 0);
	assert_int_equal(total(), 0);
}

static void test_saturates(_unused_ void **state)
{
	tierd_heatmap_init(&map);
	for (unsigned i = 0; i < UINT16_MAX + 10; i++)
		tierd_heatmap_count(&map, 1, 0);
	assert_int_equal(total(), UINT16_MAX);
	tierd_heatmap_count(&map, 1, 2 * MIB);
	for (uint64_t i = 2; i <= TIERD_HEATMAP_LINES; i++)
		tierd_heatmap_count(&map, 1, i * 2 * MIB);
	assert_int_equal(map.lines[0].samples[map.slot], UINT16_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_coarsens),
		cmocka_unit_test(test_many_spaces),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_saturates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
