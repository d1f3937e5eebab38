/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The notes' experiments at their scale, and what they left out. Rates of accesses are
 * the notes' own (their 'GUPS' lines); a hot set is a tenth of the memory and gets nine
 * accesses in ten; zipf's exponent is 0.99.
 */
#include "rows.h"

#include <string.h>

#define GIB(x) ((uint64_t)((x)*SIM_GIB_PAGES))
#define MIB(x) ((uint64_t)((x)*256))

#define DRAM_NS  80
#define CXL_NS   180
#define PMEM_NS  300
#define DRAM_BPS 100e9
#define CXL_BPS  30e9
#define PMEM_BPS 20e9

#define TIERS(dram, slow) \
	.n_tiers = 2,     \
	.tiers = { { (dram), 0, DRAM_NS, DRAM_BPS }, { (slow), 0, PMEM_NS, PMEM_BPS } }

#define MACHINE                                           \
	.tick_s = 0.5, .move_pages_per_s = SIM_GIB_PAGES, \
	.sampler = { .samples_per_s = 8300 }, .hint = { MIB(256) }
#define MACHINE_80K                                       \
	.tick_s = 0.5, .move_pages_per_s = SIM_GIB_PAGES, \
	.sampler = { .samples_per_s = 80000 }, .hint = { MIB(256) }

/* The random row's log says more of its sampler: of 1.84 M pages 674,794 had been sampled
 * once and 400,637 two or three times when the first 22 s ended, as many as chance gives
 * at 0.92 samples a page, which is 76,000 a second. */
#define MACHINE_RANDOM                                    \
	.tick_s = 0.5, .move_pages_per_s = SIM_GIB_PAGES, \
	.sampler = { .samples_per_s = 76000 }, .hint = { MIB(256) }

#define NOTES_TIERS TIERS(GIB(6.5), GIB(16))

/* And of its DRAM: gups alone came to hold 6.8 GiB of it. */
#define RANDOM_TIERS TIERS(GIB(7), GIB(16))
#define PREFER_SLOW_RANDOM                                      \
	.n_tenants = 1, .tenants = { {                          \
				.quota_pages = GIB(7),          \
				.slow_pages = GIB(7),           \
				.has_policy = true,             \
				.world = { RANDOM(7, 22.7e6) }, \
			} }

#define ONE(...)                                          \
	.n_tenants = 1, .tenants = { {                    \
				.quota_pages = GIB(6.5),  \
				.world = { __VA_ARGS__ }, \
			} }

#define HOTSET(gib)                                                    \
	.kind = GUPS_KIND_HOTSET, .pages = GIB(gib), .hot_share = 0.1, \
	.hot_probability = 0.9, .accesses_per_s = 17.6e6
#define ZIPF(gib)                                                    \
	.kind = GUPS_KIND_ZIPF, .pages = GIB(gib), .hot_share = 0.1, \
	.zipf_exponent = 0.99, .accesses_per_s = 23.8e6
#define RANDOM(gib, rate)                                              \
	.kind = GUPS_KIND_RANDOM, .pages = GIB(gib), .hot_share = 0.1, \
	.accesses_per_s = (rate)

/* A tenth hot as before, at the end, in a group of a few blocks; half may be fast. It
 * has a share of the machine's samples. */
#define SMALL(blocks, ...)                                                 \
	TIERS((blocks)*512, (blocks)*512),                                 \
		.tick_s = 0.5, .move_pages_per_s = SIM_GIB_PAGES,          \
		.sampler = { .samples_per_s = 2000 }, .hint = { MIB(16) }, \
		.n_tenants = 1,                                            \
		.tenants = { {                                             \
			.quota_pages = (blocks)*256,                       \
			.fast_pages = (blocks)*256,                        \
			.world = { __VA_ARGS__ },                          \
		} }
#define SMALL_HOTSET(blocks)                                               \
	.kind = GUPS_KIND_HOTSET, .pages = (blocks)*512, .hot_share = 0.1, \
	.hot_probability = 0.9, .reverse = true, .accesses_per_s = 1e6
#define SMALL_RANDOM(blocks)                                               \
	.kind = GUPS_KIND_RANDOM, .pages = (blocks)*512, .hot_share = 0.1, \
	.accesses_per_s = 1e6

/* Two of a kind differ by less than that by chance. */
#define HARDLY 0.005

/* Targets; each goes into braces of its own. */
#define WITHIN(s)   "rank", SIM_REACHED_S, (s)
#define STILL(mib)  "rank", SIM_MOVED_GIB, (mib) / 1024.0
#define COUNT_MEAN  "rank", SIM_MEAN_SHARE, 1, "count", NULL, -HARDLY
#define COUNT_FINAL "rank", SIM_FINAL_SHARE, 1, "count", NULL, -HARDLY
#define COUNT_MOVED "rank", SIM_MOVED_GIB, 1.5, "count"

/* What became of MEMTIS in the notes. */
#define STUCK_PORTION "memtis", SIM_PORTION_CHANGE, 0.06
#define STUCK_NOMEM   "memtis", SIM_NOMEM_SHARE, 0.99
#define STUCK_WARM    "memtis", SIM_WARM_SHARE, 0.998
#define STUCK_COOLING "memtis", SIM_COOLINGS, 1

static const struct sim_row rows[] = {
	{ "hotset", "hotset 14 GiB, hot part last", 60, 20, NULL,
		{ NOTES_TIERS, MACHINE, ONE(HOTSET(14), .reverse = true) },
		{ { WITHIN(3) }, { STUCK_PORTION }, { STUCK_NOMEM }, { STUCK_WARM },
			{ STUCK_COOLING } } },
	{ "zipf", "zipf 14 GiB, hot part last", 60, 20, NULL,
		{ NOTES_TIERS, MACHINE, ONE(ZIPF(14), .reverse = true) },
		{ { WITHIN(6) }, { STUCK_PORTION }, { STUCK_NOMEM }, { STUCK_WARM },
			{ STUCK_COOLING } } },
	{ "random-7g", "random 7 GiB, preferred on the slow node, DRAM to spare", 135, 1,
		NULL, { RANDOM_TIERS, MACHINE_RANDOM, PREFER_SLOW_RANDOM },
		{ { "memtis", SIM_DRAM_PORTION, 0.78 },
			{ "tpp", SIM_DRAM_PORTION, 0.91 } } },
	{ "random-7g-blind", "the same, where tpp does not see memory under a policy",
		135, 1, "tpp",
		{ RANDOM_TIERS, MACHINE_RANDOM, PREFER_SLOW_RANDOM,
			.tpp_skips_policy = true },
		{ { "tpp", SIM_PROMOTED_GIB, 0 } } },
	{ "random-14g",
		"random 14 GiB, preferred on the slow node, DRAM full but for its watermark",
		60, 3, NULL,
		{ NOTES_TIERS, MACHINE, .n_tenants = 1,
			.tenants = { { .quota_pages = GIB(6.5),
				.slow_pages = GIB(7.5),
				.fast_pages = GIB(6.5 * 0.975),
				.has_policy = true,
				.world = { RANDOM(14, 20.2e6) } } } },
		{ { "tpp", SIM_PORTION_CHANGE, 0.06 },
			{ "tpp", SIM_NOMEM_SHARE, 0.98 } } },
	{ "hotset-scattered", "hotset 14 GiB, scattered page by page", 60, 20, NULL,
		{ NOTES_TIERS, MACHINE, ONE(HOTSET(14), .scattered = true) },
		{ { COUNT_MEAN }, { COUNT_FINAL }, { COUNT_MOVED } } },
	{ "zipf-scattered", "zipf 14 GiB, scattered page by page", 60, 20, NULL,
		{ NOTES_TIERS, MACHINE, ONE(ZIPF(14), .scattered = true) },
		{ { COUNT_MEAN }, { COUNT_FINAL }, { COUNT_MOVED } } },
	{ "uniform", "random 14 GiB, first touch, DRAM full", 60, 20, NULL,
		{ NOTES_TIERS, MACHINE, ONE(RANDOM(14, 20.2e6)) }, { { STILL(1) } } },
	{ "hotset-phase", "hotset 14 GiB, hot part last, jumps by half after 40 s", 70,
		20, NULL,
		{ NOTES_TIERS, MACHINE,
			ONE(HOTSET(14), .reverse = true, .phase_at_s = 40) },
		{ { WITHIN(10) } } },
	{ "zipf-phase", "zipf 14 GiB, hot part last, moves by half after 40 s", 70, 20,
		NULL,
		{ NOTES_TIERS, MACHINE,
			ONE(ZIPF(14), .reverse = true, .phase_at_s = 40) },
		{ { WITHIN(10) } } },
	{ "scan", "hotset 14 GiB, hot part last, and a scan of all of it after 20 s", 55,
		20, NULL,
		{ NOTES_TIERS, MACHINE,
			ONE(HOTSET(14), .reverse = true, .scan_at_s = 20,
				.scan_for_s = 28, .scan_pages_per_s = GIB(0.5)) },
		{ { "rank", SIM_SCAN_COST, 0.02 } } },
	{ "heap", "a heap grows from 4 to 14 GiB, its newest 1.4 GiB are hot", 60, 5,
		NULL,
		{ .n_tiers = 2,
			.tiers = { { GIB(6.5), GIB(0.13), DRAM_NS, DRAM_BPS },
				{ GIB(16), 0, PMEM_NS, PMEM_BPS } },
			MACHINE,
			.n_tenants = 1,
			.tenants = { { .quota_pages = TIER_UNLIMITED_PAGES,
				.world = { HOTSET(14), .pages_at_first = GIB(4),
					.growth_pages_per_s = MIB(256) } } } } },
	{ "tenants", "hotset 7 GiB of 3.5 GiB and zipf 7 GiB of 3 GiB of DRAM", 60, 5,
		NULL,
		{ NOTES_TIERS, MACHINE, .n_tenants = 2,
			.tenants = { { .quota_pages = GIB(3.5),
					     .world = { HOTSET(7), .reverse = true } },
				{ .quota_pages = GIB(3),
					.world = { ZIPF(7), .reverse = true } } } } },
	{ "three-tiers", "zipf 14 GiB, hot part last, 4 GiB of CXL between", 60, 5, NULL,
		{ .n_tiers = 3,
			.tiers = { { GIB(6.5), 0, DRAM_NS, DRAM_BPS },
				{ GIB(4), GIB(0.25), CXL_NS, CXL_BPS },
				{ GIB(16), 0, PMEM_NS, PMEM_BPS } },
			MACHINE,
			ONE(ZIPF(14), .reverse = true) } },
	{ "skewed",
		"hotset 14 GiB, hot part last, where half the samples are missed, "
		"and a tenth is lost",
		60, 5, NULL,
		{ NOTES_TIERS, .tick_s = 0.5, .move_pages_per_s = SIM_GIB_PAGES,
			.busy_share = 0.01,
			.sampler = { .samples_per_s = 8300,
				.loss = 0.1,
				.skew_share = 0.25,
				.skew_missed = 0.5 },
			.hint = { MIB(256) }, ONE(HOTSET(14), .reverse = true) } },
	{ "hotset-80k", "hotset at 80,000 samples a second", 20, 3, NULL,
		{ NOTES_TIERS, MACHINE_80K, ONE(HOTSET(14), .reverse = true) },
		{ { WITHIN(3) } } },
	{ "hotset-scattered-80k", "hotset-scattered at 80,000 samples a second", 30, 3,
		NULL, { NOTES_TIERS, MACHINE_80K, ONE(HOTSET(14), .scattered = true) },
		{ { COUNT_MEAN }, { COUNT_FINAL }, { COUNT_MOVED } } },
	{ "zipf-scattered-80k", "zipf-scattered at 80,000 samples a second", 30, 3, NULL,
		{ NOTES_TIERS, MACHINE_80K, ONE(ZIPF(14), .scattered = true) },
		{ { COUNT_MEAN }, { COUNT_FINAL }, { COUNT_MOVED } } },
	{ "uniform-80k", "uniform at 80,000 samples a second", 20, 3, NULL,
		{ NOTES_TIERS, MACHINE_80K, ONE(RANDOM(14, 20.2e6)) }, { { STILL(1) } } },
	{ "uniform-8", "random, 8 blocks", 60, 20, NULL, { SMALL(8, SMALL_RANDOM(8)) },
		{ { STILL(1) } } },
	{ "uniform-16", "random, 16 blocks", 60, 20, NULL,
		{ SMALL(16, SMALL_RANDOM(16)) }, { { STILL(1) } } },
	{ "uniform-64", "random, 64 blocks", 60, 20, NULL,
		{ SMALL(64, SMALL_RANDOM(64)) }, { { STILL(1) } } },
	{ "hotset-8", "hotset, hot part last, 8 blocks", 60, 20, NULL,
		{ SMALL(8, SMALL_HOTSET(8)) }, { { WITHIN(3) } } },
	{ "hotset-16", "hotset, hot part last, 16 blocks", 60, 20, NULL,
		{ SMALL(16, SMALL_HOTSET(16)) }, { { WITHIN(3) } } },
	{ "hotset-64", "hotset, hot part last, 64 blocks", 60, 20, NULL,
		{ SMALL(64, SMALL_HOTSET(64)) }, { { WITHIN(3) } } },
};

/* Nowhere should a reference be much better. */
static const struct sim_target common_targets[] = {
	{ "rank", SIM_MEAN_SHARE, 1, "memtis", "tpp", -0.05 },
};

const struct sim_target *sim_row_target(const struct sim_row *row, size_t i)
{
	size_t own = 0;

	while (own < SIM_TARGETS_MAX && row->targets[own].engine)
		own++;
	if (i < own)
		return &row->targets[i];
	return i - own < ARRAY_SIZE(common_targets) ? &common_targets[i - own] : NULL;
}

const struct sim_row *sim_row_get(size_t i)
{
	return i < ARRAY_SIZE(rows) ? &rows[i] : NULL;
}

const struct sim_row *sim_row_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

static void scale_tenant(struct sim_tenant_config *tenant, unsigned divisor)
{
	struct sim_world_config *world = &tenant->world;

	if (tenant->quota_pages != TIER_UNLIMITED_PAGES)
		tenant->quota_pages /= divisor;
	tenant->slow_pages /= divisor;
	tenant->fast_pages /= divisor;
	world->pages /= divisor;
	world->accesses_per_s /= divisor;
	world->scan_pages_per_s /= divisor;
	world->pages_at_first /= divisor;
	world->growth_pages_per_s /= divisor;
}

void sim_row_scale(const struct sim_row *row, unsigned divisor, struct sim_row *ret)
{
	struct sim_config *config = &ret->config;

	*ret = *row;
	if (config->tenants[0].world.pages < SIM_GIB_PAGES)
		return;
	ret->divisor = divisor;
	for (unsigned tier = 0; tier < config->n_tiers; tier++) {
		config->tiers[tier].pages /= divisor;
		config->tiers[tier].headroom_pages /= divisor;
		config->tiers[tier].bandwidth_bytes /= divisor;
	}
	for (unsigned i = 0; i < config->n_tenants; i++)
		scale_tenant(&config->tenants[i], divisor);
	config->sampler.samples_per_s /= divisor;
	config->hint.pages_per_s /= divisor;
	config->move_pages_per_s /= divisor;
}
