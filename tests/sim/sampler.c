/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How accesses become samples. Two sources: a sampler that sees one access in so many,
 * like perf with a PMU, and hint faults, which see the next touch of each page that a
 * scanner has protected.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim-internal.h"

#define BATCH 1024

/* Lost samples come in bursts: of a few ticks, most of one. */
#define BURST_TICKS 4

/* ---- The sampler ------------------------------------------------------------------- */

struct batch {
	struct tier_sample samples[BATCH];
	size_t n;
};

static void flush(struct sim *sim, struct sim_tenant *tenant, struct batch *batch)
{
	if (batch->n > 0)
		sim->ops->feed(tenant->policy, batch->samples, batch->n);
	batch->n = 0;
}

/* A sample of any time in the tick. */
static void add_sample(
	struct sim *sim, struct sim_tenant *tenant, struct batch *batch, uint64_t page)
{
	uint64_t random = gups_rng_next(&sim->rng);
	double ago_s = (random >> 12) * 0x1p-52 * sim->config.tick_s;

	batch->samples[batch->n++] = (struct tier_sample){
		.space = SIM_SPACE,
		.address = SIM_BASE + page * TIER_PAGE_SIZE + random % TIER_PAGE_SIZE,
		.time_ns = (sim->now_s - ago_s) * 1e9,
	};
	if (batch->n == BATCH)
		flush(sim, tenant, batch);
}

static bool is_missed(struct sim *sim, const struct sim_tenant *tenant, uint64_t page)
{
	const struct sim_sampler_config *config = &sim->config.sampler;

	return config->skew_missed > 0 &&
	       page >= (1 - config->skew_share) * tenant->world.pages &&
	       gups_rng_unit(&sim->rng) < config->skew_missed;
}

static uint64_t scanned_page(struct sim *sim, const struct sim_tenant *tenant)
{
	double ago_s = gups_rng_unit(&sim->rng) * sim->config.tick_s;

	return sim_world_scan_page(&tenant->world, sim->now_s - ago_s);
}

static void sample_tenant(
	struct sim *sim, struct sim_tenant *tenant, uint64_t n, double scan_share)
{
	uint64_t pages[64];
	struct batch batch;

	batch.n = 0;
	while (n > 0) {
		size_t some = TIER_MIN(n, (uint64_t)ARRAY_SIZE(pages));

		sim_world_draw(&tenant->world, &sim->rng, some, pages);
		for (size_t i = 0; i < some; i++) {
			if (scan_share > 0 && gups_rng_unit(&sim->rng) < scan_share)
				pages[i] = scanned_page(sim, tenant);
			if (!is_missed(sim, tenant, pages[i]))
				add_sample(sim, tenant, &batch, pages[i]);
		}
		n -= some;
	}
	flush(sim, tenant, &batch);
}

static double lost_share(struct sim *sim)
{
	double loss = sim->config.sampler.loss;

	if (loss <= 0 || gups_rng_unit(&sim->rng) * BURST_TICKS >= 1)
		return 0;
	return TIER_MIN(BURST_TICKS * loss, 1.0);
}

static void sample_all(struct sim *sim)
{
	double accesses[SIM_TENANTS_MAX], scans[SIM_TENANTS_MAX], sum = 0;
	double tick_s = sim->config.tick_s, kept = 1 - lost_share(sim);
	double samples = sim->config.sampler.samples_per_s * tick_s * kept;

	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		struct sim_tenant *tenant = &sim->tenants[i];

		scans[i] = sim_world_scan_accesses(&tenant->world, sim->now_s);
		accesses[i] = sim_accesses_per_s(sim, tenant) + scans[i];
		sum += accesses[i];
	}
	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		struct sim_tenant *tenant = &sim->tenants[i];
		uint64_t n;

		tenant->samples_due += samples * accesses[i] / sum;
		n = tenant->samples_due;
		tenant->samples_due -= n;
		sample_tenant(sim, tenant, n, scans[i] / accesses[i]);
		sim->ops->advance(tenant->policy, sim_now_ns(sim), samples / sum);
	}
}

/* ---- Hint faults ------------------------------------------------------------------- */

/* The draw was cut off: whether the page was touched is still open. */
#define IS_OPEN (UINT32_C(1) << 31)

int sim_hints_init(struct sim_hints *hints, uint64_t pages)
{
	hints->is_protected = calloc(pages, 1);
	return hints->is_protected ? 0 : -ENOMEM;
}

void sim_hints_done(struct sim_hints *hints)
{
	free(hints->is_protected);
	for (unsigned i = 0; i < SIM_HINT_BUCKETS; i++)
		free(hints->buckets[i].pages);
}

static int bucket_add(struct sim_hint_bucket *bucket, uint32_t entry)
{
	if (bucket->n == bucket->n_max) {
		size_t n_max = TIER_MAX(2 * bucket->n_max, (size_t)1024);
		uint32_t *pages = reallocarray(bucket->pages, n_max, sizeof(*pages));

		if (!pages)
			return -ENOMEM;
		bucket->pages = pages;
		bucket->n_max = n_max;
	}
	bucket->pages[bucket->n++] = entry;
	return 0;
}

/* Foresees the next touch: waiting times are exponential, and have no memory, so one that
 * is too long may be drawn anew later. */
static int foresee(
	struct sim *sim, struct sim_tenant *tenant, uint32_t page, double accesses)
{
	struct sim_world *world = &tenant->world;
	double rate = world->weight[page] / world->total * accesses;
	double wait_s = -log(1 - gups_rng_unit(&sim->rng)) / rate;
	double ticks = ceil(wait_s / sim->config.tick_s);
	unsigned most = SIM_HINT_BUCKETS - 1;
	uint64_t when = sim->tick + (ticks < most ? TIER_MAX(ticks, 1.0) : most);

	return bucket_add(&tenant->hints.buckets[when % SIM_HINT_BUCKETS],
		ticks < most ? page : page | IS_OPEN);
}

static int fault_due(
	struct sim *sim, struct sim_tenant *tenant, struct batch *batch, double accesses)
{
	struct sim_hints *hints = &tenant->hints;
	struct sim_hint_bucket *bucket = &hints->buckets[sim->tick % SIM_HINT_BUCKETS];

	for (size_t i = 0; i < bucket->n; i++) {
		uint32_t page = bucket->pages[i] & ~IS_OPEN;
		int r;

		if (!hints->is_protected[page])
			continue;
		if (bucket->pages[i] & IS_OPEN) {
			r = foresee(sim, tenant, page, accesses);
			if (r < 0)
				return r;
			continue;
		}
		hints->is_protected[page] = 0;
		add_sample(sim, tenant, batch, page);
	}
	bucket->n = 0;
	return 0;
}

/* The workload's own scan touches all it passes. */
static void fault_scanned(struct sim *sim, struct sim_tenant *tenant, struct batch *batch)
{
	struct sim_world *world = &tenant->world;
	uint64_t page, n;

	if (sim_world_scan_accesses(world, sim->now_s) <= 0)
		return;
	page = sim_world_scan_page(world, sim->now_s - sim->config.tick_s);
	n = world->config.scan_pages_per_s * sim->config.tick_s;
	for (; n > 0; n--, page = (page + 1) % world->pages) {
		if (!tenant->hints.is_protected[page])
			continue;
		tenant->hints.is_protected[page] = 0;
		add_sample(sim, tenant, batch, page);
	}
}

/* The scanner passes over fast pages, which costs it nothing. */
static int protect_some(struct sim *sim, struct sim_tenant *tenant, double accesses)
{
	struct sim_hints *hints = &tenant->hints;
	uint64_t n = sim->config.hint.pages_per_s * sim->config.tick_s;

	for (uint64_t seen = 0; n > 0 && seen < tenant->world.pages; seen++) {
		uint64_t page = hints->cursor;
		int r;

		hints->cursor = (hints->cursor + 1) % tenant->world.pages;
		if (tenant->tier[page] == 0)
			continue;
		n--;
		if (hints->is_protected[page])
			continue;
		hints->is_protected[page] = 1;
		r = foresee(sim, tenant, page, accesses);
		if (r < 0)
			return r;
	}
	return 0;
}

static int hint_tenant(struct sim *sim, struct sim_tenant *tenant)
{
	double accesses = sim_accesses_per_s(sim, tenant);
	struct batch batch;
	int r;

	batch.n = 0;
	r = fault_due(sim, tenant, &batch, accesses);
	if (r < 0)
		return r;
	fault_scanned(sim, tenant, &batch);
	flush(sim, tenant, &batch);
	r = protect_some(sim, tenant, accesses);
	if (r < 0)
		return r;
	sim->ops->advance(tenant->policy, sim_now_ns(sim), sim->config.tick_s);
	return 0;
}

int sim_sample(struct sim *sim)
{
	if (!sim->ops->wants_hints) {
		sample_all(sim);
		return 0;
	}
	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		int r = hint_tenant(sim, &sim->tenants[i]);

		if (r < 0)
			return r;
	}
	return 0;
}
