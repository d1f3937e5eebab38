/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call to tierd, for the files that know its interfaces. */
#ifndef TIERCTL_BUS_CALL_H
#define TIERCTL_BUS_CALL_H

#include <systemd/sd-bus.h>

#include "base/util.h"

#define TIERCTL_SERVICE           "org.tierd.Tierd1"
#define TIERCTL_MANAGER_PATH      "/org/tierd/Tierd1"
#define TIERCTL_MANAGER_INTERFACE "org.tierd.Tierd1.Manager"
#define TIERCTL_GROUP_INTERFACE   "org.tierd.Tierd1.Group"

struct tierctl_call {
	const char *path;
	const char *interface;
	const char *member;
};

/* The message of a call that starts no tierd; the caller adds arguments and frees it. */
int tierctl_new_call(sd_bus *bus, const struct tierctl_call *call, sd_bus_message **ret);

/* types are the arguments', as for sd_bus_message_append(); "" for none. */
int tierctl_call(sd_bus *bus, const struct tierctl_call *call, sd_bus_message **ret_reply,
	sd_bus_error *error, const char *types, ...);

/* Sends a call that changes something: somebody may be asked for a password meanwhile. */
int tierctl_send_change(sd_bus *bus, sd_bus_message *message, sd_bus_message **ret_reply,
	sd_bus_error *error);

#endif
