/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's bus objects over a fake manager: a client and the objects at the two ends
 * of a socket pair, in one event loop. Every call asserts.
 */
#ifndef TEST_BUS_WORLD_H
#define TEST_BUS_WORLD_H

#include "unit.h"

#include <systemd/sd-bus.h>

#include "bus-internal.h"
#include "fake-manager.h"

#define GUPS_PATH   TIERD_BUS_GROUP_PREFIX "/_2fsystem_2eslice_2fgups_2eservice"
#define SIGNALS_MAX 16

struct bus_world {
	struct tierd_manager manager;
	sd_event *event;
	struct tierd_bus *bus;
	sd_bus *client;
	sd_bus_message *reply;
	size_t n_signals;
	sd_bus_message *signals[SIGNALS_MAX];
};

/* uid is whom the server takes the client for. */
struct bus_world *bus_world_new(uid_t uid);

/* For cmocka: a world as root's, or whoever runs the test. */
int bus_set_up(void **state);
int bus_tear_down(void **state);

/* The reply, or error, belongs to the world until the next call. */
sd_bus_message *call(struct bus_world *w, const char *path, const char *interface,
	const char *member, const char *types, ...);

#define call_manager(w, ...) \
	call(w, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE, __VA_ARGS__)
#define call_gups(w, ...) call(w, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, __VA_ARGS__)

void assert_ok(sd_bus_message *reply);
void assert_error(sd_bus_message *reply, const char *name);

/* Signals come before the reply to a call made after them. */
void bus_flush(struct bus_world *w);

/* Properties; the message belongs to the world, strings to the message. */
sd_bus_message *get(struct bus_world *w, const char *path, const char *interface,
	const char *property);
uint64_t get_u64(struct bus_world *w, const char *path, const char *interface,
	const char *property);
double get_double(struct bus_world *w, const char *path, const char *property);
const char *get_string(struct bus_world *w, const char *path, const char *interface,
	const char *property);

#endif
