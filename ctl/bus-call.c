/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>

#include "bus-call.h"

/* A little more than tierd gives polkit. */
#define CHANGE_USEC UINT64_C(150000000)

int tierctl_new_call(sd_bus *bus, const struct tierctl_call *call, sd_bus_message **ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	int r;

	r = sd_bus_message_new_method_call(bus, &message, TIERCTL_SERVICE, call->path,
		call->interface, call->member);
	if (r < 0)
		return r;
	r = sd_bus_message_set_auto_start(message, false);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(message);
	return 0;
}

int tierctl_call(sd_bus *bus, const struct tierctl_call *call, sd_bus_message **ret_reply,
	sd_bus_error *error, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	va_list arguments;
	int r;

	r = tierctl_new_call(bus, call, &message);
	if (r < 0)
		return r;
	va_start(arguments, types);
	r = sd_bus_message_appendv(message, types, arguments);
	va_end(arguments);
	if (r < 0)
		return r;
	return sd_bus_call(bus, message, 0, error, ret_reply);
}

int tierctl_send_change(sd_bus *bus, sd_bus_message *message, sd_bus_message **ret_reply,
	sd_bus_error *error)
{
	int r;

	r = sd_bus_message_set_allow_interactive_authorization(message, true);
	if (r < 0)
		return r;
	return sd_bus_call(bus, message, CHANGE_USEC, error, ret_reply);
}
