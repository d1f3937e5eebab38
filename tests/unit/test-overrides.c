/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was decided over the bus, over what the files say. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "overrides.h"

static struct tierd_policy file = { .path = "a.conf", .cgroup = "/a*" };
static const struct tierd_policies files = { &file, 1 };

static const char *find(const struct tierd_overrides *overrides, const char *cgroup)
{
	const struct tierd_policy *policy =
		tierd_overrides_find(overrides, &files, cgroup);

	return policy ? policy->path : "";
}

static void test_set_and_forget(_unused_ void **state)
{
	const struct tierd_policy bus = { .path = "bus" };
	struct tierd_overrides overrides = { 0 };

	assert_string_equal(find(&overrides, "/a"), "a.conf");
	assert_int_equal(tierd_overrides_set(&overrides, "/a", NULL), 0);
	assert_int_equal(tierd_overrides_set(&overrides, "/b", &bus), 0);
	assert_int_equal(tierd_overrides_set(&overrides, "/ac", &bus), 0);
	assert_string_equal(find(&overrides, "/a"), "");
	assert_string_equal(find(&overrides, "/ab"), "a.conf");
	assert_string_equal(find(&overrides, "/b"), "bus");
	assert_string_equal(find(&overrides, "/ac"), "bus");
	assert_int_equal(tierd_overrides_set(&overrides, "/a", &bus), 0);
	assert_string_equal(find(&overrides, "/a"), "bus");
	assert_int_equal(overrides.n_items, 3);
	tierd_overrides_forget(&overrides, "/a");
	tierd_overrides_forget(&overrides, "/a");
	tierd_overrides_forget(&overrides, "/b");
	assert_string_equal(find(&overrides, "/a"), "a.conf");
	assert_string_equal(find(&overrides, "/b"), "");
	assert_string_equal(find(&overrides, "/ac"), "bus");
	tierd_overrides_clear(&overrides);
	assert_string_equal(find(&overrides, "/ac"), "a.conf");
	tierd_overrides_clear(&overrides);
}

static void test_bound(_unused_ void **state)
{
	struct tierd_overrides overrides = { 0 };
	char cgroup[32];

	for (unsigned i = 0; i < TIERD_OVERRIDES_MAX; i++) {
		snprintf(cgroup, sizeof(cgroup), "/%u", i);
		assert_int_equal(tierd_overrides_set(&overrides, cgroup, NULL), 0);
	}
	assert_int_equal(tierd_overrides_set(&overrides, "/a", NULL), -E2BIG);
	assert_string_equal(find(&overrides, "/a"), "a.conf");
	assert_int_equal(tierd_overrides_set(&overrides, "/7", &file), 0);
	tierd_overrides_clear(&overrides);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_and_forget),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
