/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <systemd/sd-bus.h>

#include "enforce/restore-bus.h"
#include "enforce/unit-property.h"
#include "events.h"
#include "log.h"

#define CALL_TIMEOUT_USEC (5 * UINT64_C(1000000))

/* systemd's own socket, for when the system bus is down. */
#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"

struct state {
	sd_bus *bus;
};

static int open_private(sd_bus **ret)
{
	_cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
	int r;

	if ((r = sd_bus_new(&bus)) < 0 ||
		(r = sd_bus_set_address(bus, PRIVATE_ADDRESS)) < 0 ||
		(r = sd_bus_start(bus)) < 0)
		return r;
	*ret = TAKE_PTR(bus);
	return 0;
}

/* By the bus if possible: there, calls that a dead tierd left come before ours. */
static int connect(struct state *state)
{
	int r = 0;

	if (!state->bus) {
		r = sd_bus_open_system(&state->bus);
		if (r < 0)
			r = open_private(&state->bus);
	}
	return r < 0 ? r : 0;
}

static int set_property(void *userdata, const char *unit, enum tierd_attribute attribute,
	const char *value)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct state *state = userdata;
	int r = connect(state);

	if (r < 0)
		return r;
	r = tierd_unit_property_message(state->bus, unit, attribute, value, &message);
	if (r < 0)
		return r;
	r = sd_bus_call(state->bus, message, CALL_TIMEOUT_USEC, &error, NULL);
	if (sd_bus_error_has_name(&error, "org.freedesktop.systemd1.NoSuchUnit") ||
		sd_bus_error_has_name(&error, "org.freedesktop.systemd1.UnitInactive"))
		return -ENOENT;
	return r < 0 ? r : 0;
}

static void say(_unused_ void *userdata, const struct tierd_held *held, int error,
	const char *what)
{
	const char *file = tierd_attribute_file(held->attribute);

	tierd_log_event(error < 0 ? TIERD_EVENT_RESTORE_FAILED : TIERD_EVENT_RESTORED,
		error,
		TIERD_FIELDS({ file ? "TIERD_CGROUP" : "TIERD_PATH", held->path },
			{ "TIERD_BEFORE", held->before },
			{ file ? "TIERD_ATTRIBUTE" : NULL, file }),
		"%s%s%s: %s (%s)", held->path, file ? "/" : "", file ? file : "", what,
		*held->before ? held->before : "empty");
}

int tierd_restore_by_bus(
	const struct tierd_root *root, int cgroup_fd, struct tierd_restore_counts *ret)
{
	static const struct tierd_restore_ops ops = {
		.set_property = set_property,
		.say = say,
	};
	struct state state = { 0 };
	int r = tierd_restore(root, cgroup_fd, &ops, &state, ret);

	sd_bus_flush_close_unref(state.bus);
	return r;
}
