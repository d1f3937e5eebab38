/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connection: opening it, hanging the objects on it, taking the name, watching what
 * calls cost, and starting over when the bus goes away. What the objects can do is in
 * bus-manager.c, bus-changes.c and bus-group.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "bus-internal.h"
#include "clock.h"
#include "group.h"
#include "log.h"
#include "manager.h"

#define RETRY_USEC UINT64_C(500000)

/* The tick, the samples and the migrators come before any call. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

/* ---- What calls cost ----------------------------------------------------------- */

static const char *sender_of(sd_bus_message *message)
{
	const char *sender = sd_bus_message_get_sender(message);

	return sender ? sender : "";
}

/* Comes before whatever handles the call. What came before and comes again passes. */
static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct tierd_bus *bus = userdata;
	uint64_t now_ns = tierd_now_ns();

	if (!sd_bus_message_is_method_call(message, NULL, NULL))
		return 0;
	sd_bus_message_unref(bus->handled);
	bus->handled = sd_bus_message_ref(message);
	bus->handled_ns = now_ns;
	if (tierd_bus_may_call(&bus->limits, sender_of(message), now_ns) ||
		tierd_polkit_has_asked(bus->polkit, message))
		return 0;
	return sd_bus_error_set(error, TIERD_BUS_ERROR_LIMIT_EXCEEDED,
		"Too many calls: tierd has better things to do, try again later");
}

/* One call is handled at a time, and this comes next. */
static int on_handled(_unused_ sd_event_source *source, void *userdata)
{
	struct tierd_bus *bus = userdata;
	uint64_t now_ns = tierd_now_ns();

	if (!bus->handled)
		return 0;
	tierd_bus_charge(
		&bus->limits, sender_of(bus->handled), now_ns - bus->handled_ns, now_ns);
	tierd_polkit_forget(bus->polkit, bus->handled);
	bus->handled = sd_bus_message_unref(bus->handled);
	return 0;
}

struct tierd_bus *tierd_bus_of(sd_bus *connection)
{
	return sd_bus_slot_get_userdata(sd_bus_get_current_slot(connection));
}

int tierd_bus_authorize(sd_bus_message *message, const char *action, sd_bus_error *error)
{
	struct tierd_bus *bus = tierd_bus_of(sd_bus_message_get_bus(message));

	return tierd_polkit_authorize(bus->polkit, message, action, error);
}

/* ---- The connection ------------------------------------------------------------ */

static int publish(struct tierd_bus *bus, sd_bus *c)
{
	int r;

	r = sd_bus_add_filter(c, NULL, on_message, bus);
	if (r < 0)
		return r;
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

static void disconnect(struct tierd_bus *bus)
{
	bus->handled = sd_bus_message_unref(bus->handled);
	bus->polkit = tierd_polkit_free(bus->polkit);
	if (!bus->connection)
		return;
	sd_bus_detach_event(bus->connection);
	bus->connection = sd_bus_flush_close_unref(bus->connection);
}

static int adopt(struct tierd_bus *bus, sd_bus *connection)
{
	int r;

	r = tierd_polkit_new(&bus->polkit);
	if (r < 0)
		return r;
	r = publish(bus, connection);
	if (r < 0)
		return r;
	bus->connection = sd_bus_ref(connection);
	r = sd_bus_attach_event(connection, bus->event, PRIORITY);
	return r < 0 ? r : 0;
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
	bus->event = sd_event_ref(event);
	r = sd_event_add_post(event, &bus->after, on_handled, bus);
	if (r < 0)
		return r;
	r = sd_event_source_set_priority(bus->after, SD_EVENT_PRIORITY_IMPORTANT);
	if (r < 0)
		return r;
	r = adopt(bus, connection);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}

struct tierd_bus *tierd_bus_free(struct tierd_bus *bus)
{
	if (!bus)
		return NULL;
	sd_event_source_disable_unref(bus->retry);
	sd_event_source_disable_unref(bus->after);
	disconnect(bus);
	sd_event_unref(bus->event);
	free(bus);
	return NULL;
}

/* ---- Losing it, and making it anew --------------------------------------------- */

static int watch(struct tierd_bus *bus);

static void retry_later(struct tierd_bus *bus)
{
	int r = sd_event_source_set_time_relative(bus->retry, RETRY_USEC);

	if (r >= 0)
		r = sd_event_source_set_enabled(bus->retry, SD_EVENT_ONESHOT);
	if (r >= 0)
		return;
	log_error_errno(r, "cannot wait for the system bus");
	sd_event_exit(bus->event, EXIT_FAILURE);
}

/* The connection itself is let go of by the timer: it is in use just now. */
static int on_disconnected(
	_unused_ sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	log_warning("the system bus is gone, waiting for it to come back");
	retry_later(userdata);
	return 0;
}

static int on_name(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	struct tierd_bus *bus = userdata;

	if (sd_bus_message_is_method_error(reply, NULL)) {
		tierd_log_in_loop(0, "cannot take " TIERD_BUS_NAME " again: %s",
			sd_bus_message_get_error(reply)->message);
		retry_later(bus);
	} else {
		log_notice("back on the system bus");
	}
	return 0;
}

static int reconnect(struct tierd_bus *bus)
{
	_cleanup_(sd_bus_unrefp) sd_bus *connection = NULL;
	int r;

	r = sd_bus_open_system_with_description(&connection, "tierd");
	if (r < 0)
		return r;
	r = adopt(bus, connection);
	if (r < 0)
		return r;
	r = watch(bus);
	if (r < 0)
		return r;
	return sd_bus_request_name_async(
		connection, NULL, TIERD_BUS_NAME, 0, on_name, bus);
}

static int on_retry(
	_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	struct tierd_bus *bus = userdata;
	int r;

	disconnect(bus);
	r = reconnect(bus);
	if (r < 0) {
		disconnect(bus);
		retry_later(bus);
	}
	return 0;
}

static int watch(struct tierd_bus *bus)
{
	int r;

	r = sd_bus_match_signal_async(bus->connection, NULL, NULL,
		"/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
		"Disconnected", on_disconnected, NULL, bus);
	return r < 0 ? r : 0;
}

static int prepare_retry(struct tierd_bus *bus)
{
	int r;

	r = sd_event_add_time_relative(
		bus->event, &bus->retry, CLOCK_MONOTONIC, 0, 0, on_retry, bus);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(bus->retry, SD_EVENT_OFF);
}

int tierd_bus_new(struct tierd_manager *manager, sd_event *event, struct tierd_bus **ret)
{
	_cleanup_(sd_bus_unrefp) sd_bus *connection = NULL;
	_cleanup_(tierd_bus_freep) struct tierd_bus *bus = NULL;
	int r;

	r = sd_bus_open_system_with_description(&connection, "tierd");
	if (r < 0)
		return r;
	r = tierd_bus_new_on(manager, event, connection, &bus);
	if (r < 0)
		return r;
	r = prepare_retry(bus);
	if (r < 0)
		return r;
	r = watch(bus);
	if (r < 0)
		return r;
	r = sd_bus_request_name(connection, TIERD_BUS_NAME, 0);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}
