/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/PID/pagemap: the input's eight-byte words are the entries of two blocks, over and
 * over. Frames below 0x20000 are memory, of node 0 and node 1.
 */
#include <string.h>

#include "fuzz.h"
#include "pagemap.h"

#define SYSFS    "/sys/devices/system/"
#define N_BLOCKS 2

static struct tierd_phys_map *map;
static struct tierd_pagemap_reader *reader;
static int file, flags;

static void set_up(void)
{
	static const uint8_t tier_of_node[TIERD_NODES_MAX] = { 0, 2 };
	static const char *const indices[] = { "00000000\n", "00000001\n", "00000002\n",
		"00000003\n" };
	char path[128];

	fuzz_tree_write(SYSFS "memory/block_size_bytes", "8000000\n");
	for (unsigned block = 0; block < ARRAY_SIZE(indices); block++) {
		snprintf(path, sizeof(path), SYSFS "memory/memory%u/phys_index", block);
		fuzz_tree_write(path, indices[block]);
		snprintf(path, sizeof(path), SYSFS "node/node%u/memory%u", block / 2,
			block);
		fuzz_tree_mkdir(path);
	}
	file = fuzz_tree_add("/proc/1/pagemap");
	flags = fuzz_tree_add("/proc/kpageflags");
	FUZZ_CHECK(tierd_phys_map_new(&fuzz_tree_get()->root, &map) == 0);
	FUZZ_CHECK(tierd_pagemap_reader_new(
			   &fuzz_tree_get()->root, map, tier_of_node, &reader) == 0);
}

static unsigned count(const uint64_t *bitmap)
{
	unsigned n = 0;

	for (unsigned i = 0; i < TIERD_BLOCK_WORDS; i++)
		n += (unsigned)__builtin_popcountll(bitmap[i]);
	return n;
}

static void check_block(const struct tierd_block_residency *block)
{
	FUZZ_CHECK(block->n_present + block->n_swapped <= TIERD_BLOCK_PAGES);
	FUZZ_CHECK(count(block->present_movable) ==
		   (unsigned)(block->n_present - block->n_shared));
	FUZZ_CHECK(count(block->present_shared) == block->n_shared);
	for (unsigned i = 0; i < TIERD_BLOCK_WORDS; i++) {
		uint64_t present = block->present_movable[i] | block->present_shared[i];

		FUZZ_CHECK(!((block->tier[0][i] | block->tier[1][i]) & ~present));
	}
	FUZZ_CHECK(!block->is_huge || block->n_present == TIERD_BLOCK_PAGES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t entries[N_BLOCKS * TIERD_BLOCK_PAGES];
	struct tierd_block_residency blocks[N_BLOCKS];
	uint8_t *bytes = (uint8_t *)entries;
	size_t given = TIER_MIN(size, sizeof(entries));
	int fd;

	if (!reader)
		set_up();
	/* An odd size is kept, to cut an entry. */
	for (size_t i = 0; i < sizeof(entries) && size >= 8; i++)
		bytes[i] = data[i % (size & -UINT64_C(8))];
	fuzz_tree_set(file, (struct fuzz_part){ size % 8 ? data : bytes,
				    size % 8 ? given : sizeof(entries) });
	FUZZ_CHECK(tierd_pagemap_open(&fuzz_tree_get()->root, 1, &fd) == 0);
	if (tierd_pagemap_read_blocks(reader, fd, 0, N_BLOCKS, blocks) == 0)
		for (unsigned i = 0; i < N_BLOCKS; i++)
			check_block(&blocks[i]);
	close(fd);
	return 0;
}
