/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policies: which files count, what may stand in them, that loading is all or nothing,
 * and which policy a cgroup falls under.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fake-root.h"
#include "settings/policy.h"

#define ETC "/etc/tierd/policies.d/"
#define RUN "/run/tierd/policies.d/"
#define LIB "/usr/lib/tierd/policies.d/"

#define SAMPLE SOURCE_ROOT "/conf/policies.d-sample/postgresql.conf"

static struct tierd_policies *load(struct fake_root *fake)
{
	struct tierd_policies *policies = NULL;
	char *error = NULL;

	if (tierd_policies_load(&fake->root, &policies, &error) < 0)
		fail_msg("%s", error);
	assert_null(error);
	return policies;
}

static int load_one(const char *text, struct tierd_policies **ret, char **ret_error)
{
	struct fake_root fake;
	int r;

	fake_root_init(&fake);
	fake_root_write(&fake, ETC "one.conf", text);
	r = tierd_policies_load(&fake.root, ret, ret_error);
	fake_root_done(&fake);
	return r;
}

static void test_no_directories(_unused_ void **state)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	struct fake_root fake;

	fake_root_init(&fake);
	policies = load(&fake);
	assert_int_equal(policies->n_items, 0);
	assert_null(tierd_policies_find(policies, "/system.slice"));
	fake_root_done(&fake);
}

static void test_sample(_unused_ void **state)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	_cleanup_(freep) char *text = NULL;
	const struct tierd_policy *policy;
	struct tierd_root root;
	char *error = NULL;

	assert_int_equal(tierd_root_open("/", &root), 0);
	assert_int_equal(tierd_root_read_file(&root, SAMPLE, 65536, &text, NULL), 0);
	tierd_root_close(&root);
	if (load_one(text, &policies, &error) < 0)
		fail_msg("%s", error);
	assert_int_equal(policies->n_items, 1);
	policy = &policies->items[0];
	assert_string_equal(policy->path, ETC "one.conf");
	assert_string_equal(policy->unit, "postgresql.service");
	assert_string_equal(policy->cgroup, "");
	assert_int_equal(policy->dram_quota.kind, TIERD_AMOUNT_BYTES);
	assert_int_equal(policy->dram_quota.value, UINT64_C(8) << 30);
	assert_int_equal(policy->dram_min.value, UINT64_C(1) << 30);
	assert_int_equal(policy->placement, TIERD_PLACEMENT_TIERED);
	assert_int_equal(policy->enforcement, TIERD_ENFORCEMENT_SOFT);
	assert_int_equal(policy->engine, TIER_ENGINE_RANK);
	assert_int_equal(policy->bandwidth_max_bytes, UINT64_C(400) << 20);
}

static void test_defaults(_unused_ void **state)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	const struct tierd_policy *policy;

	assert_int_equal(load_one("[Match]\nCGroup=/a/*\n", &policies, NULL), 0);
	policy = &policies->items[0];
	assert_string_equal(policy->cgroup, "/a/*");
	assert_int_equal(policy->dram_quota.kind, TIERD_AMOUNT_INFINITY);
	assert_int_equal(policy->dram_min.value, 0);
	assert_int_equal(policy->enforcement, TIERD_ENFORCEMENT_SOFT);
	assert_int_equal(policy->engine, TIER_ENGINE_RANK);
	assert_int_equal(policy->bandwidth_max_bytes, TIERD_BYTES_INFINITY);
}

static void write_policy(struct fake_root *fake, const char *path, const char *unit)
{
	char text[256];

	snprintf(text, sizeof(text), "[Match]\nUnit=%s\n", unit);
	fake_root_write(fake, path, text);
}

static void test_directories(_unused_ void **state)
{
	static const struct {
		const char *path;
		const char *unit;
	} expected[] = {
		{ LIB "10-lib.conf", "lib.service" },
		{ RUN "20-run.conf", "run.service" },
		{ ETC "30-etc.conf", "etc.service" },
		{ ETC "40-linked.conf", "linked.service" },
	};
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	struct fake_root fake;

	fake_root_init(&fake);
	write_policy(&fake, LIB "10-lib.conf", "lib.service");
	write_policy(&fake, LIB "20-run.conf", "hidden.service");
	write_policy(&fake, RUN "20-run.conf", "run.service");
	fake_root_write(&fake, LIB "30-etc.conf", "hidden and broken");
	fake_root_write(&fake, RUN "30-etc.conf", "hidden and broken");
	write_policy(&fake, ETC "30-etc.conf", "etc.service");
	write_policy(&fake, "/etc/elsewhere", "linked.service");
	fake_root_link(&fake, ETC "40-linked.conf", "../../elsewhere");
	write_policy(&fake, LIB "50-null.conf", "masked.service");
	fake_root_link(&fake, ETC "50-null.conf", "/dev/null");
	write_policy(&fake, LIB "60-empty.conf", "masked.service");
	fake_root_write(&fake, RUN "60-empty.conf", "");
	fake_root_write(&fake, ETC "README", "no policy");
	fake_root_write(&fake, ETC ".hidden.conf", "no policy");
	fake_root_write(&fake, ETC "x.conf~", "no policy");
	fake_root_write(&fake, ETC ".conf", "no policy");
	policies = load(&fake);
	assert_int_equal(policies->n_items, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(policies->items[i].path, expected[i].path);
		assert_string_equal(policies->items[i].unit, expected[i].unit);
	}
	fake_root_done(&fake);
}

static void test_values(_unused_ void **state)
{
	static const struct {
		const char *section, *line;
		bool is_good;
	} cases[] = {
		{ "Match", "Unit=a.service", true },
		{ "Match", "Unit=a@b.service", true },
		{ "Match", "Unit=dev-disk\\x2dby.slice", true },
		{ "Match", "Unit=session-1.scope", true },
		{ "Match", "Unit=a@.service", false },
		{ "Match", "Unit=@b.service", false },
		{ "Match", "Unit=a.socket", false },
		{ "Match", "Unit=a", false },
		{ "Match", "Unit=.service", false },
		{ "Match", "Unit=*.service", true },
		{ "Match", "Unit=web@*.service", true },
		{ "Match", "Unit=web@?[0-9].service", true },
		{ "Match", "Unit=web.*", false },
		{ "Match", "Unit=a/b.service", false },
		{ "Match", "Unit=a b.service", false },
		{ "Match", "Unit=", false },
		{ "Match", "CGroup=/a", true },
		{ "Match", "CGroup=/kubepods.slice/*", true },
		{ "Match", "CGroup=/a/..b/...", true },
		{ "Match", "CGroup=a", false },
		{ "Match", "CGroup=", false },
		{ "Match", "CGroup=/", false },
		{ "Match", "CGroup=/a/", false },
		{ "Match", "CGroup=/a//b", false },
		{ "Match", "CGroup=/a/../b", false },
		{ "Match", "CGroup=/..", false },
		{ "Match", "CGroup=/a/./b", false },
		{ "Memory", "DRAMQuota=infinity", true },
		{ "Memory", "DRAMQuota=0", true },
		{ "Memory", "DRAMQuota=25%", true },
		{ "Memory", "DRAMQuota=8X", false },
		{ "Memory", "DRAMQuota=-1", false },
		{ "Memory", "DRAMQuota=16777216T", false },
		{ "Memory", "DRAMQuota=", false },
		{ "Memory", "DRAMMin=1G", true },
		{ "Memory", "DRAMMin=infinity", false },
		{ "Memory", "Enforcement=advise", true },
		{ "Memory", "Enforcement=hard", true },
		{ "Memory", "Enforcement=harder", false },
		{ "Memory", "Placement=tiered", true },
		{ "Memory", "Placement=dram", true },
		{ "Memory", "Placement=slow", true },
		{ "Memory", "Placement=fast", false },
		{ "Migration", "Engine=rank", true },
		{ "Migration", "Engine=memtis", true },
		{ "Migration", "Engine=tpp", true },
		{ "Migration", "Engine=Rank", false },
		{ "Migration", "Engine=", false },
		{ "Migration", "BandwidthMax=400M", true },
		{ "Migration", "BandwidthMax=0", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
		bool is_match = !strcmp(cases[i].section, "Match");
		char text[256], expected[256];
		char *error = NULL;
		int r;

		snprintf(text, sizeof(text), "[Match]\n%s\n[%s]\n%s\n",
			is_match ? "" : "Unit=x.service", cases[i].section,
			cases[i].line);
		r = load_one(text, &policies, &error);
		if ((r >= 0) != cases[i].is_good)
			fail_msg("%s: %d %s", cases[i].line, r, error ? error : "");
		if (cases[i].is_good)
			continue;
		assert_null(policies);
		snprintf(expected, sizeof(expected),
			ETC "one.conf:4: %s in section [%s]: expected ", cases[i].line,
			cases[i].section);
		assert_error_contains(&error, expected);
	}
}

static void test_errors(_unused_ void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "[Memory]\nDRAMQuota=1G\n",
			"one.conf: matches nothing, expected Unit= or CGroup=" },
		{ "[Match]\nUnit=a.service\nCGroup=/a\n",
			"one.conf: Unit=a.service and CGroup=/a in section [Match], expected "
			"only one" },
		{ "[Match]\nUnit=a.service\n[Memory]\nDRAMQuota=1G\nDRAMMin=2G\n",
			"one.conf: DRAMMin= in section [Memory] is above DRAMQuota=" },
		{ "[Match]\nUnit=a.service\n[Memory]\nEnforcement=harder\n",
			"one.conf:4: Enforcement=harder in section [Memory]: expected advise, "
			"soft or hard" },
		{ "[Match]\nUnit=a.service\nUnit=a.service\n",
			"one.conf:3: Unit= in section [Match] was already set in line 2" },
		{ "[Match]\nUnit=a.service\n[Memory]\nDramQuota=1G\n",
			"one.conf:4: unknown key DramQuota= in section [Memory], expected one "
			"of DRAMQuota, DRAMMin, Enforcement, Placement" },
		{ "[Match]\nUnit=a.service\n[Sampling]\n",
			"one.conf:3: unknown section [Sampling], expected one of [Match], "
			"[Memory], [Migration]" },
		{ "\n", "one.conf: matches nothing" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_policies *policies = NULL;
		char *error = NULL;

		assert_int_equal(load_one(cases[i].text, &policies, &error), -EINVAL);
		assert_null(policies);
		assert_error_contains(&error, cases[i].error);
	}
}

static void test_min_and_quota_in_different_units(_unused_ void **state)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;

	assert_int_equal(load_one("[Match]\nUnit=a.service\n"
				  "[Memory]\nDRAMMin=10%\nDRAMQuota=1K\n",
				 &policies, NULL),
		0);
}

static void test_all_or_nothing(_unused_ void **state)
{
	struct tierd_policies *policies = NULL;
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	write_policy(&fake, ETC "10-good.conf", "good.service");
	fake_root_write(&fake, RUN "20-bad.conf", "[Match]\nUnit=bad\n");
	assert_int_equal(tierd_policies_load(&fake.root, &policies, &error), -EINVAL);
	assert_null(policies);
	assert_error_contains(&error, RUN "20-bad.conf:2: Unit=bad");
	fake_root_done(&fake);
}

static void test_odd_files(_unused_ void **state)
{
	static char large[TIERD_POLICY_FILE_MAX_BYTES + 2];
	struct tierd_policies *policies = NULL;
	struct fake_root fake;
	char fifo[128];
	char *error = NULL;

	fake_root_init(&fake);
	memset(large, '\n', sizeof(large) - 1);
	fake_root_write(&fake, ETC "a.conf", large);
	assert_int_equal(tierd_policies_load(&fake.root, &policies, &error), -EFBIG);
	assert_error_contains(&error, ETC "a.conf: the file is larger than 65536 bytes");

	fake_root_remove(&fake, ETC "a.conf");
	fake_root_link(&fake, ETC "a.conf", "nowhere");
	assert_int_equal(tierd_policies_load(&fake.root, &policies, &error), -ENOENT);
	assert_error_contains(&error, ETC "a.conf: No such file");

	fake_root_remove(&fake, ETC "a.conf");
	fake_root_mkdir(&fake, ETC "a.conf");
	assert_int_equal(tierd_policies_load(&fake.root, &policies, &error), -EINVAL);
	assert_error_contains(&error, ETC "a.conf: not a regular file");

	fake_root_remove(&fake, ETC "a.conf");
	snprintf(fifo, sizeof(fifo), "%s" ETC "a.conf", fake.path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(tierd_policies_load(&fake.root, &policies, &error), -EINVAL);
	assert_error_contains(&error, ETC "a.conf: not a regular file");

	fake_root_remove(&fake, ETC "a.conf");
	fake_root_write(&fake, "/run/tierd/policies.d", "a file");
	assert_int_equal(tierd_policies_load(&fake.root, &policies, &error), -ENOTDIR);
	assert_error_contains(&error, "/run/tierd/policies.d: ");
	assert_null(policies);
	fake_root_done(&fake);
}

static void test_too_many(_unused_ void **state)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	struct fake_root fake;
	char *error = NULL;
	char path[128];

	fake_root_init(&fake);
	for (unsigned i = 0; i < TIERD_POLICIES_MAX; i++) {
		snprintf(path, sizeof(path), "%s%u.conf", i % 2 ? ETC : LIB, i);
		write_policy(&fake, path, "a.service");
	}
	policies = load(&fake);
	assert_int_equal(policies->n_items, TIERD_POLICIES_MAX);
	policies = tierd_policies_free(policies);
	write_policy(&fake, RUN "more.conf", "a.service");
	assert_int_equal(tierd_policies_load(&fake.root, &policies, &error), -E2BIG);
	assert_error_contains(&error, "more than 1024 policies");
	assert_null(policies);
	fake_root_done(&fake);
}

static void test_match(_unused_ void **state)
{
	static const struct {
		const char *unit, *cgroup;
		const char *path;
		bool matches;
	} cases[] = {
		{ "a.service", "", "/system.slice/a.service", true },
		{ "a.service", "", "/a.service", true },
		{ "a.service", "",
			"/user.slice/user-1000.slice/user@1000.service/app.slice/a.service",
			false },
		{ "user@1000.service", "",
			"/user.slice/user-1000.slice/user@1000.service", true },
		{ "foo@1.service", "", "/system.slice/system-foo.slice/foo@1.service",
			true },
		{ "system-foo.slice", "", "/system.slice/system-foo.slice", true },
		{ "memory.service", "", "/system.slice/_memory.service", true },
		{ "a.service", "", "/system.slice/a.service/payload", false },
		{ "a.service", "", "/system.slice/aa.service", false },
		{ "a.service", "", "/system.slice/a.service2", false },
		{ "a.service", "", "/", false },
		{ "a.service", "", "/system.slice/b.service/a.service", false },
		{ "a.service", "", "/machine.slice/c.scope/system.slice/a.service",
			false },
		{ "a.service", "", "/.slic/a.service", false },
		{ "a.service", "", "/x.slice/y.slice/a.service", true },
		{ "foo@*.service", "", "/system.slice/system-foo.slice/foo@1.service",
			true },
		{ "foo@*.service", "", "/system.slice/system-foo.slice/fo@1.service",
			false },
		{ "foo@*.service", "", "/system.slice/foo@1.service/foo@2.service",
			false },
		{ "x[0-9].scope", "", "/x1.scope", true },
		{ "", "/a/b", "/a/b", true },
		{ "", "/a/b", "/a/b/c", false },
		{ "", "/a/*", "/a/b", true },
		{ "", "/a/*", "/a/b/c", false },
		{ "", "/a/*", "/a", false },
		{ "", "/a/*/c", "/a/b/c", true },
		{ "", "/a/[bc]?", "/a/bx", true },
		{ "", "/a/[bc]?", "/a/dx", false },
		{ "", "/a/dev\\x2db", "/a/dev\\x2db", true },
		{ "", "/a/dev\\x2d*", "/a/dev\\x2db", true },
		{ "", "/a/*", "/a/.b", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_policy policy;

		tierd_policy_defaults(&policy);
		strcpy(policy.unit, cases[i].unit);
		strcpy(policy.cgroup, cases[i].cgroup);
		if (tierd_policy_match(&policy, cases[i].path) != cases[i].matches)
			fail_msg("%s%s against %s", cases[i].unit, cases[i].cgroup,
				cases[i].path);
	}
}

static void test_find(_unused_ void **state)
{
	static const struct {
		const char *path;
		const char *file; /* NULL: none */
	} cases[] = {
		{ "/system.slice/a.service", ETC "40-exact.conf" },
		{ "/other.slice/a.service", ETC "30-unit.conf" },
		{ "/system.slice/b.service", ETC "20-long.conf" },
		{ "/system.slice/web@1.service", ETC "10-web.conf" },
		{ "/system.slice/web-a.service", ETC "11-wide.conf" },
		{ "/system.slice/c.service", ETC "61-same.conf" },
		{ "/user.slice/b", ETC "50-short.conf" },
		{ "/user.slice/b/c", NULL },
		{ "/", NULL },
	};
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	struct fake_root fake;

	fake_root_init(&fake);
	write_policy(&fake, ETC "10-web.conf", "web@*.service");
	write_policy(&fake, ETC "11-wide.conf", "w*.service");
	fake_root_write(&fake, ETC "20-long.conf", "[Match]\nCGroup=/system.slice/b*\n");
	fake_root_write(&fake, ETC "70-web.conf", "[Match]\nCGroup=/system.slice/we*\n");
	write_policy(&fake, ETC "30-unit.conf", "a.service");
	fake_root_write(
		&fake, ETC "40-exact.conf", "[Match]\nCGroup=/system.slice/a.service\n");
	fake_root_write(&fake, ETC "50-short.conf", "[Match]\nCGroup=/*/*\n");
	fake_root_write(
		&fake, ETC "60-same.conf", "[Match]\nCGroup=/system.slice/[bc]*\n");
	fake_root_write(&fake, ETC "61-same.conf", "[Match]\nCGroup=/system.slice/?.*\n");
	policies = load(&fake);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tierd_policy *policy =
			tierd_policies_find(policies, cases[i].path);

		if (!cases[i].file)
			assert_null(policy);
		else
			assert_string_equal(policy->path, cases[i].file);
	}
	fake_root_done(&fake);
}

static void test_one_file(_unused_ void **state)
{
	struct tierd_policy policy = { .path = "untouched" };
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	write_policy(&fake, "/home/a.conf", "a.service");
	fake_root_write(&fake, "/home/empty.conf", "");
	fake_root_write(&fake, "/home/bad.conf", "[Match]\nUnit=a\n");
	assert_int_equal(
		tierd_policy_load(&fake.root, "/home/empty.conf", &policy, &error), 0);
	assert_int_equal(tierd_policy_load(&fake.root, "/home/bad.conf", &policy, &error),
		-EINVAL);
	assert_error_contains(&error, "/home/bad.conf:2: Unit=a in section [Match]");
	assert_string_equal(policy.path, "untouched");
	assert_int_equal(
		tierd_policy_load(&fake.root, "/home/a.conf", &policy, &error), 1);
	assert_string_equal(policy.unit, "a.service");
	assert_true(tierd_policy_is_literal(&policy));
	fake_root_done(&fake);
}

static void test_names(_unused_ void **state)
{
	enum tierd_enforcement enforcement = TIERD_ENFORCEMENT_INVALID;

	for (int i = 0; i < TIERD_ENFORCEMENT_MAX; i++) {
		assert_int_equal(tierd_enforcement_from_string(
					 tierd_enforcement_to_string(i), &enforcement),
			0);
		assert_int_equal(enforcement, i);
	}
	assert_int_equal(tierd_enforcement_from_string("harder", &enforcement), -EINVAL);
	assert_string_equal(tierd_placement_to_string(TIERD_PLACEMENT_TIERED), "tiered");
	assert_null(tierd_enforcement_to_string(TIERD_ENFORCEMENT_MAX));
	assert_null(tierd_placement_to_string(TIERD_PLACEMENT_INVALID));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_directories),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_min_and_quota_in_different_units),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_odd_files),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_one_file),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
