/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bus-flood: many clients that ask tierd as much as they can, each by a connection of its
 * own that always has a few calls under way. After SECONDS, or told to by SIGTERM, it
 * says, as JSON, what became of the calls.
 *
 *   bus-flood CLIENTS SECONDS
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define SERVICE     "org.tierd.Tierd1"
#define PATH        "/org/tierd/Tierd1"
#define UNDER_WAY   8
#define CLIENTS_MAX 1024

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct flood;

struct client {
	struct flood *flood;
	sd_bus *bus;
	unsigned n_calls;
};

struct flood {
	sd_event *event;
	struct client clients[CLIENTS_MAX];
	unsigned n_clients;
	unsigned long answered, refused, failed;
};

static const struct {
	const char *interface;
	const char *member;
} calls[] = {
	{ "org.freedesktop.DBus.ObjectManager", "GetManagedObjects" },
	{ "org.tierd.Tierd1.Manager", "ListGroups" },
	{ "org.freedesktop.DBus.Introspectable", "Introspect" },
	{ "org.tierd.Tierd1.Manager", "Reload" },
};

static int ask(struct client *client);

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct client *client = userdata;
	struct flood *flood = client->flood;

	(void)error;
	if (!sd_bus_message_is_method_error(reply, NULL))
		flood->answered++;
	else if (sd_bus_message_is_method_error(
			 reply, "org.tierd.Tierd1.Error.LimitExceeded"))
		flood->refused++;
	else
		flood->failed++;
	return ask(client);
}

static int ask(struct client *client)
{
	unsigned which = client->n_calls++ % ARRAY_SIZE(calls);

	return sd_bus_call_method_async(client->bus, NULL, SERVICE, PATH,
		calls[which].interface, calls[which].member, on_reply, client, NULL);
}

static int start_client(struct flood *flood)
{
	struct client *client = &flood->clients[flood->n_clients];
	int r;

	client->flood = flood;
	r = sd_bus_open_system(&client->bus);
	if (r < 0)
		return r;
	flood->n_clients++;
	r = sd_bus_attach_event(client->bus, flood->event, 0);
	for (unsigned i = 0; r >= 0 && i < UNDER_WAY; i++)
		r = ask(client);
	return r;
}

static int run(struct flood *flood, unsigned n_clients, unsigned seconds)
{
	sigset_t end;
	int r;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &end, NULL) < 0)
		return -errno;
	r = sd_event_new(&flood->event);
	if (r < 0)
		return r;
	r = sd_event_add_signal(flood->event, NULL, SIGTERM, NULL, NULL);
	if (r < 0)
		return r;
	while (flood->n_clients < n_clients) {
		r = start_client(flood);
		if (r < 0)
			return r;
	}
	r = sd_event_add_time_relative(flood->event, NULL, CLOCK_MONOTONIC,
		(uint64_t)seconds * 1000000, 0, NULL, NULL);
	if (r < 0)
		return r;
	return sd_event_loop(flood->event);
}

int main(int argc, char **argv)
{
	static struct flood flood;
	unsigned n_clients, seconds;
	int r;

	if (argc != 3 || sscanf(argv[1], "%u", &n_clients) != 1 ||
		sscanf(argv[2], "%u", &seconds) != 1 || n_clients > CLIENTS_MAX) {
		fprintf(stderr, "usage: bus-flood CLIENTS SECONDS\n");
		return 64;
	}
	r = run(&flood, n_clients, seconds);
	if (r < 0) {
		fprintf(stderr, "bus-flood: %s\n", strerror(-r));
		return EXIT_FAILURE;
	}
	printf("{\"clients\":%u,\"answered\":%lu,\"refused\":%lu,\"failed\":%lu}\n",
		flood.n_clients, flood.answered, flood.refused, flood.failed);
	return EXIT_SUCCESS;
}
