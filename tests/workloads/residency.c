/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On which node pages are, by move_pages(2) without target nodes, which moves nothing and
 * leaves accessed bits alone. A kernel without that call has one node, and all is in
 * DRAM. A page that is nowhere at the moment, because it is swapped out or under
 * migration, is left out of the shares.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "residency.h"

#define GIB_PAGES ((UINT64_C(1) << 30) / GUPS_PAGE_BYTES)

double gups_share_of(const struct gups_share *share)
{
	return share->known > 0 ? (double)share->dram / (double)share->known : 0;
}

int gups_residency_add(const struct gups_table *t, const struct gups_nodes *dram,
	const uint64_t *pages, size_t n, struct gups_share *share)
{
	void *addresses[GUPS_SAMPLE_PAGES];
	int status[GUPS_SAMPLE_PAGES];

	for (size_t i = 0; i < n; i++)
		addresses[i] = gups_table_page(t, pages[i]);

	if (syscall(SYS_move_pages, 0, n, addresses, NULL, status, 0) < 0) {
		if (errno != ENOSYS)
			return -errno;
		share->known += n;
		share->dram += n;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		share->known += status[i] >= 0;
		share->dram += gups_nodes_has(dram, status[i]);
	}
	return 0;
}

static int add_range(const struct gups_table *t, const struct gups_nodes *dram,
	uint64_t first, uint64_t end, struct gups_share *share)
{
	uint64_t pages[GUPS_SAMPLE_PAGES];

	while (first < end) {
		size_t n = TIER_MIN(end - first, (uint64_t)GUPS_SAMPLE_PAGES);
		int r;

		for (size_t i = 0; i < n; i++)
			pages[i] = first + i;
		r = gups_residency_add(t, dram, pages, n, share);
		if (r < 0)
			return r;
		first += n;
	}
	return 0;
}

void gups_portions_done(struct gups_portions *p)
{
	free(p->per_gib);
	*p = (struct gups_portions){};
}

int gups_residency_portions(const struct gups_table *t, const struct gups_nodes *dram,
	struct gups_portions *ret)
{
	size_t n = (t->pages + GIB_PAGES - 1) / GIB_PAGES;
	_cleanup_(freep) double *per_gib = NULL;

	per_gib = calloc(n, sizeof(*per_gib));
	if (!per_gib)
		return -ENOMEM;

	for (size_t i = 0; i < n; i++) {
		uint64_t first = i * GIB_PAGES;
		uint64_t end = TIER_MIN(first + GIB_PAGES, t->pages);
		struct gups_share share = {};
		int r;

		r = add_range(t, dram, first, end, &share);
		if (r < 0)
			return r;
		per_gib[i] = (double)share.dram / (double)(end - first);
	}
	ret->n = n;
	ret->per_gib = TAKE_PTR(per_gib);
	return 0;
}

/* Evenly spread over the ranks below n, each at a random place of its stretch. */
static size_t spread_ranks(const struct gups_distribution *d, unsigned phase, uint64_t n,
	struct gups_rng *rng, uint64_t *ret_pages)
{
	size_t wanted = TIER_MIN(n, (uint64_t)GUPS_SAMPLE_PAGES);

	for (size_t i = 0; i < wanted; i++) {
		uint64_t first = i * n / wanted, end = (i + 1) * n / wanted;
		uint64_t rank = first + gups_rng_below(rng, end - first);

		ret_pages[i] = gups_distribution_page(d, rank, phase);
	}
	return wanted;
}

int gups_residency_estimate(const struct gups_table *t, const struct gups_nodes *dram,
	const struct gups_distribution *d, unsigned phase, struct gups_rng *rng,
	struct gups_estimate *ret)
{
	struct gups_share hot = {}, all = {}, hits = {};
	uint64_t pages[GUPS_SAMPLE_PAGES];
	size_t n;
	int r;

	n = spread_ranks(d, phase, d->hot_pages, rng, pages);
	r = gups_residency_add(t, dram, pages, n, &hot);
	if (r < 0)
		return r;
	n = spread_ranks(d, phase, d->pages, rng, pages);
	r = gups_residency_add(t, dram, pages, n, &all);
	if (r < 0)
		return r;
	gups_distribution_draw(d, rng, phase, GUPS_SAMPLE_PAGES, pages);
	r = gups_residency_add(t, dram, pages, GUPS_SAMPLE_PAGES, &hits);
	if (r < 0)
		return r;

	*ret = (struct gups_estimate){
		.hot_dram_share = gups_share_of(&hot),
		.all_dram_share = gups_share_of(&all),
		.hit_ratio = gups_share_of(&hits),
	};
	return 0;
}
