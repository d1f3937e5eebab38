/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a group's samples fell in the last minute: address by time, coarsely, for people
 * to look at; no plan depends on it. It takes a fixed amount of memory. A line is a
 * region of an address space, 2 MiB at first; when there are more regions with samples
 * than lines, regions double in size. Where in memory they lie is not told to anybody,
 * only their order.
 */
#ifndef TIERD_HEATMAP_H
#define TIERD_HEATMAP_H

#include <stddef.h>
#include <stdint.h>

#define TIERD_HEATMAP_LINES   128
#define TIERD_HEATMAP_SLOTS   60
#define TIERD_HEATMAP_SLOT_NS UINT64_C(1000000000)

struct tierd_heatmap_line {
	uint64_t space;
	uint64_t region;                       /* address >> shift */
	uint16_t samples[TIERD_HEATMAP_SLOTS]; /* never more than UINT16_MAX */
};

struct tierd_heatmap {
	unsigned shift;
	size_t n_lines;
	struct tierd_heatmap_line lines[TIERD_HEATMAP_LINES]; /* by space and region */
	uint64_t n_elsewhere; /* samples that there was no line for */
	/* By slot, a ring: what would have been sampled of a page accessed once a second.
	 */
	double exposure[TIERD_HEATMAP_SLOTS];
	unsigned slot;    /* being filled; the next one is the oldest */
	uint64_t slot_ns; /* when it began; 0: time has not begun */
};

void tierd_heatmap_init(struct tierd_heatmap *map);

void tierd_heatmap_count(struct tierd_heatmap *map, uint64_t space, uint64_t address);

/* Time has passed, under so much exposure since the last call. */
void tierd_heatmap_advance(struct tierd_heatmap *map, uint64_t now_ns, double exposure);

/* The i-th slot in the order of time, 0 being the oldest. */
unsigned tierd_heatmap_slot(const struct tierd_heatmap *map, unsigned i);

#endif
