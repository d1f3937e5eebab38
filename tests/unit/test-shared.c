/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that two processes map, at different addresses: it is counted once, in the one
 * that came first; samples of the other count there; and who is left has it in the end.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-root.h"
#include "space.h"

#define PRESENT   (UINT64_C(1) << 63)
#define FILE_PAGE (UINT64_C(1) << 61)

#define HERE  UINT64_C(0x10000000)
#define THERE UINT64_C(0x30000000)

/* A block of the segment, of which both have touched all. */
#define SIZE TIER_BLOCK_SIZE

struct world {
	struct fake_root fake;
	struct tierd_phys_map *map;
	struct tierd_pagemap_reader *reader;
	struct tierd_objects *objects;
	struct tier_group *heat;
	struct tierd_space *first, *second;
};

static void write_maps(struct world *world, pid_t pid, uint64_t start, const char *more)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	snprintf(text, sizeof(text),
		"%llx-%llx rw-s 00000000 00:01 7 /dev/zero (deleted)\n%s",
		(unsigned long long)start, (unsigned long long)(start + SIZE), more);
	fake_root_write(&world->fake, path, text);
}

static void write_touched(struct world *world, pid_t pid, unsigned pages)
{
	char path[64], text[64];

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	snprintf(text, sizeof(text), "9999 %u %u 1 0 2 0\n", pages + 7, pages);
	fake_root_write(&world->fake, path, text);
}

static struct tierd_space *make_process(struct world *world, pid_t pid, uint64_t start)
{
	uint64_t entries[TIER_BLOCK_PAGES];
	struct tierd_space *space;
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	snprintf(text, sizeof(text), "Name:\tx\nTgid:\t%d\n", (int)pid);
	fake_root_write(&world->fake, path, text);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	snprintf(text, sizeof(text),
		"%d (x) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 99\n", (int)pid);
	fake_root_write(&world->fake, path, text);
	write_maps(world, pid, start, "");
	write_touched(world, pid, 512);
	for (unsigned i = 0; i < TIER_BLOCK_PAGES; i++)
		entries[i] = PRESENT | FILE_PAGE | (0x1000 + i);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fake_root_write(&world->fake, path, "");
	fake_root_write_at(
		&world->fake, path, (off_t)(start / 4096 * 8), entries, sizeof(entries));
	assert_return_code(
		tierd_space_new(&world->fake.root, pid, world->objects, &space), 0);
	return space;
}

static void make_memory(struct world *world)
{
	static const uint8_t tier_of_node[TIERD_NODES_MAX] = { 0, 1 };
	struct fake_root *fake = &world->fake;

	fake_root_write(fake, "/sys/devices/system/memory/block_size_bytes", "8000000\n");
	fake_root_write(
		fake, "/sys/devices/system/memory/memory0/phys_index", "00000000\n");
	fake_root_mkdir(fake, "/sys/devices/system/node/node0/memory0");
	assert_return_code(tierd_phys_map_new(&fake->root, &world->map), 0);
	assert_return_code(tierd_pagemap_reader_new(
				   &fake->root, world->map, tier_of_node, &world->reader),
		0);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct tier_group_config config;

	assert_non_null(world);
	fake_root_init(&world->fake);
	make_memory(world);
	tier_group_config_default(&config);
	assert_return_code(tier_group_new(&config, &world->heat), 0);
	assert_return_code(tierd_objects_new(&world->objects), 0);
	world->first = make_process(world, getpid(), HERE);
	world->second = make_process(world, getppid(), THERE);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	tierd_space_free(world->first, world->heat);
	tierd_space_free(world->second, world->heat);
	tierd_objects_free(world->objects);
	tier_group_free(world->heat);
	tierd_pagemap_reader_free(world->reader);
	tierd_phys_map_free(world->map);
	fake_root_done(&world->fake);
	free(world);
	return 0;
}

static void sweep(struct world *world, struct tierd_space *space)
{
	assert_int_equal(tierd_space_sweep(space, &world->fake.root, world->reader,
				 world->heat, 1000),
		1);
}

static uint64_t count_pages(struct world *world)
{
	struct tier_group_stats stats;

	tier_group_get_stats(world->heat, &stats);
	return stats.tier_pages[0];
}

static void assert_resolves(struct tierd_space *space, uint64_t address,
	const struct tierd_space *to, uint64_t there)
{
	uint64_t found = 0;

	assert_ptr_equal(tierd_space_resolve(space, address, &found), to);
	if (to)
		assert_int_equal(found, there);
}

static void test_counted_once(void **state)
{
	struct world *world = *state;

	sweep(world, world->first);
	assert_int_equal(count_pages(world), TIER_BLOCK_PAGES);
	sweep(world, world->second);
	assert_int_equal(count_pages(world), TIER_BLOCK_PAGES);
	sweep(world, world->first);
	assert_int_equal(count_pages(world), TIER_BLOCK_PAGES);
}

static void test_samples_count_where_it_is(void **state)
{
	struct world *world = *state;

	sweep(world, world->first);
	sweep(world, world->second);
	assert_resolves(world->first, HERE + 5, world->first, HERE + 5);
	assert_resolves(world->second, THERE + 5, world->first, HERE + 5);
	assert_resolves(world->second, THERE + SIZE - 1, world->first, HERE + SIZE - 1);
	/* What is its own. */
	assert_resolves(world->second, THERE - 1, world->second, THERE - 1);
	assert_resolves(world->second, THERE + SIZE, world->second, THERE + SIZE);
}

static void test_who_is_left_has_it(void **state)
{
	struct world *world = *state;

	sweep(world, world->first);
	sweep(world, world->second);
	world->first = tierd_space_free(world->first, world->heat);
	assert_int_equal(count_pages(world), 0);
	assert_resolves(world->second, THERE + 5, NULL, 0);
	sweep(world, world->second);
	assert_int_equal(count_pages(world), TIER_BLOCK_PAGES);
	assert_resolves(world->second, THERE + 5, world->second, THERE + 5);
}

/* Only what a process has touched can be moved through it. */
static void test_a_better_claim(void **state)
{
	struct world *world = *state;

	sweep(world, world->first);
	write_touched(world, getppid(), 1600);
	sweep(world, world->second);
	assert_true(tierd_space_has_objects(world->first));
	write_touched(world, getppid(), 1700);
	sweep(world, world->second);
	sweep(world, world->first);
	assert_true(tierd_space_has_objects(world->second));
	assert_false(tierd_space_has_objects(world->first));
	assert_int_equal(count_pages(world), TIER_BLOCK_PAGES);
	assert_resolves(world->first, HERE + 5, world->second, THERE + 5);
}

static void test_begins_again(void **state)
{
	struct world *world = *state;

	sweep(world, world->first);
	assert_true(tierd_space_has_objects(world->first));
	for (unsigned i = 0; i < 3; i++) {
		tierd_space_begin_again(world->first);
		assert_int_equal(world->first->passes, 0);
		sweep(world, world->first);
		assert_true(tierd_space_has_objects(world->first));
		assert_int_equal(count_pages(world), TIER_BLOCK_PAGES);
	}
	sweep(world, world->second);
	assert_false(tierd_space_has_objects(world->second));
}

static void test_unmapped(void **state)
{
	struct world *world = *state;
	char path[64];

	sweep(world, world->first);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)getpid());
	fake_root_write(&world->fake, path, "1000-2000 rw-p 00000000 00:00 0 \n");
	sweep(world, world->first);
	assert_int_equal(count_pages(world), 0);
	sweep(world, world->second);
	assert_int_equal(count_pages(world), TIER_BLOCK_PAGES);
}

/* A second mapping of the same by the same process. */
static void test_mapped_twice(void **state)
{
	struct world *world = *state;
	uint64_t entries[TIER_BLOCK_PAGES];
	char path[64];

	write_maps(world, getpid(), HERE,
		"20000000-20100000 rw-s 00100000 00:01 7 /dev/zero (deleted)\n");
	for (unsigned i = 0; i < TIER_BLOCK_PAGES; i++)
		entries[i] = PRESENT | FILE_PAGE | (0x1000 + i);
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)getpid());
	fake_root_write_at(
		&world->fake, path, 0x20000000 / 4096 * 8, entries, sizeof(entries));
	sweep(world, world->first);
	assert_int_equal(count_pages(world), TIER_BLOCK_PAGES);
	assert_resolves(world->first, 0x20000005, world->first, HERE + 0x100005);
}

static void test_left_alone(void **state)
{
	struct world *world = *state;

	world->first->objects = world->second->objects = NULL;
	sweep(world, world->first);
	sweep(world, world->second);
	assert_int_equal(count_pages(world), 0);
	assert_resolves(world->second, THERE + 5, world->second, THERE + 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_counted_once),
		TEST(test_samples_count_where_it_is),
		TEST(test_who_is_left_has_it),
		TEST(test_a_better_claim),
		TEST(test_begins_again),
		TEST(test_unmapped),
		TEST(test_mapped_twice),
		TEST(test_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
