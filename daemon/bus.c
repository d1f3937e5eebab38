/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection: opening it, hanging the objects on it, taking the name, and telling
 * the listeners when groups come, go or change. What the objects can do is in
 * bus-manager.c and bus-group.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "bus-internal.h"
#include "group.h"
#include "manager.h"

static int publish(struct tierd_bus *bus)
{
	sd_bus *c = bus->connection;
	int r;

	r = sd_bus_add_object_manager(c, NULL, TIERD_BUS_MANAGER_PATH);
	if (r < 0)
		return r;
	r = sd_bus_add_object_vtable(c, NULL, TIERD_BUS_MANAGER_PATH,
		TIERD_BUS_MANAGER_INTERFACE, tierd_bus_manager_vtable, bus);
	if (r < 0)
		return r;
	r = sd_bus_add_fallback_vtable(c, NULL, TIERD_BUS_GROUP_PREFIX,
		TIERD_BUS_GROUP_INTERFACE, tierd_bus_group_vtable, tierd_bus_find_group,
		bus);
	if (r < 0)
		return r;
	return sd_bus_add_node_enumerator(
		c, NULL, TIERD_BUS_GROUP_PREFIX, tierd_bus_enumerate_groups, bus);
}

int tierd_bus_new_on(struct tierd_manager *manager, sd_event *event, sd_bus *connection,
	struct tierd_bus **ret)
{
	_cleanup_(tierd_bus_freep) struct tierd_bus *bus = NULL;
	int r;

	bus = calloc(1, sizeof(*bus));
	if (!bus)
		return -ENOMEM;
	bus->manager = manager;
	bus->connection = sd_bus_ref(connection);
	r = publish(bus);
	if (r < 0)
		return r;
	r = sd_bus_attach_event(bus->connection, event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}

int tierd_bus_new(struct tierd_manager *manager, sd_event *event, struct tierd_bus **ret)
{
	_cleanup_(sd_bus_unrefp) sd_bus *connection = NULL;
	_cleanup_(tierd_bus_freep) struct tierd_bus *bus = NULL;
	int r;

	r = sd_bus_open_system_with_description(&connection, "tierd");
	if (r < 0)
		return r;
	r = sd_bus_set_exit_on_disconnect(connection, true);
	if (r < 0)
		return r;
	r = tierd_bus_new_on(manager, event, connection, &bus);
	if (r < 0)
		return r;
	r = sd_bus_request_name(connection, TIERD_BUS_NAME, 0);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}

struct tierd_bus *tierd_bus_free(struct tierd_bus *bus)
{
	if (!bus)
		return NULL;
	sd_bus_detach_event(bus->connection);
	sd_bus_flush_close_unref(bus->connection);
	free(bus);
	return NULL;
}

int tierd_bus_group_added(struct tierd_bus *bus, const struct tierd_group *group)
{
	_cleanup_(freep) char *path = NULL;
	int r;

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

	r = tierd_bus_group_path(group, &path);
	if (r < 0)
		return r;
	r = sd_bus_emit_interfaces_removed(bus->connection, path,
		"org.freedesktop.DBus.Peer", "org.freedesktop.DBus.Introspectable",
		"org.freedesktop.DBus.Properties", TIERD_BUS_GROUP_INTERFACE, NULL);
	return r < 0 ? r : 0;
}

int tierd_bus_policies_changed(struct tierd_bus *bus)
{
	for (size_t i = 0; i < tierd_manager_n_groups(bus->manager); i++) {
		_cleanup_(freep) char *path = NULL;
		int r;

		r = tierd_bus_group_path(tierd_manager_group(bus->manager, i), &path);
		if (r < 0)
			return r;
		r = sd_bus_emit_properties_changed(bus->connection, path,
			TIERD_BUS_GROUP_INTERFACE, "Policy", "Enforcement", "Engine",
			"DRAMQuota", "DRAMMin", NULL);
		if (r < 0)
			return r;
	}
	return 0;
}
