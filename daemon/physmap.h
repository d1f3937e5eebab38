/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which node a physical page belongs to, from the memory blocks that sysfs lists below
 * each node. Neighbouring blocks of one node are merged, so a map has a handful of
 * ranges. A block that straddles two nodes is listed by both; the lower node keeps it.
 * Memory that is plugged in later needs a new map.
 */
#ifndef TIERD_PHYSMAP_H
#define TIERD_PHYSMAP_H

#include <stdint.h>

#include "settings/root.h"

struct tierd_phys_range {
	uint64_t first_pfn;
	uint64_t end_pfn; /* exclusive */
	unsigned node;
};

struct tierd_phys_map;

/* -ENOENT when sysfs lists no memory blocks at all (no memory hotplug in the kernel). */
int tierd_phys_map_new(const struct tierd_root *root, struct tierd_phys_map **ret);
struct tierd_phys_map *tierd_phys_map_free(struct tierd_phys_map *map);
DEFINE_CLEANUP(struct tierd_phys_map *, tierd_phys_map_free)

/* The range that holds pfn, or NULL; O(log n). Lives as long as the map. */
const struct tierd_phys_range *tierd_phys_map_find(
	const struct tierd_phys_map *map, uint64_t pfn);

/* The node's id, or -ENOENT. */
int tierd_phys_map_node(const struct tierd_phys_map *map, uint64_t pfn);

#endif
