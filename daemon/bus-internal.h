/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the bus share: the connection, the vtables and how a group's object
 * is called. Not for the rest of the daemon, which includes bus.h.
 */
#ifndef TIERD_BUS_INTERNAL_H
#define TIERD_BUS_INTERNAL_H

#include "bus.h"
#include "bus-limits.h"
#include "polkit.h"

#define TIERD_BUS_MANAGER_INTERFACE "org.tierd.Tierd1.Manager"
#define TIERD_BUS_GROUP_INTERFACE   "org.tierd.Tierd1.Group"

#define TIERD_BUS_ERROR_NO_SUCH_GROUP    "org.tierd.Tierd1.Error.NoSuchGroup"
#define TIERD_BUS_ERROR_INVALID_QUOTA    "org.tierd.Tierd1.Error.InvalidQuota"
#define TIERD_BUS_ERROR_INVALID_ARGUMENT "org.tierd.Tierd1.Error.InvalidArgument"
#define TIERD_BUS_ERROR_INVALID_CONFIGURATION \
	"org.tierd.Tierd1.Error.InvalidConfiguration"
#define TIERD_BUS_ERROR_NO_SUCH_CGROUP  "org.tierd.Tierd1.Error.NoSuchCGroup"
#define TIERD_BUS_ERROR_NO_SUCH_PROCESS "org.tierd.Tierd1.Error.NoSuchProcess"
#define TIERD_BUS_ERROR_GROUP_EXISTS    "org.tierd.Tierd1.Error.GroupExists"
#define TIERD_BUS_ERROR_OVERCOMMITTED   "org.tierd.Tierd1.Error.Overcommitted"
#define TIERD_BUS_ERROR_LIMIT_EXCEEDED  "org.tierd.Tierd1.Error.LimitExceeded"

/* The actions of dbus/org.tierd.Tierd1.policy. */
#define TIERD_BUS_ACTION_SET_QUOTA       "org.tierd.Tierd1.set-quota"
#define TIERD_BUS_ACTION_SET_ENFORCEMENT "org.tierd.Tierd1.set-enforcement"
#define TIERD_BUS_ACTION_MANAGE_GROUPS   "org.tierd.Tierd1.manage-groups"
#define TIERD_BUS_ACTION_RELOAD          "org.tierd.Tierd1.reload"
#define TIERD_BUS_ACTION_PAUSE           "org.tierd.Tierd1.pause"
#define TIERD_BUS_ACTION_EXPLAIN_PAGES   "org.tierd.Tierd1.explain-pages"

struct tierd_bus {
	sd_bus *connection; /* NULL while there is none */
	struct tierd_manager *manager;
	sd_event *event;
	sd_event_source *after; /* runs when a call was handled */
	sd_event_source *retry; /* while there is no connection */
	struct tierd_polkit *polkit;
	struct tierd_bus_limits limits;
	sd_bus_message *handled; /* the call being handled */
	uint64_t handled_ns;     /* since then */
};

/*
 * For the handlers of methods that change something: as tierd_polkit_authorize(), on
 * whose 0 the handler returns 1.
 */
int tierd_bus_authorize(sd_bus_message *message, const char *action, sd_bus_error *error);

/* The bus a call, or a question for a property, came in by: from their handlers only. */
struct tierd_bus *tierd_bus_of(sd_bus *connection);

/* userdata is the struct tierd_bus. */
extern const sd_bus_vtable tierd_bus_manager_vtable[];

/* bus-changes.c: the handlers of the manager's methods that name or change something. */
int tierd_bus_get_group(sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_add_group(sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_remove_group(sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_reload(sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_pause(sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_resume(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* userdata is the struct tierd_group that tierd_bus_find_group() found. */
extern const sd_bus_vtable tierd_bus_group_vtable[];

/* bus-group-details.c: the handlers of a group's methods that only show something. */
int tierd_bus_group_histogram(
	sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_group_residency(
	sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_group_heatmap(sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_group_curve(sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_group_counters(
	sd_bus_message *message, void *userdata, sd_bus_error *error);

/* bus-record.c */
int tierd_bus_group_record(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* bus-sources.c: SamplerSources and SamplerCoverage. */
int tierd_bus_get_sources(sd_bus *connection, const char *path, const char *interface,
	const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *error);
int tierd_bus_get_sampler_coverage(sd_bus *connection, const char *path,
	const char *interface, const char *property, sd_bus_message *reply,
	void *userdata, sd_bus_error *error);

/* bus-doctor.c */
int tierd_bus_doctor(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* bus-explain.c */
int tierd_bus_group_explain(sd_bus_message *message, void *userdata, sd_bus_error *error);
int tierd_bus_explain_page(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* For sd_bus_add_fallback_vtable() and sd_bus_add_node_enumerator(): userdata is the
 * struct tierd_bus. */
int tierd_bus_find_group(sd_bus *connection, const char *path, const char *interface,
	void *userdata, void **ret_found, sd_bus_error *error);
int tierd_bus_enumerate_groups(sd_bus *connection, const char *prefix, void *userdata,
	char ***ret_nodes, sd_bus_error *error);

/* The caller frees *ret_path. Errors: -ENOMEM. */
int tierd_bus_group_path(const struct tierd_group *group, char **ret_path);

/* Appends text, escaped by tierd_bus_escape(), as a string. */
int tierd_bus_append_text(sd_bus_message *message, const char *text);

/* Appends a{st}: the group's counters by name, in a fixed order. */
int tierd_bus_append_counters(sd_bus_message *message, const struct tierd_group *group);

/* The same, summed up over all groups. */
int tierd_bus_append_totals(sd_bus_message *message, const struct tierd_manager *manager);

#endif
