/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "migrate/job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

DEFINE_CLEANUP(struct tier_job *, tier_job_free)

static int find_target(const struct tier_job *job, uint64_t space, uint32_t *index)
{
	if (*index < job->n_targets && job->targets[*index].space == space)
		return 0;
	for (uint32_t i = 0; i < job->n_targets; i++)
		if (job->targets[i].space == space) {
			*index = i;
			return 0;
		}
	return -EINVAL;
}

static int copy_moves(struct tier_job *job, const struct tier_plan *plan)
{
	const struct tier_move *moves = tier_plan_moves(plan, &job->n_moves);
	size_t n = TIER_MAX(job->n_moves, (size_t)1);
	uint32_t target = 0;

	job->moves = calloc(n, sizeof(*job->moves));
	job->target_of = calloc(n, sizeof(*job->target_of));
	job->results = malloc(n);
	if (!job->moves || !job->target_of || !job->results)
		return -ENOMEM;
	memset(job->results, TIER_RESULT_CANCELLED, n);
	for (size_t i = 0; i < job->n_moves; i++) {
		int r = find_target(job, moves[i].space, &target);

		if (r < 0)
			return r;
		job->moves[i] = moves[i];
		job->target_of[i] = target;
	}
	return 0;
}

/* Own descriptors of those targets that have moves: the caller's may be closed and their
 * numbers used for something else while the job waits. */
static int copy_targets(struct tier_job *job, const struct tier_job_config *config)
{
	size_t n = TIER_MAX(config->n_targets, (size_t)1);

	job->targets = calloc(n, sizeof(*job->targets));
	if (!job->targets)
		return -ENOMEM;
	job->n_targets = config->n_targets;
	for (size_t i = 0; i < config->n_targets; i++) {
		job->targets[i] = config->targets[i];
		job->targets[i].pidfd = -EBADF;
	}
	return 0;
}

static int copy_pidfds(struct tier_job *job, const struct tier_job_config *config)
{
	for (size_t i = 0; i < job->n_moves; i++) {
		struct tier_target *target = &job->targets[job->target_of[i]];
		int pidfd = config->targets[job->target_of[i]].pidfd;

		if (pidfd < 0 || target->pidfd >= 0)
			continue;
		target->pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
		if (target->pidfd < 0)
			return -errno;
	}
	return 0;
}

int tier_job_new(const struct tier_job_config *config, struct tier_job **ret)
{
	_cleanup_(tier_job_freep) struct tier_job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	job->userdata = config->userdata;
	job->nodes[TIER_PROMOTE] = config->fast_node;
	job->nodes[TIER_DEMOTE] = config->slow_node;
	job->bandwidth_max = config->bandwidth_max;
	job->room_pages = (int64_t)TIER_MIN(config->room_pages, (uint64_t)INT32_MAX) -
			  (int64_t)tier_plan_owed_pages(config->plan);
	job->n_parts = TIER_DIRECTION_MAX;

	r = copy_targets(job, config);
	if (r < 0)
		return r;
	r = copy_moves(job, config->plan);
	if (r < 0)
		return r;
	r = copy_pidfds(job, config);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(job);
	return 0;
}

_public_ struct tier_job *tier_job_free(struct tier_job *job)
{
	if (!job)
		return NULL;
	for (size_t i = 0; i < job->n_targets; i++)
		closep(&job->targets[i].pidfd);
	free(job->moves);
	free(job->target_of);
	free(job->results);
	free(job->targets);
	free(job);
	return NULL;
}

_public_ void *tier_job_userdata(const struct tier_job *job)
{
	return job->userdata;
}

_public_ size_t tier_job_n_moves(const struct tier_job *job)
{
	return job->n_moves;
}

_public_ const struct tier_move *tier_job_move(
	const struct tier_job *job, size_t i, enum tier_result *ret_result)
{
	*ret_result = job->results[i];
	return &job->moves[i];
}

_public_ void tier_job_cost(
	const struct tier_job *job, uint64_t *ret_busy_ns, uint64_t *ret_pages)
{
	*ret_busy_ns = job->busy_ns[TIER_PROMOTE] + job->busy_ns[TIER_DEMOTE];
	*ret_pages = job->moved_pages[TIER_PROMOTE] + job->moved_pages[TIER_DEMOTE];
}
