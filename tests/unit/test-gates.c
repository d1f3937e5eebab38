/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens between ticks: the kernel's word that a group ran into its limit, looks at
 * those that are near their quota, ticks out of turn, and cgroups that are new.
 */
#include "unit.h"

#include <string.h>
#include <sys/stat.h>

#include "limits-world.h"
#include "manager-internal.h"

#define EVENTS LIMITS_CGROUPS LIMITS_GROUP "/memory.events"

struct world {
	struct limits_world limits;
	struct tierd_manager manager;
	struct tierd_group *groups[1];
};

static unsigned n_ticks, n_walks;

/* In place of tick.c and membership.c. */
void tierd_manager_tick(struct tierd_manager *manager)
{
	manager->ticked_ns = tierd_now_ns();
	n_ticks++;
}

void tierd_manager_look_for_groups(_unused_ struct tierd_manager *manager)
{
	n_walks++;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	n_ticks = n_walks = 0;
	limits_world_init(&world->limits);
	world->groups[0] = world->limits.group;
	world->manager.cgroups.fd = world->limits.cgroup_fd;
	world->manager.groups = world->groups;
	world->manager.n_groups = 1;
	world->manager.enforcer = world->limits.enforcer;
	assert_return_code(sd_event_new(&world->manager.event), 0);
	assert_return_code(tierd_gates_new(&world->manager, &world->manager.gates), 0);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	tierd_gates_free(world->manager.gates);
	sd_event_unref(world->manager.event);
	limits_world_done(&world->limits);
	free(world);
	return 0;
}

/* Lets the loop run until @ms have gone by and all that is due by then is done. */
static void run(struct world *world, uint64_t ms)
{
	uint64_t until_ns = tierd_now_ns() + ms * 1000000, now_ns;
	int n_dispatched;

	do {
		now_ns = tierd_now_ns();
		n_dispatched = sd_event_run(world->manager.event,
			now_ns < until_ns ? (until_ns - now_ns) / 1000 + 1 : 0);
		assert_return_code(n_dispatched, 0);
	} while (now_ns < until_ns || n_dispatched > 0);
	limits_pass(&world->limits, 100);
}

/* Lets the loop run until there were @n walks, and not one more soon after. */
static void run_to_walk(struct world *world, unsigned n)
{
	for (unsigned i = 0; n_walks < n && i < 100; i++)
		run(world, 100);
	run(world, 100);
	assert_int_equal(n_walks, n);
}

static void tick(struct world *world)
{
	tierd_manager_tick(&world->manager);
	tierd_gates_update(world->manager.gates, tierd_now_ns());
	n_ticks = 0;
}

static void assert_state(const struct world *world, enum tierd_gate_state state)
{
	assert_int_equal(tierd_group_gate_state(world->limits.group), state);
}

/* Written by the kernel when the group runs into memory.high. */
static void test_event(void **state)
{
	struct world *world = *state;

	limits_hold(&world->limits, 100, 0);
	tick(world);
	assert_state(world, TIERD_GATE_OFF);
	limits_hold(&world->limits, 320, 0);
	fake_root_write(&world->limits.fake, EVENTS, "high 1\n");
	run(world, 1);
	assert_state(world, TIERD_GATE_CLOSED);
	assert_true(limits_high_mib(&world->limits) < 320);
}

/* Who is far from the quota is looked at as often as it could come near. */
static void test_burst_from_afar(void **state)
{
	struct world *world = *state;

	limits_hold(&world->limits, 0, 0);
	tick(world);
	limits_hold(&world->limits, 320, 0);
	run(world, 120);
	assert_state(world, TIERD_GATE_CLOSED);
}

static void test_far_away(void **state)
{
	struct world *world = *state;

	world->limits.policy.dram_quota.value = UINT64_C(64) << 30;
	tierd_group_set_policy(world->limits.group, &world->limits.policy);
	limits_hold(&world->limits, 0, 0);
	tick(world);
	limits_hold(&world->limits, 65 << 10, 0);
	run(world, 120);
	assert_state(world, TIERD_GATE_OFF);
}

static void test_growth_is_seen_between_ticks(void **state)
{
	struct world *world = *state;

	limits_hold(&world->limits, 290, 0);
	tick(world);
	run(world, 1);
	assert_state(world, TIERD_GATE_OPEN);
	limits_hold(&world->limits, 310, 0);
	run(world, 120);
	assert_state(world, TIERD_GATE_CLOSED);
}

static void test_tick_out_of_turn(void **state)
{
	struct world *world = *state;

	limits_hold(&world->limits, 310, 0);
	tick(world);
	run(world, 120);
	assert_in_range(n_ticks, 1, 3);

	/* Somebody moves what is over the quota already. */
	world->limits.group->job = (struct tier_plan *)world; /* never looked into */
	n_ticks = 0;
	run(world, 120);
	assert_int_equal(n_ticks, 0);
	world->limits.group->job = NULL;

	/* Or nobody may yet. */
	world->limits.group->paused_until_ns = UINT64_MAX;
	run(world, 120);
	assert_int_equal(n_ticks, 0);
}

static void test_none_without_hard(void **state)
{
	struct world *world = *state;

	tierd_group_set_enforcement(world->limits.group, TIERD_ENFORCEMENT_SOFT);
	limits_hold(&world->limits, 310, 0);
	tick(world);
	fake_root_write(&world->limits.fake, EVENTS, "high 1\n");
	run(world, 120);
	assert_state(world, TIERD_GATE_OFF);
	assert_int_equal(n_ticks, 0);
	assert_int_equal(world->limits.n_writes, 0);
}

static void test_new_cgroup(void **state)
{
	struct tierd_policy policy = { .enforcement = TIERD_ENFORCEMENT_SOFT };
	struct tierd_policies policies = { .items = &policy, .n_items = 1 };
	struct world *world = *state;

	/* Nobody waits for those that come, unless growth is to be held up. */
	world->manager.policies = &policies;
	tierd_gates_watch_cgroups(world->manager.gates, "/pods");
	fake_root_mkdir(&world->limits.fake, LIMITS_CGROUPS "/pods/soft");
	run(world, 120);
	assert_int_equal(n_walks, 0);

	policy.enforcement = TIERD_ENFORCEMENT_HARD;
	tierd_gates_watch_cgroups(world->manager.gates, "/pods");
	run(world, 80);
	assert_int_equal(n_walks, 0);
	fake_root_mkdir(&world->limits.fake, LIMITS_CGROUPS "/pods/b");
	run_to_walk(world, 1);

	/* Many at once are one walk. */
	for (char name[] = LIMITS_CGROUPS "/pods/c"; name[strlen(name) - 1] < 'z';
		name[strlen(name) - 1]++)
		fake_root_mkdir(&world->limits.fake, name);
	run_to_walk(world, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_event),
		TEST(test_burst_from_afar),
		TEST(test_far_away),
		TEST(test_growth_is_seen_between_ticks),
		TEST(test_tick_out_of_turn),
		TEST(test_none_without_hard),
		TEST(test_new_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
