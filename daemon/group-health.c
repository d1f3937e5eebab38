/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a doctor asks of a group, and of its processes; asked for seldom, and bounded. */
#include <fcntl.h>
#include <stdio.h>

#include "doctor.h"
#include "enforce/usage.h"
#include "group-internal.h"

/* numa_maps walks the page tables of all that it tells of: so many processes of a group
 * at most. */
#define POLICY_PROCESSES_MAX 16

static uint64_t policy_bytes_of(
	const struct tierd_root *root, pid_t pid, uint64_t until_ns)
{
	_cleanup_(fclosep) FILE *maps = NULL;
	_cleanup_(freep) char *line = NULL;
	uint64_t bytes = 0;
	size_t size = 0;
	char path[48];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", (int)pid);
	if (tierd_root_open_file(root, path, O_RDONLY, &fd) < 0)
		return 0;
	maps = fdopen(fd, "re");
	if (!maps) {
		close(fd);
		return 0;
	}
	while (tierd_now_ns() < until_ns && getline(&line, &size, maps) > 0)
		bytes += tierd_numa_maps_policy_bytes(line);
	return bytes;
}

static uint64_t policy_bytes(const struct tierd_group *group, uint64_t until_ns)
{
	uint64_t bytes = 0;
	size_t n = TIER_MIN(group->n_spaces, (size_t)POLICY_PROCESSES_MAX);

	for (size_t i = 0; i < n; i++)
		bytes += policy_bytes_of(
			group->context->root, group->spaces[i]->pid, until_ns);
	return bytes;
}

void tierd_group_get_health(const struct tierd_group *group, uint64_t until_ns,
	struct tierd_group_health *ret)
{
	uint64_t cpu_usec;

	*ret = (struct tierd_group_health){
		.policy_bytes = policy_bytes(group, until_ns),
		.is_swept = group->is_swept,
		.is_over_quota = group->is_exceeded,
		.is_hard_refused = group->settings_refused,
		.is_gate_suspended = group->gate.state == TIERD_GATE_SUSPENDED,
	};
	if (tierd_usage_read_cpu(tierd_cgroup_fd(group->cgroup), &cpu_usec) >= 0)
		ret->cpu_usec = tier_saturating_sub(cpu_usec, group->cpu_usec_before);
}
