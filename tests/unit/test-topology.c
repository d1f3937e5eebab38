/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machines built in a fake /sys: which nodes are found, in which tiers they end up and on
 * whose word, how full they are, and which node a physical page belongs to.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake-root.h"
#include "node-memory.h"
#include "physmap.h"
#include "topology.h"

#define NODE_DIR   "/sys/devices/system/node"
#define MEMORY_DIR "/sys/devices/system/memory"

struct machine_node {
	unsigned total_mib;
	unsigned latency_ns; /* 0: the firmware does not say */
	const char *distance;
};

/* What most tests vary; nodes are 0, 1, 2, … */
struct machine {
	const char *has_cpu;
	struct machine_node nodes[3];
	unsigned n_nodes;
	const char *tiers[2]; /* lists of nodes of memory_tier4 and memory_tier22 */
	const char *override;
};

static void write_node_file(
	struct fake_root *fake, unsigned node, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), NODE_DIR "/node%u/%s", node, file);
	fake_root_write(fake, path, text);
}

static void write_meminfo(
	struct fake_root *fake, unsigned node, unsigned total_mib, unsigned free_mib)
{
	char text[512];

	snprintf(text, sizeof(text),
		"Node %u MemTotal:       %u kB\n"
		"Node %u MemFree:        %u kB\n"
		"Node %u MemUsed:        %u kB\n",
		node, total_mib * 1024, node, free_mib * 1024, node,
		(total_mib - free_mib) * 1024);
	write_node_file(fake, node, "meminfo", text);
}

static void write_node(
	struct fake_root *fake, unsigned node, const struct machine_node *spec)
{
	char text[64];

	write_meminfo(fake, node, spec->total_mib, spec->total_mib / 2);
	write_node_file(fake, node, "distance", spec->distance);
	if (!spec->latency_ns)
		return;
	snprintf(text, sizeof(text), "%u\n", spec->latency_ns);
	write_node_file(fake, node, "access0/initiators/read_latency", text);
	write_node_file(fake, node, "access0/initiators/read_bandwidth", "20480\n");
}

static void build_machine(struct fake_root *fake, const struct machine *machine)
{
	static const char *const online[] = { "", "0\n", "0-1\n", "0-2\n" };

	fake_root_write(fake, NODE_DIR "/online", online[machine->n_nodes]);
	fake_root_write(fake, NODE_DIR "/has_cpu", machine->has_cpu);
	for (unsigned i = 0; i < machine->n_nodes; i++)
		write_node(fake, i, &machine->nodes[i]);
	if (machine->tiers[0])
		fake_root_write(fake,
			"/sys/devices/virtual/memory_tiering/memory_tier4/nodelist",
			machine->tiers[0]);
	if (machine->tiers[1])
		fake_root_write(fake,
			"/sys/devices/virtual/memory_tiering/memory_tier22/nodelist",
			machine->tiers[1]);
	fake_root_write(fake, "/sys/devices/virtual/memory_tiering/uevent", "");
}

struct tier_case {
	const char *name;
	struct machine machine;
	enum tierd_tier_source source;
	unsigned n_tiers;
	uint64_t masks[3];
};

static const struct tier_case tier_cases[] = {
	{ "one node",
		{ .has_cpu = "0\n", .nodes = { { 1024, 0, "10\n" } }, .n_nodes = 1 },
		TIERD_TIER_SOURCE_DISTANCE, 1, { 1 } },
	{ "latency overrules the kernel's single tier",
		{ .has_cpu = "0\n",
			.nodes = { { 1024, 80, "10 30\n" }, { 3072, 300, "30 10\n" } },
			.n_nodes = 2,
			.tiers = { "0-1\n" } },
		TIERD_TIER_SOURCE_LATENCY, 2, { 1, 2 } },
	{ "the fast node need not be the first",
		{ .has_cpu = "0-1\n",
			.nodes = { { 1024, 300, "10 30\n" }, { 3072, 80, "30 10\n" } },
			.n_nodes = 2 },
		TIERD_TIER_SOURCE_LATENCY, 2, { 2, 1 } },
	{ "two sockets of nearly one latency are one tier",
		{ .has_cpu = "0-1\n",
			.nodes = { { 1024, 80, "10 21 31\n" }, { 1024, 90, "21 10 31\n" },
				{ 4096, 250, "31 31 10\n" } },
			.n_nodes = 3 },
		TIERD_TIER_SOURCE_LATENCY, 2, { 3, 4 } },
	{ "three latencies are three tiers",
		{ .has_cpu = "0\n",
			.nodes = { { 1024, 80, "10 20 30\n" },
				{ 1024, 400, "20 10 30\n" },
				{ 1024, 180, "30 30 10\n" } },
			.n_nodes = 3 },
		TIERD_TIER_SOURCE_LATENCY, 3, { 1, 4, 2 } },
	{ "one latency missing: the kernel's tiers",
		{ .has_cpu = "0\n",
			.nodes = { { 1024, 80, "10 30\n" }, { 3072, 0, "30 10\n" } },
			.n_nodes = 2,
			.tiers = { "0\n", "1\n" } },
		TIERD_TIER_SOURCE_MEMORY_TIERING, 2, { 1, 2 } },
	{ "a node in none of the kernel's tiers: distance",
		{ .has_cpu = "0\n",
			.nodes = { { 1024, 0, "10 30\n" }, { 3072, 0, "30 10\n" } },
			.n_nodes = 2,
			.tiers = { "0\n" } },
		TIERD_TIER_SOURCE_DISTANCE, 2, { 1, 2 } },
	{ "by distance, memory next to CPUs is one tier",
		{ .has_cpu = "0,2\n",
			.nodes = { { 1024, 0, "10 17 20\n" }, { 1024, 0, "17 10 28\n" },
				{ 1024, 0, "20 28 10\n" } },
			.n_nodes = 3 },
		TIERD_TIER_SOURCE_DISTANCE, 2, { 5, 2 } },
	{ "a node without memory does not count",
		{ .has_cpu = "0-1\n",
			.nodes = { { 1024, 80, "10 20 30\n" }, { 0, 0, "20 10 40\n" },
				{ 1024, 300, "30 40 10\n" } },
			.n_nodes = 3 },
		TIERD_TIER_SOURCE_LATENCY, 2, { 1, 4 } },
	{ "the administrator's word against latency",
		{ .has_cpu = "0\n",
			.nodes = { { 1024, 80, "10 30 30\n" }, { 1024, 80, "30 10 30\n" },
				{ 1024, 80, "30 30 10\n" } },
			.n_nodes = 3,
			.override = "2;0-1" },
		TIERD_TIER_SOURCE_CONFIGURATION, 2, { 4, 3 } },
	{ "an empty override is none",
		{ .has_cpu = "0\n",
			.nodes = { { 1024, 80, "10 30\n" }, { 3072, 300, "30 10\n" } },
			.n_nodes = 2,
			.override = "" },
		TIERD_TIER_SOURCE_LATENCY, 2, { 1, 2 } },
};

static void check_tiers(const struct tier_case *c, const struct tierd_topology *topology)
{
	if (topology->source != c->source || topology->n_tiers != c->n_tiers)
		fail_msg("%s: %u tiers by %s", c->name, topology->n_tiers,
			tierd_tier_source_to_string(topology->source));
	for (unsigned i = 0; i < c->n_tiers; i++)
		if (topology->tiers[i].node_mask != c->masks[i])
			fail_msg("%s: tier %u is %#jx", c->name, i,
				(uintmax_t)topology->tiers[i].node_mask);
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		const struct tierd_node *node = &topology->nodes[i];

		assert_true(c->masks[node->tier] >> node->id & 1);
	}
}

static void test_tiers(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(tier_cases); i++) {
		const struct tier_case *c = &tier_cases[i];
		struct tierd_topology topology;
		struct fake_root fake;
		char *error = NULL;

		fake_root_init(&fake);
		build_machine(&fake, &c->machine);
		if (tierd_topology_read(
			    &fake.root, c->machine.override, &topology, &error) < 0)
			fail_msg("%s: %s", c->name, error);
		assert_null(error);
		check_tiers(c, &topology);
		fake_root_done(&fake);
	}
}

static const struct machine two_tiers = {
	.has_cpu = "0\n",
	.nodes = { { 1024, 80, "10 30\n" }, { 3072, 300, "30 10\n" } },
	.n_nodes = 2,
};

static void test_node_facts(_unused_ void **state)
{
	struct tierd_topology topology;
	const struct tierd_node *node;
	struct fake_root fake;

	fake_root_init(&fake);
	build_machine(&fake, &two_tiers);
	assert_int_equal(tierd_topology_read(&fake.root, NULL, &topology, NULL), 0);
	assert_int_equal(topology.n_nodes, 2);
	node = tierd_topology_find_node(&topology, 1);
	assert_non_null(node);
	assert_false(node->has_cpus);
	assert_int_equal(node->total_bytes, UINT64_C(3072) << 20);
	assert_int_equal(node->read_latency_ns, 300);
	assert_int_equal(node->read_bandwidth_mbs, 20480);
	assert_int_equal(node->distance, 30);
	assert_true(topology.nodes[0].has_cpus);
	assert_int_equal(topology.nodes[0].distance, 10);
	assert_int_equal(topology.tiers[1].total_bytes, UINT64_C(3072) << 20);
	assert_null(tierd_topology_find_node(&topology, 2));
	fake_root_done(&fake);
}

static void test_bad_overrides(_unused_ void **state)
{
	static const struct {
		const char *override;
		const char *error;
	} cases[] = {
		{ "0", "node 1 has memory and is in no tier" },
		{ "0;1,2", "node 2 does not exist" },
		{ "0;1;1", "expected lists of nodes" },
		{ "0;0-1", "expected lists of nodes" },
		{ "0;;1", "expected lists of nodes" },
		{ "0;1;", "expected lists of nodes" },
		{ "0,;1", "expected lists of nodes" },
		{ "1-0", "expected lists of nodes" },
		{ "0;1-", "expected lists of nodes" },
		{ "0;64", "expected lists of nodes" },
		{ "0;99999999999999999999", "expected lists of nodes" },
		{ "0;000000000000000000000000000000001-1", "expected lists of nodes" },
		{ "fast;slow", "Tiers=fast;slow: expected lists of nodes" },
	};
	struct tierd_topology topology = { .n_tiers = 77 };
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	build_machine(&fake, &two_tiers);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (tierd_topology_read(
			    &fake.root, cases[i].override, &topology, &error) >= 0)
			fail_msg("\"%s\" was accepted", cases[i].override);
		assert_error_contains(&error, cases[i].error);
	}
	assert_int_equal(topology.n_tiers, 77);
	fake_root_done(&fake);
}

static void test_high_node_ids(_unused_ void **state)
{
	uint64_t masks[TIERD_TIERS_MAX];
	unsigned n;

	assert_int_equal(tierd_tiers_parse("0-63", masks, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(masks[0], UINT64_MAX);
	assert_int_equal(tierd_tiers_parse("63;62", masks, &n), 0);
	assert_int_equal(masks[0], UINT64_C(1) << 63);
	assert_int_equal(tierd_tiers_parse("", masks, &n), 0);
	assert_int_equal(n, 0);
}

static void test_broken_machines(_unused_ void **state)
{
	static const struct {
		const char *path;
		const char *text; /* NULL: the file is missing */
		const char *error;
	} cases[] = {
		{ NODE_DIR "/online", NULL, "/online: " },
		{ NODE_DIR "/online", "0-\n", "/online: " },
		{ NODE_DIR "/online", "0-64\n", "/online: " },
		{ NODE_DIR "/has_cpu", NULL, "/has_cpu: " },
		{ NODE_DIR "/node1/meminfo", NULL, "/node1: " },
		{ NODE_DIR "/node1/meminfo", "", "/node1: " },
		{ NODE_DIR "/node1/meminfo", "Node 1 MemTotal:", "/node1: " },
		{ NODE_DIR "/node1/meminfo", "Node 1 MemTotal: -5 kB\n", "/node1: " },
		{ NODE_DIR "/node1/meminfo", "Node 1 MemTotal: 5 MB\n", "/node1: " },
		{ NODE_DIR "/node1/meminfo", "Node 1 MemTotal: 18446744073709551615 kB\n",
			"/node1: " },
		{ NODE_DIR "/node1/distance", NULL, "/node1: " },
		{ NODE_DIR "/node1/distance", "30\n", "/node1: " },
		{ NODE_DIR "/node1/distance", "30 10 30\n", "/node1: " },
		{ NODE_DIR "/node1/distance", "30 x\n", "/node1: " },
		{ NODE_DIR "/node1/distance", "30 1000\n", "/node1: " },
		{ NODE_DIR "/node1/access0/initiators/read_latency", "fast\n",
			"/node1: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_topology topology;
		struct fake_root fake;
		char *error = NULL;

		fake_root_init(&fake);
		build_machine(&fake, &two_tiers);
		if (cases[i].text)
			fake_root_write(&fake, cases[i].path, cases[i].text);
		else
			fake_root_remove(&fake, cases[i].path);
		if (tierd_topology_read(&fake.root, NULL, &topology, &error) >= 0)
			fail_msg("case %zu was accepted", i);
		assert_error_contains(&error, cases[i].error);
		fake_root_done(&fake);
	}
}

static void test_no_memory_at_all(_unused_ void **state)
{
	const struct machine machine = {
		.has_cpu = "0\n",
		.nodes = { { 0, 0, "10\n" } },
		.n_nodes = 1,
	};
	struct tierd_topology topology;
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	build_machine(&fake, &machine);
	assert_int_equal(
		tierd_topology_read(&fake.root, NULL, &topology, &error), -ENODEV);
	assert_error_contains(&error, "no node has memory");
	fake_root_done(&fake);
}

static const char zoneinfo[] =
	"Node 0, zone      DMA\n"
	"  per-node stats\n"
	"      nr_inactive_anon 2035\n"
	"  pages free     3840\n"
	"        boost    0\n"
	"        min      66\n"
	"        low      82\n"
	"        high     98\n"
	"        spanned  4095\n"
	"        protection: (0, 2910, 3940)\n"
	"  pagesets\n"
	"    cpu: 0\n"
	"              count:    1\n"
	"              high:     378\n"
	"              high_min: 378\n"
	"Node 0, zone   Normal\n"
	"        high     1002\n"
	"Node 1, zone   Normal\n"
	"        high     5000\n"
	"Node 1, zone  Movable\n"
	"  pages free     0\n"
	"        high     0\n";

static void test_nodes_memory(_unused_ void **state)
{
	struct tierd_node_memory memory[2] = { 0 };
	struct tierd_topology topology;
	struct fake_root fake;

	fake_root_init(&fake);
	build_machine(&fake, &two_tiers);
	write_meminfo(&fake, 1, 3072, 1000);
	fake_root_write(&fake, "/proc/zoneinfo", zoneinfo);
	assert_int_equal(tierd_topology_read(&fake.root, NULL, &topology, NULL), 0);
	assert_int_equal(tierd_nodes_watermarks_read(&fake.root, &topology, memory), 0);
	assert_int_equal(memory[0].total_bytes, 0);
	assert_int_equal(tierd_nodes_memory_read(&fake.root, &topology, memory), 0);
	assert_int_equal(memory[0].total_bytes, UINT64_C(1024) << 20);
	assert_int_equal(memory[0].free_bytes, UINT64_C(512) << 20);
	assert_int_equal(memory[0].high_watermark_bytes, 1100 * 4096);
	assert_int_equal(memory[1].total_bytes, UINT64_C(3072) << 20);
	assert_int_equal(memory[1].free_bytes, UINT64_C(1000) << 20);
	assert_int_equal(memory[1].high_watermark_bytes, 5000 * 4096);
	fake_root_done(&fake);
}

/* Page cache that would have to be written first is no room. */
static void test_reclaimable(_unused_ void **state)
{
	static const struct {
		const char *lines;
		uint64_t kib;
	} cases[] = {
		{ "", 0 },
		{ "Node 0 Inactive(file): 100 kB\n", 100 },
		{ "Node 0 Inactive(file): 100 kB\nNode 0 Inactive(anon): 7 kB\n", 100 },
		{ "Node 0 Inactive(file): 100 kB\nNode 0 Dirty: 30 kB\n", 70 },
		{ "Node 0 Dirty: 30 kB\nNode 0 Writeback: 5 kB\n"
		  "Node 0 WritebackTmp: 1 kB\nNode 0 Inactive(file): 100 kB\n",
			65 },
		{ "Node 0 Inactive(file): 100 kB\nNode 0 Dirty: 90 kB\n"
		  "Node 0 Writeback: 20 kB\n",
			0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_node_memory memory[2] = { 0 };
		struct tierd_topology topology;
		struct fake_root fake;
		char text[512];

		fake_root_init(&fake);
		build_machine(&fake, &two_tiers);
		snprintf(text, sizeof(text),
			"Node 0 MemTotal: 1048576 kB\nNode 0 MemFree: 5 kB\n%s",
			cases[i].lines);
		write_node_file(&fake, 0, "meminfo", text);
		assert_int_equal(
			tierd_topology_read(&fake.root, NULL, &topology, NULL), 0);
		assert_int_equal(
			tierd_nodes_memory_read(&fake.root, &topology, memory), 0);
		assert_int_equal(memory[0].reclaimable_bytes, cases[i].kib * 1024);
		fake_root_done(&fake);
	}
}

static void test_bad_node_memory(_unused_ void **state)
{
	static const struct {
		const char *path;
		const char *text;
		int r;
	} cases[] = {
		{ "/proc/zoneinfo", "        high     98\n", -EBADMSG },
		{ "/proc/zoneinfo", "Node 0, zone DMA\n        high  x\n", -EBADMSG },
		{ "/proc/zoneinfo", "Node 0, zone DMA\n  high 18446744073709551615\n",
			-EBADMSG },
		{ "/proc/zoneinfo", "Node zero, zone DMA\n", -EBADMSG },
		{ "/proc/zoneinfo", "Node 64, zone DMA\n", -ERANGE },
		{ NODE_DIR "/node0/meminfo", "Node 0 MemTotal: 1 kB\n", -EBADMSG },
		{ NODE_DIR "/node0/meminfo", "Node 0 MemTotal: 1 kB\nNode 0 MemFree: 1",
			-EBADMSG },
		{ NODE_DIR "/node0/meminfo",
			"Node 1 MemTotal: 1 kB\nNode 1 MemFree: 1 kB\n", -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_node_memory memory[2] = {
			{ .free_bytes = 77, .high_watermark_bytes = 78 },
		};
		struct tierd_topology topology;
		struct fake_root fake;
		int r;

		fake_root_init(&fake);
		build_machine(&fake, &two_tiers);
		fake_root_write(&fake, "/proc/zoneinfo", zoneinfo);
		assert_int_equal(
			tierd_topology_read(&fake.root, NULL, &topology, NULL), 0);
		fake_root_write(&fake, cases[i].path, cases[i].text);
		r = strcmp(cases[i].path, "/proc/zoneinfo") == 0
			    ? tierd_nodes_watermarks_read(&fake.root, &topology, memory)
			    : tierd_nodes_memory_read(&fake.root, &topology, memory);
		if (r != cases[i].r)
			fail_msg("case %zu: %d", i, r);
		assert_int_equal(memory[0].free_bytes, 77);
		assert_int_equal(memory[0].high_watermark_bytes, 78);
		fake_root_done(&fake);
	}
}

/* Blocks of 128 MiB are 0x8000 pages. */
static void add_block(struct fake_root *fake, unsigned node, unsigned block)
{
	char path[128], target[64], index[32];

	snprintf(path, sizeof(path), MEMORY_DIR "/memory%u/phys_index", block);
	snprintf(index, sizeof(index), "%08x\n", block);
	fake_root_write(fake, path, index);
	snprintf(path, sizeof(path), NODE_DIR "/node%u/memory%u", node, block);
	snprintf(target, sizeof(target), "../../memory/memory%u", block);
	fake_root_link(fake, path, target);
}

static void build_blocks(struct fake_root *fake)
{
	fake_root_write(fake, MEMORY_DIR "/block_size_bytes", "8000000\n");
	for (unsigned block = 0; block < 4; block++)
		add_block(fake, 0, block);
	for (unsigned block = 8; block < 40; block++)
		add_block(fake, 1, block);
	add_block(fake, 0, 40);
	add_block(fake, 2, 40); /* straddles two nodes */
	add_block(fake, 2, 41);
	fake_root_write(fake, NODE_DIR "/node0/meminfo", "");
	fake_root_write(fake, NODE_DIR "/node0/memory_side_cache", "");
	fake_root_write(fake, NODE_DIR "/has_cpu", "0\n");
}

static void test_phys_map(_unused_ void **state)
{
	static const struct {
		uint64_t pfn;
		int node;
	} cases[] = {
		{ 0, 0 },
		{ 0x8000, 0 },
		{ 0x1ffff, 0 },
		{ 0x20000, -ENOENT },
		{ 0x3ffff, -ENOENT },
		{ 0x40000, 1 },
		{ 0x13ffff, 1 },
		{ 0x140000, 0 },
		{ 0x147fff, 0 },
		{ 0x148000, 2 },
		{ 0x150000, -ENOENT },
		{ UINT64_MAX, -ENOENT },
	};
	_cleanup_(tierd_phys_map_freep) struct tierd_phys_map *map = NULL;
	const struct tierd_phys_range *range;
	struct fake_root fake;

	fake_root_init(&fake);
	build_blocks(&fake);
	assert_int_equal(tierd_phys_map_new(&fake.root, &map), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(tierd_phys_map_node(map, cases[i].pfn), cases[i].node);
	range = tierd_phys_map_find(map, 0x50000);
	assert_non_null(range);
	assert_int_equal(range->first_pfn, 0x40000);
	assert_int_equal(range->end_pfn, 0x140000);
	range = tierd_phys_map_find(map, 0x148000);
	assert_non_null(range);
	assert_int_equal(range->first_pfn, 0x148000);
	fake_root_done(&fake);
}

static void test_bad_phys_maps(_unused_ void **state)
{
	static const struct {
		const char *path;
		const char *text;
		int r;
	} cases[] = {
		{ MEMORY_DIR "/block_size_bytes", "0\n", -EBADMSG },
		{ MEMORY_DIR "/block_size_bytes", "fff\n", -EBADMSG },
		{ MEMORY_DIR "/block_size_bytes", "8000001\n", -EBADMSG },
		{ MEMORY_DIR "/block_size_bytes", "0x8000000\n", -EINVAL },
		{ MEMORY_DIR "/memory3/phys_index", "ffffffffffffffff\n", -EBADMSG },
		{ MEMORY_DIR "/memory3/phys_index", "12345678901234567\n", -ERANGE },
		{ MEMORY_DIR "/memory3/phys_index", "\n", -EINVAL },
		{ MEMORY_DIR "/memory3/phys_index", "3\n4\n", -EBADMSG },
		{ NODE_DIR "/node64/meminfo", "", -ERANGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_phys_map *map = NULL;
		struct fake_root fake;
		int r;

		fake_root_init(&fake);
		build_blocks(&fake);
		fake_root_write(&fake, cases[i].path, cases[i].text);
		r = tierd_phys_map_new(&fake.root, &map);
		if (r != cases[i].r)
			fail_msg("case %zu: %d", i, r);
		assert_null(map);
		fake_root_done(&fake);
	}
}

static void test_no_memory_blocks(_unused_ void **state)
{
	struct tierd_phys_map *map = NULL;
	struct fake_root fake;

	fake_root_init(&fake);
	assert_int_equal(tierd_phys_map_new(&fake.root, &map), -ENOENT);
	fake_root_write(&fake, MEMORY_DIR "/block_size_bytes", "8000000\n");
	fake_root_mkdir(&fake, NODE_DIR "/node0");
	assert_int_equal(tierd_phys_map_new(&fake.root, &map), -ENOENT);
	fake_root_done(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tiers),
		cmocka_unit_test(test_node_facts),
		cmocka_unit_test(test_bad_overrides),
		cmocka_unit_test(test_high_node_ids),
		cmocka_unit_test(test_broken_machines),
		cmocka_unit_test(test_no_memory_at_all),
		cmocka_unit_test(test_nodes_memory),
		cmocka_unit_test(test_reclaimable),
		cmocka_unit_test(test_bad_node_memory),
		cmocka_unit_test(test_phys_map),
		cmocka_unit_test(test_bad_phys_maps),
		cmocka_unit_test(test_no_memory_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
