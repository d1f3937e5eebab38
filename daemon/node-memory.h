/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How full the memory nodes are just now and where the kernel begins to reclaim. Read
 * once a tick for all nodes together: /proc/zoneinfo holds the watermarks of them all.
 */
#ifndef TIERD_NODE_MEMORY_H
#define TIERD_NODE_MEMORY_H

#include <stdint.h>

#include "settings/root.h"
#include "topology.h"

struct tierd_node_memory {
	uint64_t total_bytes;
	uint64_t free_bytes;
	uint64_t reclaimable_bytes;    /* inactive page cache: given up for the asking */
	uint64_t high_watermark_bytes; /* sum over the node's zones */
};

/* ret has room for topology->n_nodes and is filled in the order of topology->nodes. */
int tierd_nodes_memory_read(const struct tierd_root *root,
	const struct tierd_topology *topology, struct tierd_node_memory *ret);

#endif
