/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls and the readers of their replies. A reader appends to its array item by item
 * and counts an item before it fills it in, so that whatever came in before a failure is
 * freed by the same function as a whole reply.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bus-call.h"
#include "bus-client.h"
#include "properties.h"

/* The array's next item, zeroed and counted, or NULL. */
#define APPEND(array, items)                                                          \
	({                                                                            \
		void *_grown = tierctl_grow(                                          \
			(array)->items, (array)->n_##items, sizeof(*(array)->items)); \
		if (_grown)                                                           \
			(array)->items = _grown;                                      \
		_grown ? &(array)->items[(array)->n_##items++] : NULL;                \
	})

/* ---- Reading ------------------------------------------------------------------- */

/* Fills *result, which is zeroed, from the reply to a call without arguments. */
static int fetch(sd_bus *bus, const struct tierctl_group *group, const char *member,
	int (*read)(sd_bus_message *reply, void *result), void *result,
	sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const struct tierctl_call c = { group->path, TIERCTL_GROUP_INTERFACE, member };
	int r;

	r = tierctl_call(bus, &c, &reply, error, "");
	if (r < 0)
		return r;
	return read(reply, result);
}

/* Calls read_item in each element of an array: a struct or an entry of a dictionary. */
static int read_items(sd_bus_message *message, char type, const char *element,
	int (*read_item)(sd_bus_message *message, void *target), void *target)
{
	_cleanup_(freep) char *fields = strndup(element + 1, strlen(element) - 2);
	int r;

	if (!fields)
		return -ENOMEM;
	r = sd_bus_message_enter_container(message, 'a', element);
	if (r < 0)
		return r;
	for (;;) {
		r = sd_bus_message_enter_container(message, type, fields);
		if (r < 0)
			return r;
		if (r == 0)
			break;
		r = read_item(message, target);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return sd_bus_message_exit_container(message);
}

/* ---- Manager ------------------------------------------------------------------- */

static int read_nodes(sd_bus_message *message, struct tierctl_tier *tier)
{
	const void *nodes;
	size_t size;
	int r;

	r = sd_bus_message_read_array(message, 'u', &nodes, &size);
	if (r < 0)
		return r;
	if (size == 0)
		return 0;
	tier->nodes = malloc(size);
	if (!tier->nodes)
		return -ENOMEM;
	memcpy(tier->nodes, nodes, size);
	tier->n_nodes = size / sizeof(*tier->nodes);
	return 0;
}

static int read_tier(sd_bus_message *message, void *target)
{
	struct tierctl_tiers *tiers = target;
	struct tierctl_tier *tier = APPEND(tiers, items);
	int r;

	if (!tier)
		return -ENOMEM;
	r = sd_bus_message_read(message, "u", &tier->tier);
	if (r < 0)
		return r;
	r = read_nodes(message, tier);
	if (r < 0)
		return r;
	return sd_bus_message_read(message, "tt", &tier->total_bytes, &tier->free_bytes);
}

static int read_tiers(sd_bus_message *message, void *field)
{
	return read_items(message, 'r', "(uautt)", read_tier, field);
}

static int read_source(sd_bus_message *message, void *target)
{
	struct tierctl_sources *sources = target;
	struct tierctl_source *source = APPEND(sources, items);
	int r;

	if (!source)
		return -ENOMEM;
	r = tierctl_read_string(message, &source->name);
	if (r < 0)
		return r;
	r = tierctl_read_string(message, &source->state);
	if (r < 0)
		return r;
	return tierctl_read_string(message, &source->reason);
}

static int read_sources(sd_bus_message *message, void *field)
{
	return read_items(message, 'r', "(sss)", read_source, field);
}

#define MANAGER(name, signature, read, member)                                  \
	{                                                                       \
		name, signature, read, offsetof(struct tierctl_manager, member) \
	}

static const struct tierctl_property manager_properties[] = {
	MANAGER("Version", "s", tierctl_read_string, version),
	MANAGER("Tiers", "a(uautt)", read_tiers, tiers),
	MANAGER("SamplerSource", "s", tierctl_read_string, sampler_source),
	MANAGER("SamplerEvent", "s", tierctl_read_string, sampler_event),
	MANAGER("SamplerSources", "a(sss)", read_sources, sources),
	MANAGER("SamplerCoverage", "d", tierctl_read_double, sampler_coverage),
	MANAGER("Samples", "t", tierctl_read_u64, samples),
	MANAGER("SamplesOfStores", "t", tierctl_read_u64, samples_of_stores),
	MANAGER("SamplesLost", "t", tierctl_read_u64, samples_lost),
	MANAGER("SamplerThrottled", "t", tierctl_read_u64, sampler_throttled),
	MANAGER("SamplePeriod", "t", tierctl_read_u64, sample_period),
	MANAGER("SamplerCPUs", "u", tierctl_read_u32, sampler_cpus),
	MANAGER("SamplerCPUsHeard", "u", tierctl_read_u32, sampler_cpus_heard),
	MANAGER("SamplesWanted", "t", tierctl_read_u64, samples_wanted),
	MANAGER("SamplesTarget", "t", tierctl_read_u64, samples_target),
	MANAGER("SamplingLimit", "s", tierctl_read_string, sampling_limit),
	MANAGER("SamplingOverheadUSec", "t", tierctl_read_u64, sampling_overhead_usec),
	MANAGER("LoopCPUTimeUSec", "t", tierctl_read_u64, loop_cpu_usec),
	MANAGER("Paused", "b", tierctl_read_bool, is_paused),
	MANAGER("CPUTimeUSec", "t", tierctl_read_u64, cpu_usec),
	MANAGER("UptimeUSec", "t", tierctl_read_u64, uptime_usec),
};

int tierctl_get_manager(sd_bus *bus, struct tierctl_manager *ret, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(tierctl_manager_done) struct tierctl_manager manager = {};
	const struct tierctl_call c = { TIERCTL_MANAGER_PATH,
		"org.freedesktop.DBus.Properties", "GetAll" };
	int r;

	r = tierctl_call(bus, &c, &reply, error, "s", TIERCTL_MANAGER_INTERFACE);
	if (r < 0)
		return r;
	r = tierctl_read_properties(
		reply, manager_properties, ARRAY_SIZE(manager_properties), &manager);
	if (r < 0)
		return r;
	if (!manager.version || !manager.sampler_source || !manager.sampler_event ||
		!manager.sampling_limit)
		return -EBADMSG;
	*ret = manager;
	manager = (struct tierctl_manager){};
	return 0;
}

void tierctl_manager_done(struct tierctl_manager *manager)
{
	free(manager->version);
	for (size_t i = 0; i < manager->tiers.n_items; i++)
		free(manager->tiers.items[i].nodes);
	free(manager->tiers.items);
	free(manager->sampler_source);
	free(manager->sampler_event);
	for (size_t i = 0; i < manager->sources.n_items; i++) {
		free(manager->sources.items[i].name);
		free(manager->sources.items[i].state);
		free(manager->sources.items[i].reason);
	}
	free(manager->sources.items);
	free(manager->sampling_limit);
	*manager = (struct tierctl_manager){};
}

/* ---- Groups -------------------------------------------------------------------- */

#define GROUP(name, signature, read, member)                                  \
	{                                                                     \
		name, signature, read, offsetof(struct tierctl_group, member) \
	}

static const struct tierctl_property group_properties[] = {
	GROUP("CGroup", "s", tierctl_read_string, cgroup),
	GROUP("Policy", "s", tierctl_read_string, policy),
	GROUP("Enforcement", "s", tierctl_read_string, enforcement),
	GROUP("Placement", "s", tierctl_read_string, placement),
	GROUP("Engine", "s", tierctl_read_string, engine),
	GROUP("BandwidthMax", "t", tierctl_read_u64, bandwidth_max),
	GROUP("DRAMQuota", "t", tierctl_read_u64, dram_quota_bytes),
	GROUP("DRAMMin", "t", tierctl_read_u64, dram_min_bytes),
	GROUP("DRAMBytes", "t", tierctl_read_u64, dram_bytes),
	GROUP("SlowBytes", "t", tierctl_read_u64, slow_bytes),
	GROUP("UncoveredBytes", "t", tierctl_read_u64, uncovered_bytes),
	GROUP("HitRatio", "d", tierctl_read_double, hit_ratio),
	GROUP("CutRate", "d", tierctl_read_double, cut_rate),
	GROUP("MeanRate", "d", tierctl_read_double, mean_rate),
	GROUP("Coverage", "d", tierctl_read_double, coverage),
	GROUP("Resolution", "d", tierctl_read_double, resolution),
	GROUP("Processes", "u", tierctl_read_u32, processes),
	GROUP("PromotedBytes", "t", tierctl_read_u64, promoted_bytes),
	GROUP("DemotedBytes", "t", tierctl_read_u64, demoted_bytes),
};

/* One interface of an object, {sa{sv}}: a group's, or one that says nothing of it. */
static int read_interface(sd_bus_message *message, void *target)
{
	struct tierctl_group *group = target;
	const char *interface;
	int r;

	r = sd_bus_message_read(message, "s", &interface);
	if (r < 0)
		return r;
	if (strcmp(interface, TIERCTL_GROUP_INTERFACE) != 0)
		return sd_bus_message_skip(message, "a{sv}");
	return tierctl_read_properties(
		message, group_properties, ARRAY_SIZE(group_properties), group);
}

static int read_object(sd_bus_message *message, void *target)
{
	_cleanup_(tierctl_group_done) struct tierctl_group group = {
		.dram_quota_bytes = UINT64_MAX,
		.bandwidth_max = UINT64_MAX,
		.hit_ratio = NAN,
		.cut_rate = NAN,
		.mean_rate = NAN,
		.coverage = NAN,
		.resolution = NAN,
	};
	struct tierctl_groups *groups = target;
	struct tierctl_group *item;
	const char *path;
	int r;

	r = sd_bus_message_read(message, "o", &path);
	if (r < 0)
		return r;
	r = read_items(message, 'e', "{sa{sv}}", read_interface, &group);
	if (r < 0)
		return r;
	if (!group.cgroup)
		return 0;
	if (!group.policy || !group.enforcement || !group.placement || !group.engine)
		return -EBADMSG;
	group.path = strdup(path);
	item = APPEND(groups, items);
	if (!group.path || !item)
		return -ENOMEM;
	*item = group;
	group = (struct tierctl_group){};
	return 0;
}

static int compare_groups(const void *a, const void *b)
{
	const struct tierctl_group *x = a, *y = b;

	return strcmp(x->cgroup, y->cgroup);
}

int tierctl_get_groups(sd_bus *bus, struct tierctl_groups *ret, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(tierctl_groups_done) struct tierctl_groups groups = {};
	const struct tierctl_call c = { TIERCTL_MANAGER_PATH,
		"org.freedesktop.DBus.ObjectManager", "GetManagedObjects" };
	int r;

	r = tierctl_call(bus, &c, &reply, error, "");
	if (r < 0)
		return r;
	r = read_items(reply, 'e', "{oa{sa{sv}}}", read_object, &groups);
	if (r < 0)
		return r;
	if (groups.n_items > 0)
		qsort(groups.items, groups.n_items, sizeof(*groups.items),
			compare_groups);
	*ret = groups;
	groups = (struct tierctl_groups){};
	return 0;
}

void tierctl_group_done(struct tierctl_group *group)
{
	free(group->path);
	free(group->cgroup);
	free(group->policy);
	free(group->enforcement);
	free(group->placement);
	free(group->engine);
	*group = (struct tierctl_group){};
}

void tierctl_groups_done(struct tierctl_groups *groups)
{
	for (size_t i = 0; i < groups->n_items; i++)
		tierctl_group_done(&groups->items[i]);
	free(groups->items);
	*groups = (struct tierctl_groups){};
}

/* ---- One group's details ------------------------------------------------------- */

static int read_bin(sd_bus_message *message, void *target)
{
	struct tierctl_histogram *histogram = target;
	struct tierctl_bin *bin = APPEND(histogram, bins);

	if (!bin)
		return -ENOMEM;
	return sd_bus_message_read(
		message, "ttt", &bin->floor, &bin->dram_pages, &bin->slow_pages);
}

static int read_portion(sd_bus_message *message, void *target)
{
	struct tierctl_process *process = target;
	struct tierctl_portion *portion = APPEND(process, portions);

	if (!portion)
		return -ENOMEM;
	return sd_bus_message_read(
		message, "tt", &portion->resident_bytes, &portion->dram_bytes);
}

static int read_process(sd_bus_message *message, void *target)
{
	struct tierctl_processes *processes = target;
	struct tierctl_process *process = APPEND(processes, items);
	int r;

	if (!process)
		return -ENOMEM;
	r = sd_bus_message_read(message, "u", &process->pid);
	if (r < 0)
		return r;
	return read_items(message, 'r', "(tt)", read_portion, process);
}

static int read_counter(sd_bus_message *message, void *target)
{
	struct tierctl_counters *counters = target;
	struct tierctl_counter *counter = APPEND(counters, items);
	int r;

	if (!counter)
		return -ENOMEM;
	r = tierctl_read_string(message, &counter->name);
	if (r < 0)
		return r;
	return tierctl_read_u64(message, &counter->value);
}

static int read_point(sd_bus_message *message, void *target)
{
	struct tierctl_curve *curve = target;
	struct tierctl_point *point = APPEND(curve, points);

	if (!point)
		return -ENOMEM;
	return sd_bus_message_read(message, "td", &point->dram_bytes, &point->hit_ratio);
}

static int read_curve(sd_bus_message *reply, void *result)
{
	struct tierctl_curve *curve = result;
	int r;

	r = read_items(reply, 'r', "(td)", read_point, curve);
	if (r < 0)
		return r;
	return sd_bus_message_read(reply, "d", &curve->samples);
}

static int read_histogram(sd_bus_message *reply, void *result)
{
	return read_items(reply, 'r', "(ttt)", read_bin, result);
}

static int read_processes(sd_bus_message *reply, void *result)
{
	return read_items(reply, 'r', "(ua(tt))", read_process, result);
}

static int read_counters(sd_bus_message *reply, void *result)
{
	return read_items(reply, 'e', "{st}", read_counter, result);
}

int tierctl_get_histogram(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_histogram *ret, sd_bus_error *error)
{
	_cleanup_(tierctl_histogram_done) struct tierctl_histogram histogram = {};
	int r;

	r = fetch(bus, group, "Histogram", read_histogram, &histogram, error);
	if (r < 0)
		return r;
	*ret = histogram;
	histogram = (struct tierctl_histogram){};
	return 0;
}

int tierctl_get_processes(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_processes *ret, sd_bus_error *error)
{
	_cleanup_(tierctl_processes_done) struct tierctl_processes processes = {};
	int r;

	r = fetch(bus, group, "Residency", read_processes, &processes, error);
	if (r < 0)
		return r;
	*ret = processes;
	processes = (struct tierctl_processes){};
	return 0;
}

int tierctl_get_counters(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_counters *ret, sd_bus_error *error)
{
	_cleanup_(tierctl_counters_done) struct tierctl_counters counters = {};
	int r;

	r = fetch(bus, group, "Counters", read_counters, &counters, error);
	if (r < 0)
		return r;
	*ret = counters;
	counters = (struct tierctl_counters){};
	return 0;
}

int tierctl_get_curve(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_curve *ret, sd_bus_error *error)
{
	_cleanup_(tierctl_curve_done) struct tierctl_curve curve = {};
	int r;

	r = fetch(bus, group, "Curve", read_curve, &curve, error);
	if (r < 0)
		return r;
	*ret = curve;
	curve = (struct tierctl_curve){};
	return 0;
}

void tierctl_curve_done(struct tierctl_curve *curve)
{
	free(curve->points);
	*curve = (struct tierctl_curve){};
}

void tierctl_histogram_done(struct tierctl_histogram *histogram)
{
	free(histogram->bins);
	*histogram = (struct tierctl_histogram){};
}

void tierctl_processes_done(struct tierctl_processes *processes)
{
	for (size_t i = 0; i < processes->n_items; i++)
		free(processes->items[i].portions);
	free(processes->items);
	*processes = (struct tierctl_processes){};
}

void tierctl_counters_done(struct tierctl_counters *counters)
{
	for (size_t i = 0; i < counters->n_items; i++)
		free(counters->items[i].name);
	free(counters->items);
	*counters = (struct tierctl_counters){};
}
