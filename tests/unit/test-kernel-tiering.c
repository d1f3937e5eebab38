/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own tiering is off while tierd moves pages, and then what it was. */
#include "unit.h"

#include "fake-root.h"
#include "kernel-tiering.h"

#define BALANCING "/proc/sys/kernel/numa_balancing"
#define DEMOTION  "/sys/kernel/mm/numa/demotion_enabled"

static void assert_holds(struct fake_root *fake, const char *path, const char *value)
{
	_cleanup_(freep) char *line = NULL;

	assert_return_code(tierd_root_read_line(&fake->root, path, &line), 0);
	assert_string_equal(line, value);
}

static void test_off_and_back(_unused_ void **state)
{
	struct tierd_journal *journal;
	struct fake_root fake;

	fake_root_init(&fake);
	fake_root_mkdir(&fake, "/run");
	fake_root_write(&fake, BALANCING, "3\n");
	fake_root_write(&fake, DEMOTION, "false\n");
	assert_return_code(tierd_journal_open(&fake.root, &journal), 0);
	tierd_kernel_tiering_stop(&fake.root, journal);
	assert_holds(&fake, BALANCING, "0");
	assert_int_equal(tierd_journal_n_held(journal), 1);

	/* A second time changes nothing of what was before. */
	tierd_kernel_tiering_stop(&fake.root, journal);
	tierd_kernel_tiering_restore(&fake.root, journal);
	assert_holds(&fake, BALANCING, "3");
	assert_holds(&fake, DEMOTION, "false");
	assert_int_equal(tierd_journal_n_held(journal), 0);
	tierd_journal_close(journal);
	fake_root_done(&fake);
}

static void test_turned_on_by_somebody_else(_unused_ void **state)
{
	struct tierd_journal *journal;
	struct fake_root fake;

	fake_root_init(&fake);
	fake_root_mkdir(&fake, "/run");
	fake_root_write(&fake, DEMOTION, "true\n");
	assert_return_code(tierd_journal_open(&fake.root, &journal), 0);
	tierd_kernel_tiering_stop(&fake.root, journal);
	assert_holds(&fake, DEMOTION, "false");
	fake_root_write(&fake, DEMOTION, "true\n");
	tierd_kernel_tiering_stop(&fake.root, journal);
	assert_holds(&fake, DEMOTION, "true");
	tierd_journal_close(journal);
	fake_root_done(&fake);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_and_back),
		cmocka_unit_test(test_turned_on_by_somebody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
