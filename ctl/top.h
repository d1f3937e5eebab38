/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What top shows of a group: two looks at its counters make a speed, its curve says what
 * a quarter more DRAM would gain. No bus and no terminal in here.
 */
#ifndef TIERCTL_TOP_H
#define TIERCTL_TOP_H

#include "bus-client.h"

/* By the keys of systemd-cgtop: p, t, c, m, i. */
enum tierctl_top_order {
	TIERCTL_TOP_PATH,
	TIERCTL_TOP_TASKS,
	TIERCTL_TOP_HITS, /* the fewest first: who suffers most */
	TIERCTL_TOP_MEMORY,
	TIERCTL_TOP_MOVES,
	TIERCTL_TOP_ORDER_MAX,
	TIERCTL_TOP_ORDER_INVALID = -22,
};

/* TIERCTL_TOP_ORDER_INVALID for what is no name, or key, of an order. */
enum tierctl_top_order tierctl_top_order_from_string(const char *name);
enum tierctl_top_order tierctl_top_order_from_key(int key);

struct tierctl_top_row {
	const struct tierctl_group *group;
	double promoted_per_sec; /* bytes; NAN at the first look */
	double demoted_per_sec;
	double gain; /* of hit ratio, by a quarter more DRAM; NAN: not known */
};

/*
 * A row for each of groups, in the given order and without its gain; before are the same
 * groups, sorted by cgroup path, as they were elapsed_usec ago. rows has room for all.
 */
void tierctl_top_fill(const struct tierctl_groups *groups,
	const struct tierctl_groups *before, uint64_t elapsed_usec,
	enum tierctl_top_order order, struct tierctl_top_row *rows);

/* By how much the hit ratio would rise with a quarter more than bytes of DRAM. */
double tierctl_top_gain(const struct tierctl_curve *curve, uint64_t bytes);

#endif
