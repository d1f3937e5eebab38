/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holds a group's blocks. They lie in slabs and never move; an open-addressing hash table
 * (linear probing, backward-shift deletion) leads from a space and a block number to the
 * block. A slot has all that counting a sample must know before it looks at the page
 * itself: whose block it is, how far it has been cooled, and whether it is on the list of
 * blocks that changed since stock was taken.
 *
 * Nothing but adding a block allocates.
 */
#ifndef TIER_CORE_BLOCKMAP_H
#define TIER_CORE_BLOCKMAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/block.h"

#define TIER_SLAB_SHIFT  8
#define TIER_SLAB_BLOCKS (1U << TIER_SLAB_SHIFT)
#define TIER_BLOCK_NONE  UINT32_MAX

struct tier_slab {
	struct tier_block blocks[TIER_SLAB_BLOCKS];
};

struct tier_slot {
	uint64_t space;
	uint64_t number;
	uint32_t index; /* of the block; TIER_BLOCK_NONE: the slot is free */
	uint32_t epoch : 31;
	uint32_t changed : 1; /* the block is listed */
};

struct tier_blockmap {
	struct tier_slot *slots; /* at most three quarters in use */
	size_t n_slots;
	struct tier_slab **slabs;
	size_t n_slabs;
	size_t n_slabs_allocated;
	size_t n_blocks;
	uint32_t free_block;      /* of a list through next */
	uint32_t *changed_blocks; /* room for every block of every slab */
	size_t n_changed;
	size_t n_taken; /* of the changed ones */
};

void tier_blockmap_init(struct tier_blockmap *map);
void tier_blockmap_done(struct tier_blockmap *map);

static inline size_t tier_blockmap_home(
	const struct tier_blockmap *map, uint64_t space, uint64_t number)
{
	uint64_t hash = (number + space * UINT64_C(0xd6e8feb86659fd93)) *
			UINT64_C(0x9e3779b97f4a7c15);

	return ((hash >> 32) * map->n_slots) >> 32;
}

/* The slot from @slot on that is the block's, or NULL. */
static inline struct tier_slot *tier_blockmap_probe(const struct tier_blockmap *map,
	struct tier_slot *slot, uint64_t space, uint64_t number)
{
	const struct tier_slot *end = map->slots + map->n_slots;

	while (slot->index != TIER_BLOCK_NONE) {
		if (slot->number == number && slot->space == space)
			return slot;
		if (++slot == end)
			slot = map->slots;
	}
	return NULL;
}

static inline struct tier_slot *tier_blockmap_find(
	const struct tier_blockmap *map, uint64_t space, uint64_t number)
{
	if (map->n_slots == 0)
		return NULL;
	return tier_blockmap_probe(
		map, &map->slots[tier_blockmap_home(map, space, number)], space, number);
}

static inline struct tier_block *tier_blockmap_at(
	const struct tier_blockmap *map, uint32_t index)
{
	return &map->slabs[index >> TIER_SLAB_SHIFT]
			->blocks[index & (TIER_SLAB_BLOCKS - 1)];
}

/* Has all of the block brought into the cache; TIER_BLOCK_NONE is none. */
static inline __attribute__((always_inline)) void tier_blockmap_fetch(
	const struct tier_blockmap *map, uint32_t index)
{
	const char *block;

	if (index == TIER_BLOCK_NONE)
		return;
	block = (const char *)tier_blockmap_at(map, index);
	for (size_t i = 0; i < sizeof(struct tier_block); i += 64)
		__builtin_prefetch(block + i);
}

/* All blocks have indices below this; some may be free. */
static inline uint32_t tier_blockmap_end(const struct tier_blockmap *map)
{
	return map->n_slabs << TIER_SLAB_SHIFT;
}

/* Lists the block as changed. */
static inline void tier_blockmap_touch(
	struct tier_blockmap *map, struct tier_slot *slot, struct tier_block *block)
{
	slot->changed = 1;
	if (block->listed)
		return;
	block->listed = true;
	map->changed_blocks[map->n_changed++] = slot->index;
}

/* Cools the block, and lists it if that changed it. */
void tier_blockmap_cool(struct tier_blockmap *map, struct tier_slot *slot,
	struct tier_block *block, uint32_t epoch, uint64_t seed);

/*
 * Takes the next changed block from the list, or returns NULL at its end. Blocks that
 * were removed meanwhile are passed over. No block may be touched before the end is
 * reached, or the last one is put back.
 */
struct tier_block *tier_blockmap_take_changed(struct tier_blockmap *map);
void tier_blockmap_put_back(struct tier_blockmap *map, struct tier_block *block);

/*
 * Adds a zeroed block of @epoch that is not there yet and lists it as changed. Errors:
 * -ENOMEM.
 */
int tier_blockmap_add(struct tier_blockmap *map, uint64_t space, uint64_t number,
	uint32_t epoch, struct tier_slot **ret);

/* Its index may be given to another block. */
void tier_blockmap_remove(struct tier_blockmap *map, struct tier_block *block);

size_t tier_blockmap_bytes(const struct tier_blockmap *map);

#endif
