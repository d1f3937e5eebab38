/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group's policy held against the group: when memory.high is written and let go of,
 * that swap is held first, what a pause, another policy and somebody else's cgroup mean,
 * and when nodes are switched.
 */
#include "unit.h"

#include <string.h>

#include "limits-world.h"

#define UNIT "/system.slice/x.service/pay"

/* One look at what the group holds, and all that follows from it. */
static void look(
	struct limits_world *world, uint64_t ms, uint64_t dram_mib, uint64_t slow_mib)
{
	limits_hold(world, dram_mib, slow_mib);
	world->now_ns += ms * 1000000;
	tierd_group_update_gate(world->group, world->now_ns);
	limits_pass(world, 0);
}

/* ---- The gate ------------------------------------------------------------------ */

static void test_far_from_the_quota(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	look(&world, 100, 100, 0);
	assert_int_equal(world.n_writes, 0);
	assert_int_equal(tierd_group_plan_quota(world.group), 300 * LIMITS_MIB);
	limits_world_done(&world);
}

static void test_gate(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	look(&world, 100, 200, 100);
	assert_int_equal(limits_high_mib(&world), 400);
	assert_true(tierd_group_plan_quota(world.group) < 300 * LIMITS_MIB);
	look(&world, 100, 320, 200);
	assert_int_equal(limits_high_mib(&world), 494);
	assert_int_equal(world.group->gate.n_closed, 1);

	/* Nothing grows any more. */
	look(&world, 6000, 280, 240);
	assert_limit(&world, "memory.high", "max");
	assert_int_equal(tierd_journal_n_held(world.journal), 0);
	assert_int_equal(tierd_group_plan_quota(world.group), 300 * LIMITS_MIB);
	limits_world_done(&world);
}

static void test_swap_is_held_first(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	fake_root_write(&world.fake, "/proc/swaps", "Filename Type\n/swap file\n");
	look(&world, 100, 320, 100);
	assert_string_equal(world.last, "memory.swap.max=4096 ");
	look(&world, 100, 320, 100);
	assert_non_null(strstr(world.last, "memory.swap.max=4096 memory.high="));
	look(&world, 6000, 280, 140);
	assert_limit(&world, "memory.high", "max");
	assert_limit(&world, "memory.swap.max", "max");
	limits_world_done(&world);
}

static void test_no_gate_without_hard(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	look(&world, 100, 320, 100);
	assert_true(tierd_group_is_gated(world.group));
	world.policy.enforcement = TIERD_ENFORCEMENT_SOFT;
	limits_set_policy(&world);
	assert_false(tierd_group_is_gated(world.group));
	look(&world, 100, 330, 100);
	assert_limit(&world, "memory.high", "max");
	look(&world, 100, 340, 100);
	assert_limit(&world, "memory.high", "max");
	limits_world_done(&world);
}

static void test_no_gate_while_paused(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	look(&world, 100, 320, 100);
	world.context.is_paused = true;
	look(&world, 100, 330, 100);
	assert_limit(&world, "memory.high", "max");
	assert_false(tierd_group_is_waiting(world.group, world.now_ns));
	world.context.is_paused = false;
	look(&world, 100, 340, 100);
	assert_true(limits_high_mib(&world) < 440);
	limits_world_done(&world);
}

static void test_released(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	look(&world, 100, 320, 100);
	tierd_group_release(world.group);
	limits_pass(&world, 100);
	assert_limit(&world, "memory.high", "max");
	look(&world, 100, 340, 100);
	assert_limit(&world, "memory.high", "max");
	limits_world_done(&world);
}

/* Below a unit that is not delegated. */
static void test_hands_off(_unused_ void **state)
{
	struct limits_world world;
	struct tierd_cgroup_root cgroups;
	struct tierd_cgroup *cgroup;
	struct tierd_group *group;

	limits_world_init(&world);
	limits_make_cgroup(&world, UNIT);
	cgroups.fd = world.cgroup_fd;
	assert_return_code(tierd_cgroup_open(&cgroups, UNIT, &cgroup), 0);
	assert_return_code(
		tierd_group_new(&world.context, cgroup, &world.policy, &group), 0);
	tierd_group_update_gate(group, world.now_ns);
	assert_false(tierd_group_is_gated(group));
	assert_int_equal(world.n_writes, 0);
	tierd_group_free(group);
	limits_world_done(&world);
}

/* ---- Waiting for a plan -------------------------------------------------------- */

static void test_waiting(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	look(&world, 100, 200, 0);
	assert_false(tierd_group_is_waiting(world.group, world.now_ns));
	look(&world, 100, 299, 0); /* within the quota, not within what plans go by */
	assert_true(tierd_group_is_waiting(world.group, world.now_ns));
	world.group->job = (struct tier_plan *)&world; /* never looked into */
	assert_false(tierd_group_is_waiting(world.group, world.now_ns));
	world.group->job = NULL;

	/* No plan comes before the bandwidth allows one. */
	world.group->paused_until_ns = world.now_ns + 1;
	assert_false(tierd_group_is_waiting(world.group, world.now_ns));
	assert_true(tierd_group_is_waiting(world.group, world.now_ns + 1));
	limits_world_done(&world);
}

/* ---- Placement ----------------------------------------------------------------- */

static void place(struct limits_world *world, enum tierd_placement placement)
{
	world->policy.placement = placement;
	limits_set_policy(world);
}

static void update(struct limits_world *world, uint64_t room_mib)
{
	tierd_group_update_placement(world->group, room_mib * LIMITS_MIB);
	limits_pass(world, 100);
}

static void test_slow_comes_last(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	place(&world, TIERD_PLACEMENT_SLOW);
	assert_int_equal(tierd_group_plan_quota(world.group), 0);
	limits_hold(&world, 100, 100);
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "");
	limits_hold(&world, 1, 199);
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "1");
	update(&world, 500);
	assert_int_equal(world.n_writes, 1);
	limits_world_done(&world);
}

static void test_no_quota_is_slow(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	limits_hold(&world, 0, 100);
	assert_return_code(tierd_group_set_quota(world.group, 0), 0);
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "1");
	assert_return_code(tierd_group_set_quota(world.group, 300 * LIMITS_MIB), 0);
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "");
	limits_world_done(&world);
}

static void test_dram_if_it_fits(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	place(&world, TIERD_PLACEMENT_DRAM);
	limits_hold(&world, 300, 1); /* more than the quota */
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "");
	assert_true(world.group->is_dram_refused);
	limits_hold(&world, 100, 100); /* more than there is room for */
	update(&world, 50);
	assert_true(world.group->is_dram_refused);
	update(&world, 150); /* now it fits, and is brought over first */
	assert_false(world.group->is_dram_refused);
	assert_limit(&world, "cpuset.mems", "");
	limits_hold(&world, 200, 0);
	update(&world, 150);
	assert_limit(&world, "cpuset.mems", "0");
	limits_world_done(&world);
}

/* The old nodes would refuse what is moved. */
static void test_from_one_to_the_other(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	place(&world, TIERD_PLACEMENT_SLOW);
	limits_hold(&world, 0, 100);
	update(&world, 500);
	place(&world, TIERD_PLACEMENT_DRAM);
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "");
	limits_hold(&world, 100, 0);
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "0");
	place(&world, TIERD_PLACEMENT_TIERED);
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "");
	limits_world_done(&world);
}

static void test_placement_is_paused(_unused_ void **state)
{
	struct limits_world world;

	limits_world_init(&world);
	place(&world, TIERD_PLACEMENT_SLOW);
	limits_hold(&world, 0, 100);
	world.context.is_paused = true;
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "");
	world.context.is_paused = false;
	world.policy.enforcement = TIERD_ENFORCEMENT_ADVISE;
	limits_set_policy(&world);
	update(&world, 500);
	assert_limit(&world, "cpuset.mems", "");
	assert_int_equal(world.n_writes, 0);
	limits_world_done(&world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_far_from_the_quota),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_swap_is_held_first),
		cmocka_unit_test(test_no_gate_without_hard),
		cmocka_unit_test(test_no_gate_while_paused),
		cmocka_unit_test(test_released),
		cmocka_unit_test(test_hands_off),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_slow_comes_last),
		cmocka_unit_test(test_no_quota_is_slow),
		cmocka_unit_test(test_dram_if_it_fits),
		cmocka_unit_test(test_from_one_to_the_other),
		cmocka_unit_test(test_placement_is_paused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
