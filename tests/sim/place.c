/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where pages lie, and the books that follow them: pages and weight in each tier are kept
 * up to date move by move, so that the truth costs nothing to ask for.
 */
#include <string.h>

#include "base/util.h"
#include "sim-internal.h"

static bool has_room(const struct sim *sim, unsigned tier)
{
	return sim->used_pages[tier] < sim->config.tiers[tier].pages;
}

static unsigned first_touch(
	const struct sim *sim, const struct sim_tenant *tenant, uint64_t page)
{
	const struct sim_tenant_config *config = tenant->config;
	const struct sim_tier_config *tiers = sim->config.tiers;
	unsigned last = sim->config.n_tiers - 1;
	uint64_t most = config->fast_pages > 0 ? config->fast_pages : UINT64_MAX;

	if (page >= config->slow_pages && tenant->pages[0] < most && has_room(sim, 0))
		return 0;
	for (unsigned tier = 1; tier < last; tier++)
		if (sim->used_pages[tier] + tiers[tier].headroom_pages <
			tiers[tier].pages)
			return tier;
	return last;
}

static void put(struct sim *sim, struct sim_tenant *tenant, uint64_t page, unsigned tier)
{
	tenant->tier[page] = tier;
	tenant->pages[tier]++;
	tenant->weight[tier] += tenant->world.weight[page];
	sim->used_pages[tier]++;
}

void sim_set_tier(
	struct sim *sim, struct sim_tenant *tenant, uint64_t page, unsigned tier)
{
	unsigned from = tenant->tier[page];

	tenant->pages[from]--;
	tenant->weight[from] -= tenant->world.weight[page];
	sim->used_pages[from]--;
	put(sim, tenant, page, tier);
}

static int tell_block(struct sim *sim, struct sim_tenant *tenant, uint64_t first)
{
	struct tier_residency residency = {
		.huge = tenant->config->huge,
		.has_policy = tenant->config->has_policy,
	};
	uint64_t end = TIER_MIN(first + TIER_BLOCK_PAGES, tenant->world.pages);

	for (uint64_t page = first; page < end; page++)
		tier_residency_add(&residency, page - first, tenant->tier[page]);
	return sim->ops->set_residency(tenant->policy, first, &residency);
}

static int tell_from(struct sim *sim, struct sim_tenant *tenant, uint64_t page)
{
	page -= page % TIER_BLOCK_PAGES;
	for (; page < tenant->world.pages; page += TIER_BLOCK_PAGES) {
		int r = tell_block(sim, tenant, page);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What the best placement would make of the tenant's accesses. The hottest pages fill
 * the quota; what the tiers between can hold comes next. */
static void look_up_best(const struct sim *sim, struct sim_tenant *tenant)
{
	const struct sim_tier_config *tiers = sim->config.tiers;
	uint64_t held = 0;
	double share = 0;

	tenant->best_latency_ns = 0;
	for (unsigned tier = 0; tier < sim->config.n_tiers; tier++) {
		uint64_t pages = tiers[tier].pages - tiers[tier].headroom_pages;
		double before = share;

		held += tier == 0 ? TIER_MIN(pages, tenant->quota_pages) : pages;
		share = tier + 1 < sim->config.n_tiers
				? sim_world_best_share(&tenant->world, held)
				: 1;
		tenant->best_latency_ns += (share - before) * tiers[tier].latency_ns;
		if (tier == 0)
			tenant->best_share = share;
	}
}

void sim_weigh(struct sim *sim, struct sim_tenant *tenant)
{
	memset(tenant->weight, 0, sizeof(tenant->weight));
	for (uint64_t page = 0; page < tenant->world.pages; page++)
		tenant->weight[tenant->tier[page]] += tenant->world.weight[page];
	look_up_best(sim, tenant);
}

int sim_place(struct sim *sim, struct sim_tenant *tenant)
{
	for (uint64_t page = 0; page < tenant->world.pages; page++)
		put(sim, tenant, page, first_touch(sim, tenant, page));
	look_up_best(sim, tenant);
	return tell_from(sim, tenant, 0);
}

int sim_grow(struct sim *sim, struct sim_tenant *tenant)
{
	struct sim_world *world = &tenant->world;
	uint64_t before = world->pages;
	double until = world->config.pages_at_first +
		       world->config.growth_pages_per_s * sim->now_s;

	while (world->pages < world->config.pages && world->pages < until) {
		double lost;
		uint64_t cooled = sim_world_grow(world, &lost), page = world->pages - 1;

		tenant->weight[tenant->tier[cooled]] -= lost;
		put(sim, tenant, page, first_touch(sim, tenant, page));
	}
	if (world->pages == before)
		return 0;
	look_up_best(sim, tenant);
	return tell_from(sim, tenant, before);
}
