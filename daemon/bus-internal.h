/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the bus share: the connection, the vtables and how a group's object
 * is called. Not for the rest of the daemon, which includes bus.h.
 */
#ifndef TIERD_BUS_INTERNAL_H
#define TIERD_BUS_INTERNAL_H

#include "bus.h"

#define TIERD_BUS_MANAGER_INTERFACE "org.tierd.Tierd1.Manager"
#define TIERD_BUS_GROUP_INTERFACE   "org.tierd.Tierd1.Group"

#define TIERD_BUS_ERROR_NO_SUCH_GROUP "org.tierd.Tierd1.Error.NoSuchGroup"
#define TIERD_BUS_ERROR_INVALID_QUOTA "org.tierd.Tierd1.Error.InvalidQuota"
#define TIERD_BUS_ERROR_INVALID_CONFIGURATION \
	"org.tierd.Tierd1.Error.InvalidConfiguration"

struct tierd_group_view;

struct tierd_bus {
	sd_bus *connection;
	struct tierd_manager *manager;
};

/* userdata is the struct tierd_bus. */
extern const sd_bus_vtable tierd_bus_manager_vtable[];

/* userdata is the struct tierd_group that tierd_bus_find_group() found. */
extern const sd_bus_vtable tierd_bus_group_vtable[];

/* For sd_bus_add_fallback_vtable() and sd_bus_add_node_enumerator(): userdata is the
 * struct tierd_bus. */
int tierd_bus_find_group(sd_bus *connection, const char *path, const char *interface,
	void *userdata, void **ret_found, sd_bus_error *error);
int tierd_bus_enumerate_groups(sd_bus *connection, const char *prefix, void *userdata,
	char ***ret_nodes, sd_bus_error *error);

/* The caller frees *ret_path. Errors: -ENOMEM. */
int tierd_bus_group_path(const struct tierd_group *group, char **ret_path);

/* text with each byte that is not UTF-8 as \xNN; the caller frees *ret. Errors: -ENOMEM.
 */
int tierd_bus_escape(const char *text, char **ret);

/* Appends text, so escaped, as a string. */
int tierd_bus_append_text(sd_bus_message *message, const char *text);

/* Appends a{st}: the group's counters by name, in a fixed order. */
int tierd_bus_append_counters(
	sd_bus_message *message, const struct tierd_group_view *view);

#endif
