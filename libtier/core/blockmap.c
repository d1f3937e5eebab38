/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/blockmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define SLOTS_MIN 64
#define SLABS_MIN 2
#define SLOTS_MAX UINT32_MAX

#define FETCH_AHEAD 4

void tier_blockmap_init(struct tier_blockmap *map)
{
	*map = (struct tier_blockmap){ .free_block = TIER_BLOCK_NONE };
}

void tier_blockmap_done(struct tier_blockmap *map)
{
	for (size_t i = 0; i < map->n_slabs; i++)
		free(map->slabs[i]);
	free(map->slabs);
	free(map->slots);
	free(map->changed_blocks);
	tier_blockmap_init(map);
}

/* ---- Slots --------------------------------------------------------------------- */

/* The slot is free and taken for the block. */
static struct tier_slot *fill_slot(
	struct tier_blockmap *map, const struct tier_slot *from)
{
	size_t i = tier_blockmap_home(map, from->space, from->number);

	while (map->slots[i].index != TIER_BLOCK_NONE)
		i = i + 1 < map->n_slots ? i + 1 : 0;
	map->slots[i] = *from;
	return &map->slots[i];
}

/* By half: memory matters more than the odd copy. */
static int grow_slots(struct tier_blockmap *map)
{
	struct tier_blockmap grown = *map;

	if (map->n_slots > 0 && (map->n_blocks + 1) * 4 <= map->n_slots * 3)
		return 0;
	if (map->n_slots > SLOTS_MAX / 2)
		return -ENOMEM;
	grown.n_slots = map->n_slots > 0 ? map->n_slots + map->n_slots / 2 : SLOTS_MIN;
	grown.slots = malloc(grown.n_slots * sizeof(*grown.slots));
	if (!grown.slots)
		return -ENOMEM;
	for (size_t i = 0; i < grown.n_slots; i++)
		grown.slots[i].index = TIER_BLOCK_NONE;
	for (size_t i = 0; i < map->n_slots; i++)
		if (map->slots[i].index != TIER_BLOCK_NONE)
			fill_slot(&grown, &map->slots[i]);
	free(map->slots);
	*map = grown;
	return 0;
}

/* How far the slot lies behind @home, going round. */
static size_t distance(const struct tier_blockmap *map, size_t home, size_t slot)
{
	return slot >= home ? slot - home : slot + map->n_slots - home;
}

/* Closes the gap at @gap by moving up what probed past it. */
static void shift_back(struct tier_blockmap *map, size_t gap)
{
	for (size_t i = gap;;) {
		size_t home;

		i = i + 1 < map->n_slots ? i + 1 : 0;
		if (map->slots[i].index == TIER_BLOCK_NONE)
			break;
		home = tier_blockmap_home(map, map->slots[i].space, map->slots[i].number);
		if (distance(map, home, i) < distance(map, gap, i))
			continue;
		map->slots[gap] = map->slots[i];
		gap = i;
	}
	map->slots[gap].index = TIER_BLOCK_NONE;
}

/* ---- Slabs --------------------------------------------------------------------- */

static int grow_slabs(struct tier_blockmap *map)
{
	size_t n = map->n_slabs_allocated > 0 ? map->n_slabs_allocated * 2 : SLABS_MIN;
	struct tier_slab **slabs;
	uint32_t *changed;

	if (map->n_slabs < map->n_slabs_allocated)
		return 0;
	slabs = reallocarray(map->slabs, n, sizeof(*slabs));
	if (!slabs)
		return -ENOMEM;
	map->slabs = slabs;
	changed =
		reallocarray(map->changed_blocks, n * TIER_SLAB_BLOCKS, sizeof(*changed));
	if (!changed)
		return -ENOMEM;
	map->changed_blocks = changed;
	map->n_slabs_allocated = n;
	return 0;
}

static int add_slab(struct tier_blockmap *map)
{
	uint32_t first = tier_blockmap_end(map);
	struct tier_slab *slab;
	int r;

	r = grow_slabs(map);
	if (r < 0)
		return r;
	slab = aligned_alloc(64, sizeof(*slab));
	if (!slab)
		return -ENOMEM;
	map->slabs[map->n_slabs++] = slab;
	for (uint32_t i = TIER_SLAB_BLOCKS; i-- > 0;) {
		struct tier_block *block = &slab->blocks[i];

		block->in_use = block->listed = false;
		block->next = map->free_block;
		map->free_block = first + i;
	}
	return 0;
}

int tier_blockmap_add(struct tier_blockmap *map, uint64_t space, uint64_t number,
	uint32_t epoch, struct tier_slot **ret)
{
	struct tier_slot slot = { .space = space, .number = number, .epoch = epoch };
	struct tier_block *block;
	bool listed;
	int r;

	r = grow_slots(map);
	if (r < 0)
		return r;
	if (map->free_block == TIER_BLOCK_NONE) {
		r = add_slab(map);
		if (r < 0)
			return r;
	}
	slot.index = map->free_block;
	block = tier_blockmap_at(map, slot.index);
	map->free_block = block->next;
	listed = block->listed;
	memset(block, 0, sizeof(*block));
	block->space = space;
	block->number = number;
	block->epoch = epoch;
	block->index = slot.index;
	block->in_use = true;
	block->listed = listed;
	map->n_blocks++;
	*ret = fill_slot(map, &slot);
	tier_blockmap_touch(map, *ret, block);
	return 0;
}

/* The block stays listed, if it is, so that no index is ever on the list twice. */
void tier_blockmap_remove(struct tier_blockmap *map, struct tier_block *block)
{
	struct tier_slot *slot = tier_blockmap_find(map, block->space, block->number);

	shift_back(map, slot - map->slots);
	map->n_blocks--;
	block->in_use = false;
	block->next = map->free_block;
	map->free_block = block->index;
}

void tier_blockmap_cool(struct tier_blockmap *map, struct tier_slot *slot,
	struct tier_block *block, uint32_t epoch, uint64_t seed)
{
	if (block->epoch == epoch)
		return;
	tier_block_cool(block, epoch, seed);
	slot->epoch = epoch;
	tier_blockmap_touch(map, slot, block);
}

static void set_listed(struct tier_blockmap *map, struct tier_block *block, bool listed)
{
	block->listed = listed;
	tier_blockmap_find(map, block->space, block->number)->changed = listed;
}

static inline __attribute__((always_inline)) void fetch_head(
	const struct tier_blockmap *map, uint32_t index)
{
	if (index != TIER_BLOCK_NONE)
		__builtin_prefetch(tier_blockmap_at(map, index), 1);
}

/*
 * Blocks on the list lie anywhere: those that come next are fetched while this one is
 * worked on, first its head and then what its head leads to: the rest of it, its slot and
 * its neighbours in its cohort, which it will leave.
 *
 * A function that does nothing but prefetch is pure to gcc, and calls of it are dropped
 * unless it is inlined before that is found out.
 */
static inline __attribute__((always_inline)) void fetch_ahead(
	const struct tier_blockmap *map)
{
	size_t far = map->n_taken + 2 * FETCH_AHEAD, near = map->n_taken + FETCH_AHEAD;
	const struct tier_block *block;

	if (far < map->n_changed)
		__builtin_prefetch(tier_blockmap_at(map, map->changed_blocks[far]));
	if (near >= map->n_changed)
		return;
	block = tier_blockmap_at(map, map->changed_blocks[near]);
	tier_blockmap_fetch(map, block->index);
	__builtin_prefetch(
		&map->slots[tier_blockmap_home(map, block->space, block->number)], 1);
	if (block->cohort) {
		fetch_head(map, block->next);
		fetch_head(map, block->previous);
	}
}

struct tier_block *tier_blockmap_take_changed(struct tier_blockmap *map)
{
	while (map->n_taken < map->n_changed) {
		struct tier_block *block =
			tier_blockmap_at(map, map->changed_blocks[map->n_taken++]);

		fetch_ahead(map);
		if (!block->in_use) {
			block->listed = false;
			continue;
		}
		set_listed(map, block, false);
		return block;
	}
	map->n_changed = map->n_taken = 0;
	return NULL;
}

void tier_blockmap_put_back(struct tier_blockmap *map, struct tier_block *block)
{
	set_listed(map, block, true);
	map->n_taken--;
	map->n_changed -= map->n_taken;
	memmove(map->changed_blocks, map->changed_blocks + map->n_taken,
		map->n_changed * sizeof(*map->changed_blocks));
	map->n_taken = 0;
}

size_t tier_blockmap_bytes(const struct tier_blockmap *map)
{
	return map->n_slabs * sizeof(struct tier_slab) +
	       map->n_slabs_allocated *
		       (sizeof(*map->slabs) + TIER_SLAB_BLOCKS * sizeof(uint32_t)) +
	       map->n_slots * sizeof(*map->slots);
}
