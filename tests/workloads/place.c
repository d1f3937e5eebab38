/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the table's pages start their life. The best placement is made by first touch as
 * well, under a policy of the thread for each kind of page: no page is ever copied, so it
 * needs no more DRAM than its budget, and the mapping carries no policy that would hide
 * it from a tiering system later.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "place.h"
#include "residency.h"

/* The kernel takes one bit less than it is told. */
#define NODE_BITS (GUPS_NODES_MAX + 1)

int gups_place_prefer(const struct gups_table *t, int node)
{
	struct gups_nodes nodes = {};

	gups_nodes_add(&nodes, node);
	if (syscall(SYS_mbind, t->words, t->pages * GUPS_PAGE_BYTES, MPOL_PREFERRED,
		    nodes.bits, (unsigned long)NODE_BITS, 0) < 0)
		return -errno;
	return 0;
}

void gups_place_first_touch(const struct gups_table *t)
{
	for (uint64_t page = 0; page < t->pages; page++)
		gups_table_fill_page(t, page);
}

static int set_policy(int mode, const struct gups_nodes *nodes)
{
	if (syscall(SYS_set_mempolicy, mode, nodes ? nodes->bits : NULL,
		    nodes ? (unsigned long)NODE_BITS : 0) < 0)
		return -errno;
	return 0;
}

static int forbid_huge(const struct gups_table *t, uint64_t first, uint64_t pages)
{
	if (madvise(gups_table_page(t, first), pages * GUPS_PAGE_BYTES, MADV_NOHUGEPAGE) <
			0 &&
		errno != EINVAL)
		return -errno;
	return 0;
}

static int forbid_huge_in_mixed_blocks(const struct gups_table *t, const bool *chosen)
{
	for (uint64_t first = 0; first < t->pages; first += GUPS_BLOCK_PAGES) {
		uint64_t n = TIER_MIN(GUPS_BLOCK_PAGES, t->pages - first);
		uint64_t n_chosen = 0;
		int r;

		for (uint64_t i = 0; i < n; i++)
			n_chosen += chosen[first + i];
		if (n_chosen == 0 || n_chosen == n)
			continue;
		r = forbid_huge(t, first, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_under_policy(const struct gups_table *t, const bool *chosen, bool which,
	const struct gups_nodes *nodes)
{
	int r;

	r = set_policy(MPOL_PREFERRED_MANY, nodes);
	if (r < 0)
		return r;
	for (uint64_t page = 0; page < t->pages; page++)
		if (chosen[page] == which)
			gups_table_fill_page(t, page);
	return set_policy(MPOL_DEFAULT, NULL);
}

static int look_where_it_is(const struct gups_table *t, const bool *chosen,
	const struct gups_nodes *dram, struct gups_placement *ret)
{
	struct gups_share share[2] = {};
	uint64_t pages[2][GUPS_SAMPLE_PAGES];
	size_t n[2] = {};

	for (uint64_t page = 0; page < t->pages; page++) {
		int which = chosen[page];

		pages[which][n[which]++] = page;
		for (int i = 0; i < 2; i++) {
			int r;

			if (n[i] < GUPS_SAMPLE_PAGES && page + 1 < t->pages)
				continue;
			r = gups_residency_add(t, dram, pages[i], n[i], &share[i]);
			if (r < 0)
				return r;
			n[i] = 0;
		}
	}
	ret->chosen_dram_pages = share[1].dram;
	ret->rest_dram_pages = share[0].dram;
	return 0;
}

int gups_place_best(const struct gups_table *t, const struct gups_distribution *d,
	const struct gups_nodes *dram, const struct gups_nodes *slow, uint64_t dram_pages,
	struct gups_placement *ret)
{
	struct gups_placement placement = {
		.chosen_pages = TIER_MIN(dram_pages, t->pages),
	};
	_cleanup_(freep) bool *chosen = NULL;
	int r;

	chosen = calloc(t->pages, sizeof(*chosen));
	if (!chosen)
		return -ENOMEM;
	for (uint64_t rank = 0; rank < placement.chosen_pages; rank++)
		chosen[gups_distribution_page(d, rank, 0)] = true;

	r = forbid_huge_in_mixed_blocks(t, chosen);
	if (r < 0)
		return r;
	r = fill_under_policy(t, chosen, true, dram);
	if (r < 0)
		return r;
	r = fill_under_policy(t, chosen, false, slow);
	if (r < 0)
		return r;
	r = look_where_it_is(t, chosen, dram, &placement);
	if (r < 0)
		return r;
	*ret = placement;
	return 0;
}
