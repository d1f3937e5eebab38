/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much of tierd's time clients of the bus may take: each so much a second, with some
 * saved up, and all together no more than leaves the tick alone. When all together have
 * used up theirs, those go on being served that have asked for little. What a call has
 * cost is known afterwards, so a budget may be overdrawn by one call.
 */
#ifndef TIERD_BUS_LIMITS_H
#define TIERD_BUS_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIERD_BUS_CLIENTS_MAX 256

/* Of the time there is: for one client, and for all. */
#define TIERD_BUS_CLIENT_SHARE_PERCENT 10
#define TIERD_BUS_TOTAL_SHARE_PERCENT  20

/* At most so much is saved up, or owed. */
#define TIERD_BUS_CLIENT_SAVED_NS 500000000
#define TIERD_BUS_TOTAL_SAVED_NS  1000000000

#define TIERD_BUS_SENDER_MAX 32

struct tierd_bus_budget {
	int64_t ns; /* left; below 0: overdrawn */
	uint64_t time_ns;
};

struct tierd_bus_client {
	char sender[TIERD_BUS_SENDER_MAX]; /* unique name; "" is who has none */
	struct tierd_bus_budget budget;
};

/* All zero to begin with. */
struct tierd_bus_limits {
	struct tierd_bus_client clients[TIERD_BUS_CLIENTS_MAX];
	size_t n_clients;
	struct tierd_bus_budget total;
	bool has_begun;
};

bool tierd_bus_may_call(
	struct tierd_bus_limits *limits, const char *sender, uint64_t now_ns);
void tierd_bus_charge(struct tierd_bus_limits *limits, const char *sender,
	uint64_t cost_ns, uint64_t now_ns);

#endif
