/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps hard quotas between ticks: the kernel's word that a group ran into its
 * memory.high, a look at those that are near their quota twenty times a second, at others
 * before they could come near, and at cgroups that are new. What a gate does is the
 * group's affair.
 */
#ifndef TIERD_GATES_H
#define TIERD_GATES_H

#include <stdint.h>

struct tierd_gates;
struct tierd_group;
struct tierd_manager;

int tierd_gates_new(struct tierd_manager *manager, struct tierd_gates **ret);
struct tierd_gates *tierd_gates_free(struct tierd_gates *gates);

/* With the tick: all groups, whose memory was just read. */
void tierd_gates_update(struct tierd_gates *gates, uint64_t now_ns);

/* Between ticks: one group of which something is known to have changed. */
void tierd_gates_update_group(
	struct tierd_gates *gates, struct tierd_group *group, uint64_t now_ns);

/* From now on new cgroups below this one are noticed at once. */
void tierd_gates_watch_cgroups(struct tierd_gates *gates, const char *path);

#endif
