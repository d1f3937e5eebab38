/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager's state, for the files that share it: startup.c builds it up, manager.c
 * shows it, reloads it and tears it down, membership.c decides which cgroups and
 * processes are managed, tick.c does the work.
 */
#ifndef TIERD_MANAGER_INTERNAL_H
#define TIERD_MANAGER_INTERNAL_H

#include <systemd/sd-event.h>
#include <uthash.h>

#include "bus.h"
#include "cgroup.h"
#include "clock.h"
#include "enforce/enforcer.h"
#include "enforce/journal.h"
#include "gates.h"
#include "group.h"
#include "manager.h"
#include "metrics.h"
#include "node-memory.h"
#include "overrides.h"
#include "settings/policy.h"
#include "sampler/ladder.h"
#include "sampler/sampler.h"
#include "settings/config.h"
#include "steering.h"
#include "topology.h"

/* Whose samples a pid's are. */
struct tierd_attribution {
	pid_t pid;
	struct tierd_group *group;
	struct tierd_space *space;
	UT_hash_handle hh;
};

/* The sampler's counts when loss was last looked for. */
struct tierd_loss {
	uint64_t time_ns;
	uint64_t taken;
	uint64_t lost;
	uint64_t throttled;
};

struct tierd_manager {
	struct tierd_root root;
	struct tierd_cgroup_root cgroups;
	const char *config_path; /* NULL: the usual place */
	struct tierd_config config;
	struct tierd_topology topology;
	struct tierd_policies *policies;
	struct tierd_overrides overrides; /* of policies, over the bus */
	struct tierd_phys_map *phys_map;
	struct tierd_pagemap_reader *reader;
	struct tierd_objects *objects;
	struct tierd_group_context context;

	struct tierd_ladder *ladder;
	struct tierd_sampler *sampler; /* the ladder's, at the moment */
	struct tierd_steering steering;
	struct tier_migrator *migrator;
	struct tierd_journal *journal;
	struct tierd_writer_systemd *writer_systemd;
	struct tierd_writer_cgroupfs *writer_cgroupfs;
	struct tierd_enforcer *enforcer;
	struct tierd_gates *gates;
	struct tierd_bus *bus;
	struct tierd_metrics *metrics;
	sd_event *event;
	sd_event_source *hangup;
	sd_event_source *timer;
	sd_event_source *migrator_source;
	sd_event_source **sampler_sources;
	size_t n_sampler_sources;

	struct tierd_group **groups; /* by path */
	size_t n_groups;
	size_t first_group;           /* to be planned for; counts on */
	struct tierd_group **leaving; /* unmanaged, but with a job under way */
	size_t n_leaving;
	struct tierd_attribution *attributions; /* a uthash, by pid */
	bool processes_changed;
	bool is_admitted; /* groups that come now were counted beforehand */
	bool is_paused;
	bool moves_pages; /* as of when the kernel's own tiering was last seen to */
	uint64_t groups_looked_ns;
	uint64_t processes_looked_ns;
	uint64_t watermarks_looked_ns;
	uint64_t sampling_looked_ns;

	struct tierd_node_memory node_memory[TIERD_NODES_MAX];
	uint64_t ticked_ns;
	uint64_t samples_seen;
	uint64_t samples_lost_seen;
	struct tierd_loss loss;
	struct tierd_loss loss_window; /* what the last ten seconds added */
	uint64_t started_ns;
};

/* membership.c: all log what goes wrong and carry on with what they have. */
void tierd_manager_look_for_groups(struct tierd_manager *manager);
void tierd_manager_look_for_processes(struct tierd_manager *manager);
void tierd_manager_apply_policies(struct tierd_manager *manager);
void tierd_manager_free_groups(struct tierd_manager *manager);
void tierd_manager_free_leaving(struct tierd_manager *manager);
struct tierd_attribution *tierd_manager_attribute(
	const struct tierd_manager *manager, pid_t pid);

/*
 * claims.c: whether there is DRAM enough for what the policies guarantee to the cgroups
 * there are, or for one more group beside those that are managed. Errors: -ENOSPC, with
 * the sum in *ret_error; others.
 */
int tierd_manager_admit_policies(const struct tierd_manager *manager,
	const struct tierd_policies *policies, char **ret_error);
int tierd_manager_admit_group(const struct tierd_manager *manager,
	const struct tierd_group *group, char **ret_error);

/* alerts.c: announces quotas that are not kept, and samples that were lost. */
void tierd_manager_raise_alerts(struct tierd_manager *manager, uint64_t now_ns);

/* alerts.c: the same of what somebody else wrote, for the enforcer. */
void tierd_manager_tell_drift(void *userdata, const struct tierd_drift *drift);

/* startup.c: returns 0 or an exit code; what is missing is logged. */
int tierd_manager_start(struct tierd_manager *manager);

/* manager.c: what groups share, by the configuration as it is now. */
void tierd_manager_set_context(struct tierd_manager *manager);

/* manager.c: groups whose guarantees were added up already. */
void tierd_manager_manage_admitted(struct tierd_manager *manager);

/* manager.c: the kernel's own tiering goes, or comes back, with the groups. */
void tierd_manager_set_kernel_tiering(struct tierd_manager *manager);
void tierd_manager_follow_kernel_tiering(struct tierd_manager *manager);

/* tick.c: a tick out of turn, where the next one would come too late. */
void tierd_manager_tick(struct tierd_manager *manager);

/* tick.c: installs the timer and the handlers that make ticks happen. */
int tierd_manager_start_ticking(struct tierd_manager *manager);

#endif
