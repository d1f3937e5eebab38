/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Token buckets, in nanoseconds. The table of clients is small: a new one takes the place
 * of the one that was not heard of for longest.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bus-limits.h"

/* While the total is used up, a client is served that has this left of its own. */
#define MODEST_NS (TIERD_BUS_CLIENT_SAVED_NS / 16 * 15)

static void refill(struct tierd_bus_budget *budget, unsigned share_percent,
	int64_t saved_ns, uint64_t now_ns)
{
	uint64_t elapsed_ns = now_ns - TIER_MIN(budget->time_ns, now_ns);
	uint64_t missing_ns = (uint64_t)(saved_ns - budget->ns);

	budget->time_ns = now_ns;
	if (elapsed_ns / 100 * share_percent >= missing_ns)
		budget->ns = saved_ns;
	else
		budget->ns += (int64_t)(elapsed_ns * share_percent / 100);
}

static struct tierd_bus_client *oldest(struct tierd_bus_limits *limits)
{
	struct tierd_bus_client *oldest = &limits->clients[0];

	for (size_t i = 1; i < limits->n_clients; i++)
		if (limits->clients[i].budget.time_ns < oldest->budget.time_ns)
			oldest = &limits->clients[i];
	return oldest;
}

static struct tierd_bus_client *find_client(
	struct tierd_bus_limits *limits, const char *sender, uint64_t now_ns)
{
	struct tierd_bus_client *client;

	for (size_t i = 0; i < limits->n_clients; i++)
		if (strncmp(limits->clients[i].sender, sender,
			    TIERD_BUS_SENDER_MAX - 1) == 0)
			return &limits->clients[i];
	if (limits->n_clients < TIERD_BUS_CLIENTS_MAX)
		client = &limits->clients[limits->n_clients++];
	else
		client = oldest(limits);
	snprintf(client->sender, sizeof(client->sender), "%s", sender);
	client->budget = (struct tierd_bus_budget){ TIERD_BUS_CLIENT_SAVED_NS, now_ns };
	return client;
}

static struct tierd_bus_client *look_up(
	struct tierd_bus_limits *limits, const char *sender, uint64_t now_ns)
{
	struct tierd_bus_client *client = find_client(limits, sender, now_ns);

	if (!limits->has_begun)
		limits->total =
			(struct tierd_bus_budget){ TIERD_BUS_TOTAL_SAVED_NS, now_ns };
	limits->has_begun = true;
	refill(&limits->total, TIERD_BUS_TOTAL_SHARE_PERCENT, TIERD_BUS_TOTAL_SAVED_NS,
		now_ns);
	/* Who goes on asking while there is nothing left saves nothing up. */
	if (limits->total.ns <= 0)
		client->budget.time_ns = now_ns;
	refill(&client->budget, TIERD_BUS_CLIENT_SHARE_PERCENT, TIERD_BUS_CLIENT_SAVED_NS,
		now_ns);
	return client;
}

bool tierd_bus_may_call(
	struct tierd_bus_limits *limits, const char *sender, uint64_t now_ns)
{
	const struct tierd_bus_client *client = look_up(limits, sender, now_ns);

	if (client->budget.ns <= 0)
		return false;
	return limits->total.ns > 0 || client->budget.ns >= MODEST_NS;
}

static void take(struct tierd_bus_budget *budget, uint64_t cost_ns, int64_t saved_ns)
{
	int64_t cost = (int64_t)TIER_MIN(cost_ns, (uint64_t)(2 * saved_ns));

	budget->ns = TIER_MAX(budget->ns - cost, -saved_ns);
}

void tierd_bus_charge(struct tierd_bus_limits *limits, const char *sender,
	uint64_t cost_ns, uint64_t now_ns)
{
	struct tierd_bus_client *client = look_up(limits, sender, now_ns);

	take(&client->budget, cost_ns, TIERD_BUS_CLIENT_SAVED_NS);
	take(&limits->total, cost_ns, TIERD_BUS_TOTAL_SAVED_NS);
}
