/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for which a program has asked for nodes of its own, by mbind(2) or
 * set_mempolicy(2), as /proc/PID/numa_maps shows it. The kernel's NUMA scanner leaves it
 * alone. To read it the kernel goes through all of the process's pages: do so rarely.
 */
#ifndef TIERD_NUMA_POLICY_H
#define TIERD_NUMA_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings/root.h"

#define TIERD_NUMA_POLICIES_MAX 4096

struct tierd_numa_policy {
	uint64_t start;
	uint64_t end; /* exclusive; where the next mapping begins, with what is between */
	uint64_t bytes; /* resident */
};

/* By ascending address, neighbours as one; of more than TIERD_NUMA_POLICIES_MAX the
 * lowest. Errors: -ESRCH when the process is gone, -ENOMEM, -EBADMSG. */
int tierd_numa_policies_read(const struct tierd_root *root, pid_t pid,
	struct tierd_numa_policy **ret, size_t *ret_n);

#endif
