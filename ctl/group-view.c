/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The groups' table, and the names of their properties in JSON. */
#include <inttypes.h>

#include "group-view.h"
#include "table.h"

enum {
	COLUMN_CGROUP,
	COLUMN_QUOTA,
	COLUMN_DRAM,
	COLUMN_SLOW,
	COLUMN_HIT,
	COLUMN_COVERAGE,
	COLUMN_PROCESSES,
	COLUMN_ENFORCEMENT,
	COLUMN_MAX,
};

static const struct tierctl_column columns[COLUMN_MAX] = {
	[COLUMN_CGROUP] = { "CGROUP", false },
	[COLUMN_QUOTA] = { "QUOTA", true },
	[COLUMN_DRAM] = { "DRAM", true },
	[COLUMN_SLOW] = { "SLOW", true },
	[COLUMN_HIT] = { "HIT", true },
	[COLUMN_COVERAGE] = { "COVERAGE", true },
	[COLUMN_PROCESSES] = { "PROCS", true },
	[COLUMN_ENFORCEMENT] = { "MODE", false },
};

enum tierctl_colour tierctl_quota_colour(const struct tierctl_group *group)
{
	return group->dram_bytes > group->dram_quota_bytes ? TIERCTL_WARNING
							   : TIERCTL_PLAIN;
}

static int add_row(struct tierctl_table *table, const struct tierctl_group *group)
{
	char quota[TIERCTL_TEXT_MAX], dram[TIERCTL_TEXT_MAX], slow[TIERCTL_TEXT_MAX];
	char hit[TIERCTL_TEXT_MAX], coverage[TIERCTL_TEXT_MAX];
	char processes[TIERCTL_TEXT_MAX];
	struct tierctl_cell cells[COLUMN_MAX] = {
		[COLUMN_CGROUP] = { group->cgroup },
		[COLUMN_QUOTA] = { tierctl_format_limit(group->dram_quota_bytes, quota) },
		[COLUMN_DRAM] = { tierctl_format_size(group->dram_bytes, dram),
			tierctl_quota_colour(group) },
		[COLUMN_SLOW] = { tierctl_format_size(group->slow_bytes, slow) },
		[COLUMN_HIT] = { tierctl_format_share(group->hit_ratio, hit) },
		[COLUMN_COVERAGE] = { tierctl_format_share(group->coverage, coverage) },
		[COLUMN_PROCESSES] = { processes },
		[COLUMN_ENFORCEMENT] = { group->enforcement },
	};

	snprintf(processes, sizeof(processes), "%" PRIu32, group->processes);
	return tierctl_table_add(table, cells);
}

int tierctl_print_groups(struct tierctl *ctl, const struct tierctl_groups *groups)
{
	_cleanup_(tierctl_table_freep) struct tierctl_table *table = NULL;
	int r;

	if (groups->n_items == 0)
		return 0;
	r = tierctl_table_new(&ctl->style, columns, COLUMN_MAX, ctl->legend, &table);
	if (r < 0)
		return r;
	for (size_t i = 0; i < groups->n_items; i++) {
		r = add_row(table, &groups->items[i]);
		if (r < 0)
			return r;
	}
	return tierctl_table_print(table);
}

void tierctl_group_to_json(
	struct tierctl_json *json, const char *key, const struct tierctl_group *group)
{
	tierctl_json_open_object(json, key);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_string(json, "policy", group->policy);
	tierctl_json_string(json, "enforcement", group->enforcement);
	tierctl_json_string(json, "placement", group->placement);
	tierctl_json_string(json, "engine", group->engine);
	tierctl_json_limit(json, "bandwidth_max", group->bandwidth_max);
	tierctl_json_limit(json, "dram_quota_bytes", group->dram_quota_bytes);
	tierctl_json_u64(json, "dram_min_bytes", group->dram_min_bytes);
	tierctl_json_u64(json, "dram_bytes", group->dram_bytes);
	tierctl_json_u64(json, "slow_bytes", group->slow_bytes);
	tierctl_json_u64(json, "uncovered_bytes", group->uncovered_bytes);
	tierctl_json_double(json, "hit_ratio", group->hit_ratio);
	tierctl_json_double(json, "cut_rate", group->cut_rate);
	tierctl_json_double(json, "mean_rate", group->mean_rate);
	tierctl_json_double(json, "coverage", group->coverage);
	tierctl_json_double(json, "resolution", group->resolution);
	tierctl_json_u64(json, "processes", group->processes);
	tierctl_json_u64(json, "promoted_bytes", group->promoted_bytes);
	tierctl_json_u64(json, "demoted_bytes", group->demoted_bytes);
	tierctl_json_close(json);
}

void tierctl_groups_to_json(
	struct tierctl_json *json, const char *key, const struct tierctl_groups *groups)
{
	tierctl_json_open_array(json, key);
	for (size_t i = 0; i < groups->n_items; i++)
		tierctl_group_to_json(json, NULL, &groups->items[i]);
	tierctl_json_close(json);
}

struct tierctl_totals tierctl_groups_totals(const struct tierctl_groups *groups)
{
	struct tierctl_totals totals = {};

	for (size_t i = 0; i < groups->n_items; i++) {
		totals.dram_bytes += groups->items[i].dram_bytes;
		totals.slow_bytes += groups->items[i].slow_bytes;
	}
	return totals;
}
