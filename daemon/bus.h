/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's face on the system bus: org.tierd.Tierd1, an object for the manager and
 * one for each managed group. It translates: what there is to see comes from manager.h
 * and group.h, what may be changed is changed through them, and no state is kept here but
 * the connection. Reading is open to everybody, but no page's address is ever told;
 * changing, and asking about a page by its address, is for root and whom polkit says
 * (polkit.h). Nobody gets more than a share of
 * tierd's time (bus-limits.h).
 */
#ifndef TIERD_BUS_H
#define TIERD_BUS_H

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "base/util.h"

#define TIERD_BUS_NAME         "org.tierd.Tierd1"
#define TIERD_BUS_MANAGER_PATH "/org/tierd/Tierd1"
#define TIERD_BUS_GROUP_PREFIX "/org/tierd/Tierd1/group"

/* The Policy of a group that was added over the bus. */
#define TIERD_BUS_POLICY "runtime"

struct tierd_bus;
struct tierd_group;
struct tierd_manager;

/*
 * Connects to the system bus, publishes the objects and takes the name. The manager has
 * to outlive the result. When the connection is lost later on it is made anew, however
 * long that takes; what is announced meanwhile nobody hears. Errors:
 *   -ENOENT, -ECONNREFUSED  there is no system bus
 *   -EEXIST                 the name is taken: another tierd is running
 *   -EACCES, -EPERM         the bus's policy does not let this user own the name
 */
int tierd_bus_new(struct tierd_manager *manager, sd_event *event, struct tierd_bus **ret);

/* The same on a connection that is already open, without asking for a name. */
int tierd_bus_new_on(struct tierd_manager *manager, sd_event *event, sd_bus *connection,
	struct tierd_bus **ret);

/* Sends what is queued, and closes the connection. */
struct tierd_bus *tierd_bus_free(struct tierd_bus *bus);
DEFINE_CLEANUP(struct tierd_bus *, tierd_bus_free)

/*
 * Announce that a group came or goes: once tierd_manager_find_group() finds it, and
 * before it is freed. Errors: -ENOTCONN, -ENOMEM.
 */
int tierd_bus_group_added(struct tierd_bus *bus, const struct tierd_group *group);
int tierd_bus_group_removed(struct tierd_bus *bus, const struct tierd_group *group);

/* A group was over its quota for a while, or is within it again. Errors: as above. */
int tierd_bus_quota_exceeded(struct tierd_bus *bus, const struct tierd_group *group);
int tierd_bus_quota_restored(struct tierd_bus *bus, const struct tierd_group *group);

/* Somebody else changed an attribute of the group's that tierd had set. */
int tierd_bus_drifted(struct tierd_bus *bus, const struct tierd_group *group,
	const char *attribute, const char *expected, const char *found);

/* Samples were lost, beside those taken in the same time. */
int tierd_bus_samples_lost(struct tierd_bus *bus, uint64_t lost, uint64_t taken);

/*
 * Announces what policies decide, for all groups. The bus does so itself after a reload
 * it was asked for; call it after any other. Errors: -ENOTCONN, -ENOMEM.
 */
int tierd_bus_policies_changed(struct tierd_bus *bus);

#endif
