/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "top.h"

static const struct {
	const char *name;
	char key;
} orders[TIERCTL_TOP_ORDER_MAX] = {
	[TIERCTL_TOP_PATH] = { "path", 'p' },
	[TIERCTL_TOP_TASKS] = { "tasks", 't' },
	[TIERCTL_TOP_HITS] = { "hits", 'c' },
	[TIERCTL_TOP_MEMORY] = { "memory", 'm' },
	[TIERCTL_TOP_MOVES] = { "moves", 'i' },
};

enum tierctl_top_order tierctl_top_order_from_string(const char *name)
{
	for (int i = 0; i < TIERCTL_TOP_ORDER_MAX; i++)
		if (strcmp(orders[i].name, name) == 0)
			return i;
	return TIERCTL_TOP_ORDER_INVALID;
}

enum tierctl_top_order tierctl_top_order_from_key(int key)
{
	for (int i = 0; i < TIERCTL_TOP_ORDER_MAX; i++)
		if (orders[i].key == key)
			return i;
	return TIERCTL_TOP_ORDER_INVALID;
}

/* ---- Speeds -------------------------------------------------------------------- */

static int compare_cgroup(const void *key, const void *item)
{
	return strcmp(key, ((const struct tierctl_group *)item)->cgroup);
}

/* Counters begin at 0 again for a group that went and came back. */
static double speed(uint64_t now, uint64_t before, uint64_t elapsed_usec)
{
	if (elapsed_usec == 0 || now < before)
		return NAN;
	return (double)(now - before) * 1e6 / (double)elapsed_usec;
}

static struct tierctl_top_row make_row(const struct tierctl_group *group,
	const struct tierctl_groups *before, uint64_t elapsed_usec)
{
	const struct tierctl_group *then =
		before->n_items == 0
			? NULL
			: bsearch(group->cgroup, before->items, before->n_items,
				  sizeof(*before->items), compare_cgroup);

	return (struct tierctl_top_row){
		.group = group,
		.promoted_per_sec = then ? speed(group->promoted_bytes,
						   then->promoted_bytes, elapsed_usec)
					 : NAN,
		.demoted_per_sec = then ? speed(group->demoted_bytes, then->demoted_bytes,
						  elapsed_usec)
					: NAN,
		.gain = NAN,
	};
}

/* ---- Order --------------------------------------------------------------------- */

/* The larger comes first, and what is not known last. */
static double weight(const struct tierctl_top_row *row, enum tierctl_top_order order)
{
	double weight = 0;

	switch (order) {
	case TIERCTL_TOP_TASKS:
		return row->group->processes;
	case TIERCTL_TOP_HITS:
		weight = -row->group->hit_ratio;
		break;
	case TIERCTL_TOP_MEMORY:
		return (double)row->group->dram_bytes;
	case TIERCTL_TOP_MOVES:
		weight = row->promoted_per_sec + row->demoted_per_sec;
		break;
	default:
		break;
	}
	return isnan(weight) ? -INFINITY : weight;
}

static int compare_rows(const void *a, const void *b, void *userdata)
{
	const enum tierctl_top_order *order = userdata;
	const struct tierctl_top_row *x = a, *y = b;
	double left = weight(x, *order), right = weight(y, *order);

	if (left != right)
		return left > right ? -1 : 1;
	return strcmp(x->group->cgroup, y->group->cgroup);
}

void tierctl_top_fill(const struct tierctl_groups *groups,
	const struct tierctl_groups *before, uint64_t elapsed_usec,
	enum tierctl_top_order order, struct tierctl_top_row *rows)
{
	for (size_t i = 0; i < groups->n_items; i++)
		rows[i] = make_row(&groups->items[i], before, elapsed_usec);
	if (groups->n_items > 0)
		qsort_r(rows, groups->n_items, sizeof(*rows), compare_rows, &order);
}

/* ---- Gain ---------------------------------------------------------------------- */

/* Between two points the curve is straight. */
static double share_at(const struct tierctl_curve *curve, double bytes)
{
	for (size_t i = 1; i < curve->n_points; i++) {
		const struct tierctl_point *low = &curve->points[i - 1];
		const struct tierctl_point *high = &curve->points[i];
		double width = (double)(high->dram_bytes - low->dram_bytes);

		if (bytes <= (double)high->dram_bytes && width > 0)
			return low->hit_ratio +
			       (high->hit_ratio - low->hit_ratio) *
				       (bytes - (double)low->dram_bytes) / width;
	}
	return curve->n_points > 0 ? curve->points[curve->n_points - 1].hit_ratio : NAN;
}

double tierctl_top_gain(const struct tierctl_curve *curve, uint64_t bytes)
{
	return share_at(curve, (double)bytes * 1.25) - share_at(curve, (double)bytes);
}
