/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the nodes from /sys/devices/system/node and lays them out in tiers. Each source
 * of order gives every node a speed, smaller being faster, or declines when it does not
 * know them all; the first that does not decline wins, and nodes of one speed are a tier.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "settings/errtext.h"
#include "settings/node-list.h"
#include "topology.h"

#define NODE_DIR    "/sys/devices/system/node"
#define TIERING_DIR "/sys/devices/virtual/memory_tiering"

#define MEMINFO_MAX_BYTES 65536

/* Nodes this much slower than the fastest of a tier, in percent, begin the next one. */
#define SAME_TIER_LATENCY_PERCENT 125

struct speeds {
	uint64_t of[TIERD_NODES_MAX]; /* in the order of topology->nodes */
};

/* 1: every node has its speed; 0: this source cannot say. */
typedef int (*speed_source_t)(const struct tierd_root *root,
	const struct tierd_topology *topology, struct speeds *ret);

static uint64_t node_bit(unsigned id)
{
	return UINT64_C(1) << id;
}

static int read_node_list(
	const struct tierd_root *root, const char *path, uint64_t *ret_mask)
{
	_cleanup_(freep) char *line = NULL;
	int r;

	r = tierd_root_read_line(root, path, &line);
	if (r < 0)
		return r;
	if (!*line) {
		*ret_mask = 0;
		return 0;
	}
	return tierd_node_list_parse(line, ret_mask);
}

static int read_node_u64(
	const struct tierd_root *root, unsigned id, const char *file, uint64_t *ret)
{
	char path[128];

	snprintf(path, sizeof(path), NODE_DIR "/node%u/%s", id, file);
	return tierd_root_read_u64(root, path, ret);
}

/* The kernel leaves out what the firmware does not state. */
static int read_node_performance(
	const struct tierd_root *root, unsigned id, const char *file, uint64_t *ret)
{
	uint64_t value;
	int r;

	r = read_node_u64(root, id, file, &value);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = r < 0 ? 0 : value;
	return 0;
}

/* "Node 0 MemTotal:       4028440 kB" */
static int read_node_total(const struct tierd_root *root, unsigned id, uint64_t *ret)
{
	_cleanup_(freep) char *text = NULL;
	char path[128];
	char *value;
	size_t length;
	uint64_t kib;
	int r;

	snprintf(path, sizeof(path), NODE_DIR "/node%u/meminfo", id);
	r = tierd_root_read_file(root, path, MEMINFO_MAX_BYTES, &text, NULL);
	if (r < 0)
		return r;
	value = strstr(text, " MemTotal:");
	if (!value)
		return -EBADMSG;
	value += strlen(" MemTotal:");
	value += strspn(value, " ");
	length = strcspn(value, " ");
	if (strncmp(value + length, " kB\n", 4) != 0)
		return -EBADMSG;
	value[length] = '\0';
	r = tier_parse_u64(value, &kib);
	if (r < 0 || __builtin_mul_overflow(kib, 1024, ret))
		return -EBADMSG;
	return 0;
}

/*
 * A node's line has one distance per online node, by ascending id. The smallest among the
 * nodes with CPUs counts.
 */
static int read_node_distance(const struct tierd_root *root, unsigned id, uint64_t online,
	uint64_t with_cpus, unsigned *ret)
{
	_cleanup_(freep) char *line = NULL;
	char path[128];
	char *rest, *part;
	uint64_t nearest = 0;
	int r;

	snprintf(path, sizeof(path), NODE_DIR "/node%u/distance", id);
	r = tierd_root_read_line(root, path, &line);
	if (r < 0)
		return r;
	rest = line;
	while (online && (part = strsep(&rest, " "))) {
		uint64_t distance, bit = online & -online;

		r = tier_parse_u64(part, &distance);
		if (r < 0 || distance == 0 || distance > UINT8_MAX)
			return -EBADMSG;
		if (with_cpus & bit && (!nearest || distance < nearest))
			nearest = distance;
		online &= ~bit;
	}
	if (online || rest)
		return -EBADMSG;
	*ret = (unsigned)nearest;
	return 0;
}

static int read_node(const struct tierd_root *root, unsigned id, uint64_t online,
	uint64_t with_cpus, struct tierd_node *ret)
{
	struct tierd_node node = { .id = id, .has_cpus = with_cpus & node_bit(id) };
	int r;

	r = read_node_total(root, id, &node.total_bytes);
	if (r < 0)
		return r;
	r = read_node_performance(
		root, id, "access0/initiators/read_latency", &node.read_latency_ns);
	if (r < 0)
		return r;
	r = read_node_performance(
		root, id, "access0/initiators/read_bandwidth", &node.read_bandwidth_mbs);
	if (r < 0)
		return r;
	r = read_node_distance(root, id, online, with_cpus, &node.distance);
	if (r < 0)
		return r;
	*ret = node;
	return 0;
}

static int read_nodes(
	const struct tierd_root *root, struct tierd_topology *topology, char **ret_error)
{
	uint64_t online, with_cpus;
	int r;

	r = read_node_list(root, NODE_DIR "/online", &online);
	if (r < 0)
		return tierd_error(ret_error, r,
			"%s/online: cannot read the list of nodes: %s", NODE_DIR,
			strerror(-r));
	r = read_node_list(root, NODE_DIR "/has_cpu", &with_cpus);
	if (r < 0)
		return tierd_error(ret_error, r,
			"%s/has_cpu: cannot read the list of nodes: %s", NODE_DIR,
			strerror(-r));
	for (unsigned id = 0; id < TIERD_NODES_MAX; id++) {
		struct tierd_node *node = &topology->nodes[topology->n_nodes];

		if (!(online & node_bit(id)))
			continue;
		r = read_node(root, id, online, with_cpus, node);
		if (r < 0)
			return tierd_error(ret_error, r,
				"%s/node%u: cannot make sense of this node: %s", NODE_DIR,
				id, strerror(-r));
		if (node->total_bytes > 0)
			topology->n_nodes++;
	}
	if (topology->n_nodes == 0)
		return tierd_error(
			ret_error, -ENODEV, "%s: no node has memory", NODE_DIR);
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Nodes of nearly one latency get the latency of the fastest of them. */
static int speeds_from_latency(_unused_ const struct tierd_root *root,
	const struct tierd_topology *topology, struct speeds *ret)
{
	uint64_t sorted[TIERD_NODES_MAX];
	uint64_t tier = 0;

	for (unsigned i = 0; i < topology->n_nodes; i++) {
		sorted[i] = topology->nodes[i].read_latency_ns;
		if (sorted[i] == 0 || sorted[i] > UINT32_MAX)
			return 0;
	}
	qsort(sorted, topology->n_nodes, sizeof(sorted[0]), compare_u64);
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		if (sorted[i] * 100 > tier * SAME_TIER_LATENCY_PERCENT)
			tier = sorted[i];
		for (unsigned k = 0; k < topology->n_nodes; k++)
			if (topology->nodes[k].read_latency_ns == sorted[i])
				ret->of[k] = tier;
	}
	return 1;
}

/* The N of a directory memory_tierN, or -EINVAL for other names. */
static int parse_tier_name(const char *name, uint64_t *ret)
{
	static const char prefix[] = "memory_tier";

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return -EINVAL;
	return tier_parse_u64(name + strlen(prefix), ret);
}

static int read_memory_tier(const struct tierd_root *root, const char *name,
	const struct tierd_topology *topology, struct speeds *speeds, uint64_t *placed)
{
	char path[sizeof(TIERING_DIR) + NAME_MAX + sizeof("/nodelist")];
	uint64_t speed, mask;
	int r;

	r = parse_tier_name(name, &speed);
	if (r < 0)
		return 0;
	snprintf(path, sizeof(path), TIERING_DIR "/%s/nodelist", name);
	r = read_node_list(root, path, &mask);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		if (!(mask & node_bit(topology->nodes[i].id)))
			continue;
		speeds->of[i] = speed;
		*placed |= node_bit(i);
	}
	return 0;
}

static int speeds_from_memory_tiering(const struct tierd_root *root,
	const struct tierd_topology *topology, struct speeds *ret)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	uint64_t placed = 0;
	struct dirent *entry;
	int r;

	r = tierd_root_open_dir(root, TIERING_DIR, &dir);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	while ((errno = 0, entry = readdir(dir))) {
		r = read_memory_tier(root, entry->d_name, topology, ret, &placed);
		if (r < 0)
			return r;
	}
	if (errno)
		return -errno;
	return (unsigned)__builtin_popcountll(placed) == topology->n_nodes;
}

/* Always knows: memory next to CPUs is the fastest, the rest goes by distance. */
static int speeds_from_distance(_unused_ const struct tierd_root *root,
	const struct tierd_topology *topology, struct speeds *ret)
{
	for (unsigned i = 0; i < topology->n_nodes; i++)
		ret->of[i] =
			topology->nodes[i].has_cpus ? 0 : topology->nodes[i].distance;
	return 1;
}

static void lay_out_tiers(struct tierd_topology *topology, const struct speeds *speeds)
{
	uint64_t sorted[TIERD_NODES_MAX];

	memcpy(sorted, speeds->of, topology->n_nodes * sizeof(sorted[0]));
	qsort(sorted, topology->n_nodes, sizeof(sorted[0]), compare_u64);
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		struct tierd_tier *tier;

		if (i > 0 && sorted[i] == sorted[i - 1])
			continue;
		tier = &topology->tiers[topology->n_tiers];
		for (unsigned k = 0; k < topology->n_nodes; k++) {
			struct tierd_node *node = &topology->nodes[k];

			if (speeds->of[k] != sorted[i])
				continue;
			node->tier = topology->n_tiers;
			tier->node_mask |= node_bit(node->id);
			tier->total_bytes += node->total_bytes;
		}
		topology->n_tiers++;
	}
}

static int speeds_from_override(const struct tierd_topology *topology,
	const char *override, struct speeds *ret, char **ret_error)
{
	uint64_t masks[TIERD_TIERS_MAX], missing = 0;
	unsigned n;
	int r;

	r = tierd_tiers_parse(override, masks, &n);
	if (r < 0)
		return tierd_error(ret_error, r,
			"Tiers=%s: expected lists of nodes, the fastest tier first, as in \"0;1,2\"",
			override);
	for (unsigned i = 0; i < topology->n_nodes; i++)
		missing |= node_bit(topology->nodes[i].id);
	for (unsigned tier = 0; tier < n; tier++) {
		if (masks[tier] & ~missing)
			return tierd_error(ret_error, -EINVAL,
				"Tiers=%s: node %d does not exist or has no memory",
				override, __builtin_ctzll(masks[tier] & ~missing));
		missing &= ~masks[tier];
		for (unsigned i = 0; i < topology->n_nodes; i++)
			if (masks[tier] & node_bit(topology->nodes[i].id))
				ret->of[i] = tier;
	}
	if (missing)
		return tierd_error(ret_error, -EINVAL,
			"Tiers=%s: node %d has memory and is in no tier", override,
			__builtin_ctzll(missing));
	return 0;
}

static int ask_machine(const struct tierd_root *root, struct tierd_topology *topology,
	struct speeds *ret, char **ret_error)
{
	static const speed_source_t sources[TIERD_TIER_SOURCE_MAX] = {
		[TIERD_TIER_SOURCE_LATENCY] = speeds_from_latency,
		[TIERD_TIER_SOURCE_MEMORY_TIERING] = speeds_from_memory_tiering,
		[TIERD_TIER_SOURCE_DISTANCE] = speeds_from_distance,
	};

	for (int i = TIERD_TIER_SOURCE_LATENCY; i < TIERD_TIER_SOURCE_MAX; i++) {
		int r = sources[i](root, topology, ret);

		if (r < 0)
			return tierd_error(ret_error, r,
				"Cannot read the memory tiers by %s: %s",
				tierd_tier_source_to_string(i), strerror(-r));
		if (r > 0) {
			topology->source = i;
			return 0;
		}
	}
	assert(!"distance always knows");
	return -EINVAL;
}

int tierd_topology_read(const struct tierd_root *root, const char *override,
	struct tierd_topology *ret, char **ret_error)
{
	struct tierd_topology topology = { .source = TIERD_TIER_SOURCE_CONFIGURATION };
	struct speeds speeds;
	int r;

	r = read_nodes(root, &topology, ret_error);
	if (r < 0)
		return r;
	if (override && *override)
		r = speeds_from_override(&topology, override, &speeds, ret_error);
	else
		r = ask_machine(root, &topology, &speeds, ret_error);
	if (r < 0)
		return r;
	lay_out_tiers(&topology, &speeds);
	*ret = topology;
	return 0;
}

const struct tierd_node *tierd_topology_find_node(
	const struct tierd_topology *topology, unsigned id)
{
	for (unsigned i = 0; i < topology->n_nodes; i++)
		if (topology->nodes[i].id == id)
			return &topology->nodes[i];
	return NULL;
}

const char *tierd_tier_source_to_string(enum tierd_tier_source source)
{
	static const char *const names[TIERD_TIER_SOURCE_MAX] = {
		[TIERD_TIER_SOURCE_CONFIGURATION] = "configuration",
		[TIERD_TIER_SOURCE_LATENCY] = "latency",
		[TIERD_TIER_SOURCE_MEMORY_TIERING] = "memory tiering",
		[TIERD_TIER_SOURCE_DISTANCE] = "distance",
	};

	if (source < 0 || source >= TIERD_TIER_SOURCE_MAX)
		return NULL;
	return names[source];
}
