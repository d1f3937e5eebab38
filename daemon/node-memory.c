/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two formats: a node's meminfo ("Node 0 MemFree:  123 kB") and /proc/zoneinfo, where the
 * lines after "Node 0, zone   DMA" belong to that zone and its high watermark is the line
 * "high N", in pages. The per-CPU lists further down have a "high:" of their own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"
#include "base/util.h"
#include "node-memory.h"

#define MEMINFO_MAX_BYTES  65536
#define ZONEINFO_MAX_BYTES (64 * 1024 * 1024)

struct watermarks {
	uint64_t high_pages[TIERD_NODES_MAX];
};

/* The text after prefix and blanks, or NULL when line does not begin with prefix. */
static char *after(char *line, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(line, prefix, length) != 0)
		return NULL;
	return line + length + strspn(line + length, " ");
}

static int parse_node_line(char *line, unsigned *ret_node)
{
	char *number = after(line, "Node ");
	uint64_t node;
	int r;

	r = tier_parse_u64(strsep(&number, ","), &node);
	if (r < 0)
		return -EBADMSG;
	if (node >= TIERD_NODES_MAX)
		return -ERANGE;
	*ret_node = (unsigned)node;
	return 0;
}

static int parse_zoneinfo(char *text, struct watermarks *ret)
{
	unsigned node = TIERD_NODES_MAX;
	char *line, *value;
	int r;

	while ((line = strsep(&text, "\n"))) {
		uint64_t pages;

		if (after(line, "Node ")) {
			r = parse_node_line(line, &node);
			if (r < 0)
				return r;
			continue;
		}
		value = after(line + strspn(line, " "), "high ");
		if (!value)
			continue;
		r = tier_parse_u64(value, &pages);
		if (r < 0 || node == TIERD_NODES_MAX ||
			__builtin_add_overflow(
				ret->high_pages[node], pages, &ret->high_pages[node]))
			return -EBADMSG;
	}
	return 0;
}

static int parse_kib(char *value, uint64_t *ret_bytes)
{
	uint64_t kib;
	int r;

	r = tier_parse_u64(strsep(&value, " "), &kib);
	if (r < 0 || !value || strcmp(value, "kB") != 0 ||
		__builtin_mul_overflow(kib, 1024, ret_bytes))
		return -EBADMSG;
	return 0;
}

static int parse_meminfo(char *text, unsigned id, struct tierd_node_memory *ret)
{
	struct tierd_node_memory memory = {};
	char prefix[32];
	bool has_total = false, has_free = false;
	uint64_t inactive = 0, dirty = 0, writeback = 0;
	char *line;
	int r = 0;

	snprintf(prefix, sizeof(prefix), "Node %u ", id);
	while ((line = strsep(&text, "\n")) && r >= 0) {
		char *key = after(line, prefix), *value;

		if (!key)
			continue;
		if ((value = after(key, "MemTotal:"))) {
			r = parse_kib(value, &memory.total_bytes);
			has_total = true;
		} else if ((value = after(key, "MemFree:"))) {
			r = parse_kib(value, &memory.free_bytes);
			has_free = true;
		} else if ((value = after(key, "Inactive(file):"))) {
			r = parse_kib(value, &inactive);
		} else if ((value = after(key, "Dirty:"))) {
			r = parse_kib(value, &dirty);
		} else if ((value = after(key, "Writeback:"))) {
			r = parse_kib(value, &writeback);
		}
	}
	if (r < 0)
		return r;
	if (!has_total || !has_free)
		return -EBADMSG;
	memory.reclaimable_bytes =
		tier_saturating_sub(tier_saturating_sub(inactive, dirty), writeback);
	*ret = memory;
	return 0;
}

static int read_meminfo(
	const struct tierd_root *root, unsigned id, struct tierd_node_memory *ret)
{
	_cleanup_(freep) char *text = NULL;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u/meminfo", id);
	r = tierd_root_read_file(root, path, MEMINFO_MAX_BYTES, &text, NULL);
	if (r < 0)
		return r;
	return parse_meminfo(text, id, ret);
}

int tierd_nodes_memory_read(const struct tierd_root *root,
	const struct tierd_topology *topology, struct tierd_node_memory *memory)
{
	struct tierd_node_memory read[TIERD_NODES_MAX];

	for (unsigned i = 0; i < topology->n_nodes; i++) {
		int r = read_meminfo(root, topology->nodes[i].id, &read[i]);

		if (r < 0)
			return r;
		read[i].high_watermark_bytes = memory[i].high_watermark_bytes;
	}
	memcpy(memory, read, topology->n_nodes * sizeof(read[0]));
	return 0;
}

int tierd_nodes_watermarks_read(const struct tierd_root *root,
	const struct tierd_topology *topology, struct tierd_node_memory *memory)
{
	_cleanup_(freep) char *text = NULL;
	struct watermarks watermarks = {};
	uint64_t bytes[TIERD_NODES_MAX], page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	int r;

	r = tierd_root_read_file(root, "/proc/zoneinfo", ZONEINFO_MAX_BYTES, &text, NULL);
	if (r < 0)
		return r;
	r = parse_zoneinfo(text, &watermarks);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < topology->n_nodes; i++)
		if (__builtin_mul_overflow(watermarks.high_pages[topology->nodes[i].id],
			    page_bytes, &bytes[i]))
			return -EBADMSG;
	for (unsigned i = 0; i < topology->n_nodes; i++)
		memory[i].high_watermark_bytes = bytes[i];
	return 0;
}
