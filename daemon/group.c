/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/usage.h"
#include "group-internal.h"
#include "log.h"
#include "recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* A first guess of how many pages two ticks can carry. */
#define BUDGET_PAGES_FIRST 4096

/* A quota counts as exceeded when it is by so much, or a 64th, for so long. */
#define EXCESS_BYTES_MIN (UINT64_C(4) << 20)
#define EXCESS_NS        (5 * TIERD_NSEC)

/* ---- Coming and going ---------------------------------------------------------- */

static uint64_t tier_latency_ns(const struct tierd_topology *topology, unsigned tier)
{
	uint64_t latency_ns = 0;

	for (unsigned i = 0; i < topology->n_nodes; i++)
		if (tierd_heat_tier(&topology->nodes[i]) == tier)
			latency_ns =
				TIER_MAX(latency_ns, topology->nodes[i].read_latency_ns);
	return latency_ns;
}

/* Takes the firmware's latencies if it states all of them, and they rise. */
static void set_tiers(
	struct tier_group_config *config, const struct tierd_topology *topology)
{
	uint64_t latency_ns[TIER_TIERS_MAX], before_ns = 0;

	config->n_tiers = TIER_MIN(topology->n_tiers, (unsigned)TIER_TIERS_MAX);
	for (unsigned tier = 0; tier < config->n_tiers; tier++) {
		latency_ns[tier] = tier_latency_ns(topology, tier);
		if (latency_ns[tier] <= before_ns)
			return;
		before_ns = latency_ns[tier];
	}
	memcpy(config->latency_ns, latency_ns, config->n_tiers * sizeof(latency_ns[0]));
}

static int new_heat(const struct tierd_group_context *context, enum tier_engine engine,
	struct tier_group **ret)
{
	struct tier_group_config config;

	tier_group_config_default(&config);
	config.engine = engine;
	set_tiers(&config, context->topology);
	return tier_group_new(&config, ret);
}

int tierd_group_new(const struct tierd_group_context *context,
	struct tierd_cgroup *cgroup, const struct tierd_policy *policy,
	struct tierd_group **ret)
{
	_cleanup_(freep) struct tierd_group *group = calloc(1, sizeof(*group));
	int r;

	if (!group)
		return -ENOMEM;
	group->context = context;
	group->born_ns = tierd_now_ns();
	group->budget_pages = BUDGET_PAGES_FIRST;
	r = new_heat(context, policy->engine, &group->heat);
	if (r < 0)
		return r;
	group->cgroup = cgroup;
	if (cgroup)
		(void)tierd_usage_read_cpu(
			tierd_cgroup_fd(cgroup), &group->cpu_usec_before);
	group->policy.engine = policy->engine;
	group->watch = -EBADF;
	tierd_heatmap_init(&group->heatmap);
	tierd_group_set_policy(group, policy);
	*ret = TAKE_PTR(group);
	return 0;
}

struct tierd_group *tierd_group_free(struct tierd_group *group)
{
	if (!group)
		return NULL;
	for (size_t i = 0; i < group->n_spaces; i++)
		tierd_space_free(group->spaces[i], group->heat);
	free(group->spaces);
	tierd_group_free_settings(group);
	tier_plan_free(group->job);
	tierd_recording_free(group->recording);
	tier_group_free(group->heat);
	tierd_cgroup_free(group->cgroup);
	free(group);
	return NULL;
}

/*
 * What is known of the group's memory lies in its engine's group, so that a new one knows
 * nothing. Spaces get new numbers: results of moves still under way, and samples still to
 * be counted, mean nothing to it.
 */
static int change_engine(struct tierd_group *group, enum tier_engine engine)
{
	struct tier_group *heat;
	int r;

	r = new_heat(group->context, engine, &heat);
	if (r < 0)
		return r;
	for (size_t i = 0; i < group->n_spaces; i++)
		tierd_space_restart(group->spaces[i], group->heat);
	group->recording = tierd_recording_free(group->recording);
	tier_group_free(group->heat);
	group->heat = heat;
	tier_group_set_copy_cost(heat, group->copy_cost_ns);
	group->born_ns = tierd_now_ns();
	group->is_swept = group->has_backlog = false;
	group->n_looks = group->n_samples = group->sweep_space = 0;
	return 0;
}

void tierd_group_set_policy(struct tierd_group *group, const struct tierd_policy *policy)
{
	uint64_t total_bytes = group->context->dram_total_bytes;
	enum tier_engine engine = group->policy.engine;
	int r = 0;

	if (engine != policy->engine)
		r = change_engine(group, policy->engine);
	group->policy = *policy;
	if (r < 0) {
		log_warning("%s: no memory for another engine: %s stays", policy->path,
			tier_engine_to_string(engine));
		group->policy.engine = engine;
	}
	group->quota_bytes = tierd_amount_resolve(policy->dram_quota, total_bytes);
	group->min_bytes = tierd_policy_min_bytes(policy, total_bytes);
	if (group->min_bytes < tierd_amount_resolve(policy->dram_min, total_bytes))
		log_warning(
			"%s: DRAMMin is more than DRAMQuota on this machine: "
			"the quota holds",
			policy->path);
	group->busy_since_ns = tierd_now_ns();
	tier_group_expect_change(group->heat);
}

int tierd_group_set_quota(struct tierd_group *group, uint64_t bytes)
{
	if (bytes < group->min_bytes)
		return -EINVAL;
	group->quota_bytes = bytes;
	group->busy_since_ns = tierd_now_ns();
	tier_group_expect_change(group->heat);
	return 0;
}

void tierd_group_waive_min(struct tierd_group *group)
{
	group->min_bytes = 0;
}

void tierd_group_set_enforcement(
	struct tierd_group *group, enum tierd_enforcement enforcement)
{
	group->policy.enforcement = enforcement;
	group->busy_since_ns = tierd_now_ns();
}

/* ---- Seeing -------------------------------------------------------------------- */

const char *tierd_group_path(const struct tierd_group *group)
{
	return tierd_cgroup_path(group->cgroup);
}

const struct tierd_cgroup *tierd_group_cgroup(const struct tierd_group *group)
{
	return group->cgroup;
}

bool tierd_group_moves_pages(const struct tierd_group *group)
{
	return group->policy.enforcement != TIERD_ENFORCEMENT_ADVISE;
}

int tierd_group_watch(const struct tierd_group *group)
{
	return group->watch;
}

void tierd_group_set_watch(struct tierd_group *group, int watch)
{
	group->watch = watch;
}

struct tier_group *tierd_group_heat(struct tierd_group *group)
{
	return group->heat;
}

const struct tierd_heatmap *tierd_group_heatmap(const struct tierd_group *group)
{
	return &group->heatmap;
}

/* ---- Recording ----------------------------------------------------------------- */

bool tierd_group_is_recorded(const struct tierd_group *group)
{
	return group->recording && !tierd_recording_is_over(group->recording);
}

int tierd_group_record(struct tierd_group *group, sd_event *event, const char *source,
	uint64_t period, uint64_t duration_ns, int *ret_fd)
{
	struct tier_trace_meta meta = { .period = period };
	struct tier_group_config config;

	if (tierd_group_is_recorded(group))
		return -EBUSY;
	group->recording = tierd_recording_free(group->recording);
	tier_group_config_default(&config);
	set_tiers(&config, group->context->topology);
	meta.n_tiers = config.n_tiers;
	memcpy(meta.latency_ns, config.latency_ns, sizeof(meta.latency_ns));
	snprintf(meta.source, sizeof(meta.source), "%s", source);
	return tierd_recording_new(
		event, group, &meta, duration_ns, ret_fd, &group->recording);
}

pid_t tierd_group_pid_of(const struct tierd_group *group, uint64_t space)
{
	for (size_t i = 0; i < group->n_spaces; i++)
		if (group->spaces[i]->id == space)
			return group->spaces[i]->pid;
	return 0;
}

void tierd_group_get_view(const struct tierd_group *group, struct tierd_group_view *ret)
{
	*ret = (struct tierd_group_view){
		.cgroup = tierd_group_path(group),
		.policy = group->policy.path,
		.enforcement = tierd_enforcement_to_string(group->policy.enforcement),
		.placement = tierd_placement_to_string(group->policy.placement),
		.engine = tier_engine_to_string(group->policy.engine),
		.dram_quota_bytes = group->quota_bytes,
		.dram_min_bytes = group->min_bytes,
		.dram_bytes = group->dram_bytes,
		.slow_bytes = group->slow_bytes,
		.uncovered_bytes = group->uncovered_bytes,
		.bandwidth_max = group->policy.bandwidth_max_bytes,
		.n_processes = group->n_spaces,
		.promoted_bytes = group->promoted_bytes,
		.demoted_bytes = group->demoted_bytes,
		.gate_closed = group->gate.n_closed,
		.gate_suspended = group->gate.n_suspended,
		.gate_reclaimed_bytes = group->gate.reclaimed_bytes,
		.drifts = tierd_group_drifts(group),
	};
	tier_group_get_stats(group->heat, &ret->heat);
}

/* ---- Memory -------------------------------------------------------------------- */

int tierd_group_read_memory(struct tierd_group *group)
{
	const struct tierd_topology *topology = group->context->topology;
	struct tierd_cgroup_memory memory;
	int r;

	r = tierd_cgroup_read_memory(group->cgroup, &memory);
	if (r < 0)
		return r;
	group->dram_bytes = group->slow_bytes = group->uncovered_bytes = 0;
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		const struct tierd_cgroup_node_memory *node =
			&memory.nodes[topology->nodes[i].id];

		if (topology->nodes[i].tier == 0)
			group->dram_bytes += node->movable_bytes;
		else
			group->slow_bytes += node->movable_bytes;
		group->uncovered_bytes += node->unmovable_bytes;
	}
	for (size_t i = 0; i < group->n_spaces; i++)
		group->uncovered_bytes += tierd_space_policy_bytes(group->spaces[i]);
	return 0;
}

uint64_t tierd_group_spare_bytes(const struct tierd_group *group)
{
	uint64_t kept = TIER_MIN(group->quota_bytes, group->dram_bytes);

	if (!tierd_group_moves_pages(group) || kept <= group->min_bytes)
		return 0;
	return kept - group->min_bytes;
}

int tierd_group_watch_quota(struct tierd_group *group, uint64_t now_ns)
{
	uint64_t slack_bytes = TIER_MAX(group->quota_bytes / 64, EXCESS_BYTES_MIN);
	bool was_exceeded = group->is_exceeded;

	if (group->kept_ns == 0 || group->dram_bytes <= group->quota_bytes ||
		group->dram_bytes - group->quota_bytes <= slack_bytes) {
		group->kept_ns = now_ns;
		group->is_exceeded = false;
	} else if (now_ns - group->kept_ns >= EXCESS_NS) {
		group->is_exceeded = true;
	}
	return (int)group->is_exceeded - (int)was_exceeded;
}
