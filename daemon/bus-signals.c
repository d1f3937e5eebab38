/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling whoever listens: groups that come and go, settings that change, quotas that are
 * not kept, attributes that somebody else wrote, samples that were lost. Without a
 * connection there is nobody to tell.
 */
#include <errno.h>

#include "bus-internal.h"
#include "group.h"
#include "manager.h"

int tierd_bus_group_added(struct tierd_bus *bus, const struct tierd_group *group)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	if (!bus->connection)
		return -ENOTCONN;
	r = tierd_bus_group_path(group, &path);
	if (r < 0)
		return r;
	r = sd_bus_emit_object_added(bus->connection, path);
	return r < 0 ? r : 0;
}

/* Names what was announced by sd_bus_emit_object_added(), without looking the group up
 * once more: its place in the manager's list may be gone already. */
int tierd_bus_group_removed(struct tierd_bus *bus, const struct tierd_group *group)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	if (!bus->connection)
		return -ENOTCONN;
	r = tierd_bus_group_path(group, &path);
	if (r < 0)
		return r;
	r = sd_bus_emit_interfaces_removed(bus->connection, path,
		"org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable",
		"org.freedesktop.DBus.Properties", TIERD_BUS_GROUP_INTERFACE, NULL);
	return r < 0 ? r : 0;
}

static int policy_changed(struct tierd_bus *bus, const struct tierd_group *group)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	r = tierd_bus_group_path(group, &path);
	if (r < 0)
		return r;
	return sd_bus_emit_properties_changed(bus->connection, path,
		TIERD_BUS_GROUP_INTERFACE, "Policy", "Enforcement", "Placement", "Engine",
		"BandwidthMax", "DRAMQuota", "DRAMMin", NULL);
}

int tierd_bus_policies_changed(struct tierd_bus *bus)
{
	if (!bus->connection)
		return -ENOTCONN;
	for (size_t i = 0; i < tierd_manager_n_groups(bus->manager); i++) {
		int r = policy_changed(bus, tierd_manager_group(bus->manager, i));

		if (r < 0)
			return r;
	}
	return 0;
}

static int emit_quota(
	struct tierd_bus *bus, const struct tierd_group *group, const char *member)
{
	_cleanup_(freep) char *path = NULL;
	struct tierd_group_view view;
	int r;

	if (!bus->connection)
		return -ENOTCONN;
	r = tierd_bus_group_path(group, &path);
	if (r < 0)
		return r;
	tierd_group_get_view(group, &view);
	r = sd_bus_emit_signal(bus->connection, path, TIERD_BUS_GROUP_INTERFACE, member,
		"tt", view.dram_bytes, view.dram_quota_bytes);
	return r < 0 ? r : 0;
}

int tierd_bus_quota_exceeded(struct tierd_bus *bus, const struct tierd_group *group)
{
	return emit_quota(bus, group, "QuotaExceeded");
}

int tierd_bus_quota_restored(struct tierd_bus *bus, const struct tierd_group *group)
{
	return emit_quota(bus, group, "QuotaRestored");
}

int tierd_bus_drifted(struct tierd_bus *bus, const struct tierd_group *group,
	const char *attribute, const char *expected, const char *found)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	if (!bus->connection)
		return -ENOTCONN;
	r = tierd_bus_group_path(group, &path);
	if (r < 0)
		return r;
	r = sd_bus_emit_signal(bus->connection, path, TIERD_BUS_GROUP_INTERFACE, "Drift",
		"sss", attribute, expected, found);
	return r < 0 ? r : 0;
}

int tierd_bus_samples_lost(struct tierd_bus *bus, uint64_t lost, uint64_t taken)
{
	int r;

	if (!bus->connection)
		return -ENOTCONN;
	r = sd_bus_emit_signal(bus->connection, TIERD_BUS_MANAGER_PATH,
		TIERD_BUS_MANAGER_INTERFACE, "SampleLoss", "tt", lost, taken);
	return r < 0 ? r : 0;
}
