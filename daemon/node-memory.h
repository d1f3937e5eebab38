/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How full the memory nodes are just now, and where the kernel begins to reclaim. The
 * first changes all the time and is cheap to read. Watermarks change when somebody sets
 * them or memory is plugged in; /proc/zoneinfo, which has them, has lines for every CPU.
 */
#ifndef TIERD_NODE_MEMORY_H
#define TIERD_NODE_MEMORY_H

#include <stdint.h>

#include "settings/root.h"
#include "topology.h"

struct tierd_node_memory {
	uint64_t total_bytes;
	uint64_t free_bytes;
	uint64_t reclaimable_bytes; /* inactive page cache that is clean: given up for the
				       asking. What has to be written first keeps whoever
				       allocates waiting, and with it the programs whose
				       pages are on their way */
	uint64_t high_watermark_bytes; /* sum over the node's zones */
};

/* Both set only what is theirs, in all of topology->n_nodes elements, in the order of
 * topology->nodes; or, when they fail, nothing. */
int tierd_nodes_memory_read(const struct tierd_root *root,
	const struct tierd_topology *topology, struct tierd_node_memory *memory);
int tierd_nodes_watermarks_read(const struct tierd_root *root,
	const struct tierd_topology *topology, struct tierd_node_memory *memory);

#endif
