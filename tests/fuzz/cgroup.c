/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.numa_stat, cgroup.procs, and the mounts among which the hierarchy is found. */
#include <fcntl.h>

#include "cgroup.h"
#include "fuzz.h"

#define TOP "/sys/fs/cgroup"

enum {
	NUMA_STAT,
	PROCS,
	MOUNTS,
	N_FILES,
};

static void read_group(const struct tierd_cgroup *cgroup)
{
	struct tierd_cgroup_memory memory;
	pid_t pids[16];
	size_t n = 0;

	if (tierd_cgroup_read_memory(cgroup, &memory) == 0)
		for (unsigned i = 0; i < TIERD_NODES_MAX; i++)
			FUZZ_CHECK(memory.nodes[i].file_mapped_bytes <=
				   memory.nodes[i].file_bytes);
	if (tierd_cgroup_list_processes(cgroup, pids, ARRAY_SIZE(pids), &n) < 0)
		return;
	FUZZ_CHECK(n <= ARRAY_SIZE(pids));
	for (size_t i = 0; i < n; i++)
		FUZZ_CHECK(pids[i] > (i ? pids[i - 1] : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[N_FILES] = { TOP "/a/memory.numa_stat",
		TOP "/a/cgroup.procs", "/proc/self/mountinfo" };
	static int files[N_FILES];
	struct fuzz_part rest = { data, size };
	_cleanup_(tierd_cgroup_freep) struct tierd_cgroup *cgroup = NULL;
	struct tierd_cgroup_root cgroups;
	char *error = NULL;
	int r;

	if (!files[0]) {
		for (size_t i = 0; i < N_FILES; i++)
			files[i] = fuzz_tree_add(paths[i]);
		fuzz_tree_write(TOP "/cgroup.controllers", "cpu memory\n");
	}
	for (size_t i = 0; i < N_FILES; i++)
		fuzz_tree_set(files[i], fuzz_next_part(&rest));
	r = tierd_cgroup_root_open(&fuzz_tree_get()->root, &cgroups, &error);
	FUZZ_CHECK(r == 0 || error);
	fuzz_check_error(r, error);
	if (r == 0)
		tierd_cgroup_root_close(&cgroups);
	FUZZ_CHECK(tierd_root_open_file(
			   &fuzz_tree_get()->root, TOP, O_PATH, &cgroups.fd) == 0);
	FUZZ_CHECK(tierd_cgroup_open(&cgroups, "/a", &cgroup) == 0);
	read_group(cgroup);
	tierd_cgroup_root_close(&cgroups);
	return 0;
}
