/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which page the next update goes to. A distribution is two independent things: a law
 * over ranks (rank 0 the hottest) and a layout that gives each rank a page. The laws are
 * hotset, zipf and random; the layout runs forward or mirrored from a starting page,
 * moves on by half the working set in phase 1, and may be scattered by a permutation.
 *
 * Pure arithmetic: no memory, clock or system here, and pages are numbers.
 */
#include <math.h>
#include <string.h>

#include "base/util.h"
#include "distribution.h"

static const char *const kind_names[GUPS_KIND_MAX] = {
	[GUPS_KIND_HOTSET] = "hotset",
	[GUPS_KIND_ZIPF] = "zipf",
	[GUPS_KIND_RANDOM] = "random",
};

const char *gups_kind_to_string(enum gups_kind kind)
{
	if (kind < 0 || kind >= GUPS_KIND_MAX)
		return NULL;
	return kind_names[kind];
}

enum gups_kind gups_kind_from_string(const char *name)
{
	for (int i = 0; i < GUPS_KIND_MAX; i++)
		if (strcmp(kind_names[i], name) == 0)
			return i;
	return GUPS_KIND_INVALID;
}

static uint64_t threshold_of(double probability)
{
	if (probability >= 1)
		return UINT64_MAX;
	return (uint64_t)ldexp(probability, 64);
}

static uint64_t start_of(const struct gups_distribution_config *config)
{
	if (config->reverse && config->kind == GUPS_KIND_HOTSET)
		return config->pages - config->hot_pages;
	return config->offset_pages;
}

void gups_distribution_init(
	struct gups_distribution *d, const struct gups_distribution_config *config)
{
	*d = (struct gups_distribution){
		.kind = config->kind,
		.pages = config->pages,
		.hot_pages = config->hot_pages,
		.hot_threshold = threshold_of(config->hot_probability),
		.start = start_of(config),
		.mirror = config->reverse && config->kind == GUPS_KIND_ZIPF,
		.scattered = config->scatter,
	};
	if (config->kind == GUPS_KIND_ZIPF)
		gups_zipf_init(&d->zipf, config->pages, config->zipf_exponent);
	gups_scatter_init(&d->scatter, config->pages, config->seed);
}

static inline uint64_t hotset_rank(
	const struct gups_distribution *d, struct gups_rng *rng)
{
	bool hot = gups_rng_next(rng) < d->hot_threshold || d->hot_pages == d->pages;

	if (hot)
		return gups_rng_below(rng, d->hot_pages);
	return d->hot_pages + gups_rng_below(rng, d->pages - d->hot_pages);
}

static inline uint64_t rank_of_kind(
	const struct gups_distribution *d, enum gups_kind kind, struct gups_rng *rng)
{
	switch (kind) {
	case GUPS_KIND_HOTSET:
		return hotset_rank(d, rng);
	case GUPS_KIND_ZIPF:
		return gups_zipf_draw(&d->zipf, rng);
	default:
		return gups_rng_below(rng, d->pages);
	}
}

uint64_t gups_distribution_rank(const struct gups_distribution *d, struct gups_rng *rng)
{
	return rank_of_kind(d, d->kind, rng);
}

static inline uint64_t page_of(
	const struct gups_distribution *d, uint64_t rank, uint64_t start)
{
	uint64_t page = (d->mirror ? d->pages - 1 - rank : rank) + start;

	if (page >= d->pages)
		page -= d->pages;
	return d->scattered ? gups_scatter_apply(&d->scatter, page) : page;
}

static uint64_t start_in_phase(const struct gups_distribution *d, unsigned phase)
{
	return phase == 0 ? d->start : (d->start + d->pages / 2) % d->pages;
}

uint64_t gups_distribution_page(
	const struct gups_distribution *d, uint64_t rank, unsigned phase)
{
	return page_of(d, rank, start_in_phase(d, phase));
}

/* The law is a constant where this is inlined, so that the loop holds no choice of it. */
static inline __attribute__((always_inline)) void draw_kind(
	const struct gups_distribution *d, enum gups_kind kind, struct gups_rng *rng,
	uint64_t start, size_t n, uint64_t *ret_pages)
{
	for (size_t i = 0; i < n; i++)
		ret_pages[i] = page_of(d, rank_of_kind(d, kind, rng), start);
}

void gups_distribution_draw(const struct gups_distribution *d, struct gups_rng *rng,
	unsigned phase, size_t n, uint64_t *ret_pages)
{
	uint64_t start = start_in_phase(d, phase);

	switch (d->kind) {
	case GUPS_KIND_HOTSET:
		draw_kind(d, GUPS_KIND_HOTSET, rng, start, n, ret_pages);
		break;
	case GUPS_KIND_ZIPF:
		draw_kind(d, GUPS_KIND_ZIPF, rng, start, n, ret_pages);
		break;
	default:
		draw_kind(d, GUPS_KIND_RANDOM, rng, start, n, ret_pages);
		break;
	}
}
