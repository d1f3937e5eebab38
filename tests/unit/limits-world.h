/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group whose limits are files below a fake root: what it holds is what a test says,
 * and writes reach the files when the test lets them.
 */
#ifndef TEST_LIMITS_WORLD_H
#define TEST_LIMITS_WORLD_H

#include "fake-root.h"
#include "group-internal.h"

#define LIMITS_MIB (UINT64_C(1) << 20)

#define LIMITS_CGROUPS "/sys/fs/cgroup"
#define LIMITS_GROUP   "/pods/a"

struct limits_world {
	struct fake_root fake;
	int cgroup_fd;
	struct tierd_topology topology;
	struct tierd_journal *journal;
	struct tierd_enforcer *enforcer;
	struct tierd_group_context context;
	struct tierd_policy policy;
	struct tierd_group *group;
	uint64_t now_ns;
	struct tierd_held job; /* the write under way */
	bool is_busy;
	unsigned n_writes;
	char last[512]; /* writes that ended, "memory.high=4096 " each */
};

/* Two nodes, DRAM first; a quota of 300 MiB, Enforcement=hard. */
void limits_world_init(struct limits_world *world);
void limits_world_done(struct limits_world *world);

/* Puts the policy in force after a change to it. */
void limits_set_policy(struct limits_world *world);

/* What the group holds now, all of it anonymous; it is read at once. */
void limits_hold(struct limits_world *world, uint64_t dram_mib, uint64_t slow_mib);

/* Writes the files of a group below the cgroup root. */
void limits_make_cgroup(struct limits_world *world, const char *path);

/* So much later, with every write carried out that waits. */
void limits_pass(struct limits_world *world, uint64_t ms);

void assert_limit(struct limits_world *world, const char *file, const char *value);
uint64_t limits_high_mib(struct limits_world *world);

#endif
