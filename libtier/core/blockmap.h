/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds blocks: an open-addressing hash table (linear probing, backward-shift deletion)
 * from a space and a block number to the block, and a dense array of the same blocks for
 * passes over all of them. It owns the blocks.
 */
#ifndef TIER_CORE_BLOCKMAP_H
#define TIER_CORE_BLOCKMAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/block.h"

struct tier_blockmap {
	struct tier_block **slots; /* a power of two of them, at most two thirds in use */
	size_t n_slots;
	struct tier_block **blocks; /* dense; a block's index is its place here */
	size_t n_blocks;
	size_t n_allocated;
};

void tier_blockmap_done(struct tier_blockmap *map);

/* NULL if there is none. */
struct tier_block *tier_blockmap_find(
	const struct tier_blockmap *map, uint64_t space, uint64_t number);

/* Adds a zeroed block that is not there yet. Errors: -ENOMEM. */
int tier_blockmap_add(struct tier_blockmap *map, uint64_t space, uint64_t number,
	struct tier_block **ret);

/* Removes and frees; the last block of the dense array takes its index. */
void tier_blockmap_remove(struct tier_blockmap *map, struct tier_block *block);

size_t tier_blockmap_bytes(const struct tier_blockmap *map);

#endif
