/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_RESIDENCY_H
#define GUPS_RESIDENCY_H

#include <stddef.h>
#include <stdint.h>

#include "distribution.h"
#include "nodes.h"
#include "table.h"

#define GUPS_SAMPLE_PAGES 4096

/* Pages found somewhere, and those of them found on DRAM nodes. */
struct gups_share {
	uint64_t known;
	uint64_t dram;
};

/* 0 when nothing is known. */
double gups_share_of(const struct gups_share *share);

/* Adds up to n pages, n at most GUPS_SAMPLE_PAGES, to the share. */
int gups_residency_add(const struct gups_table *t, const struct gups_nodes *dram,
	const uint64_t *pages, size_t n, struct gups_share *share);

struct gups_portions {
	size_t n;
	double *per_gib;
};

void gups_portions_done(struct gups_portions *p);

/* Asks for every page. The last GiB counts by its own size when it is not a whole one. */
int gups_residency_portions(const struct gups_table *t, const struct gups_nodes *dram,
	struct gups_portions *ret);

/* Shares estimated from at most GUPS_SAMPLE_PAGES pages each. */
struct gups_estimate {
	double hot_dram_share; /* of the hot pages */
	double all_dram_share; /* of all pages */
	double hit_ratio;      /* of pages drawn as updates draw them */
};

int gups_residency_estimate(const struct gups_table *t, const struct gups_nodes *dram,
	const struct gups_distribution *d, unsigned phase, struct gups_rng *rng,
	struct gups_estimate *ret);

#endif
