/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of org.tierd.Tierd1.Group that only show something, and that are too large,
 * or cost too much, to be properties. None of them tells an address: where in memory what
 * lies is its owner's affair.
 */
#include "bus-internal.h"
#include "group.h"

int tierd_bus_group_histogram(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct tier_histogram histogram;
	int r;

	r = tier_group_get_histogram(tierd_group_heat(userdata), &histogram);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "(ttt)");
	if (r < 0)
		return r;
	for (unsigned i = 0; i < TIER_HISTOGRAM_BINS; i++) {
		r = sd_bus_message_append(reply, "(ttt)",
			(uint64_t)tier_histogram_bin_floor(i), histogram.fast_pages[i],
			histogram.slow_pages[i]);
		if (r < 0)
			return r;
	}
	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

static int append_process(
	sd_bus_message *reply, const struct tierd_process_portions *process)
{
	int r;

	r = sd_bus_message_open_container(reply, 'r', "ua(tt)");
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "u", (uint32_t)process->pid);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "(tt)");
	if (r < 0)
		return r;
	for (size_t i = 0; i < process->n_portions; i++) {
		const struct tierd_portion *portion = &process->portions[i];

		r = sd_bus_message_append(
			reply, "(tt)", portion->resident_bytes, portion->dram_bytes);
		if (r < 0)
			return r;
	}
	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;
	return sd_bus_message_close_container(reply);
}

static int append_processes(sd_bus_message *reply,
	const struct tierd_process_portions *processes, size_t n_processes)
{
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(ua(tt))");
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_processes; i++) {
		r = append_process(reply, &processes[i]);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

int tierd_bus_group_residency(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct tierd_process_portions *processes;
	size_t n_processes;
	int r;

	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	r = tierd_group_get_portions(userdata, &processes, &n_processes);
	if (r < 0)
		return r;
	r = append_processes(reply, processes, n_processes);
	tierd_process_portions_free(processes, n_processes);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

int tierd_bus_group_counters(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	int r;

	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	r = tierd_bus_append_counters(reply, userdata);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

/* One line, the oldest slot first. */
static int append_line(sd_bus_message *reply, const struct tierd_heatmap *map, size_t i)
{
	uint32_t samples[TIERD_HEATMAP_SLOTS];

	for (unsigned j = 0; j < TIERD_HEATMAP_SLOTS; j++)
		samples[j] = map->lines[i].samples[tierd_heatmap_slot(map, j)];
	return sd_bus_message_append_array(reply, 'u', samples, sizeof(samples));
}

/* The lines of one space, from the first one on; sets *ret_next to the next space's. */
static int append_space(sd_bus_message *reply, const struct tierd_heatmap *map,
	uint32_t pid, size_t first, size_t *ret_next)
{
	size_t i = first;
	int r;

	r = sd_bus_message_open_container(reply, 'r', "uaau");
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "u", pid);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "au");
	if (r < 0)
		return r;
	for (; i < map->n_lines && map->lines[i].space == map->lines[first].space; i++) {
		r = append_line(reply, map, i);
		if (r < 0)
			return r;
	}
	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;
	*ret_next = i;
	return sd_bus_message_close_container(reply);
}

/* Spaces of processes that are gone are left out. */
static int append_spaces(sd_bus_message *reply, const struct tierd_group *group)
{
	const struct tierd_heatmap *map = tierd_group_heatmap(group);
	size_t i = 0;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(uaau)");
	if (r < 0)
		return r;
	while (i < map->n_lines) {
		pid_t pid = tierd_group_pid_of(group, map->lines[i].space);

		if (pid == 0) {
			i++;
			continue;
		}
		r = append_space(reply, map, (uint32_t)pid, i, &i);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

int tierd_bus_group_heatmap(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	const struct tierd_heatmap *map = tierd_group_heatmap(userdata);
	double exposure[TIERD_HEATMAP_SLOTS];
	int r;

	for (unsigned i = 0; i < TIERD_HEATMAP_SLOTS; i++)
		exposure[i] = map->exposure[tierd_heatmap_slot(map, i)];
	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_append(
		reply, "tt", TIERD_HEATMAP_SLOT_NS / 1000, UINT64_C(1) << map->shift);
	if (r < 0)
		return r;
	r = sd_bus_message_append_array(reply, 'd', exposure, sizeof(exposure));
	if (r < 0)
		return r;
	r = append_spaces(reply, userdata);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

static int append_points(sd_bus_message *reply, const struct tier_curve *curve)
{
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(td)");
	if (r < 0)
		return r;
	for (unsigned i = 0; i < TIER_CURVE_POINTS; i++) {
		r = sd_bus_message_append(
			reply, "(td)", curve->pages[i] * TIER_PAGE_SIZE, curve->share[i]);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

int tierd_bus_group_curve(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct tier_curve curve;
	int r;

	tier_group_get_curve(tierd_group_heat(userdata), &curve);
	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	r = append_points(reply, &curve);
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "d", curve.samples);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}
