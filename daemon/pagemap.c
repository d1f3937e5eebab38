/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/PID/pagemap has eight bytes for each page of the address space. Pages of a block
 * mostly lie in one physical range, so the range of the page before answers nearly every
 * question for a node; the map is searched only when it does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pagemap.h"

/* Documentation/admin-guide/mm/pagemap.rst */
#define ENTRY_PRESENT   (UINT64_C(1) << 63)
#define ENTRY_SWAPPED   (UINT64_C(1) << 62)
#define ENTRY_FILE      (UINT64_C(1) << 61) /* or shared anonymous memory */
#define ENTRY_EXCLUSIVE (UINT64_C(1) << 56)
#define ENTRY_PFN_MASK  ((UINT64_C(1) << 55) - 1)
#define KPF_THP         (UINT64_C(1) << 22)

#define PAGE_BYTES 4096

struct tierd_pagemap_reader {
	const struct tierd_phys_map *map;
	uint8_t tier_of_node[TIERD_NODES_MAX];
	int kpageflags_fd;
	struct tierd_phys_range last; /* empty before the first page */
	unsigned last_tier;
	uint64_t entries[TIERD_PAGEMAP_BATCH_MAX * TIERD_BLOCK_PAGES];
	struct tierd_block_residency blocks[TIERD_PAGEMAP_BATCH_MAX];
};

int tierd_pagemap_reader_new(const struct tierd_root *root,
	const struct tierd_phys_map *map,
	const uint8_t tier_of_node[static TIERD_NODES_MAX],
	struct tierd_pagemap_reader **ret)
{
	_cleanup_(tierd_pagemap_reader_freep) struct tierd_pagemap_reader *reader = NULL;
	int r;

	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->map = map;
	memcpy(reader->tier_of_node, tier_of_node, sizeof(reader->tier_of_node));
	reader->kpageflags_fd = -EBADF;
	r = tierd_root_open_file(
		root, "/proc/kpageflags", O_RDONLY, &reader->kpageflags_fd);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = TAKE_PTR(reader);
	return 0;
}

struct tierd_pagemap_reader *tierd_pagemap_reader_free(
	struct tierd_pagemap_reader *reader)
{
	if (!reader)
		return NULL;
	closep(&reader->kpageflags_fd);
	free(reader);
	return NULL;
}

int tierd_pagemap_open(const struct tierd_root *root, pid_t pid, int *ret_fd)
{
	char path[48];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	r = tierd_root_open_file(root, path, O_RDONLY, ret_fd);
	return r == -ENOENT ? -ESRCH : r;
}

/* Until size bytes or the end of the file; the number of bytes read. */
static ssize_t pread_fully(int fd, void *buffer, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(
			fd, (char *)buffer + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* A page outside the map is on no node that anything is known of, hence no fast one. */
static unsigned look_up_tier(struct tierd_pagemap_reader *reader, uint64_t pfn)
{
	const struct tierd_phys_range *range = tierd_phys_map_find(reader->map, pfn);

	if (!range)
		return 1;
	reader->last = *range;
	reader->last_tier = reader->tier_of_node[range->node];
	return reader->last_tier;
}

static inline unsigned tier_of(struct tierd_pagemap_reader *reader, uint64_t pfn)
{
	if (pfn - reader->last.first_pfn < reader->last.end_pfn - reader->last.first_pfn)
		return reader->last_tier;
	return look_up_tier(reader, pfn);
}

/*
 * Fills all but is_huge. Returns 1 when the pages are all present and physically
 * contiguous from a block's boundary on, as those of one huge page are.
 */
static int decode_block(struct tierd_pagemap_reader *reader, const uint64_t *entries,
	struct tierd_block_residency *block)
{
	uint64_t first_pfn = entries[0] & ENTRY_PFN_MASK;
	unsigned n_contiguous = 0;

	*block = (struct tierd_block_residency){ .is_anonymous = true };
	for (unsigned i = 0; i < TIERD_BLOCK_PAGES; i++) {
		uint64_t entry = entries[i], pfn = entry & ENTRY_PFN_MASK, tier;

		if (!(entry & ENTRY_PRESENT)) {
			if (entry & ENTRY_SWAPPED)
				block->n_swapped++;
			continue;
		}
		if (pfn == 0)
			return -EPERM;
		block->n_present++;
		block->is_anonymous &= !(entry & ENTRY_FILE);
		n_contiguous += pfn == first_pfn + i;
		if (entry & ENTRY_EXCLUSIVE) {
			block->present_movable[i / 64] |= UINT64_C(1) << i % 64;
		} else {
			block->n_shared++;
			block->present_shared[i / 64] |= UINT64_C(1) << i % 64;
		}
		tier = tier_of(reader, pfn);
		block->tier[0][i / 64] |= (tier & 1) << i % 64;
		block->tier[1][i / 64] |= (tier >> 1) << i % 64;
	}
	return n_contiguous == TIERD_BLOCK_PAGES && first_pfn % TIERD_BLOCK_PAGES == 0;
}

/* A page that was freed or replaced meanwhile is simply not huge. */
static bool is_huge_page(const struct tierd_pagemap_reader *reader, uint64_t pfn)
{
	uint64_t flags;

	if (reader->kpageflags_fd < 0)
		return false;
	if (pread_fully(reader->kpageflags_fd, &flags, sizeof(flags),
		    pfn * sizeof(flags)) != sizeof(flags))
		return false;
	return flags & KPF_THP;
}

/* What lies beyond the end of the address space is absent. */
static int read_entries(
	struct tierd_pagemap_reader *reader, int fd, uint64_t address, size_t n_blocks)
{
	size_t size = n_blocks * TIERD_BLOCK_PAGES * sizeof(reader->entries[0]);
	uint64_t offset = address / PAGE_BYTES * sizeof(reader->entries[0]);
	ssize_t n;

	n = pread_fully(fd, reader->entries, size, offset);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ESRCH;
	if ((size_t)n % sizeof(reader->entries[0]))
		return -EBADMSG;
	memset((char *)reader->entries + n, 0, size - (size_t)n);
	return 0;
}

int tierd_pagemap_read_blocks(struct tierd_pagemap_reader *reader, int fd,
	uint64_t block_address, size_t n_blocks, struct tierd_block_residency *ret)
{
	int r;

	if (block_address % TIERD_BLOCK_BYTES || n_blocks == 0 ||
		n_blocks > TIERD_PAGEMAP_BATCH_MAX)
		return -EINVAL;
	r = read_entries(reader, fd, block_address, n_blocks);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_blocks; i++) {
		const uint64_t *entries = &reader->entries[i * TIERD_BLOCK_PAGES];
		struct tierd_block_residency *block = &reader->blocks[i];

		r = decode_block(reader, entries, block);
		if (r < 0)
			return r;
		block->is_huge =
			r > 0 && is_huge_page(reader, entries[0] & ENTRY_PFN_MASK);
	}
	memcpy(ret, reader->blocks, n_blocks * sizeof(*ret));
	return 0;
}

int tierd_pagemap_read_page(int fd, uint64_t address, enum tierd_page_state *ret)
{
	uint64_t entry = 0;
	ssize_t n = pread_fully(
		fd, &entry, sizeof(entry), address / PAGE_BYTES * sizeof(entry));

	if (n < 0)
		return (int)n;
	if (entry & ENTRY_PRESENT)
		*ret = entry & ENTRY_EXCLUSIVE ? TIERD_PAGE_PRIVATE : TIERD_PAGE_SHARED;
	else
		*ret = entry & ENTRY_SWAPPED ? TIERD_PAGE_SWAPPED : TIERD_PAGE_ABSENT;
	return 0;
}
