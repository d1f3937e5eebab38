/* SPDX-License-Identifier: GPL-2.0-or-later */
/* org.tierd.Tierd1.Group: what it shows, what it changes, and what it refuses. */
#include "bus-world.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static void test_group_properties(void **state)
{
	static const struct {
		const char *property;
		uint64_t value;
	} numbers[] = {
		{ "DRAMQuota", UINT64_C(700) << 20 },
		{ "DRAMMin", UINT64_C(100) << 20 },
		{ "DRAMBytes", UINT64_C(712) << 20 },
		{ "SlowBytes", UINT64_C(1348) << 20 },
		{ "UncoveredBytes", UINT64_C(3) << 20 },
		{ "PromotedBytes", UINT64_C(402) << 20 },
		{ "DemotedBytes", UINT64_C(390) << 20 },
		{ "BandwidthMax", UINT64_MAX },
	};
	static const struct {
		const char *property;
		const char *value;
	} strings[] = {
		{ "CGroup", FAKE_GUPS },
		{ "Policy", "/etc/tierd/policies.d/50-gups.conf" },
		{ "Enforcement", "soft" },
		{ "Engine", "rank" },
		{ "Placement", "tiered" },
	};
	uint32_t processes;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_int_equal(get_u64(*state, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE,
					 numbers[i].property),
			numbers[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		assert_string_equal(
			get_string(*state, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE,
				strings[i].property),
			strings[i].value);
	assert_true(get_double(*state, GUPS_PATH, "HitRatio") == 0.9375);
	assert_true(get_double(*state, GUPS_PATH, "Coverage") == 0.875);
	assert_true(get_double(*state, GUPS_PATH, "Resolution") == 0.75);
	assert_true(get_double(*state, GUPS_PATH, "MeanRate") == 12.5);
	assert_true(get_double(*state, GUPS_PATH, "CutRate") == 50);
	assert_return_code(
		sd_bus_message_read(
			get(*state, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "Processes"),
			"v", "u", &processes),
		0);
	assert_int_equal(processes, 2);
}

static void test_no_limit_no_samples(void **state)
{
	static const char path[] =
		TIERD_BUS_GROUP_PREFIX "/_2fsystem_2eslice_2fpostgresql_2eservice";

	assert_int_equal(get_u64(*state, path, TIERD_BUS_GROUP_INTERFACE, "DRAMQuota"),
		UINT64_MAX);
	assert_true(isnan(get_double(*state, path, "HitRatio")));
}

static void test_set_quota(void **state)
{
	struct bus_world *w = *state;
	const char *interface, *property;
	uint64_t bytes;

	assert_ok(call_gups(w, "SetQuota", "t", UINT64_C(500) << 20));
	assert_int_equal(get_u64(w, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "DRAMQuota"),
		UINT64_C(500) << 20);
	assert_int_equal(w->n_signals, 1);
	assert_string_equal(sd_bus_message_get_path(w->signals[0]), GUPS_PATH);
	assert_return_code(sd_bus_message_read(w->signals[0], "sa{sv}as", &interface, 1,
				   &property, "t", &bytes, 0),
		0);
	assert_string_equal(interface, TIERD_BUS_GROUP_INTERFACE);
	assert_string_equal(property, "DRAMQuota");
	assert_int_equal(bytes, UINT64_C(500) << 20);
	assert_ok(call_gups(w, "SetQuota", "t", UINT64_MAX));
	assert_int_equal(w->manager.groups[0]->view.dram_quota_bytes, UINT64_MAX);
}

static void test_quota_below_minimum(void **state)
{
	struct bus_world *w = *state;
	sd_bus_message *m = call_gups(w, "SetQuota", "t", UINT64_C(4096));

	assert_error(m, TIERD_BUS_ERROR_INVALID_QUOTA);
	assert_non_null(strstr(sd_bus_message_get_error(m)->message, "104857600"));
	assert_int_equal(
		w->manager.groups[0]->view.dram_quota_bytes, UINT64_C(700) << 20);
	assert_int_equal(w->n_signals, 0);
}

static void test_properties_are_read_only(void **state)
{
	struct bus_world *w = *state;

	assert_error(call(w, GUPS_PATH, "org.freedesktop.DBus.Properties", "Set", "ssv",
			     TIERD_BUS_GROUP_INTERFACE, "DRAMQuota", "t", UINT64_C(0)),
		SD_BUS_ERROR_PROPERTY_READ_ONLY);
	assert_int_equal(
		w->manager.groups[0]->view.dram_quota_bytes, UINT64_C(700) << 20);
}

static void test_histogram(void **state)
{
	sd_bus_message *m = call_gups(*state, "Histogram", "");
	const struct tier_histogram *expected;
	struct bus_world *w = *state;
	uint64_t bin, dram, slow;

	assert_ok(m);
	expected = &w->manager.groups[0]->histogram;
	assert_return_code(sd_bus_message_enter_container(m, 'a', "(ttt)"), 0);
	for (unsigned i = 0; i < TIER_HISTOGRAM_BINS; i++) {
		assert_true(sd_bus_message_read(m, "(ttt)", &bin, &dram, &slow) > 0);
		assert_int_equal(bin, tier_histogram_bin_floor(i));
		assert_int_equal(dram, expected->fast_pages[i]);
		assert_int_equal(slow, expected->slow_pages[i]);
	}
	assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_heatmap(void **state)
{
	sd_bus_message *m = call_gups(*state, "Heatmap", "");
	static const uint32_t expected[] = { 1234, 1240 };
	uint64_t slot_usec, region_bytes;
	const void *items;
	uint32_t pid;
	size_t size;

	assert_ok(m);
	assert_true(sd_bus_message_read(m, "tt", &slot_usec, &region_bytes) > 0);
	assert_int_equal(slot_usec, 1000000);
	assert_int_equal(region_bytes, 2 << 20);
	assert_true(sd_bus_message_read_array(m, 'd', &items, &size) > 0);
	assert_int_equal(size, TIERD_HEATMAP_SLOTS * sizeof(double));
	assert_true(((const double *)items)[TIERD_HEATMAP_SLOTS - 2] == 0.02);
	assert_true(sd_bus_message_enter_container(m, 'a', "(uaau)") > 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_true(sd_bus_message_enter_container(m, 'r', "uaau") > 0);
		assert_true(sd_bus_message_read(m, "u", &pid) > 0);
		assert_int_equal(pid, expected[i]);
		assert_true(sd_bus_message_enter_container(m, 'a', "au") > 0);
		assert_true(sd_bus_message_read_array(m, 'u', &items, &size) > 0);
		assert_int_equal(size, TIERD_HEATMAP_SLOTS * sizeof(uint32_t));
		assert_int_equal(((const uint32_t *)items)[TIERD_HEATMAP_SLOTS - 2],
			i == 0 ? 100 : 1);
		if (i == 0)
			assert_true(sd_bus_message_skip(m, "au") >= 0);
		assert_return_code(sd_bus_message_exit_container(m), 0);
		assert_return_code(sd_bus_message_exit_container(m), 0);
	}
	assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_residency(void **state)
{
	sd_bus_message *m = call_gups(*state, "Residency", "");
	uint32_t first, second;
	uint64_t r[4], d[4];

	assert_ok(m);
	assert_return_code(sd_bus_message_read(m, "a(ua(tt))", 2, &first, 3, &r[0], &d[0],
				   &r[1], &d[1], &r[2], &d[2], &second, 1, &r[3], &d[3]),
		0);
	assert_int_equal(first, 1234);
	assert_int_equal(r[0], UINT64_C(1) << 30);
	assert_int_equal(d[0], UINT64_C(1) << 30);
	assert_int_equal(d[1], 0);
	assert_int_equal(r[2], UINT64_C(12) << 20);
	assert_int_equal(d[2], UINT64_C(6) << 20);
	assert_int_equal(second, 1240);
	assert_int_equal(r[3], UINT64_C(8) << 20);
	assert_int_equal(d[3], UINT64_C(1) << 20);
}

/* Asks anew each time: a dictionary may be read once only. */
static uint64_t counter(struct bus_world *w, const char *name)
{
	sd_bus_message *m = call_gups(w, "Counters", "");
	uint64_t value, found = UINT64_MAX;
	unsigned n = 0;
	const char *key;

	assert_ok(m);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "{st}"), 0);
	while (sd_bus_message_read(m, "{st}", &key, &value) > 0) {
		if (strcmp(key, name) != 0)
			continue;
		found = value;
		n++;
	}
	assert_int_equal(n, 1);
	return found;
}

static void test_counters(void **state)
{
	static const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "promotion_tried", 1005 },
		{ "promotion_tried_failure", 105 },
		{ "promotion_tried_failure_nomem", 60 },
		{ "promotion_tried_failure_busy", 40 },
		{ "promotion_tried_failure_gone", 0 },
		{ "promoted", 900 },
		{ "promoted_bytes", UINT64_C(402) << 20 },
		{ "demotion_scanned_filtered_warm", 99 },
		{ "demotion_tried", 70 },
		{ "demotion_tried_failure", 0 },
		{ "demoted", 70 },
		{ "collapse_tried", 2048 },
		{ "collapse_tried_failure", 1024 },
		{ "collapse_tried_failure_nomem", 512 },
		{ "collapse_tried_failure_busy", 0 },
		{ "collapse_tried_failure_unsupported", 512 },
		{ "collapsed", 1024 },
		{ "planned_exchange", 7 },
		{ "planned_quota", 0 },
		{ "samples_dram", 15 },
		{ "samples_slow", 1 },
		{ "coolings", 3 },
		{ "phase_changes", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(counter(*state, rows[i].name), rows[i].value);
}

static void test_set_enforcement(void **state)
{
	struct bus_world *w = *state;

	assert_ok(call_gups(w, "SetEnforcement", "s", "advise"));
	assert_string_equal(
		get_string(w, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "Enforcement"),
		"advise");
	assert_int_equal(w->n_signals, 1);
	assert_true(sd_bus_message_is_signal(
		w->signals[0], "org.freedesktop.DBus.Properties", "PropertiesChanged"));
	assert_error(call_gups(w, "SetEnforcement", "s", "Advise"),
		TIERD_BUS_ERROR_INVALID_ARGUMENT);
	assert_int_equal(w->n_signals, 1);
}

static void test_curve(void **state)
{
	sd_bus_message *m = call_gups(*state, "Curve", "");
	const struct tier_curve *expected;
	struct bus_world *w = *state;
	double share, samples;
	uint64_t bytes;

	assert_ok(m);
	expected = &w->manager.groups[0]->curve;
	assert_return_code(sd_bus_message_enter_container(m, 'a', "(td)"), 0);
	for (unsigned i = 0; i < TIER_CURVE_POINTS; i++) {
		assert_true(sd_bus_message_read(m, "(td)", &bytes, &share) > 0);
		assert_int_equal(bytes, expected->pages[i] * 4096);
		assert_true(share == expected->share[i]);
	}
	assert_return_code(sd_bus_message_exit_container(m), 0);
	assert_return_code(sd_bus_message_read(m, "d", &samples), 0);
	assert_true(samples == 1500);
}

static void test_explain(void **state)
{
	sd_bus_message *m = call_gups(*state, "Explain", "");
	const char *hold, *hold_text, *hot, *warm, *text;
	uint64_t hot_dram, hot_slow, warm_dram, warm_slow;

	assert_ok(m);
	assert_return_code(sd_bus_message_read(m, "a(ss)", 1, &hold, &hold_text), 0);
	assert_string_equal(hold, "paused");
	assert_string_equal(hold_text, "Nothing moves.");
	assert_return_code(sd_bus_message_read(m, "a(sstt)", 2, &hot, &text, &hot_dram,
				   &hot_slow, &warm, &text, &warm_dram, &warm_slow),
		0);
	assert_string_equal(hot, "hot");
	assert_int_equal(hot_dram, UINT64_C(700) << 20);
	assert_int_equal(hot_slow, 0);
	assert_string_equal(warm, "warm");
	assert_int_equal(warm_dram, UINT64_C(12) << 20);
	assert_int_equal(warm_slow, UINT64_C(1348) << 20);
}

static void test_explain_page(void **state)
{
	sd_bus_message *m = call_manager(
		*state, "ExplainPage", "ut", (uint32_t)FAKE_PID, FAKE_ADDRESS);
	const char *cgroup, *key, *text, *type;
	unsigned n = 0;
	double rate = 0;

	assert_ok(m);
	assert_return_code(sd_bus_message_read(m, "s", &cgroup), 0);
	assert_string_equal(cgroup, FAKE_GUPS);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "{sv}"), 0);
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		assert_return_code(sd_bus_message_read(m, "s", &key), 0);
		assert_return_code(sd_bus_message_peek_type(m, NULL, &type), 0);
		if (strcmp(key, "Rate") == 0)
			assert_return_code(sd_bus_message_read(m, "v", "d", &rate), 0);
		else if (strcmp(key, "LastMoveResult") == 0) {
			assert_return_code(sd_bus_message_read(m, "v", "s", &text), 0);
			assert_string_equal(text, "done");
		} else
			assert_return_code(sd_bus_message_skip(m, "v"), 0);
		assert_return_code(sd_bus_message_exit_container(m), 0);
		n++;
	}
	assert_true(rate == 48);
	assert_int_equal(n, 17);
}

static void test_explain_errors(void **state)
{
	assert_error(call_manager(*state, "ExplainPage", "ut", 1U, FAKE_ADDRESS),
		TIERD_BUS_ERROR_NO_SUCH_PROCESS);
	assert_error(call_manager(*state, "ExplainPage", "uu", 1U, 2U),
		SD_BUS_ERROR_INVALID_ARGS);
}

static void test_record(void **state)
{
	struct bus_world *w = *state;

	assert_error(call_gups(w, "Record", "t", UINT64_C(0)),
		TIERD_BUS_ERROR_INVALID_ARGUMENT);
	assert_error(call_gups(w, "Record", "t", UINT64_C(3600000001)),
		TIERD_BUS_ERROR_INVALID_ARGUMENT);
	assert_int_equal(w->manager.recorded_ns, 0);
	w->manager.record_result = -EBUSY;
	assert_error(call_gups(w, "Record", "t", UINT64_C(2000000)),
		TIERD_BUS_ERROR_LIMIT_EXCEEDED);
	assert_int_equal(w->manager.recorded_ns, 2000000000);
}

static void check_quota_signal(
	struct bus_world *w, sd_bus_message *signal, const char *member)
{
	uint64_t dram, limit;

	assert_true(sd_bus_message_is_signal(signal, TIERD_BUS_GROUP_INTERFACE, member));
	assert_string_equal(sd_bus_message_get_path(signal), GUPS_PATH);
	assert_return_code(sd_bus_message_read(signal, "tt", &dram, &limit), 0);
	assert_int_equal(dram, w->manager.groups[0]->view.dram_bytes);
	assert_int_equal(limit, w->manager.groups[0]->view.dram_quota_bytes);
}

static void test_signals(void **state)
{
	struct bus_world *w = *state;
	struct tierd_group *gups = w->manager.groups[0];
	const char *attribute, *expected, *found;

	assert_return_code(tierd_bus_quota_exceeded(w->bus, gups), 0);
	assert_return_code(tierd_bus_quota_restored(w->bus, gups), 0);
	assert_return_code(
		tierd_bus_drifted(w->bus, gups, "memory.high", "max", "4096"), 0);
	bus_flush(w);
	assert_int_equal(w->n_signals, 3);
	check_quota_signal(w, w->signals[0], "QuotaExceeded");
	check_quota_signal(w, w->signals[1], "QuotaRestored");
	assert_true(sd_bus_message_is_signal(
		w->signals[2], TIERD_BUS_GROUP_INTERFACE, "Drift"));
	assert_return_code(
		sd_bus_message_read(w->signals[2], "sss", &attribute, &expected, &found),
		0);
	assert_string_equal(attribute, "memory.high");
	assert_string_equal(expected, "max");
	assert_string_equal(found, "4096");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bus_set_up, bus_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_group_properties),
		TEST(test_no_limit_no_samples),
		TEST(test_set_quota),
		TEST(test_quota_below_minimum),
		TEST(test_properties_are_read_only),
		TEST(test_histogram),
		TEST(test_heatmap),
		TEST(test_residency),
		TEST(test_counters),
		TEST(test_set_enforcement),
		TEST(test_curve),
		TEST(test_explain),
		TEST(test_explain_page),
		TEST(test_explain_errors),
		TEST(test_record),
		TEST(test_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
