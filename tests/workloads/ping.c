/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping: asks PID 1 over the bus for a sign of life twenty times a second, and at the same
 * moment a service that nobody else wants anything of. When told to end (SIGTERM) it says
 * how often it did and how many milliseconds the longest answer took of each: what keeps
 * both waiting is the machine, not PID 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define INTERVAL_NS  (50 * 1000 * 1000)
#define TIMEOUT_USEC (60 * UINT64_C(1000000))

struct service {
	const char *name;
	const char *path;
	uint64_t asked_ms;
	uint64_t worst_ms;
	bool is_asked;
	int error;
};

static volatile sig_atomic_t is_over;

static void on_signal(int signal)
{
	(void)signal;
	is_over = 1;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct service *service = userdata;
	uint64_t took_ms = now_ms() - service->asked_ms;

	(void)error;
	service->is_asked = false;
	service->error = -sd_bus_message_get_errno(message);
	if (took_ms > service->worst_ms)
		service->worst_ms = took_ms;
	return 0;
}

static int ask(sd_bus *bus, struct service *service)
{
	sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(bus, &message, service->name,
		service->path, "org.freedesktop.DBus.Peer", "Ping");

	service->asked_ms = now_ms();
	service->is_asked = true;
	if (r >= 0)
		r = sd_bus_call_async(
			bus, NULL, message, on_answer, service, TIMEOUT_USEC);
	sd_bus_message_unref(message);
	return r;
}

static bool is_complete(const struct service *services, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (services[i].is_asked)
			return false;
	return true;
}

/* Asks all, and returns when all have answered. */
static int ping(sd_bus *bus, struct service *services, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = ask(bus, &services[i]);
	while (r >= 0 && !is_complete(services, n)) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
		if (r == -EINTR)
			r = 0;
	}
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = services[i].error;
	return r;
}

int main(void)
{
	const struct timespec interval = { .tv_nsec = INTERVAL_NS };
	const struct sigaction action = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	struct service services[] = {
		{ "org.freedesktop.systemd1", "/org/freedesktop/systemd1" },
		{ "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority" },
	};
	sd_bus *bus = NULL;
	uint64_t n = 0;
	int r;

	sigaction(SIGTERM, &action, NULL);
	r = sd_bus_open_system(&bus);
	/* The first may have to be started. */
	if (r >= 0)
		r = ping(bus, &services[1], 1);
	services[1].worst_ms = 0;
	for (; r >= 0 && !is_over; n++) {
		r = ping(bus, services, 2);
		nanosleep(&interval, NULL);
	}
	if (r < 0)
		fprintf(stderr, "ping: %s\n", strerror(-r));
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", n, services[0].worst_ms,
		services[1].worst_ms);
	sd_bus_flush_close_unref(bus);
	return r < 0;
}
