/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * org.tierd.Tierd1.Group: one object for each managed group, found by its path whenever
 * somebody asks, so that groups may come and go without this file keeping count. All
 * properties are fields of the group's view, by one table.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bus-internal.h"
#include "group.h"
#include "manager.h"

int tierd_bus_group_path(const struct tierd_group *group, char **ret_path)
{
	struct tierd_group_view view;
	int r;

	tierd_group_get_view(group, &view);
	r = sd_bus_path_encode(TIERD_BUS_GROUP_PREFIX, view.cgroup, ret_path);
	return r < 0 ? r : 0;
}

int tierd_bus_find_group(_unused_ sd_bus *connection, const char *path,
	_unused_ const char *interface, void *userdata, void **ret_found,
	_unused_ sd_bus_error *error)
{
	_cleanup_(freep) char *cgroup = NULL;
	const struct tierd_bus *bus = userdata;
	struct tierd_group *group;
	int r;

	r = sd_bus_path_decode(path, TIERD_BUS_GROUP_PREFIX, &cgroup);
	if (r <= 0)
		return r;
	group = tierd_manager_find_group(bus->manager, cgroup);
	if (!group)
		return 0;
	*ret_found = group;
	return 1;
}

static void strv_freep(char ***strv)
{
	if (!*strv)
		return;
	for (char **s = *strv; *s; s++)
		free(*s);
	free(*strv);
}

int tierd_bus_enumerate_groups(_unused_ sd_bus *connection, _unused_ const char *prefix,
	void *userdata, char ***ret_nodes, _unused_ sd_bus_error *error)
{
	_cleanup_(strv_freep) char **nodes = NULL;
	const struct tierd_bus *bus = userdata;
	size_t n = tierd_manager_n_groups(bus->manager);
	int r;

	nodes = calloc(n + 1, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r = tierd_bus_group_path(tierd_manager_group(bus->manager, i), &nodes[i]);
		if (r < 0)
			return r;
	}
	*ret_nodes = TAKE_PTR(nodes);
	return 0;
}

static const struct field {
	const char *property;
	char type;
	size_t offset;
} fields[] = {
	{ "CGroup", 's', offsetof(struct tierd_group_view, cgroup) },
	{ "Policy", 's', offsetof(struct tierd_group_view, policy) },
	{ "Enforcement", 's', offsetof(struct tierd_group_view, enforcement) },
	{ "Placement", 's', offsetof(struct tierd_group_view, placement) },
	{ "Engine", 's', offsetof(struct tierd_group_view, engine) },
	{ "BandwidthMax", 't', offsetof(struct tierd_group_view, bandwidth_max) },
	{ "DRAMQuota", 't', offsetof(struct tierd_group_view, dram_quota_bytes) },
	{ "DRAMMin", 't', offsetof(struct tierd_group_view, dram_min_bytes) },
	{ "DRAMBytes", 't', offsetof(struct tierd_group_view, dram_bytes) },
	{ "SlowBytes", 't', offsetof(struct tierd_group_view, slow_bytes) },
	{ "UncoveredBytes", 't', offsetof(struct tierd_group_view, uncovered_bytes) },
	{ "HitRatio", 'd', offsetof(struct tierd_group_view, heat.hit_ratio) },
	{ "CutRate", 'd', offsetof(struct tierd_group_view, heat.cut_rate) },
	{ "MeanRate", 'd', offsetof(struct tierd_group_view, heat.mean_rate) },
	{ "Coverage", 'd', offsetof(struct tierd_group_view, heat.coverage) },
	{ "Resolution", 'd', offsetof(struct tierd_group_view, heat.resolution) },
	{ "Processes", 'u', offsetof(struct tierd_group_view, n_processes) },
	{ "PromotedBytes", 't', offsetof(struct tierd_group_view, promoted_bytes) },
	{ "DemotedBytes", 't', offsetof(struct tierd_group_view, demoted_bytes) },
};

static int get_field(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, const char *property, sd_bus_message *reply,
	void *userdata, _unused_ sd_bus_error *error)
{
	struct tierd_group_view view;

	tierd_group_get_view(userdata, &view);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *field = (const char *)&view + fields[i].offset;

		if (strcmp(fields[i].property, property) != 0)
			continue;
		if (fields[i].type == 's')
			return tierd_bus_append_text(reply, *(const char *const *)field);
		return sd_bus_message_append_basic(reply, fields[i].type, field);
	}
	return -ENOENT;
}

static int set_quota(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct tierd_group *group = userdata;
	struct tierd_group_view view;
	uint64_t bytes;
	int r;

	r = sd_bus_message_read(message, "t", &bytes);
	if (r < 0)
		return r;
	r = tierd_bus_authorize(message, TIERD_BUS_ACTION_SET_QUOTA, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	r = tierd_group_set_quota(group, bytes);
	if (r == -EINVAL) {
		tierd_group_get_view(group, &view);
		return sd_bus_error_setf(error, TIERD_BUS_ERROR_INVALID_QUOTA,
			"A quota of %" PRIu64
			" bytes is below the group's DRAMMin of "
			"%" PRIu64 " bytes",
			bytes, view.dram_min_bytes);
	}
	if (r < 0)
		return r;
	r = sd_bus_emit_properties_changed(sd_bus_message_get_bus(message),
		sd_bus_message_get_path(message), TIERD_BUS_GROUP_INTERFACE, "DRAMQuota",
		NULL);
	if (r < 0)
		return r;
	return sd_bus_reply_method_return(message, NULL);
}

static int set_enforcement(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	enum tierd_enforcement enforcement;
	const char *text;
	int r;

	r = sd_bus_message_read(message, "s", &text);
	if (r < 0)
		return r;
	if (tierd_enforcement_from_string(text, &enforcement) < 0)
		return sd_bus_error_set(error, TIERD_BUS_ERROR_INVALID_ARGUMENT,
			"There is no such enforcement (see tierd.policy(5))");
	r = tierd_bus_authorize(message, TIERD_BUS_ACTION_SET_ENFORCEMENT, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	tierd_group_set_enforcement(userdata, enforcement);
	r = sd_bus_emit_properties_changed(sd_bus_message_get_bus(message),
		sd_bus_message_get_path(message), TIERD_BUS_GROUP_INTERFACE,
		"Enforcement", NULL);
	if (r < 0)
		return r;
	return sd_bus_reply_method_return(message, NULL);
}

#define FLAGS_CONST   SD_BUS_VTABLE_PROPERTY_CONST
#define FLAGS_CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

const sd_bus_vtable tierd_bus_group_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("CGroup", "s", get_field, 0, FLAGS_CONST),
	SD_BUS_PROPERTY("Policy", "s", get_field, 0, FLAGS_CHANGES),
	SD_BUS_PROPERTY("Enforcement", "s", get_field, 0, FLAGS_CHANGES),
	SD_BUS_PROPERTY("Placement", "s", get_field, 0, FLAGS_CHANGES),
	SD_BUS_PROPERTY("Engine", "s", get_field, 0, FLAGS_CHANGES),
	SD_BUS_PROPERTY("BandwidthMax", "t", get_field, 0, FLAGS_CHANGES),
	SD_BUS_PROPERTY("DRAMQuota", "t", get_field, 0, FLAGS_CHANGES),
	SD_BUS_PROPERTY("DRAMMin", "t", get_field, 0, FLAGS_CHANGES),
	SD_BUS_PROPERTY("DRAMBytes", "t", get_field, 0, 0),
	SD_BUS_PROPERTY("SlowBytes", "t", get_field, 0, 0),
	SD_BUS_PROPERTY("UncoveredBytes", "t", get_field, 0, 0),
	SD_BUS_PROPERTY("HitRatio", "d", get_field, 0, 0),
	SD_BUS_PROPERTY("CutRate", "d", get_field, 0, 0),
	SD_BUS_PROPERTY("MeanRate", "d", get_field, 0, 0),
	SD_BUS_PROPERTY("Coverage", "d", get_field, 0, 0),
	SD_BUS_PROPERTY("Resolution", "d", get_field, 0, 0),
	SD_BUS_PROPERTY("Processes", "u", get_field, 0, 0),
	SD_BUS_PROPERTY("PromotedBytes", "t", get_field, 0, 0),
	SD_BUS_PROPERTY("DemotedBytes", "t", get_field, 0, 0),
	SD_BUS_METHOD_WITH_ARGS("SetQuota", SD_BUS_ARGS("t", bytes), SD_BUS_NO_RESULT,
		set_quota, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("SetEnforcement", SD_BUS_ARGS("s", enforcement),
		SD_BUS_NO_RESULT, set_enforcement, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Histogram", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a(ttt)", bins), tierd_bus_group_histogram,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Residency", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a(ua(tt))", processes), tierd_bus_group_residency,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Counters", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a{st}", counters), tierd_bus_group_counters,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Curve", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a(td)", points, "d", samples), tierd_bus_group_curve,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Record", SD_BUS_ARGS("t", usec),
		SD_BUS_RESULT("h", trace), tierd_bus_group_record,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Explain", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a(ss)", holds, "a(sstt)", pages), tierd_bus_group_explain,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Heatmap", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("t", slot_usec, "t", region_bytes, "ad", exposure,
			"a(uaau)", processes),
		tierd_bus_group_heatmap, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS(
		"QuotaExceeded", SD_BUS_ARGS("t", dram_bytes, "t", quota_bytes), 0),
	SD_BUS_SIGNAL_WITH_ARGS(
		"QuotaRestored", SD_BUS_ARGS("t", dram_bytes, "t", quota_bytes), 0),
	SD_BUS_SIGNAL_WITH_ARGS(
		"Drift", SD_BUS_ARGS("s", attribute, "s", expected, "s", found), 0),
	SD_BUS_VTABLE_END,
};
