/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bus-world.h"

#define TIMEOUT_USEC UINT64_C(10000000)

static int on_signal(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	struct bus_world *w = userdata;

	if (!sd_bus_message_is_signal(message, NULL, NULL))
		return 0;
	assert_true(w->n_signals < SIGNALS_MAX);
	w->signals[w->n_signals++] = sd_bus_message_ref(message);
	return 1;
}

static void bus_forget_signals(struct bus_world *w)
{
	for (size_t i = 0; i < w->n_signals; i++)
		sd_bus_message_unref(w->signals[i]);
	w->n_signals = 0;
}

static void connect_as(struct bus_world *w, uid_t uid)
{
	_cleanup_(sd_bus_unrefp) sd_bus *server = NULL;
	sd_id128_t id;
	int fds[2];

	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(seteuid(getuid()), 0);

	assert_return_code(sd_id128_randomize(&id), 0);
	assert_return_code(sd_bus_new(&server), 0);
	assert_return_code(sd_bus_set_fd(server, fds[0], fds[0]), 0);
	assert_return_code(sd_bus_set_server(server, true, id), 0);
	assert_return_code(sd_bus_set_anonymous(server, true), 0);
	assert_return_code(sd_bus_start(server), 0);

	assert_return_code(sd_bus_new(&w->client), 0);
	assert_return_code(sd_bus_set_fd(w->client, fds[1], fds[1]), 0);
	assert_return_code(sd_bus_set_anonymous(w->client, true), 0);
	assert_return_code(sd_bus_start(w->client), 0);

	assert_return_code(sd_event_new(&w->event), 0);
	assert_return_code(tierd_bus_new_on(&w->manager, w->event, server, &w->bus), 0);
	assert_return_code(sd_bus_attach_event(w->client, w->event, 0), 0);
	assert_return_code(sd_bus_add_filter(w->client, NULL, on_signal, w), 0);
}

struct bus_world *bus_world_new(uid_t uid)
{
	struct bus_world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	fake_manager_fill(&w->manager);
	connect_as(w, uid);
	return w;
}

int bus_set_up(void **state)
{
	*state = bus_world_new(geteuid());
	return 0;
}

int bus_tear_down(void **state)
{
	struct bus_world *w = *state;

	bus_forget_signals(w);
	sd_bus_message_unref(w->reply);
	sd_bus_detach_event(w->client);
	sd_bus_close_unref(w->client);
	tierd_bus_free(w->bus);
	sd_event_unref(w->event);
	free(w);
	return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	struct bus_world *w = userdata;

	w->reply = sd_bus_message_ref(reply);
	return 0;
}

sd_bus_message *call(struct bus_world *w, const char *path, const char *interface,
	const char *member, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	va_list arguments;

	w->reply = sd_bus_message_unref(w->reply);
	assert_return_code(sd_bus_message_new_method_call(
				   w->client, &message, NULL, path, interface, member),
		0);
	va_start(arguments, types);
	assert_return_code(sd_bus_message_appendv(message, types, arguments), 0);
	va_end(arguments);
	assert_return_code(
		sd_bus_call_async(w->client, NULL, message, on_reply, w, TIMEOUT_USEC),
		0);
	while (!w->reply)
		assert_true(sd_event_run(w->event, TIMEOUT_USEC) > 0);
	return w->reply;
}

void assert_ok(sd_bus_message *reply)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (error)
		fail_msg("%s: %s", error->name, error->message);
}

void assert_error(sd_bus_message *reply, const char *name)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	assert_non_null(error);
	assert_string_equal(error->name, name);
}

void bus_flush(struct bus_world *w)
{
	assert_ok(
		call(w, TIERD_BUS_MANAGER_PATH, "org.freedesktop.DBus.Peer", "Ping", ""));
}

sd_bus_message *get(struct bus_world *w, const char *path, const char *interface,
	const char *property)
{
	sd_bus_message *reply = call(w, path, "org.freedesktop.DBus.Properties", "Get",
		"ss", interface, property);

	assert_ok(reply);
	return reply;
}

uint64_t get_u64(struct bus_world *w, const char *path, const char *interface,
	const char *property)
{
	uint64_t value;

	assert_return_code(
		sd_bus_message_read(get(w, path, interface, property), "v", "t", &value),
		0);
	return value;
}

double get_double(struct bus_world *w, const char *path, const char *property)
{
	double value;

	assert_return_code(
		sd_bus_message_read(get(w, path, TIERD_BUS_GROUP_INTERFACE, property),
			"v", "d", &value),
		0);
	return value;
}

const char *get_string(struct bus_world *w, const char *path, const char *interface,
	const char *property)
{
	const char *value;

	assert_return_code(
		sd_bus_message_read(get(w, path, interface, property), "v", "s", &value),
		0);
	return value;
}
