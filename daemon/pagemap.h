/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages of a process are resident, in which tier they are, and which of them
 * could be moved, a 2 MiB block at a time. This is the hot part of the residency sweep: a
 * reader carries the buffer, the last physical range and the descriptors it needs. Use
 * one reader per thread.
 */
#ifndef TIERD_PAGEMAP_H
#define TIERD_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings/node-list.h"
#include "physmap.h"
#include "settings/root.h"

#define TIERD_BLOCK_PAGES       512
#define TIERD_BLOCK_BYTES       (TIERD_BLOCK_PAGES * UINT64_C(4096))
#define TIERD_BLOCK_WORDS       (TIERD_BLOCK_PAGES / 64)
#define TIERD_PAGEMAP_BATCH_MAX 64

/*
 * Bit I of a bitmap (word I / 64, bit I % 64) is the block's I-th page. "Shared" pages
 * are mapped by more than this process (the zero page looks like one): move_pages()
 * without MPOL_MF_MOVE_ALL leaves them alone.
 */
struct tierd_block_residency {
	uint64_t present_movable[TIERD_BLOCK_WORDS]; /* present, mapped here only */
	uint64_t present_shared[TIERD_BLOCK_WORDS];  /* present, mapped elsewhere, too */
	uint64_t tier[2][TIERD_BLOCK_WORDS];         /* bit k of their tier in tier[k] */
	uint16_t n_present;                          /* shared ones included */
	uint16_t n_shared;
	uint16_t n_swapped;
	bool is_huge;      /* one huge page: it moves as a whole */
	bool is_anonymous; /* none of what is present is a file's or shared memory */
};

struct tierd_pagemap_reader;

/*
 * tier_of_node has the tier, 0 … 3, of each node by number. Borrows map, which must
 * outlive the reader. Without /proc/kpageflags no block is ever huge.
 */
int tierd_pagemap_reader_new(const struct tierd_root *root,
	const struct tierd_phys_map *map,
	const uint8_t tier_of_node[static TIERD_NODES_MAX],
	struct tierd_pagemap_reader **ret);
struct tierd_pagemap_reader *tierd_pagemap_reader_free(
	struct tierd_pagemap_reader *reader);
DEFINE_CLEANUP(struct tierd_pagemap_reader *, tierd_pagemap_reader_free)

/* The process's pagemap, to be closed by the caller. -ESRCH when it is gone, -EACCES. */
int tierd_pagemap_open(const struct tierd_root *root, pid_t pid, int *ret_fd);

/*
 * n_blocks (1 … TIERD_PAGEMAP_BATCH_MAX) consecutive blocks from block_address, which is
 * a multiple of TIERD_BLOCK_BYTES, in one read. -EPERM when the kernel hides frame
 * numbers (CAP_SYS_ADMIN is needed), -ESRCH when the process has no memory any more.
 */
int tierd_pagemap_read_blocks(struct tierd_pagemap_reader *reader, int fd,
	uint64_t block_address, size_t n_blocks, struct tierd_block_residency *ret);

/* One page, as far as moving it goes. */
enum tierd_page_state {
	TIERD_PAGE_ABSENT, /* also where nothing is mapped */
	TIERD_PAGE_SWAPPED,
	TIERD_PAGE_SHARED, /* mapped by others as well: see above */
	TIERD_PAGE_PRIVATE,
};

/* Of the page that holds @address. Errors: those of reading. */
int tierd_pagemap_read_page(int fd, uint64_t address, enum tierd_page_state *ret);

#endif
