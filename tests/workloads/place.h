/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_PLACE_H
#define GUPS_PLACE_H

#include <stdint.h>

#include "distribution.h"
#include "nodes.h"
#include "table.h"

/* Where pages were put by hand and where they are. */
struct gups_placement {
	uint64_t chosen_pages; /* meant for DRAM */
	uint64_t chosen_dram_pages;
	uint64_t rest_dram_pages;
};

/* Lets the kernel prefer a node for the table's pages; call it before they are touched.
 */
int gups_place_prefer(const struct gups_table *t, int node);

/* Touches all pages in the order of their addresses. */
void gups_place_first_touch(const struct gups_table *t);

/*
 * Touches all pages so that the dram_pages hottest of phase 0 come to lie on the DRAM
 * nodes and all others on the slow ones. No memory policy stays behind. Blocks of 2 MiB
 * that hold both kinds are kept from becoming huge pages. What finds no room falls to the
 * other kind of node, as the placement returned then shows.
 */
int gups_place_best(const struct gups_table *t, const struct gups_distribution *d,
	const struct gups_nodes *dram, const struct gups_nodes *slow, uint64_t dram_pages,
	struct gups_placement *ret);

#endif
