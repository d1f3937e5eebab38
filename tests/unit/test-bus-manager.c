/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.tierd.Tierd1.Manager: what it shows, what it changes, and what it refuses. */
#include "bus-world.h"

#include <errno.h>
#include <string.h>

static void test_manager_numbers(void **state)
{
	static const struct {
		const char *property;
		uint64_t value;
	} rows[] = {
		{ "Samples", 12345678 },
		{ "SamplesLost", 17 },
		{ "SamplerThrottled", 2 },
		{ "SamplePeriod", 49 },
		{ "SamplesWanted", 20000 },
		{ "SamplesTarget", 15000 },
		{ "SamplingOverheadUSec", 4000000 },
		{ "LoopCPUTimeUSec", 100000000 },
		{ "CPUTimeUSec", 138000000 },
		{ "UptimeUSec", 11520000000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(get_u64(*state, TIERD_BUS_MANAGER_PATH,
					 TIERD_BUS_MANAGER_INTERFACE, rows[i].property),
			rows[i].value);
}

static void test_manager_strings(void **state)
{
	static const struct {
		const char *property;
		const char *value;
	} rows[] = {
		{ "Version", "1.2.3" },
		{ "SamplerSource", "pmu" },
		{ "SamplerEvent", "tier_mem/latency=1/" },
		{ "SamplingLimit", "cpu" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(
			get_string(*state, TIERD_BUS_MANAGER_PATH,
				TIERD_BUS_MANAGER_INTERFACE, rows[i].property),
			rows[i].value);
}

static void test_no_event(void **state)
{
	struct bus_world *w = *state;

	w->manager.sampler = (struct tierd_sampler_stats){ .source = "none" };
	assert_string_equal(get_string(w, TIERD_BUS_MANAGER_PATH,
				    TIERD_BUS_MANAGER_INTERFACE, "SamplerEvent"),
		"");
}

static void test_sources(void **state)
{
	sd_bus_message *m = get(*state, TIERD_BUS_MANAGER_PATH,
		TIERD_BUS_MANAGER_INTERFACE, "SamplerSources");
	const char *source, *rung, *reason;

	assert_return_code(sd_bus_message_enter_container(m, 'v', "a(sss)"), 0);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "(sss)"), 0);
	assert_true(sd_bus_message_read(m, "(sss)", &source, &rung, &reason) > 0);
	assert_string_equal(source, "better");
	assert_string_equal(rung, "unavailable");
	assert_non_null(strstr(reason, "the machine has"));
	assert_true(sd_bus_message_read(m, "(sss)", &source, &rung, &reason) > 0);
	assert_string_equal(source, "pmu");
	assert_string_equal(rung, "active");
	assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_tiers(void **state)
{
	sd_bus_message *m =
		get(*state, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE, "Tiers");
	uint32_t tier, a, b;
	uint64_t total, available;

	assert_return_code(sd_bus_message_enter_container(m, 'v', "a(uautt)"), 0);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "(uautt)"), 0);
	assert_return_code(
		sd_bus_message_read(m, "(uautt)", &tier, 1, &a, &total, &available), 0);
	assert_int_equal(tier, 0);
	assert_int_equal(a, 0);
	assert_int_equal(total, UINT64_C(1) << 30);
	assert_int_equal(available, UINT64_C(312) << 20);
	assert_return_code(
		sd_bus_message_read(m, "(uautt)", &tier, 2, &a, &b, &total, &available),
		0);
	assert_int_equal(tier, 1);
	assert_int_equal(a, 1);
	assert_int_equal(b, 3);
	assert_int_equal(total, UINT64_C(5) << 30);
	assert_int_equal(available, UINT64_C(3) << 30);
	assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_list_groups(void **state)
{
	static const char *const cgroups[] = { FAKE_GUPS, FAKE_POSTGRES, FAKE_TWIN,
		"/user.slice/k\303\244se \033[31m\\xff.scope" };
	sd_bus_message *m = call_manager(*state, "ListGroups", "");
	const char *cgroup, *path;

	assert_ok(m);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "(so)"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cgroups); i++) {
		assert_true(sd_bus_message_read(m, "(so)", &cgroup, &path) > 0);
		assert_string_equal(cgroup, cgroups[i]);
		if (i == 0)
			assert_string_equal(path, GUPS_PATH);
	}
	assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_get_group(void **state)
{
	sd_bus_message *m = call_manager(*state, "GetGroup", "s", FAKE_GUPS);
	const char *path;

	assert_ok(m);
	assert_return_code(sd_bus_message_read(m, "o", &path), 0);
	assert_string_equal(path, GUPS_PATH);
	m = call_manager(*state, "GetGroup", "s", "/system.slice");
	assert_error(m, TIERD_BUS_ERROR_NO_SUCH_GROUP);
	assert_non_null(strstr(sd_bus_message_get_error(m)->message, "'/system.slice'"));
}

static void test_reload(void **state)
{
	struct bus_world *w = *state;

	assert_ok(call_manager(w, "Reload", ""));
	assert_int_equal(w->manager.n_reloads, 1);
	assert_int_equal(w->n_signals, w->manager.n_groups);
	for (size_t i = 0; i < w->n_signals; i++)
		assert_true(sd_bus_message_is_signal(w->signals[i],
			"org.freedesktop.DBus.Properties", "PropertiesChanged"));
}

static void test_reload_refused(void **state)
{
	struct bus_world *w = *state;
	sd_bus_message *m;

	w->manager.reload_result = -EINVAL;
	w->manager.reload_error = "/etc/tierd/\377.conf:3: no such key";
	m = call_manager(w, "Reload", "");
	assert_error(m, TIERD_BUS_ERROR_INVALID_CONFIGURATION);
	assert_string_equal(sd_bus_message_get_error(m)->message,
		"/etc/tierd/\\xff.conf:3: no such key");
	w->manager.reload_result = -ENOSPC;
	assert_error(call_manager(w, "Reload", ""), TIERD_BUS_ERROR_OVERCOMMITTED);
	w->manager.reload_result = -ENOMEM;
	w->manager.reload_error = NULL;
	assert_error(call_manager(w, "Reload", ""), SD_BUS_ERROR_NO_MEMORY);
	assert_int_equal(w->n_signals, 0);
}

/* ---- Groups added and removed -------------------------------------------------- */

static void test_add_group(void **state)
{
	struct bus_world *w = *state;
	sd_bus_message *m = call_manager(w, "AddGroup", "sa{sv}", FAKE_NEW, 5,
		"DRAMQuota", "t", UINT64_C(8192), "DRAMMin", "t", UINT64_C(4096),
		"BandwidthMax", "t", UINT64_MAX, "Enforcement", "s", "advise", "Engine",
		"s", "rank");
	const struct tierd_policy *policy = &w->manager.added_policy;
	const char *path;

	assert_ok(m);
	assert_return_code(sd_bus_message_read(m, "o", &path), 0);
	assert_string_equal(path, TIERD_BUS_GROUP_PREFIX "/_2fnew_2eslice");
	assert_int_equal(policy->dram_quota.value, 8192);
	assert_int_equal(policy->dram_min.value, 4096);
	assert_int_equal(policy->bandwidth_max_bytes, UINT64_MAX);
	assert_int_equal(policy->enforcement, TIERD_ENFORCEMENT_ADVISE);
	assert_string_equal(policy->path, TIERD_BUS_POLICY);
	assert_error(call_manager(w, "AddGroup", "sa{sv}", FAKE_NEW, 0),
		TIERD_BUS_ERROR_GROUP_EXISTS);
	assert_ok(call_manager(w, "RemoveGroup", "s", FAKE_NEW));
	assert_error(call_manager(w, "RemoveGroup", "s", FAKE_NEW),
		TIERD_BUS_ERROR_NO_SUCH_GROUP);
	assert_ok(call_manager(
		w, "AddGroup", "sa{sv}", FAKE_NEW, 1, "DRAMQuota", "t", UINT64_MAX));
	assert_int_equal(w->manager.added_policy.dram_quota.kind, TIERD_AMOUNT_INFINITY);
}

/* One property, and what comes of it. */
static void test_bad_properties(void **state)
{
	static const struct {
		const char *name, *type;
		uint64_t number;
		const char *text, *error;
	} rows[] = {
		{ "DRAMMin", "t", UINT64_MAX, NULL, TIERD_BUS_ERROR_INVALID_QUOTA },
		{ "DRAMQuota", "s", 0, "1G", TIERD_BUS_ERROR_INVALID_ARGUMENT },
		{ "DRAMquota", "t", 1, NULL, TIERD_BUS_ERROR_INVALID_ARGUMENT },
		{ "", "t", 1, NULL, TIERD_BUS_ERROR_INVALID_ARGUMENT },
		{ "BandwidthMax", "t", 0, NULL, TIERD_BUS_ERROR_INVALID_ARGUMENT },
		{ "Enforcement", "s", 0, "maybe", TIERD_BUS_ERROR_INVALID_ARGUMENT },
		{ "Engine", "s", 0, "", TIERD_BUS_ERROR_INVALID_ARGUMENT },
		{ "Engine", "t", 1, NULL, TIERD_BUS_ERROR_INVALID_ARGUMENT },
	};
	struct bus_world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_error(
			rows[i].text
				? call_manager(w, "AddGroup", "sa{sv}", FAKE_NEW, 1,
					  rows[i].name, rows[i].type, rows[i].text)
				: call_manager(w, "AddGroup", "sa{sv}", FAKE_NEW, 1,
					  rows[i].name, rows[i].type, rows[i].number),
			rows[i].error);
	assert_error(call_manager(w, "AddGroup", "sa{sv}", FAKE_NEW, 2, "DRAMMin", "t",
			     UINT64_C(2), "DRAMQuota", "t", UINT64_C(1)),
		TIERD_BUS_ERROR_INVALID_QUOTA);
	assert_int_equal(w->manager.n_groups, 4);
}

static void test_bad_paths(void **state)
{
	static const char *const paths[] = { "", "a", "/", "//", "/a/", "/a//b", "/..",
		"/a/..", "/a/../b", "/./a", "../../etc" };
	static char longest[5000];
	struct bus_world *w = *state;

	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	for (size_t i = 0; i <= ARRAY_SIZE(paths); i++) {
		const char *path = i < ARRAY_SIZE(paths) ? paths[i] : longest;

		assert_error(call_manager(w, "AddGroup", "sa{sv}", path, 0),
			TIERD_BUS_ERROR_INVALID_ARGUMENT);
		assert_error(call_manager(w, "RemoveGroup", "s", path),
			TIERD_BUS_ERROR_INVALID_ARGUMENT);
		assert_error(call_manager(w, "GetGroup", "s", path),
			TIERD_BUS_ERROR_INVALID_ARGUMENT);
	}
	assert_error(call_manager(w, "AddGroup", "sa{sv}", "/no/such/group", 0),
		TIERD_BUS_ERROR_NO_SUCH_CGROUP);
}

static void test_add_refused(void **state)
{
	struct bus_world *w = *state;
	sd_bus_message *m;

	w->manager.add_result = -ENOSPC;
	w->manager.add_error = "\377: over-committed";
	m = call_manager(w, "AddGroup", "sa{sv}", FAKE_NEW, 0);
	assert_error(m, TIERD_BUS_ERROR_OVERCOMMITTED);
	assert_string_equal(
		sd_bus_message_get_error(m)->message, "\\xff: over-committed");
	w->manager.add_error = NULL;
	w->manager.add_result = -E2BIG;
	assert_error(call_manager(w, "RemoveGroup", "s", FAKE_GUPS),
		TIERD_BUS_ERROR_LIMIT_EXCEEDED);
}

static bool is_paused(struct bus_world *w)
{
	int value;

	assert_return_code(
		sd_bus_message_read(get(w, TIERD_BUS_MANAGER_PATH,
					    TIERD_BUS_MANAGER_INTERFACE, "Paused"),
			"v", "b", &value),
		0);
	return value;
}

static void test_pause(void **state)
{
	struct bus_world *w = *state;

	assert_false(is_paused(w));
	assert_ok(call_manager(w, "Pause", ""));
	assert_true(is_paused(w));
	assert_ok(call_manager(w, "Pause", ""));
	assert_int_equal(w->n_signals, 1);
	assert_true(sd_bus_message_is_signal(
		w->signals[0], "org.freedesktop.DBus.Properties", "PropertiesChanged"));
	assert_ok(call_manager(w, "Resume", ""));
	assert_false(is_paused(w));
	assert_int_equal(w->n_signals, 2);
}

static void test_totals(void **state)
{
	struct bus_world *w = *state;
	uint64_t value, expected = 0;
	const char *name;
	sd_bus_message *m;

	w->manager.groups[1]->view.heat.result_pages[TIER_PROMOTE][TIER_RESULT_DONE] = 11;
	m = get(w, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE, "Counters");
	assert_return_code(sd_bus_message_enter_container(m, 'v', "a{st}"), 0);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "{st}"), 0);
	while (sd_bus_message_read(m, "{st}", &name, &value) > 0)
		if (strcmp(name, "promoted") == 0)
			expected = value;
	assert_int_equal(expected, 911);
}

static void test_sample_loss(void **state)
{
	struct bus_world *w = *state;
	uint64_t lost, taken;

	assert_return_code(tierd_bus_samples_lost(w->bus, 3, 97), 0);
	bus_flush(w);
	assert_int_equal(w->n_signals, 1);
	assert_true(sd_bus_message_is_signal(
		w->signals[0], TIERD_BUS_MANAGER_INTERFACE, "SampleLoss"));
	assert_return_code(sd_bus_message_read(w->signals[0], "tt", &lost, &taken), 0);
	assert_int_equal(lost, 3);
	assert_int_equal(taken, 97);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bus_set_up, bus_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_manager_numbers),
		TEST(test_manager_strings),
		TEST(test_no_event),
		TEST(test_tiers),
		TEST(test_sources),
		TEST(test_list_groups),
		TEST(test_get_group),
		TEST(test_reload),
		TEST(test_reload_refused),
		TEST(test_add_group),
		TEST(test_bad_properties),
		TEST(test_bad_paths),
		TEST(test_add_refused),
		TEST(test_pause),
		TEST(test_totals),
		TEST(test_sample_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
