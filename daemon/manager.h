/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager owns everything that lives as long as the daemon: the machine's tiers, the
 * sampler, the migrator, the policies and the managed groups. Its tick is the product:
 * drain samples, see who came and went, sweep residency, plan, migrate.
 */
#ifndef TIERD_MANAGER_H
#define TIERD_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <systemd/sd-event.h>

struct tierd_group;
struct tierd_manager;
struct tierd_policy;
struct tierd_rung;
struct tierd_sampler_stats;
struct tierd_topology;
struct tierd_node_memory;
struct tierd_steering_view;

/*
 * Reads the configuration, looks at the machine and starts to work. @config_path is NULL
 * for the usual place; it has to outlive the manager. Returns 0, or the exit status
 * (exit-codes.h) that says why tierd cannot work here; the reason is logged.
 */
int tierd_manager_new(
	sd_event *event, const char *config_path, struct tierd_manager **ret);
struct tierd_manager *tierd_manager_free(struct tierd_manager *manager);

const struct tierd_topology *tierd_manager_topology(const struct tierd_manager *manager);

/* Per node of the topology, in its order, as of the last tick. */
const struct tierd_node_memory *tierd_manager_node_memory(
	const struct tierd_manager *manager);

/* All zero and source "none" when nothing samples. */
void tierd_manager_get_sampler_stats(
	const struct tierd_manager *manager, struct tierd_sampler_stats *ret);

/* Where samples may come from, in order of preference. */
size_t tierd_manager_n_sources(const struct tierd_manager *manager);
void tierd_manager_get_source(
	const struct tierd_manager *manager, size_t i, struct tierd_rung *ret);

/* What sampling costs, and what bounds it. */
void tierd_manager_get_steering(
	const struct tierd_manager *manager, struct tierd_steering_view *ret);

/* Groups in the order of their cgroup paths. */
size_t tierd_manager_n_groups(const struct tierd_manager *manager);
struct tierd_group *tierd_manager_group(const struct tierd_manager *manager, size_t i);

/* The managed group with exactly this cgroup path, or NULL. */
struct tierd_group *tierd_manager_find_group(
	const struct tierd_manager *manager, const char *cgroup);

/* The managed group that the process is in, or NULL. */
struct tierd_group *tierd_manager_find_process(
	const struct tierd_manager *manager, pid_t pid);

/* CPU time this process has used, and wall time since it started. */
void tierd_manager_get_cpu(
	const struct tierd_manager *manager, uint64_t *ret_cpu_ns, uint64_t *ret_wall_ns);

/*
 * Reads configuration and policies again. All or nothing: on an error nothing changes,
 * and *ret_error says which file, line and key is wrong and what would be right.
 */
int tierd_manager_reload(struct tierd_manager *manager, char **ret_error);

/*
 * Manages a cgroup that no policy matches, until the next reload or until it goes.
 * Errors: -EEXIST when it is managed already, -ENOENT when there is no such cgroup,
 * -ENOSPC when there is not enough DRAM for its DRAMMin (*ret_error has the sum), -E2BIG
 * when too many were added or removed, others.
 */
int tierd_manager_add_group(struct tierd_manager *manager, const char *cgroup,
	const struct tierd_policy *policy, struct tierd_group **ret, char **ret_error);

/* Manages the group no more, until the next reload. It may be freed. Errors: -E2BIG. */
int tierd_manager_remove_group(struct tierd_manager *manager, struct tierd_group *group);

/*
 * Records one of the groups: as tierd_group_record(). Errors: -E2BIG when as many are
 * recorded as may be at a time, others.
 */
int tierd_manager_record(struct tierd_manager *manager, struct tierd_group *group,
	uint64_t duration_ns, int *ret_fd);

/* While paused nothing is moved; all else goes on. */
bool tierd_manager_is_paused(const struct tierd_manager *manager);
void tierd_manager_set_paused(struct tierd_manager *manager, bool is_paused);

#endif
