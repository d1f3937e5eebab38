/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sim-internal.h"

#define LINE_BYTES 64
#define RNG_STREAM 1

/* ---- Lifecycle --------------------------------------------------------------------- */

struct sim *sim_free(struct sim *sim)
{
	if (!sim)
		return NULL;
	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		struct sim_tenant *tenant = &sim->tenants[i];

		sim_job_done(&tenant->job);
		if (tenant->policy)
			sim->ops->free(tenant->policy);
		sim_hints_done(&tenant->hints);
		sim_world_done(&tenant->world);
		free(tenant->tier);
		free(tenant->moved);
	}
	free(sim);
	return NULL;
}

static int new_policy(struct sim *sim, struct sim_tenant *tenant, unsigned number)
{
	struct sim_policy_config config = {
		.pages_max = tenant->world.config.pages,
		.truth = &tenant->world,
		.tier = tenant->tier,
	};

	tier_group_config_default(&config.group);
	config.group.n_tiers = sim->config.n_tiers;
	for (unsigned tier = 0; tier < sim->config.n_tiers; tier++)
		config.group.latency_ns[tier] = sim->config.tiers[tier].latency_ns;
	config.group.copy_cost_ns = 1e9 / sim->config.move_pages_per_s;
	config.group.seed = sim->config.seed + number;
	config.group.tpp_skips_policy = sim->config.tpp_skips_policy;
	return sim->ops->new (sim->ops, &config, &tenant->policy);
}

static int init_tenant(struct sim *sim, unsigned number)
{
	struct sim_tenant *tenant = &sim->tenants[number];
	const struct sim_world_config *world;
	int r;

	tenant->config = &sim->config.tenants[number];
	tenant->quota_pages = tenant->config->quota_pages;
	world = &tenant->config->world;
	r = sim_world_init(&tenant->world, sim->cache, world, sim->config.seed + number);
	if (r < 0)
		return r;
	tenant->tier = malloc(world->pages);
	tenant->moved = calloc(world->pages, sizeof(*tenant->moved));
	if (!tenant->tier || !tenant->moved)
		return -ENOMEM;
	if (sim->ops->wants_hints) {
		r = sim_hints_init(&tenant->hints, world->pages);
		if (r < 0)
			return r;
	}
	r = new_policy(sim, tenant, number);
	if (r < 0)
		return r;
	r = sim_place(sim, tenant);
	if (r < 0)
		return r;
	tenant->parallelism = world->accesses_per_s * sim_latency_ns(sim, tenant) / 1e9;
	return 0;
}

int sim_new(const struct sim_config *config, const struct sim_policy_ops *policy,
	struct sim_zipf_cache *cache, struct sim **ret)
{
	_cleanup_(sim_freep) struct sim *sim = calloc(1, sizeof(*sim));

	if (!sim)
		return -ENOMEM;
	sim->config = *config;
	sim->ops = policy;
	sim->cache = cache;
	gups_rng_init(&sim->rng, config->seed, RNG_STREAM);
	for (unsigned i = 0; i < config->n_tiers; i++)
		sim->config.move_pages_per_s = TIER_MIN(sim->config.move_pages_per_s,
			config->tiers[i].bandwidth_bytes / TIER_PAGE_SIZE);
	for (unsigned i = 0; i < config->n_tenants; i++) {
		int r = init_tenant(sim, i);

		if (r < 0)
			return r;
	}
	*ret = TAKE_PTR(sim);
	return 0;
}

/* ---- Speed ------------------------------------------------------------------------- */

double sim_latency_ns(const struct sim *sim, const struct sim_tenant *tenant)
{
	double sum = 0;

	for (unsigned tier = 0; tier < sim->config.n_tiers; tier++)
		sum += tenant->weight[tier] * sim->config.tiers[tier].latency_ns;
	return sum / tenant->world.total;
}

/* As many as latency allows, unless that is more than a tier's bandwidth lets through. */
double sim_accesses_per_s(const struct sim *sim, const struct sim_tenant *tenant)
{
	double rate = tenant->parallelism * 1e9 / sim_latency_ns(sim, tenant);

	for (unsigned tier = 0; tier < sim->config.n_tiers; tier++) {
		double bytes =
			rate * LINE_BYTES * tenant->weight[tier] / tenant->world.total;
		double most = sim->config.tiers[tier].bandwidth_bytes;

		if (bytes > most)
			rate *= most / bytes;
	}
	return rate;
}

/* ---- Time -------------------------------------------------------------------------- */

static int change_phase(struct sim *sim, struct sim_tenant *tenant)
{
	int r = sim_world_change_phase(&tenant->world, sim->cache);

	if (r < 0)
		return r;
	sim_weigh(sim, tenant);
	if (sim->ops->changed)
		sim->ops->changed(tenant->policy);
	return 0;
}

static int pass_time(struct sim *sim, struct sim_tenant *tenant)
{
	double phase_at_s = tenant->config->world.phase_at_s;

	if (phase_at_s > 0 && sim->now_s - sim->config.tick_s < phase_at_s &&
		sim->now_s >= phase_at_s) {
		int r = change_phase(sim, tenant);

		if (r < 0)
			return r;
	}
	if (tenant->config->world.growth_pages_per_s > 0)
		return sim_grow(sim, tenant);
	return 0;
}

/* Copies for a tick. A plan that was cut short has a successor at once. */
static int migrate(struct sim *sim)
{
	double end_s = sim->now_s;

	for (unsigned slice = 1; slice <= SIM_SLICES; slice++) {
		sim->now_s = end_s + sim->config.tick_s * slice / SIM_SLICES;
		sim_migrate(sim);
		for (unsigned i = 0; i < sim->config.n_tenants; i++) {
			struct sim_tenant *tenant = &sim->tenants[i];
			int r;

			if (slice == SIM_SLICES || tenant->has_job ||
				!tenant->has_backlog)
				continue;
			r = sim_plan(sim, tenant);
			if (r < 0)
				return r;
		}
	}
	sim->now_s = ++sim->tick * sim->config.tick_s;
	return 0;
}

int sim_tick(struct sim *sim)
{
	int r;

	r = migrate(sim);
	if (r < 0)
		return r;
	r = sim_sample(sim);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		struct sim_tenant *tenant = &sim->tenants[i];

		r = pass_time(sim, tenant);
		if (r < 0)
			return r;
		if (!tenant->has_job) {
			r = sim_plan(sim, tenant);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int sim_change_phase(struct sim *sim)
{
	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		int r = change_phase(sim, &sim->tenants[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

void sim_set_quota(struct sim *sim, unsigned tenant, uint64_t pages)
{
	sim->tenants[tenant].quota_pages = pages;
	sim_weigh(sim, &sim->tenants[tenant]);
}

/* ---- Looking ----------------------------------------------------------------------- */

double sim_now_s(const struct sim *sim)
{
	return sim->now_s;
}

void sim_look(const struct sim *sim, struct sim_moment *ret)
{
	double sum = 0;

	*ret = sim->total;
	for (unsigned i = 0; i < sim->config.n_tenants; i++)
		sum += sim->tenants[i].config->world.accesses_per_s;
	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		const struct sim_tenant *tenant = &sim->tenants[i];
		double share = tenant->config->world.accesses_per_s / sum;

		ret->hit_ratio += share * tenant->weight[0] / tenant->world.total;
		ret->best_ratio += share * tenant->best_share;
		ret->accesses_per_s += sim_accesses_per_s(sim, tenant);
		ret->latency_ns += share * sim_latency_ns(sim, tenant);
		ret->best_latency_ns += share * tenant->best_latency_ns;
	}
}

double sim_hot_share(const struct sim *sim, unsigned number)
{
	const struct sim_tenant *tenant = &sim->tenants[number];
	double mean = tenant->world.total / tenant->world.pages;
	uint64_t hot = 0, fast = 0;

	for (uint64_t page = 0; page < tenant->world.pages; page++) {
		bool is_hot = tenant->world.weight[page] > mean;

		hot += is_hot;
		fast += is_hot && tenant->tier[page] == 0;
	}
	return hot > 0 ? (double)fast / hot : 0;
}

size_t sim_portions(
	const struct sim *sim, unsigned number, double ret[static SIM_PORTIONS_MAX])
{
	const struct sim_tenant *tenant = &sim->tenants[number];
	size_t n = 0;

	for (uint64_t first = 0; first < tenant->world.pages && n < SIM_PORTIONS_MAX;
		first += SIM_GIB_PAGES) {
		uint64_t end = TIER_MIN(first + SIM_GIB_PAGES, tenant->world.pages);
		uint64_t fast = 0;

		for (uint64_t page = first; page < end; page++)
			fast += tenant->tier[page] == 0;
		ret[n++] = (double)fast / (end - first);
	}
	return n;
}

struct tier_group *sim_group(const struct sim *sim, unsigned tenant)
{
	return sim->ops->group ? sim->ops->group(sim->tenants[tenant].policy) : NULL;
}
