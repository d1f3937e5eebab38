/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists as sysfs prints them, and what only looks like one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "base/util.h"
#include "sampler/range-list.h"

static void test_ranges_in_turn(_unused_ void **state)
{
	const char *list = "0-7,21,32-35";
	unsigned first, last;

	assert_int_equal(tierd_range_list_next(&list, &first, &last), 1);
	assert_int_equal(first, 0);
	assert_int_equal(last, 7);
	assert_int_equal(tierd_range_list_next(&list, &first, &last), 1);
	assert_int_equal(first, 21);
	assert_int_equal(last, 21);
	assert_int_equal(tierd_range_list_next(&list, &first, &last), 1);
	assert_int_equal(first, 32);
	assert_int_equal(last, 35);
	assert_int_equal(tierd_range_list_next(&list, &first, &last), 0);
	assert_int_equal(tierd_range_list_next(&list, &first, &last), 0);
}

static void test_refuses_what_is_no_list(_unused_ void **state)
{
	static const char *const texts[] = { ",", "x", "1-", "-1", "7-0", "1,", "1,,2",
		"1 ", " 1", "1;2", "1-2-3", "0x1", "99999999999999999999", "1000001" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *list = texts[i];
		unsigned first = 77, last = 77;
		int r;

		while ((r = tierd_range_list_next(&list, &first, &last)) > 0)
			;
		if (r != -EINVAL)
			fail_msg("\"%s\": %d", texts[i], r);
	}
}

static void test_outputs_stay_on_failure(_unused_ void **state)
{
	const char *list = "5-";
	unsigned first = 77, last = 78;

	assert_int_equal(tierd_range_list_next(&list, &first, &last), -EINVAL);
	assert_string_equal(list, "5-");
	assert_int_equal(first, 77);
	assert_int_equal(last, 78);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_in_turn),
		cmocka_unit_test(test_refuses_what_is_no_list),
		cmocka_unit_test(test_outputs_stay_on_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
