/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a group's policy is held against the group: the gate of Enforcement=hard on
 * memory.high, and Placement= on cpuset.mems. Each is decided here from what the group
 * holds and handed to the enforcer, which takes care of the writing.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "enforce/usage.h"
#include "group-internal.h"
#include "events.h"
#include "log.h"

/* The kernel moves what is left when cpuset.mems changes, in PID 1's time: next to
 * nothing if it can be had soon, not more than so much in any case. */
#define SWITCH_BYTES_MAX (UINT64_C(16) << 20)
#define SWITCH_BYTES     (UINT64_C(1) << 20)
#define SWITCH_WAIT_NS   (5 * TIERD_NSEC)

/* ---- Settings ------------------------------------------------------------------ */

static void log_limits_refused(const struct tierd_group *group, int r, const char *why)
{
	const char *path = tierd_group_path(group);

	tierd_log_event(TIERD_EVENT_LIMITS_REFUSED, r,
		TIERD_FIELDS({ "TIERD_CGROUP", path }), "%s: %s", path, why);
}

/* Made when first wanted: most groups never need one. */
static struct tierd_setting *setting(
	struct tierd_group *group, enum tierd_attribute attribute)
{
	struct tierd_setting **slot = &group->settings[attribute];
	int r;

	if (*slot || group->settings_refused || !group->context->enforcer)
		return *slot;
	r = tierd_setting_new(group->context->enforcer, attribute,
		tierd_group_path(group), tierd_cgroup_id(group->cgroup), slot);
	if (r >= 0)
		return *slot;
	group->settings_refused = true;
	if (r == -EPERM)
		log_limits_refused(group, 0,
			"it is below a unit without Delegate=yes, whose cgroups are "
			"systemd's: Enforcement=hard and Placement= have no effect");
	else
		log_limits_refused(group, r, "its limits cannot be set");
	return NULL;
}

static void let_go(struct tierd_group *group, enum tierd_attribute attribute)
{
	if (group->settings[attribute])
		tierd_setting_let_go(group->settings[attribute]);
}

void tierd_group_free_settings(struct tierd_group *group)
{
	for (size_t i = 0; i < ARRAY_SIZE(group->settings); i++)
		group->settings[i] = tierd_setting_free(group->settings[i]);
}

void tierd_group_release(struct tierd_group *group)
{
	tierd_group_free_settings(group);
	group->settings_refused = true;
}

uint64_t tierd_group_drifts(const struct tierd_group *group)
{
	uint64_t drifts = 0;

	for (size_t i = 0; i < ARRAY_SIZE(group->settings); i++)
		if (group->settings[i])
			drifts += tierd_setting_drifts(group->settings[i]);
	return drifts;
}

/* ---- The gate ------------------------------------------------------------------ */

static void want_bytes(struct tierd_setting *setting, uint64_t bytes)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, bytes & ~UINT64_C(4095));
	tierd_setting_want(setting, text);
}

static uint64_t slack(const struct tierd_group *group)
{
	return tierd_gate_slack(group->quota_bytes, group->copy_cost_ns);
}

/* Swap first: what memory.high drives out must find it closed. */
static bool is_swap_held(struct tierd_group *group, const struct tierd_usage *usage)
{
	struct tierd_setting *swap;

	if (!usage->has_swap)
		return true;
	swap = setting(group, TIERD_ATTRIBUTE_MEMORY_SWAP_MAX);
	if (!swap || tierd_setting_is_lost(swap))
		return true;
	if (!tierd_setting_is_held(swap) && tierd_setting_is_done(swap))
		want_bytes(swap, usage->swap_bytes);
	return tierd_setting_is_held(swap) && tierd_setting_is_done(swap);
}

static void apply_gate(struct tierd_group *group, const struct tierd_usage *usage)
{
	struct tierd_setting *high;

	if (!tierd_gate_is_up(&group->gate)) {
		let_go(group, TIERD_ATTRIBUTE_MEMORY_HIGH);
		let_go(group, TIERD_ATTRIBUTE_MEMORY_SWAP_MAX);
		return;
	}
	high = setting(group, TIERD_ATTRIBUTE_MEMORY_HIGH);
	if (high && is_swap_held(group, usage))
		want_bytes(high, group->gate.high_bytes);
}

static void log_suspension(const struct tierd_group *group)
{
	const char *path = tierd_group_path(group);
	const struct tierd_event_field *fields = TIERD_FIELDS({ "TIERD_CGROUP", path });

	if (group->gate.reason == TIERD_GATE_REASON_RECLAIM)
		tierd_log_event(TIERD_EVENT_GATE_SUSPENDED, 0, fields,
			"%s: the gate on memory.high made the kernel reclaim more than "
			"%" PRIu64 " MiB and is open for a minute",
			path, tierd_gate_reclaim_max(group->quota_bytes) >> 20);
	else
		tierd_log_event(TIERD_EVENT_GATE_SUSPENDED, 0, fields,
			"%s: what is above its quota does not get less; the gate on "
			"memory.high is open for a minute",
			path);
}

static bool has_gate(const struct tierd_group *group)
{
	return group->policy.enforcement == TIERD_ENFORCEMENT_HARD &&
	       group->quota_bytes != UINT64_MAX && group->context->enforcer &&
	       !group->context->is_paused && !group->settings_refused;
}

bool tierd_group_is_gated(const struct tierd_group *group)
{
	return has_gate(group);
}

static void remove_gate(struct tierd_group *group)
{
	tierd_gate_reset(&group->gate);
	let_go(group, TIERD_ATTRIBUTE_MEMORY_HIGH);
	let_go(group, TIERD_ATTRIBUTE_MEMORY_SWAP_MAX);
}

void tierd_group_update_gate(struct tierd_group *group, uint64_t now_ns)
{
	struct tierd_usage usage;
	int r;

	if (!has_gate(group) || !setting(group, TIERD_ATTRIBUTE_MEMORY_HIGH)) {
		remove_gate(group);
		return;
	}
	r = tierd_usage_read(
		group->context->root, tierd_cgroup_fd(group->cgroup), &usage);
	if (r < 0) {
		if (r != -ENOENT && r != -ENODEV)
			tierd_log_in_loop(r, "%s: cannot read what it uses",
				tierd_group_path(group));
		return;
	}
	if (tierd_gate_update(&group->gate,
		    &(struct tierd_gate_sample){
			    .now_ns = now_ns,
			    .quota_bytes = group->quota_bytes,
			    .dram_bytes = group->dram_bytes,
			    .current_bytes = usage.current_bytes,
			    .reclaimed_bytes = usage.reclaimed_bytes,
			    .slack_bytes = slack(group),
		    }) &&
		group->gate.state == TIERD_GATE_SUSPENDED)
		log_suspension(group);
	apply_gate(group, &usage);
}

bool tierd_group_has_grown(const struct tierd_group *group)
{
	uint64_t bytes;

	return tierd_usage_read_current(tierd_cgroup_fd(group->cgroup), &bytes) >= 0 &&
	       tierd_gate_sees_growth(&group->gate, bytes);
}

uint64_t tierd_group_gate_rest_ns(const struct tierd_group *group)
{
	return tierd_gate_rest_ns(group->quota_bytes, group->dram_bytes);
}

/* There is something to demote for growth to go on, and nobody does. */
bool tierd_group_is_waiting(const struct tierd_group *group, uint64_t now_ns)
{
	return tierd_gate_is_up(&group->gate) && !group->job &&
	       now_ns >= group->paused_until_ns &&
	       group->dram_bytes > tierd_group_plan_quota(group);
}

enum tierd_gate_state tierd_group_gate_state(const struct tierd_group *group)
{
	return group->gate.state;
}

/* ---- Placement ----------------------------------------------------------------- */

static enum tierd_placement placement_of(const struct tierd_group *group)
{
	return group->quota_bytes == 0 ? TIERD_PLACEMENT_SLOW : group->policy.placement;
}

uint64_t tierd_group_plan_quota(const struct tierd_group *group)
{
	uint64_t quota_bytes = group->quota_bytes;

	if (placement_of(group) == TIERD_PLACEMENT_SLOW)
		return 0;
	if (!tierd_gate_is_up(&group->gate))
		return quota_bytes;
	return quota_bytes - tierd_gate_reserve(quota_bytes, slack(group));
}

/* "0-1,4": nodes of the first tier, or of all others. */
static void print_nodes(const struct tierd_topology *topology, bool is_fast, char *ret)
{
	size_t n = 0;

	*ret = '\0';
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		unsigned first = topology->nodes[i].id, last = first;

		if ((topology->nodes[i].tier == 0) != is_fast)
			continue;
		while (i + 1 < topology->n_nodes &&
			topology->nodes[i + 1].id == last + 1 &&
			(topology->nodes[i + 1].tier == 0) == is_fast) {
			last++;
			i++;
		}
		n += snprintf(ret + n, TIERD_VALUE_SIZE - n,
			last > first ? "%s%u-%u" : "%s%u", n ? "," : "", first, last);
	}
}

/* Whether all of the group has a place in DRAM: by its quota, and beside the others. */
static bool fits(const struct tierd_group *group, uint64_t room_bytes)
{
	return group->dram_bytes + group->slow_bytes <= group->quota_bytes &&
	       group->slow_bytes <= room_bytes;
}

static bool has_nodes(const struct tierd_group *group)
{
	const struct tierd_setting *mems = group->settings[TIERD_ATTRIBUTE_CPUSET_MEMS];

	return mems && tierd_setting_is_held(mems);
}

static void refuse_dram(struct tierd_group *group)
{
	const char *path = tierd_group_path(group);

	if (!group->is_dram_refused)
		tierd_log_event(TIERD_EVENT_PLACEMENT_REFUSED, 0,
			TIERD_FIELDS({ "TIERD_CGROUP", path }),
			"%s: Placement=dram is refused: it has %" PRIu64
			" MiB, which do not fit its quota or what is free of DRAM",
			path, (group->dram_bytes + group->slow_bytes) >> 20);
	group->is_dram_refused = true;
}

static bool is_time_to_switch(struct tierd_group *group, uint64_t left_bytes)
{
	uint64_t now_ns = tierd_now_ns();

	if (left_bytes > SWITCH_BYTES_MAX) {
		group->almost_there_ns = 0;
		return false;
	}
	if (group->almost_there_ns == 0)
		group->almost_there_ns = now_ns;
	return left_bytes <= SWITCH_BYTES ||
	       now_ns - group->almost_there_ns >= SWITCH_WAIT_NS;
}

/*
 * The migrators bring the group over first. An old mode is left before that: its nodes
 * would refuse what is moved.
 */
static void switch_to(
	struct tierd_group *group, enum tierd_placement placement, uint64_t left_bytes)
{
	bool is_fast = placement == TIERD_PLACEMENT_DRAM;
	char nodes[TIERD_VALUE_SIZE];
	struct tierd_setting *mems = setting(group, TIERD_ATTRIBUTE_CPUSET_MEMS);

	if (!mems)
		return;
	print_nodes(group->context->topology, is_fast, nodes);
	if (strcmp(tierd_setting_value(mems), nodes) == 0)
		return;
	if (tierd_setting_is_held(mems)) {
		if (tierd_setting_is_done(mems))
			tierd_setting_let_go(mems);
	} else if (is_time_to_switch(group, left_bytes)) {
		tierd_setting_want(mems, nodes);
	}
}

void tierd_group_update_placement(struct tierd_group *group, uint64_t room_bytes)
{
	enum tierd_placement placement = placement_of(group);

	if (group->context->is_paused)
		return;
	if (!tierd_group_moves_pages(group) || placement == TIERD_PLACEMENT_TIERED) {
		let_go(group, TIERD_ATTRIBUTE_CPUSET_MEMS);
		group->is_dram_refused = false;
		return;
	}
	if (placement == TIERD_PLACEMENT_SLOW) {
		switch_to(group, placement, group->dram_bytes);
		return;
	}
	if (!has_nodes(group) && !fits(group, room_bytes)) {
		refuse_dram(group);
		return;
	}
	group->is_dram_refused = false;
	switch_to(group, placement, group->slow_bytes);
}
