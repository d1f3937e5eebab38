/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups: what becomes of one whose policy names another engine, and what it says of
 * itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "fake-root.h"
#include "group-internal.h"

#define ADDRESS (UINT64_C(0x7f00) << TIER_BLOCK_SHIFT)

static const struct tierd_topology topology = { .n_tiers = 2 };

struct fixture {
	struct tierd_root root;
	struct tierd_group_context context;
	struct tierd_policy policy;
	struct tierd_group *group;
};

/* A group of one process, this one, and of one block. */
static void setup(struct fixture *fixture)
{
	struct tier_residency residency = { 0 };
	pid_t pid = getpid();

	assert_int_equal(tierd_root_open("/", &fixture->root), 0);
	fixture->context = (struct tierd_group_context){
		.root = &fixture->root,
		.topology = &topology,
		.dram_total_bytes = UINT64_C(1) << 30,
		.bandwidth_max_bytes = UINT64_MAX,
	};
	tierd_policy_defaults(&fixture->policy);
	assert_int_equal(tierd_group_new(&fixture->context, NULL, &fixture->policy,
				 &fixture->group),
		0);
	assert_int_equal(tierd_group_set_processes(fixture->group, &pid, 1), 0);
	assert_int_equal(tierd_group_n_spaces(fixture->group), 1);
	tier_residency_add(&residency, 0, 1);
	assert_int_equal(
		tier_group_set_residency(tierd_group_heat(fixture->group),
			tierd_group_space(fixture->group, 0)->id, ADDRESS, &residency),
		0);
	tierd_group_space(fixture->group, 0)->passes = 1;
	fixture->group->is_swept = true;
}

static void teardown(struct fixture *fixture)
{
	tierd_group_free(fixture->group);
	tierd_root_close(&fixture->root);
}

static uint64_t count_blocks(struct tierd_group *group)
{
	struct tier_group_stats stats;

	tier_group_get_stats(tierd_group_heat(group), &stats);
	return stats.blocks;
}

static void test_same_engine_keeps_all(_unused_ void **state)
{
	struct fixture fixture;
	struct tier_group *heat;

	setup(&fixture);
	heat = tierd_group_heat(fixture.group);
	fixture.policy.dram_quota = (struct tierd_amount){ TIERD_AMOUNT_BYTES, 4096 };
	tierd_group_set_policy(fixture.group, &fixture.policy);
	assert_ptr_equal(tierd_group_heat(fixture.group), heat);
	assert_int_equal(count_blocks(fixture.group), 1);
	assert_true(tierd_group_is_swept(fixture.group));
	teardown(&fixture);
}

static void test_other_engine_begins_anew(_unused_ void **state)
{
	struct tier_memtis_state memtis;
	struct fixture fixture;
	struct tierd_space *space;
	uint64_t id;

	setup(&fixture);
	space = tierd_group_space(fixture.group, 0);
	id = space->id;
	tierd_group_sample(fixture.group, space, ADDRESS, false);
	fixture.policy.engine = TIER_ENGINE_MEMTIS;
	tierd_group_set_policy(fixture.group, &fixture.policy);
	assert_int_equal(
		tier_group_get_memtis_state(tierd_group_heat(fixture.group), &memtis), 0);
	assert_int_equal(count_blocks(fixture.group), 0);
	assert_false(tierd_group_is_swept(fixture.group));
	/* The space is swept from its beginning, as one that was never seen. */
	assert_int_equal(space->passes, 0);
	assert_int_not_equal(space->id, id);
	/* A sample of before is not counted, and asks for no look at what it meant. */
	tierd_group_feed(fixture.group);
	assert_int_equal(fixture.group->n_looks, 0);
	assert_int_equal(fixture.group->policy.engine, TIER_ENGINE_MEMTIS);
	teardown(&fixture);
}

static void test_engine_of_the_first_policy(_unused_ void **state)
{
	struct tier_memtis_state memtis;
	struct tierd_group *group;
	struct fixture fixture;

	setup(&fixture);
	fixture.policy.engine = TIER_ENGINE_MEMTIS;
	assert_int_equal(
		tierd_group_new(&fixture.context, NULL, &fixture.policy, &group), 0);
	assert_int_equal(
		tier_group_get_memtis_state(tierd_group_heat(group), &memtis), 0);
	tierd_group_free(group);
	teardown(&fixture);
}

/* Over its quota a group is swept in a hurry only for want of something to demote. */
static void test_hurries_for_want_of_pages(_unused_ void **state)
{
	struct tier_residency residency = { 0 };
	struct fixture fixture;

	setup(&fixture);
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		tier_residency_add(&residency, page, 0);
	fixture.policy.dram_quota =
		(struct tierd_amount){ TIERD_AMOUNT_BYTES, 40 * TIER_BLOCK_SIZE };
	tierd_group_set_policy(fixture.group, &fixture.policy);
	fixture.group->dram_bytes = 40 * TIER_BLOCK_SIZE;
	assert_false(tierd_group_wants_sweep(fixture.group));
	fixture.group->dram_bytes = 50 * TIER_BLOCK_SIZE;
	assert_true(tierd_group_wants_sweep(fixture.group));
	for (uint64_t i = 0; i < 26; i++)
		assert_return_code(
			tier_group_set_residency(tierd_group_heat(fixture.group),
				tierd_group_space(fixture.group, 0)->id,
				ADDRESS + i * TIER_BLOCK_SIZE, &residency),
			0);
	assert_false(tierd_group_wants_sweep(fixture.group));
	teardown(&fixture);
}

static bool has_hold(struct tierd_group *group, const char *word)
{
	struct tierd_group_explanation explanation;
	bool has = false;

	assert_int_equal(tierd_group_explain(group, &explanation), 0);
	for (size_t i = 0; i < explanation.n_holds; i++)
		has |= strcmp(explanation.holds[i].word, word) == 0;
	return has;
}

/* Until its pages were watched for a while, what is decided is said to rest on little. */
static void test_says_that_coverage_is_poor(_unused_ void **state)
{
	const uint64_t room_bytes[TIER_TIERS_MAX] = { 0 };
	struct fixture fixture;
	struct tier_plan *plan;

	setup(&fixture);
	fixture.group->dram_bytes = 4096;
	assert_int_equal(
		tierd_group_plan(fixture.group, TIERD_NSEC, room_bytes, 0, &plan), 0);
	tier_plan_free(plan);
	assert_true(has_hold(fixture.group, "poor-coverage"));
	for (uint64_t i = 1; i <= 100; i++) {
		tierd_group_sample(fixture.group, tierd_group_space(fixture.group, 0),
			ADDRESS, false);
		tierd_group_feed(fixture.group);
		tierd_group_advance(fixture.group, i * TIERD_NSEC, 1);
	}
	assert_int_equal(
		tierd_group_plan(fixture.group, 101 * TIERD_NSEC, room_bytes, 0, &plan),
		0);
	tier_plan_free(plan);
	assert_false(has_hold(fixture.group, "poor-coverage"));
	teardown(&fixture);
}

static uint64_t samples_of_use_after(
	const struct fixture *fixture, uint64_t busy_ns, uint64_t idle_s)
{
	return tierd_group_samples_of_use(
		fixture->group, 100, 4000, busy_ns + idle_s * TIERD_NSEC);
}

static void set_block(const struct fixture *fixture, uint64_t block,
	const struct tier_residency *residency)
{
	assert_int_equal(tier_group_set_residency(tierd_group_heat(fixture->group),
				 tierd_group_space(fixture->group, 0)->id,
				 ADDRESS + (block << TIER_BLOCK_SHIFT), residency),
		0);
}

/* In the next block. */
static void add_fast_page(const struct fixture *fixture)
{
	struct tier_residency residency = { 0 };

	tier_residency_add(&residency, 0, 0);
	set_block(fixture, 1, &residency);
}

static struct tier_plan *plan_with_room(const struct fixture *fixture, uint64_t now_ns)
{
	const uint64_t room_bytes[TIER_TIERS_MAX] = { UINT64_C(1) << 30, UINT64_C(1)
										 << 30 };
	struct tier_plan *plan;

	assert_int_equal(
		tierd_group_plan(fixture->group, now_ns, room_bytes, 0, &plan), 0);
	return plan;
}

static size_t count_moves(struct tier_plan *plan)
{
	size_t n;

	if (!plan)
		return 0;
	tier_plan_moves(plan, &n);
	tier_plan_free(plan);
	return n;
}

static int refuse(_unused_ void *userdata, _unused_ pid_t pid, size_t n,
	_unused_ void *const *pages, _unused_ const int *nodes, int *status)
{
	for (size_t i = 0; i < n; i++)
		status[i] = -ENOMEM;
	return 0;
}

/* Has the plan carried out by a kernel that has no memory for it. */
static void fail_job(
	const struct fixture *fixture, struct tier_plan *plan, uint64_t now_ns)
{
	static const struct tier_migrator_ops ops = { .move = refuse };
	static const int nodes[TIER_TIERS_MAX] = { 0, 1 };
	struct tier_migrator *migrator;
	struct tier_job *job;
	struct pollfd poll_fd;

	assert_int_equal(tier_migrator_new(&ops, NULL, nodes, 2, &migrator), 0);
	assert_int_equal(tierd_group_submit(fixture->group, migrator, plan, nodes), 0);
	poll_fd = (struct pollfd){ tier_migrator_get_fd(migrator), POLLIN, 0 };
	assert_int_equal(poll(&poll_fd, 1, 60000), 1);
	job = tier_migrator_take(migrator);
	assert_non_null(job);
	tierd_group_complete(fixture->group, job, now_ns);
	tier_job_free(job);
	tier_migrator_free(migrator);
}

/* All CPUs are interrupted for many pages together, not for each. */
static void test_few_moves_wait_for_others(_unused_ void **state)
{
	const uint64_t now_ns = tierd_now_ns();
	const uint64_t s = TIERD_NSEC;
	const struct tier_residency gone = { 0 };
	struct tier_residency slow = { 0 };
	struct fixture fixture;

	setup(&fixture);
	add_fast_page(&fixture);
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		tier_residency_add(&slow, page, 1);
	fixture.policy.dram_quota = (struct tierd_amount){ TIERD_AMOUNT_BYTES, 1 << 30 };
	tierd_group_set_policy(fixture.group, &fixture.policy);
	fail_job(&fixture, plan_with_room(&fixture, now_ns), now_ns);

	/* While it is not settled it has no time to wait. */
	assert_int_equal(count_moves(plan_with_room(&fixture, now_ns + s)), 1);
	fixture.group->busy_since_ns = now_ns - 6 * s;
	assert_int_equal(count_moves(plan_with_room(&fixture, now_ns + 2 * s)), 0);
	assert_true(has_hold(fixture.group, "gathering"));

	/* What other engines have planned once they do not plan again. */
	fixture.group->policy.engine = TIER_ENGINE_TPP;
	assert_int_equal(count_moves(plan_with_room(&fixture, now_ns + 2 * s)), 1);
	fixture.group->policy.engine = TIER_ENGINE_RANK;

	/* Many need not wait, nor does what is but a part of more. */
	fixture.context.tick_ns = s;
	for (uint64_t block = 2; block < 6; block++)
		set_block(&fixture, block, &slow);
	assert_in_range(
		count_moves(plan_with_room(&fixture, now_ns + 3 * s)), 2048, 2049);
	assert_false(has_hold(fixture.group, "gathering"));
	fixture.group->budget_pages = 512;
	assert_int_equal(count_moves(plan_with_room(&fixture, now_ns + 3 * s)), 512);
	assert_false(has_hold(fixture.group, "gathering"));
	for (uint64_t block = 2; block < 6; block++)
		set_block(&fixture, block, &gone);

	/* A quota is kept at once. */
	fixture.group->dram_bytes = (UINT64_C(1) << 30) + 4096;
	assert_int_equal(count_moves(plan_with_room(&fixture, now_ns + 3 * s)), 1);
	assert_false(has_hold(fixture.group, "gathering"));
	fixture.group->dram_bytes = 0;
	assert_int_equal(count_moves(plan_with_room(&fixture, now_ns + 11 * s)), 1);
	assert_int_equal(count_moves(plan_with_room(&fixture, now_ns + 12 * s)), 1);
	teardown(&fixture);
}

/* The more is in doubt the more samples are of use, unless nobody could follow. */
static void test_samples_of_use(_unused_ void **state)
{
	const uint64_t room_bytes[TIER_TIERS_MAX] = { 0 };
	const uint64_t now_ns = 200 * TIERD_NSEC;
	struct fixture fixture;
	struct tier_plan *plan;

	setup(&fixture);
	fixture.group->busy_since_ns = now_ns;
	assert_int_equal(
		tierd_group_samples_of_use(fixture.group, 100, 4000, now_ns), 4000);
	fixture.group->has_backlog = true;
	assert_int_equal(
		tierd_group_samples_of_use(fixture.group, 100, 4000, now_ns), 1000);
	assert_int_equal(
		tierd_group_samples_of_use(fixture.group, 3000, 4000, now_ns), 3000);
	fixture.group->has_backlog = false;

	/* Where nothing moves there is less and less to hope for. */
	fixture.group->is_swept = true;
	assert_int_equal(samples_of_use_after(&fixture, now_ns, 4), 4000);
	assert_int_equal(samples_of_use_after(&fixture, now_ns, 6), 2000);
	assert_int_equal(samples_of_use_after(&fixture, now_ns, 16), 500);
	assert_int_equal(samples_of_use_after(&fixture, now_ns, 60), 100);

	/* All of it has a place in DRAM: nothing is in doubt. */
	assert_int_equal(
		tierd_group_plan(fixture.group, now_ns, room_bytes, 0, &plan), 0);
	tier_plan_free(plan);
	assert_int_equal(
		tierd_group_samples_of_use(fixture.group, 100, 4000, now_ns), 100);
	teardown(&fixture);
}

static void add_blocks(const struct fixture *fixture, uint64_t n)
{
	struct tier_residency residency = { 0 };

	tier_residency_add(&residency, 0, 1);
	for (uint64_t i = 1; i <= n; i++)
		set_block(fixture, i, &residency);
}

static void test_much_memory_is_kept_known(_unused_ void **state)
{
	const uint64_t now_ns = 200 * TIERD_NSEC;
	struct fixture fixture;

	setup(&fixture);
	fixture.group->busy_since_ns = now_ns;
	add_blocks(&fixture, 45000);
	assert_int_equal(samples_of_use_after(&fixture, now_ns, 100), 300);
	teardown(&fixture);
}

static void test_little_memory_is_soon_known(_unused_ void **state)
{
	const uint64_t now_ns = 200 * TIERD_NSEC;
	struct tier_group_stats stats;
	struct fixture fixture;

	setup(&fixture);
	assert_int_equal(
		tierd_group_samples_of_use(fixture.group, 100, 20000, now_ns), 5000);
	add_blocks(&fixture, 1000);
	tier_group_get_stats(tierd_group_heat(fixture.group), &stats);
	assert_int_equal(tierd_group_samples_of_use(fixture.group, 100, 20000, now_ns),
		10 * stats.blocks);
	assert_int_equal(
		tierd_group_samples_of_use(fixture.group, 15000, 20000, now_ns), 15000);
	add_blocks(&fixture, 3000);
	assert_int_equal(
		tierd_group_samples_of_use(fixture.group, 100, 20000, now_ns), 20000);
	teardown(&fixture);
}

/* So many samples of one block, and a tick. */
static void see(
	const struct fixture *fixture, uint64_t block, unsigned n, uint64_t now_ns)
{
	for (unsigned i = 0; i < n; i++)
		tierd_group_sample(fixture->group, tierd_group_space(fixture->group, 0),
			ADDRESS + (block << TIER_BLOCK_SHIFT), false);
	tierd_group_feed(fixture->group);
	tierd_group_advance(fixture->group, now_ns, 1);
}

static void test_wakes_up_when_accesses_move(_unused_ void **state)
{
	struct fixture fixture;
	uint64_t now_ns;

	setup(&fixture);
	add_fast_page(&fixture);
	fixture.group->busy_since_ns = TIERD_NSEC;
	for (now_ns = TIERD_NSEC; now_ns < 60 * TIERD_NSEC; now_ns += TIERD_NSEC)
		see(&fixture, 1, 256, now_ns);
	assert_true(tierd_group_is_settled(fixture.group, now_ns));
	for (unsigned i = 0; i < 3; i++, now_ns += TIERD_NSEC)
		see(&fixture, 0, 256, now_ns);
	assert_false(tierd_group_is_settled(fixture.group, now_ns));
	assert_int_equal(samples_of_use_after(&fixture, now_ns, 0), 4000);
	teardown(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_engine_keeps_all),
		cmocka_unit_test(test_other_engine_begins_anew),
		cmocka_unit_test(test_engine_of_the_first_policy),
		cmocka_unit_test(test_hurries_for_want_of_pages),
		cmocka_unit_test(test_says_that_coverage_is_poor),
		cmocka_unit_test(test_few_moves_wait_for_others),
		cmocka_unit_test(test_samples_of_use),
		cmocka_unit_test(test_much_memory_is_kept_known),
		cmocka_unit_test(test_little_memory_is_soon_known),
		cmocka_unit_test(test_wakes_up_when_accesses_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
