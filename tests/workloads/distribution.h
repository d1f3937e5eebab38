/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_DISTRIBUTION_H
#define GUPS_DISTRIBUTION_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rng.h"
#include "scatter.h"
#include "zipf.h"

enum gups_kind {
	GUPS_KIND_HOTSET,
	GUPS_KIND_ZIPF,
	GUPS_KIND_RANDOM,
	GUPS_KIND_MAX,
	GUPS_KIND_INVALID = -EINVAL,
};

const char *gups_kind_to_string(enum gups_kind kind);
enum gups_kind gups_kind_from_string(const char *name);

struct gups_distribution_config {
	enum gups_kind kind;
	uint64_t pages;
	uint64_t hot_pages;
	double hot_probability;
	double zipf_exponent;
	uint64_t offset_pages;
	bool reverse;
	bool scatter;
	uint64_t seed;
};

struct gups_distribution {
	enum gups_kind kind;
	uint64_t pages;
	uint64_t hot_pages;
	uint64_t hot_threshold;
	uint64_t start;
	bool mirror;
	bool scattered;
	struct gups_zipf zipf;
	struct gups_scatter scatter;
};

/*
 * The configuration must hold 1 <= hot_pages <= pages and offset_pages < pages; of
 * reverse and offset_pages at most one is set.
 */
void gups_distribution_init(
	struct gups_distribution *d, const struct gups_distribution_config *config);

/*
 * Draws a rank: 0 is the hottest page. hotset gives hot_probability of all draws to the
 * ranks below hot_pages and the rest to the ranks from there on, evenly in each.
 */
uint64_t gups_distribution_rank(const struct gups_distribution *d, struct gups_rng *rng);

/*
 * The page a rank lives at. Phase 0 is the layout asked for; in phase 1 every rank has
 * moved on by half the working set, so a hot set of at most half of it shares no page
 * with its former self.
 */
uint64_t gups_distribution_page(
	const struct gups_distribution *d, uint64_t rank, unsigned phase);

/* n pages drawn one after the other; the sequence does not depend on how n is cut up. */
void gups_distribution_draw(const struct gups_distribution *d, struct gups_rng *rng,
	unsigned phase, size_t n, uint64_t *ret_pages);

#endif
