/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_NODES_H
#define GUPS_NODES_H

#include <stdbool.h>
#include <stddef.h>

#define GUPS_NODES_MAX  1024
#define GUPS_NODES_LONG (8 * sizeof(unsigned long))

struct gups_nodes {
	unsigned long bits[GUPS_NODES_MAX / GUPS_NODES_LONG];
};

bool gups_nodes_has(const struct gups_nodes *nodes, int node);
void gups_nodes_add(struct gups_nodes *nodes, int node);
bool gups_nodes_is_empty(const struct gups_nodes *nodes);
bool gups_nodes_is_subset(const struct gups_nodes *a, const struct gups_nodes *b);
struct gups_nodes gups_nodes_and(const struct gups_nodes *a, const struct gups_nodes *b);
struct gups_nodes gups_nodes_and_not(
	const struct gups_nodes *a, const struct gups_nodes *b);

/* Parses the kernel's list format, "0-1,3"; an empty list is -EINVAL. */
int gups_nodes_parse(const char *list, struct gups_nodes *ret);

/* Writes the same format; what does not fit in n bytes is cut off. */
void gups_nodes_format(const struct gups_nodes *nodes, char *ret_list, size_t n);

/* The nodes with memory, and those of them that have CPUs. */
int gups_nodes_of_machine(struct gups_nodes *ret_memory, struct gups_nodes *ret_cpu);

#endif
