/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of memory nodes: as text the way the kernel writes them, as bits in one uint64_t
 * everywhere else.
 */
#ifndef TIERD_NODE_LIST_H
#define TIERD_NODE_LIST_H

#include <stdint.h>

/* Node ids are below this, so that a set of nodes is one uint64_t. */
#define TIERD_NODES_MAX 64
#define TIERD_TIERS_MAX TIERD_NODES_MAX

/*
 * "0,2-3"; each node at most once, at least one. -EINVAL, -ERANGE for an id that is too
 * large.
 */
int tierd_node_list_parse(const char *text, uint64_t *ret_mask);

/*
 * Tiers, the fastest first, separated by ';', each a list of nodes: "0;1,3-4". No node is
 * in two of them; whether the nodes exist is not asked. ret_masks has room for
 * TIERD_TIERS_MAX; "" is no tiers.
 */
int tierd_tiers_parse(const char *text, uint64_t *ret_masks, unsigned *ret_n);

#endif
