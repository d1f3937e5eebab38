/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ping: asks PID 1 over the bus for a sign of life twenty times a second and says, when
 * told to end (SIGTERM), how often it did and how many milliseconds the longest took.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define INTERVAL_NS  (50 * 1000 * 1000)
#define TIMEOUT_USEC (60 * UINT64_C(1000000))

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

static int ping(sd_bus *bus, uint64_t *ret_ms)
{
	uint64_t began_ms = now_ms();
	sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(bus, &message, "org.freedesktop.systemd1",
		"/org/freedesktop/systemd1", "org.freedesktop.DBus.Peer", "Ping");

	if (r >= 0)
		r = sd_bus_call(bus, message, TIMEOUT_USEC, NULL, NULL);
	sd_bus_message_unref(message);
	*ret_ms = now_ms() - began_ms;
	return r;
}

int main(void)
{
	const struct timespec interval = { .tv_nsec = INTERVAL_NS };
	const struct sigaction action = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	uint64_t n = 0, worst_ms = 0;
	sd_bus *bus = NULL;
	int r;

	sigaction(SIGTERM, &action, NULL);
	r = sd_bus_open_system(&bus);
	while (r >= 0 && !is_over) {
		uint64_t took_ms = 0;

		r = ping(bus, &took_ms);
		n++;
		if (took_ms > worst_ms)
			worst_ms = took_ms;
		nanosleep(&interval, NULL);
	}
	if (r == -EINTR && is_over)
		r = 0;
	if (r < 0)
		fprintf(stderr, "ping: %s\n", strerror(-r));
	printf("%" PRIu64 " %" PRIu64 "\n", n, worst_ms);
	sd_bus_flush_close_unref(bus);
	return r < 0;
}
