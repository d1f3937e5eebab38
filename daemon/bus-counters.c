/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a group has counted, under the names that MEMTIS's vmstat counters made familiar:
 * scanned and filtered, tried, failed by cause, done. Pages unless the name says
 * otherwise. The classes are as of the last plan, all else adds up from the group's
 * beginning. The manager's are the sums over the groups there are.
 */
#include <stddef.h>

#include "bus-internal.h"
#include "group.h"
#include "manager.h"

#define SUM(name, first, n)                                       \
	{                                                         \
		name, offsetof(struct tierd_group_view, first), n \
	}
#define COUNTER(name, field) SUM(name, field, 1)
#define RESULT(name, dir, res) \
	COUNTER(name, heat.result_pages[TIER_##dir][TIER_RESULT_##res])
#define FAILURES(name, dir)                                         \
	SUM(name, heat.result_pages[TIER_##dir][TIER_RESULT_NOMEM], \
		TIER_RESULT_MAX - TIER_RESULT_NOMEM)

/* Failures are the results that follow TIER_RESULT_DONE. */
_Static_assert(TIER_RESULT_DONE + 1 == TIER_RESULT_NOMEM, "results out of order");

static const struct {
	const char *name;
	size_t offset;
	unsigned n; /* so many numbers from there on, summed up */
} counters[] = {
	COUNTER("promotion_scanned", heat.scanned_pages[TIER_PROMOTE]),
	COUNTER("promotion_tried", heat.tried_pages[TIER_PROMOTE]),
	FAILURES("promotion_tried_failure", PROMOTE),
	RESULT("promotion_tried_failure_nomem", PROMOTE, NOMEM),
	RESULT("promotion_tried_failure_noroom", PROMOTE, NOROOM),
	RESULT("promotion_tried_failure_busy", PROMOTE, BUSY),
	RESULT("promotion_tried_failure_gone", PROMOTE, GONE),
	RESULT("promotion_tried_failure_unsupported", PROMOTE, UNSUPPORTED),
	RESULT("promotion_tried_failure_cancelled", PROMOTE, CANCELLED),
	RESULT("promoted", PROMOTE, DONE),
	COUNTER("promoted_bytes", promoted_bytes),
	COUNTER("demotion_scanned", heat.scanned_pages[TIER_DEMOTE]),
	COUNTER("demotion_scanned_filtered_warm", heat.filtered_warm_pages),
	COUNTER("demotion_tried", heat.tried_pages[TIER_DEMOTE]),
	FAILURES("demotion_tried_failure", DEMOTE),
	RESULT("demotion_tried_failure_nomem", DEMOTE, NOMEM),
	RESULT("demotion_tried_failure_busy", DEMOTE, BUSY),
	RESULT("demotion_tried_failure_gone", DEMOTE, GONE),
	RESULT("demotion_tried_failure_unsupported", DEMOTE, UNSUPPORTED),
	RESULT("demotion_tried_failure_cancelled", DEMOTE, CANCELLED),
	RESULT("demoted", DEMOTE, DONE),
	COUNTER("demoted_bytes", demoted_bytes),
	COUNTER("collapse_scanned", heat.scanned_pages[TIER_COLLAPSE]),
	COUNTER("collapse_tried", heat.tried_pages[TIER_COLLAPSE]),
	FAILURES("collapse_tried_failure", COLLAPSE),
	RESULT("collapse_tried_failure_nomem", COLLAPSE, NOMEM),
	RESULT("collapse_tried_failure_busy", COLLAPSE, BUSY),
	RESULT("collapse_tried_failure_gone", COLLAPSE, GONE),
	RESULT("collapse_tried_failure_unsupported", COLLAPSE, UNSUPPORTED),
	RESULT("collapse_tried_failure_cancelled", COLLAPSE, CANCELLED),
	RESULT("collapsed", COLLAPSE, DONE),
	COUNTER("scanned_filtered_cooling_down", heat.filtered_cooling_pages),
	COUNTER("planned_hot", heat.planned_pages[TIER_REASON_HOT]),
	COUNTER("planned_fill", heat.planned_pages[TIER_REASON_FILL]),
	COUNTER("planned_exchange", heat.planned_pages[TIER_REASON_EXCHANGE]),
	COUNTER("planned_quota", heat.planned_pages[TIER_REASON_QUOTA]),
	COUNTER("planned_node", heat.planned_pages[TIER_REASON_NODE]),
	COUNTER("planned_alike", heat.planned_pages[TIER_REASON_ALIKE]),
	COUNTER("class_hot", heat.classes.hot_pages),
	COUNTER("class_warm", heat.classes.warm_pages),
	COUNTER("class_cold", heat.classes.cold_pages),
	COUNTER("class_unknown", heat.classes.unknown_pages),
	COUNTER("samples_dram", heat.samples[TIER_SAMPLED_FAST]),
	COUNTER("samples_slow", heat.samples[TIER_SAMPLED_SLOW]),
	COUNTER("samples_uncovered", heat.samples[TIER_SAMPLED_UNCOVERED]),
	COUNTER("samples_unknown", heat.samples[TIER_SAMPLED_UNKNOWN]),
	COUNTER("gate_closed", gate_closed),
	COUNTER("gate_suspended", gate_suspended),
	COUNTER("gate_reclaimed_bytes", gate_reclaimed_bytes),
	COUNTER("drifts", drifts),
	COUNTER("plans", heat.plans),
	COUNTER("coolings", heat.coolings),
	COUNTER("phase_changes", heat.phase_changes),
	COUNTER("blocks", heat.blocks),
	COUNTER("huge_blocks", heat.huge_blocks),
	COUNTER("tracked_bytes", heat.tracked_bytes),
};

static uint64_t sum(const struct tierd_group_view *view, size_t offset, unsigned n)
{
	const uint64_t *first = (const void *)((const char *)view + offset);
	uint64_t total = first[0];

	for (unsigned i = 1; i < n; i++)
		total += first[i];
	return total;
}

#define N_COUNTERS ARRAY_SIZE(counters)

static void add_group(const struct tierd_group *group, uint64_t totals[static N_COUNTERS])
{
	struct tierd_group_view view;

	tierd_group_get_view(group, &view);
	for (size_t i = 0; i < N_COUNTERS; i++)
		totals[i] += sum(&view, counters[i].offset, counters[i].n);
}

static int append(sd_bus_message *message, const uint64_t totals[static N_COUNTERS])
{
	int r;

	r = sd_bus_message_open_container(message, 'a', "{st}");
	if (r < 0)
		return r;
	for (size_t i = 0; i < N_COUNTERS; i++) {
		r = sd_bus_message_append(message, "{st}", counters[i].name, totals[i]);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(message);
}

int tierd_bus_append_counters(sd_bus_message *message, const struct tierd_group *group)
{
	uint64_t totals[N_COUNTERS] = { 0 };

	add_group(group, totals);
	return append(message, totals);
}

int tierd_bus_append_totals(sd_bus_message *message, const struct tierd_manager *manager)
{
	uint64_t totals[N_COUNTERS] = { 0 };

	for (size_t i = 0; i < tierd_manager_n_groups(manager); i++)
		add_group(tierd_manager_group(manager, i), totals);
	return append(message, totals);
}
