/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How groups look, for the verbs that show several of their properties: as a table for
 * people, as objects with exact numbers in JSON.
 */
#ifndef TIERCTL_GROUP_VIEW_H
#define TIERCTL_GROUP_VIEW_H

#include "bus-client.h"
#include "tierctl.h"

/* A table with a row for each group; prints nothing when there is none. */
int tierctl_print_groups(struct tierctl *ctl, const struct tierctl_groups *groups);

void tierctl_group_to_json(
	struct tierctl_json *json, const char *key, const struct tierctl_group *group);
void tierctl_groups_to_json(
	struct tierctl_json *json, const char *key, const struct tierctl_groups *groups);

/* What all groups hold, in DRAM and in slow memory. */
struct tierctl_totals {
	uint64_t dram_bytes;
	uint64_t slow_bytes;
};

struct tierctl_totals tierctl_groups_totals(const struct tierctl_groups *groups);

/* More in DRAM than the quota allows: something to look at. */
enum tierctl_colour tierctl_quota_colour(const struct tierctl_group *group);

#endif
