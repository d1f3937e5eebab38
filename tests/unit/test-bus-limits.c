/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shares of time: one client's, all clients' together, and a table that is too small. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "bus-limits.h"

#define MS  UINT64_C(1000000)
#define SEC (1000 * MS)

/* Calls that cost so much each, as often as allowed within the time; how many were. */
static unsigned flood(struct tierd_bus_limits *limits, const char *sender,
	uint64_t cost_ns, uint64_t from_ns, uint64_t to_ns)
{
	unsigned n = 0;

	for (uint64_t now_ns = from_ns; now_ns < to_ns; now_ns += MS) {
		if (!tierd_bus_may_call(limits, sender, now_ns))
			continue;
		tierd_bus_charge(limits, sender, cost_ns, now_ns);
		n++;
	}
	return n;
}

static void test_one_client(_unused_ void **state)
{
	static struct tierd_bus_limits limits;
	unsigned n;

	memset(&limits, 0, sizeof(limits));
	/* What was saved up, and a tenth of ten seconds. */
	n = flood(&limits, ":1.1", MS, 5 * SEC, 15 * SEC);
	assert_in_range(n, 1495, 1505);
	/* Nothing but its share is left, … */
	n = flood(&limits, ":1.1", MS, 15 * SEC, 16 * SEC);
	assert_in_range(n, 95, 105);
	/* … which others do not suffer from, … */
	assert_true(tierd_bus_may_call(&limits, ":1.2", 16 * SEC));
	/* … and which comes back. */
	assert_true(tierd_bus_may_call(&limits, ":1.1", 26 * SEC));
	n = flood(&limits, ":1.1", MS, 26 * SEC, 27 * SEC);
	assert_in_range(n, 595, 605);
}

static void test_debt_is_bounded(_unused_ void **state)
{
	static struct tierd_bus_limits limits;

	memset(&limits, 0, sizeof(limits));
	tierd_bus_charge(&limits, ":1.1", UINT64_MAX, SEC);
	assert_false(tierd_bus_may_call(&limits, ":1.1", SEC + MS));
	assert_true(tierd_bus_may_call(&limits, ":1.1", 7 * SEC));
}

static void test_all_clients(_unused_ void **state)
{
	static struct tierd_bus_limits limits;
	uint64_t spent_ns = 0;
	char sender[32];

	memset(&limits, 0, sizeof(limits));
	for (uint64_t now_ns = SEC; now_ns < 11 * SEC; now_ns += MS)
		for (unsigned i = 0; i < 64; i++) {
			snprintf(sender, sizeof(sender), ":1.%u", i);
			if (!tierd_bus_may_call(&limits, sender, now_ns))
				continue;
			tierd_bus_charge(&limits, sender, MS / 10, now_ns);
			spent_ns += MS / 10;
		}
	/* A fifth of the time, what was saved up, and a little of everybody's own. */
	assert_in_range(spent_ns, 3 * SEC, 3 * SEC + 64 * 32 * MS);
	/* Whoever asks for the first time is served. */
	assert_true(tierd_bus_may_call(&limits, ":1.999", 11 * SEC));
	/* Whoever went on asking waits for the rest. */
	tierd_bus_charge(&limits, ":1.63", 10 * SEC, 11 * SEC);
	assert_false(tierd_bus_may_call(&limits, ":1.0", 11 * SEC));
}

static void test_table_is_full(_unused_ void **state)
{
	static struct tierd_bus_limits limits;
	char sender[32];

	memset(&limits, 0, sizeof(limits));
	tierd_bus_charge(&limits, ":2.0", 10 * SEC, SEC);
	for (unsigned i = 0; i < TIERD_BUS_CLIENTS_MAX - 1; i++) {
		snprintf(sender, sizeof(sender), ":1.%u", i);
		tierd_bus_charge(&limits, sender, 0, SEC + 1 + i);
	}
	assert_false(tierd_bus_may_call(&limits, ":2.0", 2 * SEC));
	for (unsigned i = 0; i < 3; i++) {
		snprintf(sender, sizeof(sender), ":3.%u", i);
		assert_true(tierd_bus_may_call(&limits, sender, 2 * SEC + 1));
	}
	/* It was heard of last, so others were forgotten. */
	assert_false(tierd_bus_may_call(&limits, ":2.0", 2 * SEC + 2));
	assert_int_equal(limits.n_clients, TIERD_BUS_CLIENTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_client),
		cmocka_unit_test(test_debt_is_bounded),
		cmocka_unit_test(test_all_clients),
		cmocka_unit_test(test_table_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
