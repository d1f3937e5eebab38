/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysfs has a directory /sys/devices/system/memory/memoryN for each block of physical
 * memory, with the block's index in it, and a link to it below the node it belongs to.
 * They are gathered as ranges, sorted and merged.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"
#include "physmap.h"
#include "topology.h"

#define NODE_DIR   "/sys/devices/system/node"
#define MEMORY_DIR "/sys/devices/system/memory"

#define RANGES_MAX (1024 * 1024)

struct tierd_phys_map {
	struct tierd_phys_range *ranges;
	size_t n_ranges, n_allocated;
	uint64_t block_pages;
};

/* The N of "node3" or "memory17"; -EINVAL for all other names. */
static int parse_numbered(const char *name, const char *prefix, uint64_t *ret)
{
	size_t length = strlen(prefix);

	if (strncmp(name, prefix, length) != 0)
		return -EINVAL;
	return tier_parse_u64(name + length, ret);
}

static int read_hex(const struct tierd_root *root, const char *path, uint64_t *ret)
{
	_cleanup_(freep) char *line = NULL;
	int r;

	r = tierd_root_read_line(root, path, &line);
	if (r < 0)
		return r;
	return tier_parse_hex(line, ret);
}

static int read_block_pages(const struct tierd_root *root, uint64_t *ret)
{
	uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE), bytes;
	int r;

	r = read_hex(root, MEMORY_DIR "/block_size_bytes", &bytes);
	if (r < 0)
		return r;
	if (bytes < page_bytes || bytes % page_bytes)
		return -EBADMSG;
	*ret = bytes / page_bytes;
	return 0;
}

static int append_range(struct tierd_phys_map *map, const struct tierd_phys_range *range)
{
	if (map->n_ranges == map->n_allocated) {
		size_t n = map->n_allocated ? map->n_allocated * 2 : 64;
		struct tierd_phys_range *grown;

		if (n > RANGES_MAX)
			return -E2BIG;
		grown = reallocarray(map->ranges, n, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		map->ranges = grown;
		map->n_allocated = n;
	}
	map->ranges[map->n_ranges++] = *range;
	return 0;
}

static int add_block(const struct tierd_root *root, struct tierd_phys_map *map,
	unsigned node, uint64_t block)
{
	struct tierd_phys_range range = { .node = node };
	char path[sizeof(MEMORY_DIR) + 64];
	uint64_t index;
	int r;

	snprintf(
		path, sizeof(path), MEMORY_DIR "/memory%ju/phys_index", (uintmax_t)block);
	r = read_hex(root, path, &index);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(index, map->block_pages, &range.first_pfn) ||
		__builtin_add_overflow(range.first_pfn, map->block_pages, &range.end_pfn))
		return -EBADMSG;
	return append_range(map, &range);
}

static int add_node(
	const struct tierd_root *root, struct tierd_phys_map *map, unsigned node)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	char path[sizeof(NODE_DIR) + 32];
	struct dirent *entry;
	int r;

	snprintf(path, sizeof(path), NODE_DIR "/node%u", node);
	r = tierd_root_open_dir(root, path, &dir);
	if (r < 0)
		return r;
	while ((errno = 0, entry = readdir(dir))) {
		uint64_t block;

		if (parse_numbered(entry->d_name, "memory", &block) < 0)
			continue;
		r = add_block(root, map, node, block);
		if (r < 0)
			return r;
	}
	return errno ? -errno : 0;
}

static int add_nodes(const struct tierd_root *root, struct tierd_phys_map *map)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r;

	r = tierd_root_open_dir(root, NODE_DIR, &dir);
	if (r < 0)
		return r;
	while ((errno = 0, entry = readdir(dir))) {
		uint64_t node;

		if (parse_numbered(entry->d_name, "node", &node) < 0)
			continue;
		if (node >= TIERD_NODES_MAX)
			return -ERANGE;
		r = add_node(root, map, (unsigned)node);
		if (r < 0)
			return r;
	}
	return errno ? -errno : 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct tierd_phys_range *x = a, *y = b;

	if (x->first_pfn != y->first_pfn)
		return x->first_pfn < y->first_pfn ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/* Blocks are of one size and aligned to it: two either coincide or do not overlap. */
static void merge_ranges(struct tierd_phys_map *map)
{
	size_t n = 0;

	qsort(map->ranges, map->n_ranges, sizeof(map->ranges[0]), compare_ranges);
	for (size_t i = 0; i < map->n_ranges; i++) {
		const struct tierd_phys_range *range = &map->ranges[i];
		struct tierd_phys_range *last = n ? &map->ranges[n - 1] : NULL;

		if (last && range->end_pfn <= last->end_pfn)
			continue;
		if (last && last->end_pfn == range->first_pfn &&
			last->node == range->node)
			last->end_pfn = range->end_pfn;
		else
			map->ranges[n++] = *range;
	}
	map->n_ranges = n;
}

int tierd_phys_map_new(const struct tierd_root *root, struct tierd_phys_map **ret)
{
	_cleanup_(tierd_phys_map_freep) struct tierd_phys_map *map = NULL;
	int r;

	map = calloc(1, sizeof(*map));
	if (!map)
		return -ENOMEM;
	r = read_block_pages(root, &map->block_pages);
	if (r < 0)
		return r;
	r = add_nodes(root, map);
	if (r < 0)
		return r;
	if (map->n_ranges == 0)
		return -ENOENT;
	merge_ranges(map);
	*ret = TAKE_PTR(map);
	return 0;
}

struct tierd_phys_map *tierd_phys_map_free(struct tierd_phys_map *map)
{
	if (!map)
		return NULL;
	free(map->ranges);
	free(map);
	return NULL;
}

const struct tierd_phys_range *tierd_phys_map_find(
	const struct tierd_phys_map *map, uint64_t pfn)
{
	size_t low = 0, high = map->n_ranges;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct tierd_phys_range *range = &map->ranges[middle];

		if (pfn < range->first_pfn)
			high = middle;
		else if (pfn >= range->end_pfn)
			low = middle + 1;
		else
			return range;
	}
	return NULL;
}

int tierd_phys_map_node(const struct tierd_phys_map *map, uint64_t pfn)
{
	const struct tierd_phys_range *range = tierd_phys_map_find(map, pfn);

	return range ? (int)range->node : -ENOENT;
}
