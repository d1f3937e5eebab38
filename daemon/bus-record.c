/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A group's Record(): its trace, by a descriptor to read it from. */
#include <errno.h>

#include "bus-internal.h"
#include "group.h"
#include "manager.h"
#include "recording.h"

#define NS_PER_USEC UINT64_C(1000)

static int fail(int r, sd_bus_error *error)
{
	if (r == -EBUSY)
		return sd_bus_error_set(error, TIERD_BUS_ERROR_LIMIT_EXCEEDED,
			"The group is being recorded already");
	if (r == -E2BIG)
		return sd_bus_error_setf(error, TIERD_BUS_ERROR_LIMIT_EXCEEDED,
			"%d groups are being recorded, and that is all at a time",
			TIERD_RECORDINGS_MAX);
	return r;
}

int tierd_bus_group_record(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct tierd_bus *bus = tierd_bus_of(sd_bus_message_get_bus(message));
	_cleanup_(closep) int fd = -EBADF;
	uint64_t usec;
	int r;

	r = sd_bus_message_read(message, "t", &usec);
	if (r < 0)
		return r;
	if (usec == 0 || usec > TIERD_RECORDING_NS_MAX / NS_PER_USEC)
		return sd_bus_error_set(error, TIERD_BUS_ERROR_INVALID_ARGUMENT,
			"Not a duration in microseconds, of an hour at most");
	r = tierd_bus_authorize(message, TIERD_BUS_ACTION_EXPLAIN_PAGES, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	r = tierd_manager_record(bus->manager, userdata, usec * NS_PER_USEC, &fd);
	if (r < 0)
		return fail(r, error);
	return sd_bus_reply_method_return(message, "h", fd);
}
