/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/blockmap.h"

#include <errno.h>
#include <stdlib.h>

#include "core/hash.h"

#define SLOTS_MIN 64

void tier_blockmap_done(struct tier_blockmap *map)
{
	for (size_t i = 0; i < map->n_blocks; i++)
		free(map->blocks[i]);
	free(map->blocks);
	free(map->slots);
	*map = (struct tier_blockmap){ 0 };
}

static size_t home_slot(size_t n_slots, uint64_t space, uint64_t number)
{
	return tier_hash(number ^ tier_hash(space)) & (n_slots - 1);
}

/* The slot that holds the block, or the free one where it would go. */
static size_t find_slot(const struct tier_blockmap *map, uint64_t space, uint64_t number)
{
	size_t slot = home_slot(map->n_slots, space, number);

	for (struct tier_block *block; (block = map->slots[slot]);
		slot = (slot + 1) & (map->n_slots - 1))
		if (block->number == number && block->space == space)
			break;
	return slot;
}

struct tier_block *tier_blockmap_find(
	const struct tier_blockmap *map, uint64_t space, uint64_t number)
{
	if (map->n_slots == 0)
		return NULL;
	return map->slots[find_slot(map, space, number)];
}

static int grow_slots(struct tier_blockmap *map)
{
	struct tier_blockmap grown = *map;

	if (map->n_slots > 0 && (map->n_blocks + 1) * 3 <= map->n_slots * 2)
		return 0;
	grown.n_slots = map->n_slots > 0 ? map->n_slots * 2 : SLOTS_MIN;
	grown.slots = calloc(grown.n_slots, sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->n_blocks; i++) {
		struct tier_block *block = map->blocks[i];

		grown.slots[find_slot(&grown, block->space, block->number)] = block;
	}
	free(map->slots);
	*map = grown;
	return 0;
}

static int grow_array(struct tier_blockmap *map)
{
	size_t n = map->n_allocated > 0 ? map->n_allocated * 2 : SLOTS_MIN;
	struct tier_block **blocks;

	if (map->n_blocks < map->n_allocated)
		return 0;
	blocks = reallocarray(map->blocks, n, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	map->blocks = blocks;
	map->n_allocated = n;
	return 0;
}

int tier_blockmap_add(struct tier_blockmap *map, uint64_t space, uint64_t number,
	struct tier_block **ret)
{
	struct tier_block *block;
	int r;

	r = grow_slots(map);
	if (r < 0)
		return r;
	r = grow_array(map);
	if (r < 0)
		return r;
	block = calloc(1, sizeof(*block));
	if (!block)
		return -ENOMEM;

	block->space = space;
	block->number = number;
	block->index = map->n_blocks;
	map->blocks[map->n_blocks++] = block;
	map->slots[find_slot(map, space, number)] = block;
	*ret = block;
	return 0;
}

/* Closes the gap at @gap by moving up what probed past it. */
static void shift_back(struct tier_blockmap *map, size_t gap)
{
	size_t mask = map->n_slots - 1;

	for (size_t slot = (gap + 1) & mask; map->slots[slot]; slot = (slot + 1) & mask) {
		struct tier_block *block = map->slots[slot];
		size_t home = home_slot(map->n_slots, block->space, block->number);

		if (((slot - home) & mask) < ((slot - gap) & mask))
			continue;
		map->slots[gap] = block;
		gap = slot;
	}
	map->slots[gap] = NULL;
}

void tier_blockmap_remove(struct tier_blockmap *map, struct tier_block *block)
{
	struct tier_block *last = map->blocks[--map->n_blocks];

	shift_back(map, find_slot(map, block->space, block->number));
	map->blocks[block->index] = last;
	last->index = block->index;
	free(block);
}

size_t tier_blockmap_bytes(const struct tier_blockmap *map)
{
	return map->n_blocks * sizeof(struct tier_block) +
	       map->n_allocated * sizeof(*map->blocks) +
	       map->n_slots * sizeof(*map->slots);
}
