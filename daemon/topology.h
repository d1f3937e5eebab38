/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which memory nodes the machine has and which of them are faster. The order of trust is
 * the administrator's word, the latencies the firmware states (HMAT, "access0"), the
 * kernel's memory tiers, and at last the distance from the nearest node with CPUs:
 * kernels before about 6.10 put nodes without CPUs into DRAM's tier although the HMAT
 * knows better. Nodes without memory do not appear.
 *
 * How full a node is changes all the time and is node-memory.h's business; what lies at a
 * physical address is physmap.h's.
 */
#ifndef TIERD_TOPOLOGY_H
#define TIERD_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/node-list.h"
#include "settings/root.h"

enum tierd_tier_source {
	TIERD_TIER_SOURCE_CONFIGURATION,
	TIERD_TIER_SOURCE_LATENCY,
	TIERD_TIER_SOURCE_MEMORY_TIERING,
	TIERD_TIER_SOURCE_DISTANCE,
	TIERD_TIER_SOURCE_MAX,
	TIERD_TIER_SOURCE_INVALID = -22,
};

struct tierd_node {
	unsigned id;
	unsigned tier; /* index into tiers */
	bool has_cpus;
	uint64_t total_bytes;
	uint64_t read_latency_ns;    /* from the nearest initiator; 0: not known */
	uint64_t read_bandwidth_mbs; /* likewise, MB/s */
	unsigned distance;           /* from the nearest node with CPUs; 0: not known */
};

struct tierd_tier {
	uint64_t node_mask; /* bit N: node id N */
	uint64_t total_bytes;
};

struct tierd_topology {
	struct tierd_node nodes[TIERD_NODES_MAX]; /* by ascending id */
	unsigned n_nodes;
	struct tierd_tier tiers[TIERD_TIERS_MAX]; /* the fastest first */
	unsigned n_tiers;
	enum tierd_tier_source source;
};

/*
 * override is as tierd_tiers_parse() takes it and names every node that has memory.
 * NULL or "" lets the machine speak. One tier is a valid answer.
 */
int tierd_topology_read(const struct tierd_root *root, const char *override,
	struct tierd_topology *ret, char **ret_error);

/* NULL when there is no such node with memory. */
const struct tierd_node *tierd_topology_find_node(
	const struct tierd_topology *topology, unsigned id);

const char *tierd_tier_source_to_string(enum tierd_tier_source source);

#endif
