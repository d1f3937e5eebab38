/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "clock.h"
#include "enforce/unit-property.h"
#include "enforce/writer-systemd.h"
#include "log.h"

#define INTERVAL_NS       (100 * UINT64_C(1000000))
#define CALL_TIMEOUT_USEC (10 * UINT64_C(1000000))

struct tierd_writer_systemd {
	sd_event *event;
	sd_bus *bus;
	sd_bus_slot *slot;
	struct tierd_enforcer *enforcer;
};

static int open_bus(struct tierd_writer_systemd *writer)
{
	_cleanup_(sd_bus_unrefp) sd_bus *bus = NULL;
	int r;

	if (writer->bus && sd_bus_is_open(writer->bus) > 0)
		return 0;
	if (writer->bus) {
		sd_bus_detach_event(writer->bus);
		writer->bus = sd_bus_close_unref(writer->bus);
	}
	r = sd_bus_open_system_with_description(&bus, "tierd-writer");
	if (r < 0)
		return r;
	r = sd_bus_attach_event(bus, writer->event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0)
		return r;
	writer->bus = TAKE_PTR(bus);
	return 0;
}

static int result_of(sd_bus_message *reply)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (!error)
		return 0;
	if (sd_bus_error_has_name(error, "org.freedesktop.systemd1.NoSuchUnit") ||
		sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitInactive"))
		return -ENOENT;
	tierd_log_in_loop(0, "systemd: %s", error->message);
	return sd_bus_message_get_errno(reply) > 0 ? -sd_bus_message_get_errno(reply)
						   : -EIO;
}

static int on_reply(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	struct tierd_writer_systemd *writer = userdata;

	writer->slot = sd_bus_slot_unref(writer->slot);
	tierd_enforcer_written(
		writer->enforcer, TIERD_OWNER_SYSTEMD, result_of(reply), tierd_now_ns());
	return 0;
}

static int begin_write(void *userdata, const struct tierd_held *held)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	struct tierd_writer_systemd *writer = userdata;
	int r = open_bus(writer);

	if (r < 0)
		return r;
	r = tierd_unit_property_message(
		writer->bus, held->unit, held->attribute, held->wanted, &message);
	if (r < 0)
		return r;
	r = sd_bus_call_async(
		writer->bus, &writer->slot, message, on_reply, writer, CALL_TIMEOUT_USEC);
	return r < 0 ? r : 0;
}

int tierd_writer_systemd_new(sd_event *event, struct tierd_writer_systemd **ret)
{
	struct tierd_writer_systemd *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return -ENOMEM;
	writer->event = sd_event_ref(event);
	*ret = writer;
	return 0;
}

struct tierd_writer_systemd *tierd_writer_systemd_free(
	struct tierd_writer_systemd *writer)
{
	if (!writer)
		return NULL;
	sd_bus_slot_unref(writer->slot);
	if (writer->bus)
		sd_bus_detach_event(writer->bus);
	sd_bus_flush_close_unref(writer->bus);
	sd_event_unref(writer->event);
	free(writer);
	return NULL;
}

void tierd_writer_systemd_attach(
	struct tierd_writer_systemd *writer, struct tierd_enforcer *enforcer)
{
	writer->enforcer = enforcer;
}

const struct tierd_writer_ops tierd_writer_systemd_ops = {
	.write = begin_write,
	.interval_ns = INTERVAL_NS,
	.rest = 1,
};
