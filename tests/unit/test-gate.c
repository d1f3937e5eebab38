/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The law of the growth gate, its states, and when it gives up. */
#include "unit.h"

#include "base/util.h"
#include "enforce/gate.h"

#define MIB (UINT64_C(1) << 20)
#define MS  UINT64_C(1000000)
#define SEC (1000 * MS)

static struct tierd_gate_sample sample(uint64_t ms, uint64_t dram_mib, uint64_t all_mib)
{
	return (struct tierd_gate_sample){ .now_ns = 100 * SEC + ms * MS,
		.quota_bytes = 300 * MIB,
		.dram_bytes = dram_mib * MIB,
		.current_bytes = all_mib * MIB,
		.slack_bytes = 10 * MIB };
}

static bool see(struct tierd_gate *gate, uint64_t ms, uint64_t dram_mib, uint64_t all_mib)
{
	struct tierd_gate_sample seen = sample(ms, dram_mib, all_mib);

	return tierd_gate_update(gate, &seen);
}

static const struct {
	uint64_t dram_mib, all_mib;
	enum tierd_gate_state state;
	double high_mib;
} laws[] = {
	{ 100, 100, TIERD_GATE_OFF, 0 },
	{ 200, 200, TIERD_GATE_OPEN, 300 },  /* what the quota still allows */
	{ 200, 900, TIERD_GATE_OPEN, 1000 }, /* the same beside slow memory */
	{ 300, 900, TIERD_GATE_OPEN, 901 },  /* a little room for all that is not DRAM */
	{ 305, 1000, TIERD_GATE_CLOSED, 975 }, /* half of the slack: half the bite */
	{ 310, 1000, TIERD_GATE_CLOSED, 950 }, /* all of it */
	{ 500, 1000, TIERD_GATE_CLOSED, 950 }, /* and never more */
};

static void test_law(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(laws); i++) {
		struct tierd_gate gate = { 0 };
		double high_mib;

		see(&gate, 0, laws[i].dram_mib, laws[i].all_mib);
		high_mib = (double)gate.high_bytes / MIB;
		assert_int_equal(gate.state, laws[i].state);
		assert_true(high_mib > laws[i].high_mib - 0.01 &&
			    high_mib < laws[i].high_mib + 0.01);
		assert_int_equal(gate.high_bytes % 4096, 0);
	}
}

static void test_follows_in_steps(_unused_ void **state)
{
	struct tierd_gate_sample seen = sample(0, 200, 200);
	struct tierd_gate gate = { 0 };

	tierd_gate_update(&gate, &seen);
	assert_int_equal(gate.high_bytes, 300 * MIB);
	seen.current_bytes += MIB / 4;
	tierd_gate_update(&gate, &seen);
	assert_int_equal(gate.high_bytes, 300 * MIB);
	seen.current_bytes += MIB;
	tierd_gate_update(&gate, &seen);
	assert_int_equal(gate.high_bytes, 301 * MIB + MIB / 4);
}

static void test_gone_while_nothing_grows(_unused_ void **state)
{
	struct tierd_gate gate = { 0 };

	see(&gate, 0, 299, 800);
	assert_int_equal(gate.state, TIERD_GATE_OPEN);
	see(&gate, 4900, 300, 800);
	assert_true(tierd_gate_is_up(&gate));
	assert_true(see(&gate, 5100, 300, 800));
	assert_int_equal(gate.state, TIERD_GATE_WATCHING);
	assert_false(tierd_gate_is_up(&gate));

	/* Not for ever. */
	assert_true(see(&gate, 60000, 300, 802));
	assert_int_equal(gate.state, TIERD_GATE_OPEN);
}

/* What went down and comes up again is growth. */
static void test_shrinking_and_growing(_unused_ void **state)
{
	struct tierd_gate gate = { 0 };

	see(&gate, 0, 299, 800);
	see(&gate, 6000, 200, 500);
	assert_int_equal(gate.state, TIERD_GATE_WATCHING);
	see(&gate, 6100, 203, 503);
	assert_int_equal(gate.state, TIERD_GATE_OPEN);
}

static void test_off_has_a_band(_unused_ void **state)
{
	struct tierd_gate gate = { 0 };

	see(&gate, 0, 149, 149);
	assert_int_equal(gate.state, TIERD_GATE_OFF);
	see(&gate, 100, 151, 151);
	assert_int_equal(gate.state, TIERD_GATE_OPEN);
	see(&gate, 200, 130, 130);
	assert_int_equal(gate.state, TIERD_GATE_OPEN);
	see(&gate, 300, 100, 100);
	assert_int_equal(gate.state, TIERD_GATE_OFF);
}

static void test_opens_past_the_bound_of_reclaim(_unused_ void **state)
{
	struct tierd_gate_sample seen = sample(0, 305, 900);
	struct tierd_gate gate = { 0 };

	/* What was reclaimed before the gate is not its fault. */
	seen.reclaimed_bytes = 1000 * MIB;
	tierd_gate_update(&gate, &seen);
	seen.reclaimed_bytes += tierd_gate_reclaim_max(seen.quota_bytes);
	tierd_gate_update(&gate, &seen);
	assert_int_equal(gate.state, TIERD_GATE_CLOSED);
	seen.reclaimed_bytes += 4096;
	assert_true(tierd_gate_update(&gate, &seen));
	assert_int_equal(gate.state, TIERD_GATE_SUSPENDED);
	assert_int_equal(gate.reason, TIERD_GATE_REASON_RECLAIM);
	assert_int_equal(gate.n_suspended, 1);
	assert_int_equal(
		gate.reclaimed_bytes, tierd_gate_reclaim_max(seen.quota_bytes) + 4096);

	/* It counts no more, and comes back with a bound of its own. */
	seen.now_ns += 59 * SEC;
	seen.current_bytes += 100 * MIB;
	seen.reclaimed_bytes += 50 * MIB;
	tierd_gate_update(&gate, &seen);
	assert_int_equal(gate.state, TIERD_GATE_SUSPENDED);
	seen.now_ns += 2 * SEC;
	tierd_gate_update(&gate, &seen);
	assert_int_equal(gate.state, TIERD_GATE_CLOSED);
	assert_int_equal(gate.n_suspended, 1);
}

static void test_opens_when_nothing_helps(_unused_ void **state)
{
	struct tierd_gate gate = { 0 };
	uint64_t all_mib = 900;

	for (uint64_t ms = 0; ms <= 30000; ms += 1000)
		see(&gate, ms, 400, all_mib += 2);
	assert_int_equal(gate.state, TIERD_GATE_CLOSED);
	see(&gate, 31000, 400, all_mib + 2);
	assert_int_equal(gate.state, TIERD_GATE_SUSPENDED);
	assert_int_equal(gate.reason, TIERD_GATE_REASON_STUCK);
}

static void test_stays_while_the_excess_shrinks(_unused_ void **state)
{
	struct tierd_gate gate = { 0 };
	uint64_t all_mib = 900;

	for (uint64_t ms = 0; ms < 90000; ms += 1000)
		see(&gate, ms, 400 - ms / 1000, all_mib += 2);
	assert_int_equal(gate.state, TIERD_GATE_CLOSED);
	assert_int_equal(gate.n_closed, 1);
}

static void test_no_quota(_unused_ void **state)
{
	struct tierd_gate_sample seen = sample(0, 800, 900);
	struct tierd_gate gate = { 0 };

	seen.quota_bytes = UINT64_MAX;
	tierd_gate_update(&gate, &seen);
	assert_int_equal(gate.state, TIERD_GATE_OFF);
}

static void test_slack(_unused_ void **state)
{
	/* Not known yet, slow, as it goes, and fast: what a larger quota can bear. */
	assert_int_equal(tierd_gate_slack(300 * MIB, 0), 12 * MIB);
	assert_int_equal(tierd_gate_slack(300 * MIB, 1e6), 4 * MIB);
	assert_in_range(tierd_gate_slack(300 * MIB, 40000), 9 * MIB, 10 * MIB);
	assert_int_equal(tierd_gate_slack(300 * MIB, 1000), 12 * MIB);
	assert_int_equal(tierd_gate_slack(3200 * MIB, 1000), 100 * MIB);
	assert_int_equal(tierd_gate_reserve(800 * MIB, 12 * MIB), 36 * MIB);
	assert_int_equal(tierd_gate_reserve(80 * MIB, 12 * MIB), 10 * MIB);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_law),
		cmocka_unit_test(test_follows_in_steps),
		cmocka_unit_test(test_gone_while_nothing_grows),
		cmocka_unit_test(test_shrinking_and_growing),
		cmocka_unit_test(test_off_has_a_band),
		cmocka_unit_test(test_opens_past_the_bound_of_reclaim),
		cmocka_unit_test(test_opens_when_nothing_helps),
		cmocka_unit_test(test_stays_while_the_excess_shrinks),
		cmocka_unit_test(test_no_quota),
		cmocka_unit_test(test_slack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
