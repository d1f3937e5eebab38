/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying plans out, by the rules of libtier's migrator: each direction goes through its
 * moves in order at its own speed, a promotion waits for the room that demotions make,
 * and a plan's results are handed back when all of it is done, not before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim-internal.h"

/* Back is within so long of there. */
#define BACK_S 60

void sim_job_done(struct sim_job *job)
{
	sim_plan_done(&job->plan);
	free(job->results);
	*job = (struct sim_job){ 0 };
}

/* ---- Planning ---------------------------------------------------------------------- */

/* Room that other tenants' jobs count on. */
static uint64_t promised(
	const struct sim *sim, const struct sim_tenant *tenant, unsigned tier)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		const struct sim_tenant *other = &sim->tenants[i];

		if (other != tenant && other->has_job && other->job.room[tier] > 0)
			pages += other->job.room[tier];
	}
	return pages;
}

static void get_limits(
	const struct sim *sim, const struct sim_tenant *tenant, struct tier_limits *ret)
{
	struct tier_limits limits = {
		.now_ns = sim_now_ns(sim),
		.fast_pages = tenant->pages[0],
		.quota_pages = tenant->quota_pages,
		.budget_pages = sim->config.move_pages_per_s * sim->config.tick_s,
	};

	for (unsigned tier = 0; tier < sim->config.n_tiers; tier++) {
		const struct sim_tier_config *config = &sim->config.tiers[tier];
		uint64_t free_pages =
			tier_saturating_sub(config->pages, sim->used_pages[tier]);

		limits.room_pages[tier] = tier_saturating_sub(
			free_pages, config->headroom_pages + promised(sim, tenant, tier));
		if (tier == 0)
			limits.owed_pages = tier_saturating_sub(
				config->headroom_pages / 2, free_pages);
	}
	*ret = limits;
}

static size_t next_of(const struct sim_job *job, size_t i, enum tier_direction direction)
{
	while (i < job->plan.n && job->plan.list[i].direction != direction)
		i++;
	return i;
}

int sim_plan(struct sim *sim, struct sim_tenant *tenant)
{
	struct sim_job job = { .number = sim->jobs++ };
	struct tier_limits limits;
	int r;

	get_limits(sim, tenant, &limits);
	r = sim->ops->plan(tenant->policy, &limits, &job.plan);
	if (r < 0)
		return r;
	tenant->has_backlog = job.plan.is_cut_short;
	if (job.plan.n == 0) {
		sim_job_done(&job);
		tenant->has_backlog = false;
		return 0;
	}
	job.results = calloc(job.plan.n, 1);
	if (!job.results) {
		sim_job_done(&job);
		return -ENOMEM;
	}
	for (unsigned tier = 0; tier < sim->config.n_tiers; tier++)
		job.room[tier] = (int64_t)job.plan.room[tier] - job.plan.owed[tier];
	for (int direction = 0; direction < TIER_DIRECTION_MAX; direction++)
		job.next[direction] = next_of(&job, 0, direction);
	tenant->job = job;
	tenant->has_job = true;
	return 0;
}

/* ---- Copying ----------------------------------------------------------------------- */

static void count_page(
	struct sim *sim, struct sim_tenant *tenant, uint64_t page, unsigned direction)
{
	uint16_t *moved = &tenant->moved[page];
	uint64_t ticks = sim->tick - (*moved - 1) / 2;

	sim->total.moved_pages[direction]++;
	if (*moved > 0 && (*moved - 1) % 2 != direction &&
		ticks * sim->config.tick_s <= BACK_S)
		sim->total.back_pages++;
	*moved = TIER_MIN(1 + 2 * sim->tick + direction, (uint64_t)UINT16_MAX);
	if (tenant->hints.is_protected)
		tenant->hints.is_protected[page] = 0;
}

static enum tier_result copy(
	struct sim *sim, struct sim_tenant *tenant, const struct tier_move *move)
{
	uint64_t first = (move->address - SIM_BASE) / TIER_PAGE_SIZE;

	if (gups_rng_unit(&sim->rng) < sim->config.busy_share)
		return TIER_RESULT_BUSY;
	if (sim->used_pages[move->to] + move->pages > sim->config.tiers[move->to].pages)
		return TIER_RESULT_NOMEM;
	for (uint64_t page = first; page < first + move->pages; page++) {
		if (tenant->tier[page] != move->from)
			abort();
		sim_set_tier(sim, tenant, page, move->to);
		count_page(sim, tenant, page, move->direction);
	}
	sim->budget_pages[move->direction] -= move->pages;
	return TIER_RESULT_DONE;
}

static void demote(struct sim *sim, struct sim_tenant *tenant)
{
	struct sim_job *job = &tenant->job;
	size_t *next = &job->next[TIER_DEMOTE];

	while (*next < job->plan.n && sim->budget_pages[TIER_DEMOTE] > 0) {
		const struct tier_move *move = &job->plan.list[*next];

		job->results[*next] = copy(sim, tenant, move);
		if (job->results[*next] == TIER_RESULT_DONE)
			job->room[move->from] += move->pages;
		*next = next_of(job, *next + 1, TIER_DEMOTE);
	}
}

static void promote(struct sim *sim, struct sim_tenant *tenant)
{
	struct sim_job *job = &tenant->job;
	size_t *next = &job->next[TIER_PROMOTE];

	while (*next < job->plan.n && sim->budget_pages[TIER_PROMOTE] > 0) {
		const struct tier_move *move = &job->plan.list[*next];

		if (job->room[move->to] < (int64_t)move->pages) {
			if (job->next[TIER_DEMOTE] < job->plan.n)
				return;
			job->results[*next] = TIER_RESULT_NOROOM;
		} else {
			job->results[*next] = copy(sim, tenant, move);
			if (job->results[*next] == TIER_RESULT_DONE)
				job->room[move->to] -= move->pages;
		}
		*next = next_of(job, *next + 1, TIER_PROMOTE);
	}
}

static void finish(struct sim *sim, struct sim_tenant *tenant)
{
	struct sim_job *job = &tenant->job;
	uint64_t done = 0;

	if (job->next[TIER_DEMOTE] < job->plan.n || job->next[TIER_PROMOTE] < job->plan.n)
		return;
	for (size_t i = 0; i < job->plan.n; i++) {
		done += job->results[i] == TIER_RESULT_DONE;
		sim->ops->complete(tenant->policy, &job->plan.list[i], job->results[i],
			sim_now_ns(sim));
	}
	/* What mostly fails is not worth hurrying for. */
	tenant->has_backlog &= 2 * done >= job->plan.n;
	sim_job_done(job);
	tenant->has_job = false;
}

static void note_excess(struct sim *sim, const struct sim_tenant *tenant, uint64_t before)
{
	uint64_t most = TIER_MAX(tenant->quota_pages, before);

	if (tenant->pages[0] > most)
		sim->total.over_pages =
			TIER_MAX(sim->total.over_pages, tenant->pages[0] - most);
}

/* Copying for one slice, jobs in the order they came. */
void sim_migrate(struct sim *sim)
{
	double pages = sim->config.move_pages_per_s * sim->config.tick_s / SIM_SLICES;
	unsigned first = 0;

	for (int direction = 0; direction < TIER_DIRECTION_MAX; direction++)
		sim->budget_pages[direction] =
			TIER_MIN(sim->budget_pages[direction], 0.0) + pages;
	if (sim->config.n_tenants > 1 && sim->tenants[1].has_job &&
		sim->tenants[1].job.number < sim->tenants[0].job.number)
		first = 1;
	for (unsigned i = 0; i < sim->config.n_tenants; i++) {
		struct sim_tenant *tenant =
			&sim->tenants[(first + i) % sim->config.n_tenants];
		uint64_t before = tenant->pages[0];

		if (!tenant->has_job)
			continue;
		demote(sim, tenant);
		promote(sim, tenant);
		note_excess(sim, tenant, before);
		finish(sim, tenant);
	}
}
