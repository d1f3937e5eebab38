/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierd.conf, and by way of it the strict INI reader: defaults, every key, and for every
 * way to get a file wrong the sentence that says so.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "settings/config.h"
#include "fake-root.h"

#define SAMPLE SOURCE_ROOT "/conf/tierd.conf"

static int load_text(const char *text, struct tierd_config *ret, char **ret_error)
{
	struct fake_root fake;
	int r;

	fake_root_init(&fake);
	fake_root_write(&fake, TIERD_CONFIG_PATH, text);
	r = tierd_config_load(&fake.root, NULL, ret, ret_error);
	fake_root_done(&fake);
	return r;
}

static void assert_defaults(const struct tierd_config *config)
{
	assert_int_equal(config->source, TIERD_SOURCE_AUTO);
	assert_string_equal(config->event, "");
	assert_int_equal(config->samples_per_second_max, 20000);
	assert_int_equal(config->samples_per_second_settled, 500);
	assert_string_equal(config->tiers, "");
	assert_int_equal(config->bandwidth_max_bytes, TIERD_BYTES_INFINITY);
	assert_int_equal(config->headroom.kind, TIERD_AMOUNT_SHARE);
	assert_int_equal(config->headroom.value, 20000);
	assert_true(config->collapse);
	assert_int_equal(config->tick_ns, 250000000);
	assert_string_equal(config->metrics_file, "");
	assert_string_equal(config->metrics_socket, "");
	assert_int_equal(config->metrics_interval_ns, UINT64_C(5000000000));
}

static void test_missing_file(_unused_ void **state)
{
	struct tierd_config config;
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	assert_int_equal(tierd_config_load(&fake.root, NULL, &config, &error), 0);
	assert_defaults(&config);
	assert_int_equal(
		tierd_config_load(&fake.root, "/mine.conf", &config, &error), -ENOENT);
	assert_error_contains(&error, "/mine.conf: No such file");
	fake_root_done(&fake);
}

/* Every key stands in the sample, and at its default. */
static void test_sample(_unused_ void **state)
{
	static const char *const keys[] = { "Source", "Event", "Replay",
		"SamplesPerSecondMax", "SamplesPerSecondSettled", "CPUMax", "OverheadMax",
		"Tiers", "BandwidthMax", "Headroom", "CollapseHugePages", "KernelTiering",
		"TickSec", "File", "IntervalSec", "Socket" };
	_cleanup_(freep) char *text = NULL;
	struct tierd_config config = {};
	struct tierd_root root;
	char *error = NULL;

	assert_int_equal(tierd_root_open("/", &root), 0);
	if (tierd_config_load(&root, SAMPLE, &config, &error) < 0)
		fail_msg("%s", error);
	assert_defaults(&config);
	assert_int_equal(tierd_root_read_file(&root, SAMPLE, 65536, &text, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *line = strstr(text, keys[i]);

		while (line && (line[-1] != '\n' || line[strlen(keys[i])] != '='))
			line = strstr(line + 1, keys[i]);
		if (!line)
			fail_msg("%s= is not in the sample", keys[i]);
	}
	tierd_root_close(&root);
}

static void test_every_key(_unused_ void **state)
{
	struct tierd_config config;
	char *error = NULL;

	if (load_text("; a comment\r\n"
		      "[Sampling]\r\n"
		      "Source = pmu\r\n"
		      "Event=cpu/event=0xd3,umask=0x01/ # and one more\n"
		      "Replay=/var/tmp/a.trace\n"
		      "SamplesPerSecondMax=5000 ; here too\n"
		      "SamplesPerSecondSettled=100\n"
		      "CPUMax=1.5%\n"
		      "OverheadMax=infinity\n"
		      "   # indented comment\n"
		      "\t\n"
		      "[Tiers] # of nodes\n"
		      "Tiers=0;1,2-3\n"
		      "[Migration]\n"
		      "BandwidthMax=1.5G\n"
		      "Headroom=512M\n"
		      "CollapseHugePages=no\n"
		      "[Daemon]\n"
		      "TickSec=0.05\n"
		      "[Metrics]\n"
		      "File=/run/tierd/tierd.prom\n"
		      "IntervalSec=1.5\n"
		      "Socket=/run/tierd/metrics.sock",
		    &config, &error) < 0)
		fail_msg("%s", error);
	assert_int_equal(config.source, TIERD_SOURCE_PMU);
	assert_string_equal(config.event, "cpu/event=0xd3,umask=0x01/");
	assert_string_equal(config.replay, "/var/tmp/a.trace");
	assert_int_equal(config.samples_per_second_max, 5000);
	assert_int_equal(config.samples_per_second_settled, 100);
	assert_int_equal(config.cpu_max_ppm, 15000);
	assert_int_equal(config.overhead_max_ppm, TIERD_SHARE_INFINITY);
	assert_string_equal(config.tiers, "0;1,2-3");
	assert_int_equal(config.bandwidth_max_bytes, UINT64_C(1610612736));
	assert_int_equal(config.headroom.kind, TIERD_AMOUNT_BYTES);
	assert_int_equal(config.headroom.value, UINT64_C(512) << 20);
	assert_false(config.collapse);
	assert_int_equal(config.tick_ns, 50000000);
	assert_string_equal(config.metrics_file, "/run/tierd/tierd.prom");
	assert_int_equal(config.metrics_interval_ns, UINT64_C(1500000000));
	assert_string_equal(config.metrics_socket, "/run/tierd/metrics.sock");
}

static void test_settled_never_above_max(_unused_ void **state)
{
	struct tierd_config config;

	assert_int_equal(
		load_text("[Sampling]\nSamplesPerSecondMax=300\n", &config, NULL), 0);
	assert_int_equal(config.samples_per_second_settled, 300);
}

static const struct {
	const char *section, *line;
	bool is_good;
} values[] = {
	{ "Sampling", "Source=auto", true },
	{ "Sampling", "Source=Auto", false },
	{ "Sampling", "Source=", false },
	{ "Sampling", "Source=replay", true },
	{ "Sampling", "Replay=", true },
	{ "Sampling", "Replay=a.trace", false },
	{ "Sampling", "Event=ibs_op", true },
	{ "Sampling", "Event=ibs_op//", true },
	{ "Sampling", "Event=tier_mem/loads=1/", true },
	{ "Sampling", "Event=/x/", false },
	{ "Sampling", "Event=cpu/x", false },
	{ "Sampling", "Event=cpu/mem-loads,ldlat=30/P", true },
	{ "Sampling", "Event=cpu/x/ppu", true },
	{ "Sampling", "Event=cpu/x/p,", false },
	{ "Sampling", "Event=intel-l3-miss-local", true },
	{ "Sampling", "Event=../cpu", false },
	{ "Sampling", "Event=a b", true },
	{ "Sampling", "Event=cpu/a/p  ibs_op//", true },
	{ "Sampling", "Event=cpu/a/pibs_op//", false },
	{ "Sampling", "Event=cpu/a b/", false },
	{ "Sampling", "Event=a /b/", false },
	{ "Sampling", "SamplesPerSecondMax=1", true },
	{ "Sampling", "SamplesPerSecondMax=0", false },
	{ "Sampling", "SamplesPerSecondMax=-1", false },
	{ "Sampling", "SamplesPerSecondMax=10000001", false },
	{ "Sampling", "SamplesPerSecondSettled=", false },
	{ "Sampling", "CPUMax=100%", true },
	{ "Sampling", "CPUMax=0.1%", true },
	{ "Sampling", "CPUMax=0.09%", false },
	{ "Sampling", "CPUMax=101%", false },
	{ "Sampling", "CPUMax=0.05", false },
	{ "Sampling", "CPUMax=1G", false },
	{ "Sampling", "OverheadMax=infinity", true },
	{ "Sampling", "OverheadMax=", false },
	{ "Tiers", "Tiers=", true },
	{ "Tiers", "Tiers=0;0", false },
	{ "Tiers", "Tiers=0 ;1", true }, /* ";1" is a comment */
	{ "Migration", "BandwidthMax=infinity", true },
	{ "Migration", "BandwidthMax=0", false },
	{ "Migration", "BandwidthMax=10%", false },
	{ "Migration", "Headroom=0", true },
	{ "Migration", "Headroom=100%", true },
	{ "Migration", "Headroom=101%", false },
	{ "Migration", "Headroom=infinity", false },
	{ "Migration", "CollapseHugePages=yes", true },
	{ "Migration", "CollapseHugePages=no", true },
	{ "Migration", "CollapseHugePages=", false },
	{ "Migration", "CollapseHugePages=Yes", false },
	{ "Migration", "CollapseHugePages=1", false },
	{ "Migration", "KernelTiering=keep", true },
	{ "Migration", "KernelTiering=", false },
	{ "Daemon", "TickSec=10", true },
	{ "Daemon", "TickSec=10.000000001", false },
	{ "Daemon", "TickSec=0.049999999", false },
	{ "Daemon", "TickSec=250ms", false },
	{ "Daemon", "TickSec=99999999999999999999", false },
	{ "Metrics", "File=/a", true },
	{ "Metrics", "File=", true },
	{ "Metrics", "File=a", false },
	{ "Metrics", "File=/a/", false },
	{ "Metrics", "Socket=@a", false },
	{ "Metrics", "IntervalSec=1", true },
	{ "Metrics", "IntervalSec=0.9", false },
	{ "Metrics", "IntervalSec=3601", false },
};

static void test_values(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct tierd_config config;
		char text[256], expected[256];
		char *error = NULL;
		int r;

		snprintf(text, sizeof(text), "[%s]\n\n%s\n", values[i].section,
			values[i].line);
		r = load_text(text, &config, &error);
		if ((r >= 0) != values[i].is_good)
			fail_msg("%s: %d %s", values[i].line, r, error ? error : "");
		if (values[i].is_good)
			continue;
		snprintf(expected, sizeof(expected),
			"/etc/tierd/tierd.conf:3: %s in section [%s]: expected ",
			values[i].line, values[i].section);
		assert_error_contains(&error, expected);
	}
}

#define CHARS_50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define CHARS_186 CHARS_50 CHARS_50 CHARS_50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_malformed(_unused_ void **state)
{
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{ "[Sampling]\nEvent=" CHARS_186 "aaaaaaaa\n",
			"tierd.conf:2: Event…: the line has 200 bytes, at most 199" },
		{ "# " CHARS_186 CHARS_50 "\n", "tierd.conf:1: " },
		{ "[Migration]\n\nBandwidthMax=" CHARS_186 "BandwidthMax=1G\n",
			"tierd.conf:3: BandwidthMax…: the line has 214 bytes" },
		{ "[" CHARS_50 "]\n",
			"tierd.conf:1: [" CHARS_50 "]: the section's name has 50" },
		{ "[Nonsense]\n",
			"tierd.conf:1: unknown section [Nonsense], expected one of "
			"[Sampling], [Tiers], [Migration], [Daemon], [Metrics]" },
		{ "[]\n", "tierd.conf:1: []: expected a section" },
		{ "[Tiers\n", "tierd.conf:1: [Tiers: expected a section" },
		{ "[Tiers] Tiers=0\n",
			"tierd.conf:1: [Tiers] Tiers=0: expected a section" },
		{ "[Tiers]]\n", "tierd.conf:1: [Tiers]]: expected a section" },
		{ "[Migration]\nSource=pmu\n",
			"tierd.conf:2: unknown key Source= in section [Migration], expected "
			"one of BandwidthMax, Headroom, CollapseHugePages" },
		{ "[Sampling]\nsource=pmu\n", "tierd.conf:2: unknown key source=" },
		{ "Source=pmu\n",
			"tierd.conf:1: Source= stands before the first section" },
		{ "[Sampling]\nSource=pmu\n\nSource=pmu\n",
			"tierd.conf:4: Source= in section [Sampling] was already set in line 2" },
		{ "[Daemon]\nTickSec=1\n[Sampling]\n[Daemon]\nTickSec=1\n",
			"tierd.conf:5: TickSec= in section [Daemon] was already set in line 2" },
		{ "[Sampling]\nSource\n",
			"tierd.conf:2: Source: expected \"Key=value\"" },
		{ "[Sampling]\nSource: pmu\n",
			"tierd.conf:2: Source: pmu: expected \"Key=value\"" },
		{ "[Sampling]\nSource:x=pmu\n", "tierd.conf:2: Source:x=pmu: expected" },
		{ "[Sampling]\n=pmu\n", "tierd.conf:2: =pmu: expected \"Key=value\"" },
		{ "[Sampling]\nEvent=cpu\n  x=1\n",
			"tierd.conf:3: the line begins with a blank" },
		{ "\xef\xbb\xbf[Sampling]\n", "tierd.conf:1: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_config config = { .tick_ns = 77 };
		char *error = NULL;
		int r = load_text(cases[i].text, &config, &error);

		if (r != -EINVAL)
			fail_msg("case %zu: %d %s", i, r, error ? error : "");
		assert_error_contains(&error, cases[i].error);
		assert_int_equal(config.tick_ns, 77);
	}
}

static void test_longest_line(_unused_ void **state)
{
	struct tierd_config config;
	char *error = NULL;

	if (load_text("[Sampling]\nEvent=" CHARS_186 "aaaaaaa\n", &config, &error) < 0)
		fail_msg("%s", error);
	assert_string_equal(config.event, CHARS_186 "aaaaaaa");
}

static void test_nul_byte(_unused_ void **state)
{
	static const char text[] = "[Sampling]\nSource=pmu\0x\n";
	struct tierd_config config;
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	fake_root_write_bytes(&fake, TIERD_CONFIG_PATH, text, sizeof(text) - 1);
	assert_int_equal(tierd_config_load(&fake.root, NULL, &config, &error), -EINVAL);
	assert_error_contains(&error, "tierd.conf:2: the line holds a NUL byte");
	fake_root_done(&fake);
}

static void test_file_size(_unused_ void **state)
{
	static char text[64 * 1024 + 2];
	struct tierd_config config;
	char *error = NULL;

	memset(text, '\n', sizeof(text) - 2);
	assert_int_equal(load_text(text, &config, &error), 0);
	text[sizeof(text) - 2] = '\n';
	assert_int_equal(load_text(text, &config, &error), -EFBIG);
	assert_error_contains(&error, "tierd.conf: the file is larger than 65536 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_settled_never_above_max),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_file_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
