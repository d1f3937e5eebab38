/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "fake-manager.h"

#define KIB        UINT64_C(1024)
#define MIB        (1024 * KIB)
#define GIB        (1024 * MIB)
#define MIB_PAGES  (MIB / 4096)
#define NS_PER_SEC UINT64_C(1000000000)

const char *tier_version(void)
{
	return "1.2.3";
}

#define NAME_OF(function, names)                                                     \
	const char *function(int value)                                              \
	{                                                                            \
		return value >= 0 && value < (int)ARRAY_SIZE(names) ? (names)[value] \
								    : NULL;          \
	}

static const char *const class_names[] = { "unknown", "hot", "warm", "cold" };
static const char *const direction_names[] = { "promote", "demote", "collapse" };
static const char *const reason_names[] = { "hot", "fill", "exchange", "quota", "node",
	"alike" };
static const char *const result_names[] = { "done", "nomem", "noroom", "busy", "gone",
	"unsupported", "cancelled" };

NAME_OF(tier_class_to_string, class_names)
NAME_OF(tier_direction_to_string, direction_names)
NAME_OF(tier_reason_to_string, reason_names)
NAME_OF(tier_result_to_string, result_names)

int tier_group_get_histogram(struct tier_group *group, struct tier_histogram *ret)
{
	*ret = ((struct tierd_group *)group)->histogram;
	return 0;
}

void tier_group_get_curve(const struct tier_group *group, struct tier_curve *ret)
{
	*ret = ((const struct tierd_group *)group)->curve;
}

unsigned tier_histogram_bin_floor(unsigned bin)
{
	return bin == 0 ? 0 : 1u << (bin - 1);
}

const struct tierd_topology *tierd_manager_topology(const struct tierd_manager *manager)
{
	return &manager->topology;
}

const struct tierd_node_memory *tierd_manager_node_memory(
	const struct tierd_manager *manager)
{
	return manager->memory;
}

void tierd_manager_get_sampler_stats(
	const struct tierd_manager *manager, struct tierd_sampler_stats *ret)
{
	*ret = manager->sampler;
}

size_t tierd_manager_n_sources(_unused_ const struct tierd_manager *manager)
{
	return 2;
}

void tierd_manager_get_source(
	_unused_ const struct tierd_manager *manager, size_t i, struct tierd_rung *ret)
{
	static const struct tierd_rung rungs[] = {
		{ "better", TIERD_RUNG_UNAVAILABLE, "the machine has none" },
		{ "pmu", TIERD_RUNG_ACTIVE, "" },
	};

	*ret = rungs[i];
}

void tierd_manager_get_steering(
	const struct tierd_manager *manager, struct tierd_steering_view *ret)
{
	*ret = manager->steering;
}

size_t tierd_manager_n_groups(const struct tierd_manager *manager)
{
	return manager->n_groups;
}

struct tierd_group *tierd_manager_group(const struct tierd_manager *manager, size_t i)
{
	assert(i < manager->n_groups);
	return manager->groups[i];
}

struct tierd_group *tierd_manager_find_group(
	const struct tierd_manager *manager, const char *cgroup)
{
	for (size_t i = 0; i < manager->n_groups; i++)
		if (strcmp(manager->groups[i]->view.cgroup, cgroup) == 0)
			return manager->groups[i];
	return NULL;
}

void tierd_manager_get_cpu(
	const struct tierd_manager *manager, uint64_t *ret_cpu_ns, uint64_t *ret_wall_ns)
{
	*ret_cpu_ns = manager->cpu_ns;
	*ret_wall_ns = manager->wall_ns;
}

int tierd_manager_reload(struct tierd_manager *manager, char **ret_error)
{
	manager->n_reloads++;
	*ret_error = manager->reload_error ? strdup(manager->reload_error) : NULL;
	return manager->reload_result;
}

/* A pipe that holds a word. */
int tierd_manager_record(struct tierd_manager *manager,
	_unused_ struct tierd_group *group, uint64_t duration_ns, int *ret_fd)
{
	int fds[2];

	manager->recorded_ns = duration_ns;
	if (manager->record_result < 0)
		return manager->record_result;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (write(fds[1], FAKE_TRACE, strlen(FAKE_TRACE)) < 0)
		abort();
	close(fds[1]);
	*ret_fd = fds[0];
	return 0;
}

bool tierd_manager_is_paused(const struct tierd_manager *manager)
{
	return manager->is_paused;
}

void tierd_manager_set_paused(struct tierd_manager *manager, bool is_paused)
{
	manager->is_paused = is_paused;
}

void tierd_manager_doctor(struct tierd_manager *manager, struct tierd_findings *ret)
{
	*ret = (struct tierd_findings){ 0 };
	if (!manager->is_paused)
		return;
	tierd_findings_add(ret, TIERD_CONDITION_PAUSED, NULL, "nothing is moved");
	tierd_findings_add(ret, TIERD_CONDITION_DRIFT, FAKE_GUPS, "%d values", 2);
}

struct tierd_group *tierd_manager_find_process(
	const struct tierd_manager *manager, pid_t pid)
{
	return pid == FAKE_PID ? manager->groups[0] : NULL;
}

int tierd_group_explain_page(_unused_ const struct tierd_group *group, _unused_ pid_t pid,
	uint64_t address, struct tierd_page_explanation *ret)
{
	*ret = (struct tierd_page_explanation){
		.reason = { "unmapped", "There is none." },
	};
	if (address != FAKE_ADDRESS)
		return 0;
	*ret = (struct tierd_page_explanation){
		.reason = { "hot", "It belongs there." },
		.heat = {
			.is_covered = true,
			.heat_class = TIER_CLASS_HOT,
			.samples = 12,
			.block_samples = 345,
			.exposure = 0.25,
			.rate = 48,
			.rate_low = 40,
			.rate_high = 64,
			.cut_rate = 50,
			.moved_ns = 1,
			.moved_direction = TIER_PROMOTE,
			.moved_reason = TIER_REASON_EXCHANGE,
			.moved_to = 0,
			.moved_result = TIER_RESULT_DONE,
		},
	};
	return 0;
}

int tierd_group_explain(
	_unused_ struct tierd_group *group, struct tierd_group_explanation *ret)
{
	*ret = (struct tierd_group_explanation){
		.holds = { { "paused", "Nothing moves." } },
		.n_holds = 1,
		.pages = {
			{ { "hot", "It belongs there." }, 700 * MIB, 0 },
			{ { "warm", "It would not pay." }, 12 * MIB, 1348 * MIB },
		},
		.n_pages = 2,
	};
	return 0;
}

static struct tierd_group gups, postgres, twin, awkward, added;

int tierd_manager_add_group(struct tierd_manager *manager, const char *cgroup,
	const struct tierd_policy *policy, struct tierd_group **ret, char **ret_error)
{
	if (manager->add_error)
		*ret_error = strdup(manager->add_error);
	if (manager->add_result < 0)
		return manager->add_result;
	if (tierd_manager_find_group(manager, cgroup))
		return -EEXIST;
	if (strcmp(cgroup, FAKE_NEW) != 0)
		return -ENOENT;
	manager->added_policy = *policy;
	added = postgres;
	added.view.cgroup = FAKE_NEW;
	added.view.policy = "runtime";
	added.view.enforcement = tierd_enforcement_to_string(policy->enforcement);
	added.view.dram_quota_bytes = tierd_amount_resolve(policy->dram_quota, GIB);
	added.view.dram_min_bytes = tierd_amount_resolve(policy->dram_min, GIB);
	manager->groups[manager->n_groups++] = &added;
	*ret = &added;
	return 0;
}

int tierd_manager_remove_group(struct tierd_manager *manager, struct tierd_group *group)
{
	if (manager->add_result < 0)
		return manager->add_result;
	for (size_t i = 0; i < manager->n_groups; i++)
		if (manager->groups[i] == group)
			manager->groups[i] = manager->groups[--manager->n_groups];
	return 0;
}

void tierd_group_set_enforcement(
	struct tierd_group *group, enum tierd_enforcement enforcement)
{
	group->view.enforcement = tierd_enforcement_to_string(enforcement);
}

void tierd_group_get_view(const struct tierd_group *group, struct tierd_group_view *ret)
{
	*ret = group->view;
}

int tierd_group_set_quota(struct tierd_group *group, uint64_t bytes)
{
	if (bytes < group->view.dram_min_bytes)
		return -EINVAL;
	group->view.dram_quota_bytes = bytes;
	return 0;
}

struct tier_group *tierd_group_heat(struct tierd_group *group)
{
	return (struct tier_group *)group;
}

const struct tierd_heatmap *tierd_group_heatmap(const struct tierd_group *group)
{
	return &group->heatmap;
}

/* Spaces are called by their processes' numbers; that of 99 is gone. */
pid_t tierd_group_pid_of(_unused_ const struct tierd_group *group, uint64_t space)
{
	return space == 99 ? 0 : (pid_t)space;
}

int tierd_group_get_portions(
	struct tierd_group *group, struct tierd_process_portions **ret, size_t *ret_n)
{
	struct tierd_process_portions *all = calloc(FAKE_PROCESSES_MAX, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_processes; i++) {
		size_t size = sizeof(group->processes[i].portions);

		all[i].pid = group->processes[i].pid;
		all[i].n_portions = group->processes[i].n_portions;
		all[i].portions = malloc(size);
		assert(all[i].portions);
		memcpy(all[i].portions, group->processes[i].portions, size);
	}
	*ret = all;
	*ret_n = group->n_processes;
	return 0;
}

void tierd_process_portions_free(struct tierd_process_portions *portions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(portions[i].portions);
	free(portions);
}

/* Half of the accesses to the first quarter, the rest evenly. */
static void fill_curve(struct tier_curve *curve)
{
	curve->samples = 1500;
	for (unsigned i = 0; i < TIER_CURVE_POINTS; i++) {
		double part = (double)i / (TIER_CURVE_POINTS - 1);

		curve->pages[i] = i * 32 * MIB_PAGES;
		curve->share[i] = part < 0.25 ? 2 * part : 0.5 + (part - 0.25) / 1.5;
	}
}

/* Three seconds: a region that stays hot, one that came up, and one of a process that is
 * gone. */
static void fill_heatmap(struct tierd_heatmap *map)
{
	tierd_heatmap_init(map);
	tierd_heatmap_advance(map, NS_PER_SEC, 0);
	for (unsigned second = 0; second < 3; second++) {
		for (unsigned i = 0; i < 100; i++)
			tierd_heatmap_count(map, 1234, GIB);
		for (unsigned i = 0; i < 10 * second; i++)
			tierd_heatmap_count(map, 1234, GIB + 2 * MIB);
		tierd_heatmap_count(map, 1240, GIB);
		tierd_heatmap_count(map, 99, GIB);
		tierd_heatmap_advance(map, (second + 2) * NS_PER_SEC, 0.02);
	}
}

static void fill_gups(void)
{
	struct tier_group_stats *heat;

	gups = (struct tierd_group){
		.view = {
			.cgroup = FAKE_GUPS,
			.policy = "/etc/tierd/policies.d/50-gups.conf",
			.enforcement = "soft",
			.placement = "tiered",
			.engine = "rank",
			.dram_quota_bytes = 700 * MIB,
			.dram_min_bytes = 100 * MIB,
			.dram_bytes = 712 * MIB,
			.slow_bytes = 1348 * MIB,
			.uncovered_bytes = 3 * MIB,
			.bandwidth_max = UINT64_MAX,
			.n_processes = 2,
			.promoted_bytes = 402 * MIB,
			.demoted_bytes = 390 * MIB,
		},
		.histogram = {
			.fast_pages = { 290 * MIB_PAGES, 12 * MIB_PAGES, 60 * MIB_PAGES,
				180 * MIB_PAGES, 150 * MIB_PAGES, 20 * MIB_PAGES },
			.slow_pages = { 1200 * MIB_PAGES, 140 * MIB_PAGES, 7 * MIB_PAGES,
				1 * MIB_PAGES },
		},
		.n_processes = 2,
		.processes = {
			{ 1234, 3, { { GIB, GIB }, { GIB, 0 }, { 12 * MIB, 6 * MIB } } },
			{ 1240, 1, { { 8 * MIB, 1 * MIB } } },
		},
	};
	fill_curve(&gups.curve);
	fill_heatmap(&gups.heatmap);
	heat = &gups.view.heat;
	heat->hit_ratio = 0.9375;
	heat->coverage = 0.875;
	heat->resolution = 0.75;
	heat->mean_rate = 12.5;
	heat->cut_rate = 50;
	heat->coolings = 3;
	heat->filtered_warm_pages = 99;
	heat->scanned_pages[TIER_PROMOTE] = 2010;
	heat->tried_pages[TIER_PROMOTE] = 1005;
	heat->tried_pages[TIER_DEMOTE] = 70;
	heat->result_pages[TIER_PROMOTE][TIER_RESULT_DONE] = 900;
	heat->result_pages[TIER_PROMOTE][TIER_RESULT_NOMEM] = 60;
	heat->result_pages[TIER_PROMOTE][TIER_RESULT_BUSY] = 40;
	heat->result_pages[TIER_PROMOTE][TIER_RESULT_CANCELLED] = 5;
	heat->result_pages[TIER_DEMOTE][TIER_RESULT_DONE] = 70;
	heat->tried_pages[TIER_COLLAPSE] = 2048;
	heat->result_pages[TIER_COLLAPSE][TIER_RESULT_DONE] = 1024;
	heat->result_pages[TIER_COLLAPSE][TIER_RESULT_NOMEM] = 512;
	heat->result_pages[TIER_COLLAPSE][TIER_RESULT_UNSUPPORTED] = 512;
	heat->planned_pages[TIER_REASON_EXCHANGE] = 7;
	heat->samples[TIER_SAMPLED_FAST] = 15;
	heat->samples[TIER_SAMPLED_SLOW] = 1;
}

/* No limit, no samples, no processes. */
static void fill_idle(struct tierd_group *group, const char *cgroup)
{
	*group = (struct tierd_group){
		.view = {
			.cgroup = cgroup,
			.policy = "/usr/lib/tierd/policies.d/default.conf",
			.enforcement = "advise",
			.placement = "tiered",
			.engine = "rank",
			.dram_quota_bytes = UINT64_MAX,
			.dram_bytes = 4 * GIB,
			.slow_bytes = 512 * KIB,
			.bandwidth_max = UINT64_MAX,
			.heat = { .hit_ratio = NAN },
		},
	};
}

static void fill_machine(struct tierd_manager *manager)
{
	manager->topology = (struct tierd_topology){
		.nodes = {
			{ .id = 0, .tier = 0 },
			{ .id = 1, .tier = 1 },
			{ .id = 3, .tier = 1 },
		},
		.n_nodes = 3,
		.tiers = { { .node_mask = 1 }, { .node_mask = 2 | 8 } },
		.n_tiers = 2,
	};
	manager->memory[0] = (struct tierd_node_memory){ GIB, 312 * MIB, MIB };
	manager->memory[1] = (struct tierd_node_memory){ 3 * GIB, 2 * GIB, MIB };
	manager->memory[2] = (struct tierd_node_memory){ 2 * GIB, GIB, MIB };
	manager->sampler = (struct tierd_sampler_stats){
		.source = "pmu",
		.event = "tier_mem/latency=1/",
		.period = 49,
		.samples = 12345678,
		.stores = 345678,
		.lost = 17,
		.throttled = 2,
		.coverage = 0.75,
		.n_cpus = 8,
		.n_cpus_heard = 7,
	};
	manager->steering = (struct tierd_steering_view){
		.wanted_per_s = 20000,
		.target_per_s = 15000,
		.limit = "cpu",
		.loop_cpu_ns = 100 * NS_PER_SEC,
		.overhead_ns = 4 * NS_PER_SEC,
	};
	manager->cpu_ns = 138 * NS_PER_SEC;
	manager->wall_ns = 11520 * NS_PER_SEC;
}

void fake_manager_fill(struct tierd_manager *manager)
{
	*manager = (struct tierd_manager){
		.n_groups = 4,
		.groups = { &gups, &postgres, &twin, &awkward },
	};
	fill_machine(manager);
	fill_gups();
	fill_idle(&postgres, FAKE_POSTGRES);
	fill_idle(&twin, FAKE_TWIN);
	fill_idle(&awkward, FAKE_AWKWARD);
}
