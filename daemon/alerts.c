/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody should know without having asked: said in the log and on the bus, when it
 * begins and when it ends, not once a tick.
 */
#include <inttypes.h>

#include "log.h"
#include "manager-internal.h"

#define LOSS_EVERY_NS (10 * TIERD_NSEC)

static void watch_quota(
	struct tierd_manager *manager, struct tierd_group *group, uint64_t now_ns)
{
	int turn = tierd_group_watch_quota(group, now_ns);

	if (turn > 0) {
		log_notice("%s: more in DRAM than its quota", tierd_group_path(group));
		(void)tierd_bus_quota_exceeded(manager->bus, group);
	} else if (turn < 0) {
		log_info("%s: within its quota again", tierd_group_path(group));
		(void)tierd_bus_quota_restored(manager->bus, group);
	}
}

static void watch_samples(struct tierd_manager *manager, uint64_t now_ns)
{
	const struct tierd_loss before = manager->loss;
	struct tierd_sampler_stats stats;

	if (now_ns - before.time_ns < LOSS_EVERY_NS)
		return;
	tierd_sampler_get_stats(manager->sampler, &stats);
	manager->loss =
		(struct tierd_loss){ now_ns, stats.samples, stats.lost, stats.throttled };
	manager->loss_window = (struct tierd_loss){ now_ns - before.time_ns,
		stats.samples - before.taken, stats.lost - before.lost,
		stats.throttled - before.throttled };
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
