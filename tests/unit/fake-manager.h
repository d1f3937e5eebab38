/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A manager and groups that do nothing but stand there to be looked at: the functions of
 * manager.h, group.h and those of libtier that the bus calls, over plain structs that a
 * test fills in. Nothing of the real ones is linked with it.
 */
#ifndef TEST_FAKE_MANAGER_H
#define TEST_FAKE_MANAGER_H

#include "group.h"
#include "manager.h"
#include "node-memory.h"
#include "sampler/ladder.h"
#include "steering.h"
#include "topology.h"

#define FAKE_GROUPS_MAX    260
#define FAKE_PROCESSES_MAX 2
#define FAKE_PORTIONS_MAX  3

struct tierd_group {
	struct tierd_group_view view;
	struct tier_histogram histogram;
	struct tier_curve curve;
	struct tierd_heatmap heatmap;
	size_t n_processes;
	struct {
		pid_t pid;
		size_t n_portions;
		struct tierd_portion portions[FAKE_PORTIONS_MAX];
	} processes[FAKE_PROCESSES_MAX];
};

struct tierd_manager {
	struct tierd_topology topology;
	struct tierd_node_memory memory[TIERD_NODES_MAX];
	struct tierd_sampler_stats sampler;
	struct tierd_steering_view steering;
	uint64_t cpu_ns;
	uint64_t wall_ns;
	size_t n_groups;
	struct tierd_group *groups[FAKE_GROUPS_MAX]; /* the test's */
	int reload_result;
	const char *reload_error;
	unsigned n_reloads;
	bool is_paused;
	int record_result;
	uint64_t recorded_ns;
	int add_result;
	const char *add_error;
	struct tierd_policy added_policy;
};

/* Two tiers, a sampler at work, and groups of all kinds: over quota, without one and
 * without samples, two of the same name, one of an awkward name. */
void fake_manager_fill(struct tierd_manager *manager);

/* A process of the first group's, and the one page of it that is mapped. */
#define FAKE_PID     1234
#define FAKE_ADDRESS UINT64_C(0x7f0012345000)

#define FAKE_TRACE "what was recorded"

/* Not managed, until somebody adds it. */
#define FAKE_NEW "/new.slice"

#define FAKE_GUPS     "/system.slice/gups.service"
#define FAKE_POSTGRES "/system.slice/postgresql.service"
#define FAKE_TWIN     "/user.slice/user-1000.slice/gups.service"
#define FAKE_AWKWARD  "/user.slice/k\303\244se \033[31m\377.scope"

#endif
