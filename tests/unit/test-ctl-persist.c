/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl set-quota --persist: what is written, that it can be read back, that nothing is
 * left behind when it fails, and whether it is what counts.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fake-root.h"
#include "persist.h"
#include "settings/policy.h"

#define CGROUP "/system.slice/a-b.service"
#define PATH   TIERCTL_POLICY_DIR "/99-tierctl-system.slice-a\\x2db.service.conf"

static struct tierctl_group group = {
	.path = (char *)"/org/tierd/Tierd1/group/_2fsystem_2eslice_2fa_2db_2eservice",
	.cgroup = (char *)CGROUP,
	.enforcement = (char *)"advise",
	.placement = (char *)"tiered",
	.engine = (char *)"rank",
	.dram_min_bytes = 4096,
	.bandwidth_max = 1000,
};

static int persist(struct fake_root *fake, uint64_t bytes, char **ret_error)
{
	_cleanup_(freep) char *path = NULL;
	int r = tierctl_persist_quota(&fake->root, &group, bytes, &path, ret_error);

	if (r >= 0)
		assert_string_equal(path, PATH);
	return r;
}

static void test_round_trip(_unused_ void **state)
{
	static const uint64_t quotas[] = { 8192, UINT64_C(5) << 40, UINT64_MAX };
	struct fake_root fake;

	fake_root_init(&fake);
	fake_root_mkdir(&fake, TIERCTL_POLICY_DIR);
	for (size_t i = 0; i < ARRAY_SIZE(quotas); i++) {
		struct tierd_policy policy;

		assert_int_equal(persist(&fake, quotas[i], NULL), 0);
		assert_int_equal(tierd_policy_load(&fake.root, PATH, &policy, NULL), 1);
		assert_string_equal(policy.cgroup, CGROUP);
		assert_int_equal(tierd_amount_resolve(policy.dram_quota, 0), quotas[i]);
		assert_int_equal(tierd_amount_resolve(policy.dram_min, 0), 4096);
		assert_int_equal(policy.enforcement, TIERD_ENFORCEMENT_ADVISE);
		assert_int_equal(policy.bandwidth_max_bytes, 1000);
	}
	fake_root_done(&fake);
}

static void test_refused(_unused_ void **state)
{
	struct tierd_policies *policies = NULL;
	struct tierctl_group good = group;
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	assert_int_equal(persist(&fake, 8192, &error), -ENOENT);
	assert_error_contains(&error, TIERCTL_POLICY_DIR ": No such file");
	fake_root_mkdir(&fake, TIERCTL_POLICY_DIR);
	assert_int_equal(persist(&fake, 0, &error), -EINVAL);
	assert_error_contains(&error, "DRAMMin= in section [Memory] is above DRAMQuota=");
	group.cgroup = (char *)"/a[b]";
	group.path = (char *)"/org/tierd/Tierd1/group/_2fa_5bb_5d";
	assert_int_equal(persist(&fake, 8192, &error), -EINVAL);
	assert_error_contains(&error, "cannot stand in a policy");
	group.cgroup = (char *)"/a\\xff";
	group.path = (char *)"/org/tierd/Tierd1/group/_2fa_ff";
	assert_int_equal(persist(&fake, 8192, &error), -EINVAL);
	assert_error_contains(&error, "cannot stand in a policy");
	group.cgroup = (char *)"/a\n[Memory]";
	group.path = (char *)"/org/tierd/Tierd1/group/_2fa_0a_5bMemory_5d";
	assert_int_equal(persist(&fake, 8192, &error), -EINVAL);
	free(error);
	group = good;
	assert_int_equal(tierd_policies_load(&fake.root, &policies, NULL), 0);
	assert_int_equal(policies->n_items, 0);
	tierd_policies_free(policies);
	fake_root_done(&fake);
}

static char *check(struct fake_root *fake)
{
	char *other = NULL;

	assert_int_equal(
		tierctl_persist_check(&fake->root, &group, PATH, &other, NULL), 0);
	return other;
}

static void test_what_counts(_unused_ void **state)
{
	char *other, *error = NULL;
	struct fake_root fake;

	fake_root_init(&fake);
	fake_root_write(
		&fake, TIERCTL_POLICY_DIR "/50-a.conf", "[Match]\nCGroup=" CGROUP "\n");
	fake_root_write(
		&fake, TIERCTL_POLICY_DIR "/99-u.conf", "[Match]\nUnit=a-b.service\n");
	assert_int_equal(persist(&fake, 8192, NULL), 0);
	assert_null(check(&fake));
	fake_root_write(
		&fake, TIERCTL_POLICY_DIR "/zz.conf", "[Match]\nCGroup=" CGROUP "\n");
	other = check(&fake);
	assert_string_equal(other, TIERCTL_POLICY_DIR "/zz.conf");
	free(other);
	fake_root_write(&fake, TIERCTL_POLICY_DIR "/zz.conf", "[Match]\n");
	assert_int_equal(
		tierctl_persist_check(&fake.root, &group, PATH, &other, &error), -EINVAL);
	assert_error_contains(&error, "zz.conf: matches nothing");
	fake_root_done(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_what_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
