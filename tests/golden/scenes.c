/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "core/hash.h"
#include "scenes.h"

#define SPACE        UINT64_C(42)
#define BASE         UINT64_C(0x7f0000000000)
#define TICK_NS      UINT64_C(250000000)
#define PERIOD       199
#define TICKS        10
#define TICK_SAMPLES 250
#define FIRST_PLAN   4 /* by then there is something to go by */

const struct scene scenes[] = {
	{ .name = "hotset",
		.n_blocks = 16,
		.tier_blocks = { 8, 8 },
		.hot = 4 * TIER_BLOCK_PAGES,
		.percent = 90,
		.timed = true,
		.quota_pages = 8 * TIER_BLOCK_PAGES + 20,
		.room_pages = { 1000, TIER_UNLIMITED_PAGES },
		.budget_pages = 24 },
	{ .name = "hotset-huge",
		.n_blocks = 16,
		.tier_blocks = { 8, 8 },
		.huge = true,
		.hot = 4 * TIER_BLOCK_PAGES,
		.percent = 90,
		.quota_pages = 9 * TIER_BLOCK_PAGES,
		.room_pages = { 2 * TIER_BLOCK_PAGES, TIER_UNLIMITED_PAGES },
		.budget_pages = 2 * TIER_BLOCK_PAGES },
	{ .name = "over-quota",
		.n_blocks = 8,
		.tier_blocks = { 6, 2 },
		.hot = TIER_BLOCK_PAGES,
		.percent = 50,
		.quota_pages = 6 * TIER_BLOCK_PAGES - 60,
		.owed_pages = 4,
		.room_pages = { 0, TIER_UNLIMITED_PAGES },
		.budget_pages = 24 },
	{ .name = "scattered",
		.n_blocks = 4,
		.tier_blocks = { 2, 2 },
		.hot = 100,
		.percent = 90,
		.scattered = true,
		.quota_pages = 2 * TIER_BLOCK_PAGES,
		.room_pages = { 1000, TIER_UNLIMITED_PAGES },
		.budget_pages = 24 },
	{ .name = "three-tiers",
		.n_blocks = 12,
		.tier_blocks = { 4, 4, 4 },
		.hot = 2 * TIER_BLOCK_PAGES,
		.percent = 80,
		.quota_pages = 4 * TIER_BLOCK_PAGES + 10,
		.room_pages = { 1000, 30, TIER_UNLIMITED_PAGES },
		.budget_pages = 24 },
	{ .name = "uniform",
		.n_blocks = 16,
		.tier_blocks = { 8, 8 },
		.hot = 16 * TIER_BLOCK_PAGES,
		.percent = 100,
		.quota_pages = 8 * TIER_BLOCK_PAGES,
		.room_pages = { 1000, TIER_UNLIMITED_PAGES },
		.budget_pages = 24 },
	{ .name = "zipf",
		.n_blocks = 16,
		.tier_blocks = { 8, 8 },
		.zipf = true,
		.quota_pages = 8 * TIER_BLOCK_PAGES,
		.room_pages = { 1000, TIER_UNLIMITED_PAGES },
		.budget_pages = 24 },
	{},
};

struct writing {
	const struct scene *scene;
	struct tier_trace_writer *writer;
	struct tier_random random;
	uint64_t *cumulative; /* weights by rank, the hottest page first; NULL: no zipf */
	uint64_t now_ns;
};

static void writing_done(struct writing *w)
{
	tier_trace_writer_free(w->writer);
	free(w->cumulative);
}

static uint64_t n_pages(const struct scene *scene)
{
	return (uint64_t)scene->n_blocks * TIER_BLOCK_PAGES;
}

unsigned scene_n_tiers(const struct scene *scene)
{
	return scene->tier_blocks[2] ? 3 : 2;
}

static int weigh(struct writing *w)
{
	uint64_t sum = 0;

	if (!w->scene->zipf)
		return 0;
	w->cumulative = calloc(n_pages(w->scene), sizeof(*w->cumulative));
	if (!w->cumulative)
		return -ENOMEM;
	for (uint64_t rank = 0; rank < n_pages(w->scene); rank++)
		w->cumulative[rank] = sum += (UINT64_C(1) << 40) / (rank + 1);
	return 0;
}

static uint64_t draw_rank(struct writing *w)
{
	const struct scene *scene = w->scene;
	uint64_t r = tier_random_next(&w->random), rank = 0;

	if (w->cumulative) {
		r %= w->cumulative[n_pages(scene) - 1];
		while (w->cumulative[rank] <= r)
			rank++;
		return rank;
	}
	if (r % 100 < scene->percent)
		return tier_random_next(&w->random) % scene->hot;
	return scene->hot + tier_random_next(&w->random) % (n_pages(scene) - scene->hot);
}

/* The hottest at the end, or, as the number of pages is a power of two, anywhere. */
static uint64_t page_of_rank(const struct scene *scene, uint64_t rank)
{
	return scene->scattered ? rank * 1103 % n_pages(scene)
				: n_pages(scene) - 1 - rank;
}

static int write_sample(struct writing *w, unsigned i)
{
	uint64_t page = page_of_rank(w->scene, draw_rank(w));
	struct tier_trace_record record = {
		.type = TIER_TRACE_SAMPLE,
		.sample = {
			.access = {
				.space = SPACE,
				.address = BASE + page * TIER_PAGE_SIZE,
				.is_store = page % 4 == 0,
			},
			.tier = TIER_TRACE_TIER_UNKNOWN,
		},
	};

	if (w->scene->timed)
		record.sample.access.time_ns = w->now_ns + i * (TICK_NS / TICK_SAMPLES);
	return tier_trace_writer_add(w->writer, &record);
}

static int write_residency(struct writing *w)
{
	struct tier_trace_record record = {
		.type = TIER_TRACE_SPACE_BEGIN,
		.space = SPACE,
	};
	int r = tier_trace_writer_add(w->writer, &record);

	for (unsigned block = 0, tier = 0, end = w->scene->tier_blocks[0];
		r >= 0 && block < w->scene->n_blocks; block++) {
		while (block == end)
			end += w->scene->tier_blocks[++tier];
		record = (struct tier_trace_record){
			.type = TIER_TRACE_RESIDENCY,
			.residency = { .space = SPACE,
				.address = BASE + block * TIER_BLOCK_SIZE,
				.pages.huge = w->scene->huge },
		};
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
			tier_residency_add(&record.residency.pages, page, tier);
		r = tier_trace_writer_add(w->writer, &record);
	}
	return r;
}

static int write_advance(struct writing *w)
{
	struct tier_trace_record record = { .type = TIER_TRACE_ADVANCE };

	record.advance.now_ns = w->now_ns;
	record.advance.exposure = 0.25 / PERIOD;
	return tier_trace_writer_add(w->writer, &record);
}

static int write_limits(struct writing *w)
{
	const struct scene *scene = w->scene;
	struct tier_trace_record record = { .type = TIER_TRACE_LIMITS };

	record.limits = (struct tier_limits){
		.now_ns = w->now_ns,
		.fast_pages = (uint64_t)scene->tier_blocks[0] * TIER_BLOCK_PAGES,
		.quota_pages = scene->quota_pages,
		.owed_pages = scene->owed_pages,
		.budget_pages = scene->budget_pages,
	};
	memcpy(record.limits.room_pages, scene->room_pages, sizeof(scene->room_pages));
	return tier_trace_writer_add(w->writer, &record);
}

static int write_tick(struct writing *w, unsigned tick)
{
	int r = 0;

	for (unsigned i = 0; i < TICK_SAMPLES && r >= 0; i++)
		r = write_sample(w, i);
	if (r < 0)
		return r;
	w->now_ns += TICK_NS;
	r = write_advance(w);
	if (r < 0 || tick < FIRST_PLAN)
		return r;
	return write_limits(w);
}

int scene_write(const struct scene *scene, tier_trace_write_t write, void *userdata)
{
	_cleanup_(writing_done) struct writing w = {
		.scene = scene,
		.random = { 1 },
		.now_ns = TICK_NS,
	};
	struct tier_trace_meta meta = {
		.n_tiers = scene_n_tiers(scene),
		.latency_ns = { 80, 300, 900 },
		.period = PERIOD,
		.source = "scene",
	};
	int r;

	meta.latency_ns[2] = meta.n_tiers > 2 ? 900 : 0;
	r = weigh(&w);
	if (r < 0)
		return r;
	r = tier_trace_writer_new(&meta, write, userdata, &w.writer);
	if (r < 0)
		return r;
	r = write_residency(&w);
	for (unsigned tick = 0; tick < TICKS && r >= 0; tick++)
		r = write_tick(&w, tick);
	return r < 0 ? r : tier_trace_writer_finish(w.writer);
}
