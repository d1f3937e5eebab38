/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a gate has to know of a cgroup besides its memory per node. */
#ifndef TIERD_ENFORCE_USAGE_H
#define TIERD_ENFORCE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/root.h"

struct tierd_usage {
	uint64_t current_bytes;
	uint64_t swap_bytes;
	uint64_t reclaimed_bytes; /* by its own tasks, for want of room */
	bool has_swap;            /* swap is counted, and there is some */
};

/* memory.current alone: the cheapest look there is. */
int tierd_usage_read_current(int cgroup_fd, uint64_t *ret_bytes);

int tierd_usage_read(
	const struct tierd_root *root, int cgroup_fd, struct tierd_usage *ret);

/* CPU time that the cgroup has used. Errors: -ENOENT, those of reading. */
int tierd_usage_read_cpu(int cgroup_fd, uint64_t *ret_usec);

#endif
