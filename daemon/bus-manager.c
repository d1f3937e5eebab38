/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * org.tierd.Tierd1.Manager: the machine's tiers, the sampler and the list of groups.
 * Numbers that move all the time announce no changes; whoever wants them asks.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "bus-internal.h"
#include "group.h"
#include "libtier.h"
#include "manager.h"
#include "node-memory.h"
#include "sampler/sampler.h"
#include "steering.h"
#include "topology.h"

#define NS_PER_USEC UINT64_C(1000)

static int get_version(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, _unused_ const char *property,
	sd_bus_message *reply, _unused_ void *userdata, _unused_ sd_bus_error *error)
{
	return sd_bus_message_append(reply, "s", tier_version());
}

static int append_tier(sd_bus_message *reply, const struct tierd_topology *topology,
	const struct tierd_node_memory *memory, unsigned tier)
{
	uint64_t total = 0, available = 0;
	int r;

	r = sd_bus_message_open_container(reply, 'r', "uautt");
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "u", tier);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "u");
	if (r < 0)
		return r;
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		if (topology->nodes[i].tier != tier)
			continue;
		r = sd_bus_message_append(reply, "u", topology->nodes[i].id);
		if (r < 0)
			return r;
		total += memory[i].total_bytes;
		available += memory[i].free_bytes;
	}
	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "tt", total, available);
	if (r < 0)
		return r;
	return sd_bus_message_close_container(reply);
}

static int get_tiers(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, _unused_ const char *property,
	sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	const struct tierd_topology *topology = tierd_manager_topology(bus->manager);
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(uautt)");
	if (r < 0)
		return r;
	for (unsigned tier = 0; tier < topology->n_tiers; tier++) {
		r = append_tier(
			reply, topology, tierd_manager_node_memory(bus->manager), tier);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

static int get_sampler_text(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, const char *property, sd_bus_message *reply,
	void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	struct tierd_sampler_stats stats;
	const char *text;

	tierd_manager_get_sampler_stats(bus->manager, &stats);
	text = strcmp(property, "SamplerSource") == 0 ? stats.source : stats.event;
	return sd_bus_message_append(reply, "s", text ? text : "");
}

static const struct {
	const char *property;
	size_t offset;
} sampler_numbers[] = {
	{ "Samples", offsetof(struct tierd_sampler_stats, samples) },
	{ "SamplesOfStores", offsetof(struct tierd_sampler_stats, stores) },
	{ "SamplesLost", offsetof(struct tierd_sampler_stats, lost) },
	{ "SamplerThrottled", offsetof(struct tierd_sampler_stats, throttled) },
	{ "SamplePeriod", offsetof(struct tierd_sampler_stats, period) },
};

static int get_sampler_number(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, const char *property, sd_bus_message *reply,
	void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	struct tierd_sampler_stats stats;

	tierd_manager_get_sampler_stats(bus->manager, &stats);
	for (size_t i = 0; i < ARRAY_SIZE(sampler_numbers); i++) {
		const char *field = (const char *)&stats + sampler_numbers[i].offset;

		if (strcmp(sampler_numbers[i].property, property) == 0)
			return sd_bus_message_append(
				reply, "t", *(const uint64_t *)field);
	}
	return -ENOENT;
}

static const struct {
	const char *property;
	size_t offset;
	uint64_t unit;
} steering_numbers[] = {
	{ "SamplesWanted", offsetof(struct tierd_steering_view, wanted_per_s), 1 },
	{ "SamplesTarget", offsetof(struct tierd_steering_view, target_per_s), 1 },
	{ "SamplingOverheadUSec", offsetof(struct tierd_steering_view, overhead_ns),
		NS_PER_USEC },
	{ "LoopCPUTimeUSec", offsetof(struct tierd_steering_view, loop_cpu_ns),
		NS_PER_USEC },
};

static int get_steering_number(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, const char *property, sd_bus_message *reply,
	void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	struct tierd_steering_view view;

	tierd_manager_get_steering(bus->manager, &view);
	for (size_t i = 0; i < ARRAY_SIZE(steering_numbers); i++) {
		const char *field = (const char *)&view + steering_numbers[i].offset;

		if (strcmp(steering_numbers[i].property, property) == 0)
			return sd_bus_message_append(reply, "t",
				*(const uint64_t *)field / steering_numbers[i].unit);
	}
	return -ENOENT;
}

static int get_sampling_limit(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, _unused_ const char *property,
	sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	struct tierd_steering_view view;

	tierd_manager_get_steering(bus->manager, &view);
	return sd_bus_message_append(reply, "s", view.limit);
}

static int get_sampler_cpus(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, const char *property, sd_bus_message *reply,
	void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	struct tierd_sampler_stats stats;

	tierd_manager_get_sampler_stats(bus->manager, &stats);
	return sd_bus_message_append(reply, "u",
		strcmp(property, "SamplerCPUs") == 0 ? stats.n_cpus : stats.n_cpus_heard);
}

static int get_time(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, const char *property, sd_bus_message *reply,
	void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	uint64_t cpu_ns, wall_ns, ns;

	tierd_manager_get_cpu(bus->manager, &cpu_ns, &wall_ns);
	ns = strcmp(property, "CPUTimeUSec") == 0 ? cpu_ns : wall_ns;
	return sd_bus_message_append(reply, "t", ns / NS_PER_USEC);
}

static int append_group(sd_bus_message *reply, const struct tierd_group *group)
{
	_cleanup_(freep) char *path = NULL;
	struct tierd_group_view view;
	int r;

	r = tierd_bus_group_path(group, &path);
	if (r < 0)
		return r;
	tierd_group_get_view(group, &view);
	r = sd_bus_message_open_container(reply, 'r', "so");
	if (r < 0)
		return r;
	r = tierd_bus_append_text(reply, view.cgroup);
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "o", path);
	if (r < 0)
		return r;
	return sd_bus_message_close_container(reply);
}

static int get_counters(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, _unused_ const char *property,
	sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;

	return tierd_bus_append_totals(reply, bus->manager);
}

static int get_paused(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, _unused_ const char *property,
	sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;

	return sd_bus_message_append(
		reply, "b", (int)tierd_manager_is_paused(bus->manager));
}

static int list_groups(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const struct tierd_bus *bus = userdata;
	int r;

	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "(so)");
	if (r < 0)
		return r;
	for (size_t i = 0; i < tierd_manager_n_groups(bus->manager); i++) {
		r = append_group(reply, tierd_manager_group(bus->manager, i));
		if (r < 0)
			return r;
	}
	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

const sd_bus_vtable tierd_bus_manager_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("Tiers", "a(uautt)", get_tiers, 0, 0),
	SD_BUS_PROPERTY("SamplerSource", "s", get_sampler_text, 0, 0),
	SD_BUS_PROPERTY("SamplerEvent", "s", get_sampler_text, 0, 0),
	SD_BUS_PROPERTY("SamplerSources", "a(sss)", tierd_bus_get_sources, 0, 0),
	SD_BUS_PROPERTY("SamplerCoverage", "d", tierd_bus_get_sampler_coverage, 0, 0),
	SD_BUS_PROPERTY("Samples", "t", get_sampler_number, 0, 0),
	SD_BUS_PROPERTY("SamplesOfStores", "t", get_sampler_number, 0, 0),
	SD_BUS_PROPERTY("SamplesLost", "t", get_sampler_number, 0, 0),
	SD_BUS_PROPERTY("SamplerThrottled", "t", get_sampler_number, 0, 0),
	SD_BUS_PROPERTY("SamplePeriod", "t", get_sampler_number, 0, 0),
	SD_BUS_PROPERTY("SamplerCPUs", "u", get_sampler_cpus, 0, 0),
	SD_BUS_PROPERTY("SamplerCPUsHeard", "u", get_sampler_cpus, 0, 0),
	SD_BUS_PROPERTY("SamplesWanted", "t", get_steering_number, 0, 0),
	SD_BUS_PROPERTY("SamplesTarget", "t", get_steering_number, 0, 0),
	SD_BUS_PROPERTY("SamplingLimit", "s", get_sampling_limit, 0, 0),
	SD_BUS_PROPERTY("SamplingOverheadUSec", "t", get_steering_number, 0, 0),
	SD_BUS_PROPERTY("LoopCPUTimeUSec", "t", get_steering_number, 0, 0),
	SD_BUS_PROPERTY("Counters", "a{st}", get_counters, 0, 0),
	SD_BUS_PROPERTY(
		"Paused", "b", get_paused, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("CPUTimeUSec", "t", get_time, 0, 0),
	SD_BUS_PROPERTY("UptimeUSec", "t", get_time, 0, 0),
	SD_BUS_METHOD_WITH_ARGS("ListGroups", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a(so)", groups), list_groups, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("GetGroup", SD_BUS_ARGS("s", cgroup),
		SD_BUS_RESULT("o", group), tierd_bus_get_group,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("AddGroup", SD_BUS_ARGS("s", cgroup, "a{sv}", properties),
		SD_BUS_RESULT("o", group), tierd_bus_add_group,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("RemoveGroup", SD_BUS_ARGS("s", cgroup), SD_BUS_NO_RESULT,
		tierd_bus_remove_group, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		tierd_bus_reload, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		tierd_bus_pause, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Resume", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
		tierd_bus_resume, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Doctor", SD_BUS_NO_ARGS,
		SD_BUS_RESULT("a(sssss)", findings), tierd_bus_doctor,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ExplainPage", SD_BUS_ARGS("u", pid, "t", address),
		SD_BUS_RESULT("s", cgroup, "a{sv}", page), tierd_bus_explain_page,
		SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL_WITH_ARGS("SampleLoss", SD_BUS_ARGS("t", lost, "t", taken), 0),
	SD_BUS_VTABLE_END,
};
