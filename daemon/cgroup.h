/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the cgroup v2 tree: which groups there are, which processes are in one, what it
 * holds on each memory node. A group is held by descriptor, so a group that was removed
 * and made again under the same name is a different one. Nothing is ever written here.
 */
#ifndef TIERD_CGROUP_H
#define TIERD_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings/root.h"
#include "topology.h"

#define TIERD_CGROUPS_MAX        65536
#define TIERD_CGROUP_DEPTH_MAX   32
#define TIERD_CGROUP_PROCESS_MAX 65536

struct tierd_cgroup_root {
	int fd;
};

struct tierd_cgroup;

/*
 * What a group holds on one node, in bytes, its sub-groups included. `file` includes
 * shmem. move_pages() reaches mapped pages only: movable is anon + file_mapped (which
 * counts mapped shmem too); unmapped page cache, slab, page tables and kernel stacks are
 * unmovable.
 */
struct tierd_cgroup_node_memory {
	uint64_t anon_bytes;
	uint64_t file_bytes;
	uint64_t shmem_bytes;
	uint64_t file_mapped_bytes;
	uint64_t movable_bytes;
	uint64_t unmovable_bytes;
};

struct tierd_cgroup_memory {
	struct tierd_cgroup_node_memory nodes[TIERD_NODES_MAX]; /* by node id */
};

/* Finds where cgroup2 is mounted and that it has the memory controller. */
int tierd_cgroup_root_open(
	const struct tierd_root *root, struct tierd_cgroup_root *ret, char **ret_error);
void tierd_cgroup_root_close(struct tierd_cgroup_root *cgroups);

/* path is relative to the cgroup root, begins with '/' and has no "..". -ENOENT. */
int tierd_cgroup_open(const struct tierd_cgroup_root *cgroups, const char *path,
	struct tierd_cgroup **ret);
struct tierd_cgroup *tierd_cgroup_free(struct tierd_cgroup *cgroup);
DEFINE_CLEANUP(struct tierd_cgroup *, tierd_cgroup_free)

const char *tierd_cgroup_path(const struct tierd_cgroup *cgroup);

/* The id perf stamps on samples (PERF_SAMPLE_CGROUP): the directory's inode number. */
uint64_t tierd_cgroup_id(const struct tierd_cgroup *cgroup);

/* Its directory, for openat(2) and its kin; the group's. */
int tierd_cgroup_fd(const struct tierd_cgroup *cgroup);

bool tierd_cgroup_is_alive(const struct tierd_cgroup *cgroup);

/* -ENODEV when the group is gone, -EBADMSG when the file is not what it should be. */
int tierd_cgroup_read_memory(
	const struct tierd_cgroup *cgroup, struct tierd_cgroup_memory *ret);

/*
 * The processes of the group and all groups below it, sorted, each once. Returns 1 rather
 * than 0 when there were more than max, or groups deeper than TIERD_CGROUP_DEPTH_MAX.
 */
int tierd_cgroup_list_processes(
	const struct tierd_cgroup *cgroup, pid_t *pids, size_t max, size_t *ret_n);

/*
 * Calls visit for each group but the root, parents first; a negative result ends the walk
 * and is returned. Returns 1 when a bound cut the walk short.
 */
typedef int (*tierd_cgroup_visit_t)(const char *path, void *userdata);
int tierd_cgroup_walk(const struct tierd_cgroup_root *cgroups, tierd_cgroup_visit_t visit,
	void *userdata);

#endif
