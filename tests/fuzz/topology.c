/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine says of two nodes and their memory in sysfs and /proc/zoneinfo, and
 * the administrator of their tiers.
 */
#include "fuzz.h"
#include "node-memory.h"
#include "physmap.h"
#include "topology.h"

#define NODES  "/sys/devices/system/node/"
#define MEMORY "/sys/devices/system/memory/"

static const char *const paths[] = {
	NODES "node0/meminfo",
	NODES "node1/meminfo",
	NODES "online",
	NODES "has_cpu",
	NODES "node0/distance",
	NODES "node1/distance",
	NODES "node0/access0/initiators/read_latency",
	NODES "node1/access0/initiators/read_latency",
	"/sys/devices/virtual/memory_tiering/memory_tier4/nodelist",
	"/proc/zoneinfo",
	MEMORY "block_size_bytes",
	MEMORY "memory7/phys_index",
};

static void check_topology(const struct tierd_topology *topology)
{
	struct tierd_node_memory memory[TIERD_NODES_MAX] = { 0 };
	uint64_t all = 0;

	FUZZ_CHECK(topology->n_tiers > 0 && topology->n_tiers <= topology->n_nodes);
	FUZZ_CHECK(tierd_tier_source_to_string(topology->source));
	for (unsigned i = 0; i < topology->n_tiers; i++) {
		FUZZ_CHECK(topology->tiers[i].node_mask);
		FUZZ_CHECK(!(all & topology->tiers[i].node_mask));
		all |= topology->tiers[i].node_mask;
	}
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		const struct tierd_node *node = &topology->nodes[i];

		FUZZ_CHECK(node->tier < topology->n_tiers);
		FUZZ_CHECK(topology->tiers[node->tier].node_mask >> node->id & 1);
	}
	tierd_nodes_watermarks_read(&fuzz_tree_get()->root, topology, memory);
	tierd_nodes_memory_read(&fuzz_tree_get()->root, topology, memory);
}

static void check_map(const struct tierd_phys_map *map)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t pfn = UINT64_C(1) << bit;
		const struct tierd_phys_range *range = tierd_phys_map_find(map, pfn);

		FUZZ_CHECK(!range || (pfn >= range->first_pfn && pfn < range->end_pfn));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(tierd_phys_map_freep) struct tierd_phys_map *map = NULL;
	static int files[ARRAY_SIZE(paths)];
	const struct tierd_root *root = &fuzz_tree_get()->root;
	struct fuzz_part rest = { data, size };
	struct tierd_topology topology;
	char *error = NULL, *override;
	int r;

	if (!files[0]) {
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			files[i] = fuzz_tree_add(paths[i]);
		fuzz_tree_mkdir(NODES "node1/memory7");
	}
	override = fuzz_text(fuzz_next_part(&rest));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		fuzz_tree_set(files[i], fuzz_next_part(&rest));
	r = tierd_topology_read(root, override, &topology, &error);
	FUZZ_CHECK(r == 0 || error);
	fuzz_check_error(r, error);
	free(override);
	if (r == 0)
		check_topology(&topology);
	if (tierd_phys_map_new(root, &map) == 0)
		check_map(map);
	return 0;
}
