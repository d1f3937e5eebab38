/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of memory nodes, the kernel's way of writing them, and what sysfs says about this
 * machine. A machine without NUMA in its sysfs is one node, 0, with memory and CPUs. It
 * makes no judgement about speed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "nodes.h"

bool gups_nodes_has(const struct gups_nodes *nodes, int node)
{
	if (node < 0 || node >= GUPS_NODES_MAX)
		return false;
	return nodes->bits[node / GUPS_NODES_LONG] >> (node % GUPS_NODES_LONG) & 1;
}

void gups_nodes_add(struct gups_nodes *nodes, int node)
{
	nodes->bits[node / GUPS_NODES_LONG] |= 1UL << (node % GUPS_NODES_LONG);
}

bool gups_nodes_is_empty(const struct gups_nodes *nodes)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes->bits); i++)
		if (nodes->bits[i] != 0)
			return false;
	return true;
}

struct gups_nodes gups_nodes_and(const struct gups_nodes *a, const struct gups_nodes *b)
{
	struct gups_nodes both;

	for (size_t i = 0; i < ARRAY_SIZE(both.bits); i++)
		both.bits[i] = a->bits[i] & b->bits[i];
	return both;
}

struct gups_nodes gups_nodes_and_not(
	const struct gups_nodes *a, const struct gups_nodes *b)
{
	struct gups_nodes rest;

	for (size_t i = 0; i < ARRAY_SIZE(rest.bits); i++)
		rest.bits[i] = a->bits[i] & ~b->bits[i];
	return rest;
}

bool gups_nodes_is_subset(const struct gups_nodes *a, const struct gups_nodes *b)
{
	struct gups_nodes rest = gups_nodes_and_not(a, b);

	return gups_nodes_is_empty(&rest);
}

static int parse_number(const char **p, int *ret)
{
	unsigned long n;
	char *end;

	if (**p < '0' || **p > '9')
		return -EINVAL;
	n = strtoul(*p, &end, 10);
	if (n >= GUPS_NODES_MAX)
		return -ERANGE;
	*p = end;
	*ret = (int)n;
	return 0;
}

static int parse_range(const char **p, struct gups_nodes *nodes)
{
	int r, first, last;

	r = parse_number(p, &first);
	if (r < 0)
		return r;
	last = first;
	if (**p == '-') {
		(*p)++;
		r = parse_number(p, &last);
		if (r < 0)
			return r;
	}
	if (last < first)
		return -EINVAL;
	for (int node = first; node <= last; node++)
		gups_nodes_add(nodes, node);
	return 0;
}

int gups_nodes_parse(const char *list, struct gups_nodes *ret)
{
	struct gups_nodes nodes = {};

	for (;;) {
		int r = parse_range(&list, &nodes);

		if (r < 0)
			return r;
		if (*list == '\0')
			break;
		if (*list++ != ',')
			return -EINVAL;
	}
	*ret = nodes;
	return 0;
}

void gups_nodes_format(const struct gups_nodes *nodes, char *ret_list, size_t n)
{
	size_t used = 0;

	ret_list[0] = '\0';
	for (int node = 0; node < GUPS_NODES_MAX; node++) {
		int w;

		if (!gups_nodes_has(nodes, node))
			continue;
		w = snprintf(
			ret_list + used, n - used, "%s%d", used > 0 ? "," : "", node);
		if (w < 0 || (size_t)w >= n - used)
			return;
		used += (size_t)w;
	}
}

static int read_list(const char *path, struct gups_nodes *ret)
{
	_cleanup_(fclosep) FILE *f = NULL;
	char line[4096];

	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (!fgets(line, sizeof(line), f))
		return -EIO;
	line[strcspn(line, "\n")] = '\0';
	return gups_nodes_parse(line, ret);
}

int gups_nodes_of_machine(struct gups_nodes *ret_memory, struct gups_nodes *ret_cpu)
{
	struct gups_nodes memory = {}, cpu = {};
	int r;

	r = read_list("/sys/devices/system/node/has_memory", &memory);
	if (r == -ENOENT) {
		gups_nodes_add(&memory, 0);
		*ret_memory = memory;
		*ret_cpu = memory;
		return 0;
	}
	if (r < 0)
		return r;
	r = read_list("/sys/devices/system/node/has_cpu", &cpu);
	if (r < 0)
		return r;
	*ret_memory = memory;
	*ret_cpu = gups_nodes_and(&cpu, &memory);
	return 0;
}
