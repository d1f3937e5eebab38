/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page maps made of chosen entries, and, where the kernel shows frame numbers, this very
 * process's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-root.h"
#include "pagemap.h"

#ifndef MADV_COLLAPSE /* Linux 6.1, glibc 2.37 */
#define MADV_COLLAPSE 25
#endif

#define PRESENT   (UINT64_C(1) << 63)
#define SWAPPED   (UINT64_C(1) << 62)
#define FILE_PAGE (UINT64_C(1) << 61)
#define EXCLUSIVE (UINT64_C(1) << 56)
#define MINE      (PRESENT | EXCLUSIVE)
#define KPF_THP   (UINT64_C(1) << 22)

/* Node 0 has frames 0 … 0xffff, node 1 0x10000 … 0x1ffff: tiers 0 and 2. */
#define FAST_PFN UINT64_C(0x1000)
#define SLOW_PFN UINT64_C(0x11000)

#define BLOCK UINT64_C(0x7f0000000000)

static const uint8_t tier_of_node[TIERD_NODES_MAX] = { 0, 2 };

struct world {
	struct fake_root fake;
	struct tierd_phys_map *map;
	struct tierd_pagemap_reader *reader;
	int fd;
};

static void world_init(struct world *world)
{
	struct fake_root *fake = &world->fake;

	fake_root_init(fake);
	fake_root_write(fake, "/sys/devices/system/memory/block_size_bytes", "8000000\n");
	for (unsigned block = 0; block < 4; block++) {
		char path[128], index[16];

		snprintf(index, sizeof(index), "%08x\n", block);
		snprintf(path, sizeof(path),
			"/sys/devices/system/memory/memory%u/phys_index", block);
		fake_root_write(fake, path, index);
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/memory%u",
			block / 2, block);
		fake_root_mkdir(fake, path);
	}
	fake_root_write(fake, "/proc/kpageflags", "");
	fake_root_write(fake, "/proc/7/pagemap", "");
	assert_int_equal(tierd_phys_map_new(&fake->root, &world->map), 0);
	assert_int_equal(tierd_pagemap_reader_new(
				 &fake->root, world->map, tier_of_node, &world->reader),
		0);
	assert_int_equal(tierd_pagemap_open(&fake->root, 7, &world->fd), 0);
}

static void world_done(struct world *world)
{
	close(world->fd);
	tierd_pagemap_reader_free(world->reader);
	tierd_phys_map_free(world->map);
	fake_root_done(&world->fake);
}

static void write_entries(
	struct world *world, uint64_t address, const uint64_t *entries, size_t n)
{
	fake_root_write_at(&world->fake, "/proc/7/pagemap", (off_t)(address / 4096 * 8),
		entries, n * sizeof(*entries));
}

static void fill_block(uint64_t *entries, uint64_t flags, uint64_t first_pfn)
{
	for (uint64_t i = 0; i < TIERD_BLOCK_PAGES; i++)
		entries[i] = flags | (first_pfn + i);
}

static void set_kpageflags(struct world *world, uint64_t pfn, uint64_t flags)
{
	fake_root_write_at(&world->fake, "/proc/kpageflags", (off_t)(pfn * 8), &flags,
		sizeof(flags));
}

static unsigned count_bits(const uint64_t *words)
{
	unsigned n = 0;

	for (unsigned i = 0; i < TIERD_BLOCK_WORDS; i++)
		n += (unsigned)__builtin_popcountll(words[i]);
	return n;
}

static bool has_bit(const uint64_t *words, unsigned page)
{
	return words[page / 64] >> page % 64 & 1;
}

/* Every kind of page, in known places. */
static void test_mixed_block(_unused_ void **state)
{
	uint64_t entries[TIERD_BLOCK_PAGES] = {};
	struct tierd_block_residency block;
	struct world world;

	entries[0] = MINE | FAST_PFN;
	entries[1] = MINE | SLOW_PFN;
	entries[63] = MINE | FILE_PAGE | (FAST_PFN + 99);
	entries[64] = MINE | 0x1ffff;
	entries[65] = MINE | 0xffff;       /* the last of the fast node's … */
	entries[66] = MINE | 0x10000;      /* … and the next is not */
	entries[100] = PRESENT | FAST_PFN; /* shared */
	entries[200] = SWAPPED | 0x123456;
	entries[201] = SWAPPED | EXCLUSIVE | 0x123456;
	entries[300] = MINE | 0x20000; /* on no node */
	entries[511] = MINE | 0xffff;
	world_init(&world);
	write_entries(&world, BLOCK, entries, TIERD_BLOCK_PAGES);
	assert_int_equal(
		tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK, 1, &block), 0);
	assert_int_equal(block.n_present, 9);
	assert_int_equal(block.n_shared, 1);
	assert_int_equal(block.n_swapped, 2);
	assert_false(block.is_huge);
	assert_false(block.is_anonymous);
	assert_int_equal(count_bits(block.present_movable), 8);
	assert_int_equal(count_bits(block.tier[0]), 1);
	assert_int_equal(
		count_bits(block.tier[1]), count_bits(block.present_movable) - 5);
	assert_true(has_bit(block.present_movable, 0) && !has_bit(block.tier[1], 0));
	assert_true(has_bit(block.present_movable, 1) && has_bit(block.tier[1], 1));
	assert_true(has_bit(block.present_movable, 63) && !has_bit(block.tier[1], 63));
	assert_true(has_bit(block.present_movable, 64) && has_bit(block.tier[1], 64));
	assert_true(!has_bit(block.tier[1], 65) && has_bit(block.tier[1], 66));
	assert_true(has_bit(block.present_movable, 300) && has_bit(block.tier[0], 300));
	assert_true(has_bit(block.present_movable, 511) && !has_bit(block.tier[1], 511));
	assert_false(has_bit(block.present_movable, 100));
	world_done(&world);
}

static void test_huge(_unused_ void **state)
{
	static const struct {
		const char *name;
		uint64_t flags, first_pfn, kpageflags;
		bool is_huge;
	} cases[] = {
		{ "a huge page", MINE, FAST_PFN, KPF_THP, true },
		{ "on the slow node", MINE, SLOW_PFN, KPF_THP | 0x1000, true },
		{ "a shared huge page", PRESENT, FAST_PFN, KPF_THP, true },
		{ "contiguous by accident", MINE, FAST_PFN, ~KPF_THP, false },
		{ "not aligned", MINE, FAST_PFN + 1, KPF_THP, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t entries[TIERD_BLOCK_PAGES];
		struct tierd_block_residency block;
		struct world world;

		world_init(&world);
		fill_block(entries, cases[i].flags, cases[i].first_pfn);
		write_entries(&world, BLOCK, entries, TIERD_BLOCK_PAGES);
		set_kpageflags(&world, cases[i].first_pfn, cases[i].kpageflags);
		assert_int_equal(tierd_pagemap_read_blocks(
					 world.reader, world.fd, BLOCK, 1, &block),
			0);
		if (block.is_huge != cases[i].is_huge)
			fail_msg("%s: %d", cases[i].name, block.is_huge);
		world_done(&world);
	}
}

/* One page missing, elsewhere, or swapped with its neighbour. */
static void test_nearly_huge(_unused_ void **state)
{
	static const struct {
		unsigned page;
		uint64_t entry;
	} cases[] = {
		{ 511, 0 },
		{ 0, 0 },
		{ 17, SWAPPED },
		{ 300, MINE | (FAST_PFN + 301) },
		{ 511, MINE | SLOW_PFN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t entries[TIERD_BLOCK_PAGES];
		struct tierd_block_residency block;
		struct world world;

		world_init(&world);
		fill_block(entries, MINE, FAST_PFN);
		entries[cases[i].page] = cases[i].entry;
		write_entries(&world, BLOCK, entries, TIERD_BLOCK_PAGES);
		set_kpageflags(&world, FAST_PFN, KPF_THP);
		assert_int_equal(tierd_pagemap_read_blocks(
					 world.reader, world.fd, BLOCK, 1, &block),
			0);
		assert_false(block.is_huge);
		world_done(&world);
	}
}

/* One page of a file, even if it is this process's alone, and it is not anonymous. */
static void test_anonymous(_unused_ void **state)
{
	for (unsigned page = 0; page <= TIERD_BLOCK_PAGES; page += 64) {
		uint64_t entries[TIERD_BLOCK_PAGES];
		struct tierd_block_residency block;
		struct world world;

		world_init(&world);
		fill_block(entries, MINE, FAST_PFN);
		if (page < TIERD_BLOCK_PAGES)
			entries[page] |= FILE_PAGE;
		write_entries(&world, BLOCK, entries, TIERD_BLOCK_PAGES);
		assert_int_equal(tierd_pagemap_read_blocks(
					 world.reader, world.fd, BLOCK, 1, &block),
			0);
		assert_int_equal(block.is_anonymous, page == TIERD_BLOCK_PAGES);
		world_done(&world);
	}
}

static void test_without_kpageflags(_unused_ void **state)
{
	uint64_t entries[TIERD_BLOCK_PAGES];
	struct tierd_block_residency block;
	struct world world;

	world_init(&world);
	tierd_pagemap_reader_free(world.reader);
	fake_root_remove(&world.fake, "/proc/kpageflags");
	assert_int_equal(tierd_pagemap_reader_new(&world.fake.root, world.map,
				 tier_of_node, &world.reader),
		0);
	fill_block(entries, MINE, FAST_PFN);
	write_entries(&world, BLOCK, entries, TIERD_BLOCK_PAGES);
	assert_int_equal(
		tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK, 1, &block), 0);
	assert_int_equal(block.n_present, 512);
	assert_false(block.is_huge);
	world_done(&world);
}

static void test_batch(_unused_ void **state)
{
	enum { N = TIERD_PAGEMAP_BATCH_MAX };
	static uint64_t entries[N][TIERD_BLOCK_PAGES];
	static struct tierd_block_residency blocks[N];
	struct world world;

	world_init(&world);
	for (unsigned i = 0; i < N; i++)
		for (unsigned page = 0; page < i; page++)
			entries[i][page] = MINE | ((i % 2 ? FAST_PFN : SLOW_PFN) + page);
	write_entries(&world, BLOCK, entries[0], (size_t)N * TIERD_BLOCK_PAGES);
	assert_int_equal(
		tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK, N, blocks), 0);
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(blocks[i].n_present, i);
		assert_int_equal(count_bits(blocks[i].present_movable), i);
		assert_int_equal(count_bits(blocks[i].tier[1]), i % 2 ? 0 : i);
	}
	world_done(&world);
}

/* Past the file's end there is nothing; right from the start it is a process that ended.
 */
static void test_pages(_unused_ void **state)
{
	static const struct {
		uint64_t entry;
		enum tierd_page_state state;
	} rows[] = {
		{ MINE | FAST_PFN, TIERD_PAGE_PRIVATE },
		{ PRESENT | FAST_PFN, TIERD_PAGE_SHARED },
		{ SWAPPED | 77, TIERD_PAGE_SWAPPED },
		{ SWAPPED | EXCLUSIVE | 77, TIERD_PAGE_SWAPPED },
		{ 0, TIERD_PAGE_ABSENT },
		{ EXCLUSIVE, TIERD_PAGE_ABSENT },
	};
	enum tierd_page_state page = TIERD_PAGE_PRIVATE;
	struct world world;

	world_init(&world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		write_entries(&world, BLOCK + i * 4096, &rows[i].entry, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			tierd_pagemap_read_page(world.fd, BLOCK + i * 4096 + 123, &page),
			0);
		assert_int_equal(page, rows[i].state);
	}
	page = TIERD_PAGE_PRIVATE;
	assert_int_equal(tierd_pagemap_read_page(world.fd, UINT64_MAX, &page), 0);
	assert_int_equal(page, TIERD_PAGE_ABSENT);
	world_done(&world);
}

static void test_short_files(_unused_ void **state)
{
	uint64_t entries[10];
	struct tierd_block_residency blocks[2], untouched;
	struct world world;

	world_init(&world);
	memset(blocks, 0x77, sizeof(blocks));
	memset(&untouched, 0x77, sizeof(untouched));
	assert_int_equal(
		tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK, 2, blocks),
		-ESRCH);
	assert_memory_equal(&blocks[0], &untouched, sizeof(untouched));
	for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = MINE | (FAST_PFN + i);
	write_entries(&world, BLOCK, entries, ARRAY_SIZE(entries));
	assert_int_equal(
		tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK, 2, blocks), 0);
	assert_int_equal(blocks[0].n_present, 10);
	assert_int_equal(blocks[1].n_present, 0);
	fake_root_write_at(&world.fake, "/proc/7/pagemap",
		(off_t)(BLOCK / 4096 * 8 + sizeof(entries)), "abc", 3);
	assert_int_equal(
		tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK, 2, blocks),
		-EBADMSG);
	world_done(&world);
}

/* Without CAP_SYS_ADMIN the kernel shows frame 0 for every page. */
static void test_hidden_frames(_unused_ void **state)
{
	uint64_t entries[TIERD_BLOCK_PAGES] = { [5] = MINE };
	struct tierd_block_residency block, untouched;
	struct world world;

	world_init(&world);
	memset(&block, 0x77, sizeof(block));
	memset(&untouched, 0x77, sizeof(untouched));
	write_entries(&world, BLOCK, entries, TIERD_BLOCK_PAGES);
	assert_int_equal(
		tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK, 1, &block),
		-EPERM);
	assert_memory_equal(&block, &untouched, sizeof(block));
	world_done(&world);
}

static void test_bad_arguments(_unused_ void **state)
{
	struct tierd_block_residency block;
	struct world world;
	int fd = 77;

	world_init(&world);
	assert_int_equal(tierd_pagemap_read_blocks(
				 world.reader, world.fd, BLOCK + 4096, 1, &block),
		-EINVAL);
	assert_int_equal(
		tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK, 0, &block),
		-EINVAL);
	assert_int_equal(tierd_pagemap_read_blocks(world.reader, world.fd, BLOCK,
				 TIERD_PAGEMAP_BATCH_MAX + 1, &block),
		-EINVAL);
	assert_int_equal(tierd_pagemap_open(&world.fake.root, 8, &fd), -ESRCH);
	assert_int_equal(fd, 77);
	world_done(&world);
}

/* The real thing: what this process touched is there, and what it did not is not. */
struct self {
	struct tierd_root root;
	struct tierd_phys_map *map;
	struct tierd_pagemap_reader *reader;
	int fd;
	char *memory, *block; /* two whole blocks in a mapping of three */
};

static void self_done(struct self *self)
{
	if (self->memory)
		munmap(self->memory, 3 * TIERD_BLOCK_BYTES);
	closep(&self->fd);
	tierd_pagemap_reader_free(self->reader);
	tierd_phys_map_free(self->map);
	tierd_root_close(&self->root);
}

static void self_init(struct self *self, unsigned tier)
{
	uint8_t tiers[TIERD_NODES_MAX];

	memset(tiers, (int)tier, sizeof(tiers));
	*self = (struct self){ .fd = -EBADF };
	assert_int_equal(tierd_root_open("/", &self->root), 0);
	if (tierd_phys_map_new(&self->root, &self->map) < 0 ||
		tierd_pagemap_reader_new(&self->root, self->map, tiers, &self->reader) <
			0) {
		print_message("no /proc/kpageflags or memory blocks to read here\n");
		self_done(self);
		skip();
	}
	assert_int_equal(tierd_pagemap_open(&self->root, getpid(), &self->fd), 0);
	self->memory = mmap(NULL, 3 * TIERD_BLOCK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(self->memory != MAP_FAILED);
	self->block = (char *)(((uintptr_t)self->memory + TIERD_BLOCK_BYTES - 1) &
			       ~(TIERD_BLOCK_BYTES - 1));
}

static void self_read(struct self *self, size_t n, struct tierd_block_residency *ret)
{
	int r = tierd_pagemap_read_blocks(
		self->reader, self->fd, (uintptr_t)self->block, n, ret);

	if (r == -EPERM) {
		print_message("the kernel hides frame numbers here\n");
		self_done(self);
		skip();
	}
	assert_int_equal(r, 0);
}

static void test_self(_unused_ void **state)
{
	for (unsigned tier = 0; tier < 3; tier++) {
		struct tierd_block_residency blocks[2];
		struct self self;

		self_init(&self, tier);
		madvise(self.memory, 3 * TIERD_BLOCK_BYTES, MADV_NOHUGEPAGE);
		for (unsigned page = 0; page < TIERD_BLOCK_PAGES; page += 3)
			self.block[page * 4096] = 1;
		self_read(&self, 2, blocks);
		assert_int_equal(blocks[0].n_present, 171);
		assert_int_equal(blocks[0].n_shared, 0);
		assert_false(blocks[0].is_huge);
		assert_int_equal(blocks[1].n_present, 0);
		for (unsigned page = 0; page < TIERD_BLOCK_PAGES; page++)
			assert_int_equal(
				has_bit(blocks[0].present_movable, page), page % 3 == 0);
		for (unsigned k = 0; k < 2; k++)
			assert_int_equal(
				count_bits(blocks[0].tier[k]), tier >> k & 1 ? 171 : 0);
		self_done(&self);
	}
}

static uint64_t frame_of(const char *page)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &entry, sizeof(entry), (uintptr_t)page / 4096 * 8),
		sizeof(entry));
	close(fd);
	return entry & ((UINT64_C(1) << 55) - 1);
}

/*
 * Reading brings in the zero page, which is not this process's to move; kernels that give
 * a reader pages of its own give each another frame.
 */
static void test_self_zero_page(_unused_ void **state)
{
	struct tierd_block_residency block;
	struct self self;
	bool is_shared;

	self_init(&self, 0);
	madvise(self.memory, 3 * TIERD_BLOCK_BYTES, MADV_NOHUGEPAGE);
	assert_int_equal(*(volatile char *)self.block, 0);
	assert_int_equal(*(volatile char *)(self.block + 4096), 0);
	self_read(&self, 1, &block);
	is_shared = frame_of(self.block) == frame_of(self.block + 4096);
	assert_int_equal(block.n_present, 2);
	assert_int_equal(block.n_shared, is_shared ? 2 : 0);
	assert_int_equal(count_bits(block.present_movable), is_shared ? 0 : 2);
	self_done(&self);
}

/* What parent and child share after a fork belongs to neither. */
static void test_self_forked(_unused_ void **state)
{
	struct tierd_block_residency block;
	struct self self;
	int hold[2];
	pid_t pid;

	self_init(&self, 0);
	madvise(self.memory, 3 * TIERD_BLOCK_BYTES, MADV_NOHUGEPAGE);
	memset(self.block, 1, TIERD_BLOCK_BYTES);
	assert_int_equal(pipe(hold), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char byte;

		close(hold[1]);
		_exit(read(hold[0], &byte, 1) != 0);
	}
	close(hold[0]);
	self.block[0] = 2;
	self_read(&self, 1, &block);
	close(hold[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(block.n_present, 512);
	assert_int_equal(block.n_shared, 511);
	assert_true(has_bit(block.present_movable, 0));
	self_done(&self);
}

static void test_self_huge(_unused_ void **state)
{
	struct tierd_block_residency blocks[2];
	struct self self;

	self_init(&self, 0);
	memset(self.block, 1, TIERD_BLOCK_BYTES);
	if (madvise(self.block, TIERD_BLOCK_BYTES, MADV_COLLAPSE) < 0) {
		print_message("no huge page to be had here\n");
		self_done(&self);
		skip();
	}
	self_read(&self, 2, blocks);
	assert_true(blocks[0].is_huge);
	assert_true(blocks[0].is_anonymous);
	assert_int_equal(blocks[0].n_present, 512);
	assert_int_equal(count_bits(blocks[0].present_movable), 512);
	assert_false(blocks[1].is_huge);
	self_done(&self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mixed_block),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_nearly_huge),
		cmocka_unit_test(test_anonymous),
		cmocka_unit_test(test_without_kpageflags),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_short_files),
		cmocka_unit_test(test_hidden_frames),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_self),
		cmocka_unit_test(test_self_zero_page),
		cmocka_unit_test(test_self_forked),
		cmocka_unit_test(test_self_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
