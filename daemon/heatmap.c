/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <string.h>

#include "base/util.h"
#include "heatmap.h"

#define SHIFT_FIRST 21
#define SHIFT_LAST  46 /* two regions are all that a process has */

void tierd_heatmap_init(struct tierd_heatmap *map)
{
	*map = (struct tierd_heatmap){ .shift = SHIFT_FIRST };
}

/* ---- Lines --------------------------------------------------------------------- */

static bool is_before(
	const struct tierd_heatmap_line *line, uint64_t space, uint64_t region)
{
	return line->space < space || (line->space == space && line->region < region);
}

/* Where the line is, or would be. */
static size_t find(const struct tierd_heatmap *map, uint64_t space, uint64_t region)
{
	size_t low = 0, high = map->n_lines;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (is_before(&map->lines[middle], space, region))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_empty(const struct tierd_heatmap_line *line)
{
	for (unsigned i = 0; i < TIERD_HEATMAP_SLOTS; i++)
		if (line->samples[i] > 0)
			return false;
	return true;
}

/* Lines that saw nothing for a minute, as those of processes that are gone. */
static void drop_empty(struct tierd_heatmap *map)
{
	size_t n = 0;

	for (size_t i = 0; i < map->n_lines; i++)
		if (!is_empty(&map->lines[i]))
			map->lines[n++] = map->lines[i];
	map->n_lines = n;
}

static void add_line(
	struct tierd_heatmap_line *line, const struct tierd_heatmap_line *other)
{
	for (unsigned i = 0; i < TIERD_HEATMAP_SLOTS; i++)
		line->samples[i] =
			TIER_MIN(line->samples[i] + other->samples[i], UINT16_MAX);
}

/* Regions of twice the size: neighbours become one line. */
static void coarsen(struct tierd_heatmap *map)
{
	size_t n = 0;

	map->shift++;
	for (size_t i = 0; i < map->n_lines; i++) {
		struct tierd_heatmap_line *line = &map->lines[i];

		line->region >>= 1;
		if (n > 0 && map->lines[n - 1].space == line->space &&
			map->lines[n - 1].region == line->region)
			add_line(&map->lines[n - 1], line);
		else
			map->lines[n++] = *line;
	}
	map->n_lines = n;
}

static void make_room(struct tierd_heatmap *map)
{
	while (map->n_lines == TIERD_HEATMAP_LINES && map->shift < SHIFT_LAST)
		coarsen(map);
}

static struct tierd_heatmap_line *insert(
	struct tierd_heatmap *map, uint64_t space, uint64_t address)
{
	struct tierd_heatmap_line *line;
	size_t i;

	if (map->n_lines == TIERD_HEATMAP_LINES)
		make_room(map);
	i = find(map, space, address >> map->shift);
	line = &map->lines[i];
	if (i < map->n_lines && line->space == space &&
		line->region == address >> map->shift)
		return line; /* regions are larger now */
	if (map->n_lines == TIERD_HEATMAP_LINES)
		return NULL;
	memmove(line + 1, line, (map->n_lines - i) * sizeof(*line));
	*line = (struct tierd_heatmap_line){
		.space = space,
		.region = address >> map->shift,
	};
	map->n_lines++;
	return line;
}

void tierd_heatmap_count(struct tierd_heatmap *map, uint64_t space, uint64_t address)
{
	uint64_t region = address >> map->shift;
	size_t i = find(map, space, region);
	struct tierd_heatmap_line *line = &map->lines[i];

	if (i == map->n_lines || line->space != space || line->region != region)
		line = insert(map, space, address);
	if (!line)
		map->n_elsewhere++;
	else if (line->samples[map->slot] < UINT16_MAX)
		line->samples[map->slot]++;
}

/* ---- Time ---------------------------------------------------------------------- */

static void begin_slot(struct tierd_heatmap *map)
{
	map->slot = (map->slot + 1) % TIERD_HEATMAP_SLOTS;
	map->exposure[map->slot] = 0;
	for (size_t i = 0; i < map->n_lines; i++)
		map->lines[i].samples[map->slot] = 0;
}

void tierd_heatmap_advance(struct tierd_heatmap *map, uint64_t now_ns, double exposure)
{
	uint64_t slots;

	map->exposure[map->slot] += exposure;
	if (map->slot_ns == 0)
		map->slot_ns = now_ns;
	if (now_ns < map->slot_ns)
		return;
	slots = (now_ns - map->slot_ns) / TIERD_HEATMAP_SLOT_NS;
	map->slot_ns += slots * TIERD_HEATMAP_SLOT_NS;
	if (slots == 0)
		return;
	slots = TIER_MIN(slots, (uint64_t)TIERD_HEATMAP_SLOTS);
	while (slots-- > 0)
		begin_slot(map);
	/* Here and not where a line is wanting: that can be at every sample. */
	drop_empty(map);
	if (map->n_lines == 0)
		map->shift = SHIFT_FIRST;
}

unsigned tierd_heatmap_slot(const struct tierd_heatmap *map, unsigned i)
{
	return (map->slot + 1 + i) % TIERD_HEATMAP_SLOTS;
}
