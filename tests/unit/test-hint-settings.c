/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scanner's settings are taken over, steered and put back, or not touched at all. */
#include "unit.h"

#include <errno.h>

#include "enforce/sysctl.h"
#include "fake-root.h"
#include "kernel-tiering.h"
#include "sampler/hint-settings.h"

#define MODE   "/proc/sys/kernel/numa_balancing"
#define LIMIT  "/proc/sys/kernel/numa_balancing_promote_rate_limit_MBps"
#define KNOB   "/sys/kernel/debug/sched/numa_balancing/"
#define SIZE   KNOB "scan_size_mb"
#define PERIOD KNOB "scan_period_min_ms"

static const struct {
	const char *path;
	const char *before;
} files[] = {
	{ MODE, "0" },
	{ LIMIT, "65536" },
	{ KNOB "hot_threshold_ms", "1000" },
	{ KNOB "scan_delay_ms", "1000" },
	{ SIZE, "256" },
	{ PERIOD, "1000" },
	{ KNOB "scan_period_max_ms", "60000" },
};

struct world {
	struct fake_root fake;
	struct tierd_journal *journal;
};

static void assert_holds(struct world *world, const char *path, const char *value)
{
	_cleanup_(freep) char *line = NULL;

	assert_return_code(tierd_root_read_line(&world->fake.root, path, &line), 0);
	assert_string_equal(line, value);
}

static void assert_as_before(struct world *world)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_holds(world, files[i].path, files[i].before);
}

static void world_init(struct world *world)
{
	fake_root_init(&world->fake);
	fake_root_mkdir(&world->fake, "/run");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char line[16];

		snprintf(line, sizeof(line), "%s\n", files[i].before);
		fake_root_write(&world->fake, files[i].path, line);
	}
	assert_return_code(tierd_journal_open(&world->fake.root, &world->journal), 0);
}

static void world_done(struct world *world)
{
	tierd_journal_close(world->journal);
	fake_root_done(&world->fake);
}

static int hold(struct world *world, char **error)
{
	const struct tierd_hint_pace pace = { 78, 10000 };

	return tierd_hint_settings_hold(&world->fake.root, world->journal, &pace, error);
}

static void test_hold_and_steer(_unused_ void **state)
{
	const struct tierd_hint_pace slow = { 10, 100000 };
	struct world world;

	world_init(&world);
	assert_return_code(hold(&world, NULL), 0);
	assert_holds(&world, MODE, "3");
	assert_holds(&world, LIMIT, "0");
	assert_holds(&world, KNOB "hot_threshold_ms", "0");
	assert_holds(&world, SIZE, "78");
	assert_holds(&world, PERIOD, "10000");

	/* The kernel's own tiering counts as off: nothing is fought over. */
	tierd_kernel_tiering_stop(&world.fake.root, world.journal);
	assert_holds(&world, MODE, "3");
	tierd_kernel_tiering_restore(&world.fake.root, world.journal);
	assert_holds(&world, MODE, "3");

	assert_return_code(
		tierd_hint_settings_pace(&world.fake.root, world.journal, &slow), 0);
	assert_holds(&world, SIZE, "10");
	tierd_hint_settings_rest(&world.fake.root, world.journal);
	assert_holds(&world, SIZE, "1");
	assert_holds(&world, MODE, "3");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_int_equal(tierd_sysctl_release(
					 &world.fake.root, world.journal, files[i].path),
			0);
	assert_as_before(&world);
	assert_int_equal(tierd_journal_n_held(world.journal), 0);
	world_done(&world);
}

/* From off, as it is while tierd moves pages; back is what was before that. */
static void test_after_kernel_tiering(_unused_ void **state)
{
	struct world world;

	world_init(&world);
	fake_root_write(&world.fake, MODE, "1\n");
	tierd_kernel_tiering_stop(&world.fake.root, world.journal);
	assert_holds(&world, MODE, "0");
	assert_return_code(hold(&world, NULL), 0);
	assert_holds(&world, MODE, "3");
	assert_return_code(
		tierd_sysctl_release(&world.fake.root, world.journal, MODE), 0);
	assert_holds(&world, MODE, "1");
	world_done(&world);
}

static void test_nothing_half_applied(_unused_ void **state)
{
	char *error = NULL;
	struct world world;

	world_init(&world);
	fake_root_remove(&world.fake, KNOB "scan_delay_ms");
	assert_int_equal(hold(&world, &error), -ENODEV);
	assert_error_contains(&error, "scan_delay_ms");
	fake_root_write(&world.fake, KNOB "scan_delay_ms", "1000\n");
	assert_as_before(&world);
	assert_int_equal(tierd_journal_n_held(world.journal), 0);
	world_done(&world);
}

static void test_left_to_somebody_else(_unused_ void **state)
{
	const struct tierd_hint_pace slow = { 10, 100000 };
	struct world world;

	world_init(&world);
	assert_return_code(hold(&world, NULL), 0);
	fake_root_write(&world.fake, SIZE, "999\n");
	assert_int_equal(
		tierd_hint_settings_pace(&world.fake.root, world.journal, &slow), -EBUSY);
	assert_holds(&world, SIZE, "999");
	assert_return_code(
		tierd_sysctl_release(&world.fake.root, world.journal, SIZE), 0);
	assert_holds(&world, SIZE, "999");
	world_done(&world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold_and_steer),
		cmocka_unit_test(test_after_kernel_tiering),
		cmocka_unit_test(test_nothing_half_applied),
		cmocka_unit_test(test_left_to_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
