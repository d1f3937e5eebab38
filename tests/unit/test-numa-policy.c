/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which memory a program has placed itself, by what numa_maps says. */
#include "unit.h"

#include <errno.h>

#include "fake-root.h"
#include "numa-policy.h"

static int read_maps(const char *text, struct tierd_numa_policy **ret, size_t *ret_n)
{
	struct fake_root fake;
	int r;

	fake_root_init(&fake);
	fake_root_mkdir(&fake, "/proc");
	if (text)
		fake_root_write(&fake, "/proc/17/numa_maps", text);
	r = tierd_numa_policies_read(&fake.root, 17, ret, ret_n);
	fake_root_done(&fake);
	return r;
}

static void test_policies(_unused_ void **state)
{
	_cleanup_(freep) struct tierd_numa_policy *policies = NULL;
	size_t n;

	assert_int_equal(
		read_maps("55d000000000 default file=/bin/x mapped=8 N0=8 "
			  "kernelpagesize_kB=4\n"
			  "7f0000000000 prefer:1 anon=512 dirty=512 N0=12 N1=500 "
			  "kernelpagesize_kB=4\n"
			  "7f0000200000 bind:0-1 anon=2 N10=2 kernelpagesize_kB=4\n"
			  "7f0000400000 default\n"
			  "7f0000600000 bind=balancing:0 anon=1 N0=1 "
			  "kernelpagesize_kB=4\n"
			  "7f0000800000 interleave:0-1 anon=1 N0=1 "
			  "kernelpagesize_kB=64\n",
			&policies, &n),
		0);
	assert_int_equal(n, 2);
	assert_int_equal(policies[0].start, 0x7f0000000000);
	assert_int_equal(policies[0].end, 0x7f0000400000);
	assert_int_equal(policies[0].bytes, 514 * 4096);
	assert_int_equal(policies[1].start, 0x7f0000800000);
	assert_true(policies[1].end == UINT64_MAX);
	assert_int_equal(policies[1].bytes, 65536);
}

static void test_errors(_unused_ void **state)
{
	struct tierd_numa_policy *policies = NULL;
	size_t n;

	assert_int_equal(read_maps(NULL, &policies, &n), -ESRCH);
	assert_int_equal(read_maps("7f00\n", &policies, &n), -EBADMSG);
	assert_int_equal(read_maps("nowhere default\n", &policies, &n), -EBADMSG);
	assert_null(policies);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
