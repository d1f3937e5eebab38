/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody should know without having asked: said in the log and on the bus, when it
 * begins and when it ends, not once a tick.
 */
#include <inttypes.h>

#include "doctor.h"
#include "events.h"
#include "manager-internal.h"

#define LOSS_EVERY_NS (10 * TIERD_NSEC)

static void log_quota(
	enum tierd_event event, const struct tierd_group *group, const char *what)
{
	struct tierd_group_view view;

	tierd_group_get_view(group, &view);
	tierd_log_event(event, 0,
		TIERD_FIELDS({ "TIERD_CGROUP", view.cgroup },
			{ "TIERD_DRAM_BYTES", .number = view.dram_bytes },
			{ "TIERD_DRAM_QUOTA_BYTES", .number = view.dram_quota_bytes }),
		"%s: %s", view.cgroup, what);
}

static void watch_quota(
	struct tierd_manager *manager, struct tierd_group *group, uint64_t now_ns)
{
	int turn = tierd_group_watch_quota(group, now_ns);

	if (turn > 0) {
		log_quota(
			TIERD_EVENT_QUOTA_EXCEEDED, group, "more in DRAM than its quota");
		(void)tierd_bus_quota_exceeded(manager->bus, group);
	} else if (turn < 0) {
		log_quota(TIERD_EVENT_QUOTA_RESTORED, group, "within its quota again");
		(void)tierd_bus_quota_restored(manager->bus, group);
	}
}

static bool is_lossy(const struct tierd_loss *window)
{
	return tierd_doctor_minds_loss(window->taken, window->lost);
}

static void log_loss(const struct tierd_loss *window)
{
	tierd_log_event(TIERD_EVENT_SAMPLES_LOST, 0,
		TIERD_FIELDS({ "TIERD_SAMPLES", .number = window->taken },
			{ "TIERD_SAMPLES_LOST", .number = window->lost }),
		"%" PRIu64 " samples were lost of %" PRIu64 " in ten seconds",
		window->lost, window->taken + window->lost);
}

static void watch_samples(struct tierd_manager *manager, uint64_t now_ns)
{
	const struct tierd_loss before = manager->loss;
	struct tierd_sampler_stats stats;
	bool was_lossy;

	if (now_ns - before.time_ns < LOSS_EVERY_NS)
		return;
	tierd_sampler_get_stats(manager->sampler, &stats);
	manager->loss =
		(struct tierd_loss){ now_ns, stats.samples, stats.lost, stats.throttled };
	was_lossy = is_lossy(&manager->loss_window);
	manager->loss_window = (struct tierd_loss){ now_ns - before.time_ns,
		stats.samples - before.taken, stats.lost - before.lost,
		stats.throttled - before.throttled };
	if (is_lossy(&manager->loss_window) && !was_lossy)
		log_loss(&manager->loss_window);
	if (stats.lost > before.lost)
		(void)tierd_bus_samples_lost(manager->bus, stats.lost - before.lost,
			stats.samples - before.taken);
}

/* Of a cgroup that is managed no more, whose limits are on their way back, only the log
 * tells. */
void tierd_manager_tell_drift(void *userdata, const struct tierd_drift *drift)
{
	const struct tierd_manager *manager = userdata;
	const struct tierd_group *group = tierd_manager_find_group(manager, drift->path);

	if (group)
		(void)tierd_bus_drifted(manager->bus, group, drift->attribute,
			drift->expected, drift->found);
}

void tierd_manager_raise_alerts(struct tierd_manager *manager, uint64_t now_ns)
{
	for (size_t i = 0; i < manager->n_groups; i++)
		watch_quota(manager, manager->groups[i], now_ns);
	watch_samples(manager, now_ns);
}
