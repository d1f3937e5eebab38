/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a group's state to a job of the migrator and back. How much a plan may ask for and
 * what a copy costs is learnt from the jobs themselves.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/util.h"
#include "group-internal.h"

/* A group over its quota waits so long for the first pass of the sweep. */
#define FIRST_LOOK_NS TIERD_NSEC

/* Long enough for both directions to overlap, short enough to stay with the times. */
#define JOB_TICKS 3

/* Jobs of fewer pages tell nothing of their speed. */
#define COST_PAGES_MIN 256

#define BUDGET_PAGES_MIN 1024
#define BUDGET_PAGES_MAX 32768

/* Part of the highest sampling rate while migration is the bottleneck. */
#define BACKLOG_RATE_DIVISOR 4

/* With so much of its memory in doubt it has use for that rate, with less for less. */
#define DOUBT_MAX 0.125

/* With so many samples a second of each block it is migration that pages wait for: of 2
 * GiB, twice as many brought no hot set to DRAM sooner, contiguous or scattered. */
#define ENOUGH_PER_BLOCK 10
#define ENOUGH_MIN       5000

/* Blocks of which no sample is expected within libtier's half-life are unknown: each has
 * one in half of that. */
#define COVER_S 150

/* A group that moved less than this share of its memory within the time is settled. */
#define SETTLED_NS      (5 * TIERD_NSEC)
#define SETTLED_DIVISOR 128

/*
 * A job interrupts every CPU however little it moves: the kernel drains their lists of
 * pages and flushes their TLBs (mm/migrate.c, lru_cache_disable() and
 * try_to_unmap_flush()). In a settled group one of fewer pages than these is followed by
 * a pause, in which others gather to as many.
 */
#define GATHER_PAGES 2048
#define GATHER_NS    (10 * TIERD_NSEC)

/* ---- Plans --------------------------------------------------------------------- */

static uint64_t bytes_to_pages(uint64_t bytes)
{
	return bytes == UINT64_MAX ? TIER_UNLIMITED_PAGES : bytes >> TIER_PAGE_SHIFT;
}

/* A quota has to be kept soon, but what to demote is better chosen after a first look. */
static bool is_too_early(const struct tierd_group *group, uint64_t time_ns)
{
	if (group->is_swept)
		return false;
	return group->dram_bytes <= tierd_group_plan_quota(group) ||
	       time_ns < group->born_ns + FIRST_LOOK_NS;
}

static uint64_t bandwidth_max(const struct tierd_group *group)
{
	return TIER_MIN(
		group->policy.bandwidth_max_bytes, group->context->bandwidth_max_bytes);
}

/* What a job may carry, so that it does not keep a migrator waiting for long: other
 * groups wait with it. */
static uint64_t job_budget(const struct tierd_group *group)
{
	double seconds = (double)(JOB_TICKS * group->context->tick_ns) / TIERD_NSEC;
	double pages = bandwidth_max(group) * seconds / TIER_PAGE_SIZE;

	return TIER_MIN(
		(double)group->budget_pages, TIER_MAX(pages, (double)TIER_BLOCK_PAGES));
}

static uint64_t count_pages(const struct tier_plan *plan)
{
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);
	uint64_t pages = 0;

	for (size_t i = 0; i < n; i++)
		pages += moves[i].pages;
	return pages;
}

/* Whether the plan may be dropped, as the next one is the same or larger: rank's is, the
 * other engines have tried what they planned. */
static bool can_wait(const struct tierd_group *group, const struct tier_limits *limits,
	const struct tier_plan *plan)
{
	uint64_t pages = count_pages(plan);

	return group->policy.engine == TIER_ENGINE_RANK && pages > 0 &&
	       pages < GATHER_PAGES && !tier_plan_is_cut_short(plan) &&
	       limits->now_ns < group->gather_until_ns &&
	       tierd_group_is_settled(group, limits->now_ns) &&
	       limits->fast_pages <= limits->quota_pages && limits->owed_pages == 0;
}

int tierd_group_plan(struct tierd_group *group, uint64_t time_ns,
	const uint64_t room_bytes[static TIER_TIERS_MAX], uint64_t owed_bytes,
	struct tier_plan **ret)
{
	struct tier_limits limits = {
		.now_ns = time_ns,
		.fast_pages = bytes_to_pages(group->dram_bytes),
		.quota_pages = bytes_to_pages(tierd_group_plan_quota(group)),
		.owed_pages = bytes_to_pages(owed_bytes),
		.budget_pages = job_budget(group),
		.collapses = group->context->collapses,
	};
	int r;

	*ret = NULL;
	if (group->job || time_ns < group->paused_until_ns ||
		is_too_early(group, time_ns))
		return 0;
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		limits.room_pages[tier] = bytes_to_pages(room_bytes[tier]);
	r = tier_group_plan(group->heat, &limits, ret);
	if (r < 0)
		return r;
	group->has_backlog = tier_plan_is_cut_short(*ret);
	group->is_gathering = can_wait(group, &limits, *ret);
	if (group->is_gathering)
		*ret = tier_plan_free(*ret);
	return 0;
}

int tierd_group_submit(struct tierd_group *group, struct tier_migrator *migrator,
	struct tier_plan *plan, const int nodes[static TIER_TIERS_MAX])
{
	_cleanup_(freep) struct tier_target *targets =
		calloc(group->n_spaces + 1, sizeof(*targets));
	unsigned upper, lower;
	int r;

	if (!targets)
		return -ENOMEM;
	tier_plan_get_tiers(plan, &upper, &lower);
	for (size_t i = 0; i < group->n_spaces; i++)
		targets[i] = (struct tier_target){
			.space = group->spaces[i]->id,
			.pid = group->spaces[i]->pid,
			.pidfd = group->spaces[i]->pidfd,
		};
	r = tier_migrator_submit(
		migrator, &(struct tier_job_config){
				  .plan = plan,
				  .targets = targets,
				  .n_targets = group->n_spaces,
				  .fast_node = nodes[upper],
				  .slow_node = nodes[lower],
				  .room_pages = tier_plan_room_pages(plan),
				  .bandwidth_max = bandwidth_max(group),
				  .userdata = group,
			  });
	if (r < 0)
		return r;
	group->job = plan;
	group->job_began_ns = tierd_now_ns();
	return 0;
}

bool tierd_group_has_job(const struct tierd_group *group)
{
	return group->job;
}

/* Jobs grow or shrink towards the length of JOB_TICKS. */
static void learn_budget(struct tierd_group *group, uint64_t pages, uint64_t time_ns)
{
	double took_ns = TIER_MAX(time_ns - group->job_began_ns, UINT64_C(1));
	double fitting = pages * (JOB_TICKS * group->context->tick_ns / took_ns);
	double budget = (group->budget_pages + fitting) / 2;

	if (pages < BUDGET_PAGES_MIN / 2)
		return;
	budget = TIER_MAX(budget, (double)BUDGET_PAGES_MIN);
	group->budget_pages = TIER_MIN(budget, (double)BUDGET_PAGES_MAX);
}

/* What mostly fails says little of what a copy costs. */
static void learn_copy_cost(
	struct tierd_group *group, const struct tier_job *job, uint64_t tried_pages)
{
	uint64_t busy_ns, pages;
	double cost_ns;

	tier_job_cost(job, &busy_ns, &pages);
	if (pages < COST_PAGES_MIN || 2 * pages < tried_pages)
		return;
	cost_ns = (double)busy_ns / pages;
	group->copy_cost_ns = group->copy_cost_ns > 0
				      ? 0.8 * group->copy_cost_ns + 0.2 * cost_ns
				      : cost_ns;
	tier_group_set_copy_cost(group->heat, group->copy_cost_ns + 1);
}

/* The next plan waits until what was moved fits the bandwidth. */
static void pause_for_bandwidth(struct tierd_group *group, uint64_t pages)
{
	double seconds = (double)pages * TIER_PAGE_SIZE / bandwidth_max(group);

	group->paused_until_ns = group->job_began_ns + (uint64_t)(seconds * TIERD_NSEC);
}

/* Activity is judged by windows of time, so that a trickle does not count. */
static void note_activity(struct tierd_group *group, uint64_t pages, uint64_t time_ns)
{
	uint64_t held_bytes = group->dram_bytes + group->slow_bytes;

	if (time_ns - group->window_ns >= SETTLED_NS) {
		group->window_ns = time_ns;
		group->window_pages = 0;
	}
	group->window_pages += pages;
	if (group->window_pages * TIER_PAGE_SIZE > held_bytes / SETTLED_DIVISOR)
		group->busy_since_ns = time_ns;
}

void tierd_group_complete(
	struct tierd_group *group, const struct tier_job *job, uint64_t time_ns)
{
	uint64_t done[TIER_DIRECTION_MAX] = { 0 }, all = 0, tried = 0;

	for (size_t i = 0; i < tier_job_n_moves(job); i++) {
		enum tier_result result;
		const struct tier_move *move = tier_job_move(job, i, &result);

		tier_group_complete(group->heat, move, result, time_ns);
		all += move->pages;
		if (move->direction != TIER_COLLAPSE)
			tried += move->pages;
		if (result == TIER_RESULT_DONE)
			done[move->direction] += move->pages;
	}
	group->job = tier_plan_free(group->job);
	group->gather_until_ns = all < GATHER_PAGES ? time_ns + GATHER_NS : 0;
	/* What mostly fails is not worth hurrying for. */
	group->has_backlog &= 2 * (done[TIER_PROMOTE] + done[TIER_DEMOTE]) >= tried;
	group->promoted_bytes += done[TIER_PROMOTE] * TIER_PAGE_SIZE;
	group->demoted_bytes += done[TIER_DEMOTE] * TIER_PAGE_SIZE;
	pause_for_bandwidth(group,
		TIER_MAX(done[TIER_PROMOTE] + done[TIER_COLLAPSE], done[TIER_DEMOTE]));
	learn_copy_cost(group, job, tried);
	learn_budget(group, TIER_MAX(done[TIER_PROMOTE], done[TIER_DEMOTE]), time_ns);
	note_activity(group, done[TIER_PROMOTE] + done[TIER_DEMOTE], time_ns);
}

bool tierd_group_has_backlog(const struct tierd_group *group)
{
	return group->has_backlog;
}

bool tierd_group_is_settled(const struct tierd_group *group, uint64_t time_ns)
{
	return group->is_swept && time_ns > group->busy_since_ns + SETTLED_NS;
}

/* How much of what is in doubt more samples may still clear: what has not been moved for
 * some time is unlikely to be. */
static double prospect(const struct tierd_group *group, uint64_t time_ns)
{
	uint64_t idle_ns = tier_saturating_sub(time_ns, group->busy_since_ns);

	return group->is_swept ? exp2(-(double)(idle_ns / SETTLED_NS)) : 1;
}

uint64_t tierd_group_samples_of_use(
	const struct tierd_group *group, uint64_t least, uint64_t most, uint64_t time_ns)
{
	struct tier_group_stats stats;
	uint64_t enough;
	double part = 1;

	tier_group_get_stats(group->heat, &stats);
	if (!isnan(stats.resolution))
		part = TIER_MIN((1 - stats.resolution) / DOUBT_MAX, 1.0);
	if (group->has_backlog)
		part = TIER_MIN(part, 1.0 / BACKLOG_RATE_DIVISOR);
	part = TIER_MIN(part, prospect(group, time_ns));
	enough = TIER_MAX(ENOUGH_PER_BLOCK * stats.blocks, (uint64_t)ENOUGH_MIN);
	least = TIER_MAX(least, stats.blocks / COVER_S);
	return TIER_MIN(TIER_MAX(least, (uint64_t)(part * TIER_MIN(enough, most))), most);
}
