/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event strings against made-up PMUs: the numbers they become, and what the administrator
 * reads when they do not.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "fake-root.h"
#include "sampler/perf-event.h"
#include "sampler/perf-known.h"

#define DEVICES "/sys/bus/event_source/devices"

static void write_pmu(
	struct fake_root *fake, const char *pmu, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), DEVICES "/%s/%s", pmu, file);
	fake_root_write(fake, path, text);
}

static void make_tier_mem(struct fake_root *fake)
{
	write_pmu(fake, "tier_mem", "type", "25\n");
	write_pmu(fake, "tier_mem", "format/loads", "config:0\n");
	write_pmu(fake, "tier_mem", "format/stores", "config:1\n");
}

static void make_intel(struct fake_root *fake, const char *pmu)
{
	write_pmu(fake, pmu, "type", "4\n");
	write_pmu(fake, pmu, "format/event", "config:0-7\n");
	write_pmu(fake, pmu, "format/umask", "config:8-15\n");
	write_pmu(fake, pmu, "format/ldlat", "config1:0-15\n");
	write_pmu(fake, pmu, "events/mem-loads", "event=0xcd,umask=0x1,ldlat=3\n");
	write_pmu(fake, pmu, "events/mem-stores", "event=0xd0,umask=0x82\n");
}

/* Formats no processor has all of, but each of which some have. */
static void make_odd(struct fake_root *fake)
{
	write_pmu(fake, "odd", "type", "31\n");
	write_pmu(fake, "odd", "format/split", "config:0-7,32-35\n");
	write_pmu(fake, "odd", "format/swapped", "config1:8-15,0-7\n");
	write_pmu(fake, "odd", "format/whole", "config2:0-63\n");
	write_pmu(fake, "odd", "format/top", "config2:63\n");
	write_pmu(fake, "odd", "format/wide", "config:60-64\n");
	write_pmu(fake, "odd", "format/config3", "config3:0-7\n");
	write_pmu(fake, "odd", "format/nonsense", "nonsense\n");
	write_pmu(fake, "odd", "format/norange", "config:\n");
	write_pmu(fake, "odd", "format/badrange", "config:7-0\n");
	write_pmu(fake, "odd", "events/plain", "split=0x2a\n");
	write_pmu(fake, "odd", "events/nested", "plain\n");
	write_pmu(fake, "odd", "events/param", "split=?\n");
}

static int setup(void **state)
{
	struct fake_root *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake_root_init(fake);
	fake_root_mkdir(fake, DEVICES);
	*state = fake;
	return 0;
}

static int teardown(void **state)
{
	fake_root_done(*state);
	free(*state);
	return 0;
}

static void test_names_stand_for_events(void **state)
{
	struct fake_root *fake = *state;
	struct tierd_perf_event event;
	char *error = NULL;

	make_intel(fake, "cpu");
	assert_int_equal(tierd_perf_event_resolve(
				 &event, &fake->root, "intel-l3-miss-local", &error),
		0);
	assert_string_equal(event.text, "cpu/event=0xd3,umask=0x01/ppp");
	assert_int_equal(event.config[0], 0x1d3);
	tierd_perf_event_done(&event);
	assert_int_equal(tierd_perf_event_resolve(&event, &fake->root, "amd-ops", &error),
		-ENOENT);
	assert_error_contains(&error, "there is no PMU 'ibs_op'");
}

static void test_strings_become_numbers(void **state)
{
	static const struct {
		const char *text;
		uint32_t type;
		uint64_t config[TIERD_PERF_CONFIGS];
		unsigned precise;
		uint64_t period;
	} cases[] = {
		{ "tier_mem", 25, {}, 0, 199 },
		{ "tier_mem//", 25, {}, 0, 199 },
		{ "tier_mem/period=49/", 25, {}, 0, 49 },
		{ "tier_mem/period=1/", 25, {}, 0, 20 },
		{ "tier_mem/loads/", 25, { 1 }, 0, 199 },
		{ "tier_mem/loads=1,stores=1,period=0x31/", 25, { 3 }, 0, 49 },
		{ "tier_mem/loads=0/", 25, {}, 0, 199 },
		{ "tier_mem/config=0x10,config1=2,config2=3/", 25, { 16, 2, 3 }, 0, 199 },
		{ "tier_mem/,loads,/", 25, { 1 }, 0, 199 },
		{ "cpu/mem-loads/", 4, { 0x1cd, 3 }, 0, 10007 },
		{ "cpu/mem-loads,ldlat=30/ppp", 4, { 0x1cd, 30 }, 3, 10007 },
		{ "cpu/mem-stores/p", 4, { 0x82d0 }, 1, 10007 },
		{ "cpu/event=0xd3,umask=0x1/pp", 4, { 0x1d3 }, 2, 10007 },
		{ "cpu/event=0xd3,umask=0x1/Pu", 4, { 0x1d3 }, 3, 10007 },
		{ "odd/split=0xabc/", 31, { 0xa000000bcULL }, 0, 10007 },
		{ "odd/split=0xfff,split=0/", 31, {}, 0, 10007 },
		{ "odd/swapped=0x1234/", 31, { 0, 0x3412 }, 0, 10007 },
		{ "odd/whole=0xffffffffffffffff/", 31, { 0, 0, UINT64_MAX }, 0, 10007 },
		{ "odd/top/", 31, { 0, 0, 1ULL << 63 }, 0, 10007 },
		{ "odd/plain/", 31, { 0x2a }, 0, 10007 },
		{ "odd/plain,split=1/", 31, { 1 }, 0, 10007 },
	};
	struct fake_root *fake = *state;

	make_tier_mem(fake);
	make_intel(fake, "cpu");
	make_odd(fake);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_perf_event event;
		char *error = NULL;
		int r = tierd_perf_event_resolve(
			&event, &fake->root, cases[i].text, &error);

		if (r < 0)
			fail_msg("%s: %d, %s", cases[i].text, r, error);
		assert_string_equal(event.text, cases[i].text);
		assert_int_equal(event.type, cases[i].type);
		assert_memory_equal(event.config, cases[i].config, sizeof(event.config));
		assert_int_equal(event.precise, cases[i].precise);
		assert_int_equal(event.period, cases[i].period);
		assert_false(event.has_leader);
		assert_null(event.cpus);
		tierd_perf_event_done(&event);
	}
}

static void test_errors_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *says;
	} cases[] = {
		{ "nope//", -ENOENT,
			"no PMU 'nope' in " DEVICES ", only: odd, tier_mem" },
		{ "tier_mem/foo=1/", -ENOENT,
			"tier_mem has no term 'foo'; its terms: loads, stores; "
			"its named events: none" },
		{ "odd/foo/", -ENOENT, "its named events: nested, param, plain" },
		{ "odd/nested/", -ENOENT, "no term 'plain'" },
		{ "odd/plain=1/", -ENOENT, "no term 'plain'" },
		{ "tier_mem/loads=2/", -EINVAL, "0x2 does not fit term 'loads'" },
		{ "odd/split=0x1000/", -EINVAL, "0x1000 does not fit term 'split'" },
		{ "tier_mem/loads=/", -EINVAL, "'' is no number for term 'loads'" },
		{ "tier_mem/loads=-1/", -EINVAL, "'-1' is no number" },
		{ "tier_mem/loads=0x/", -EINVAL, "'0x' is no number" },
		{ "tier_mem/config=0x10000000000000000/", -EINVAL, "is no number" },
		{ "odd/param/", -EINVAL, "'?' is no number for term 'split'" },
		{ "tier_mem/period=0/", -EINVAL, "period cannot be 0" },
		{ "tier_mem/=1/", -EINVAL, "'' is no term" },
		{ "tier_mem/../type/", -EINVAL, "'../type' is no term" },
		{ "tier_mem/../", -EINVAL, "'..' is no term" },
		{ "tier_mem/a b/", -EINVAL, "'a b' is no term" },
		{ "odd/wide=1/", -EINVAL, "'config:60-64', which we cannot read" },
		{ "odd/config3=1/", -EINVAL, "'config3:0-7', which we cannot read" },
		{ "odd/nonsense/", -EINVAL, "'nonsense', which we cannot read" },
		{ "odd/norange/", -EINVAL, "'config:', which we cannot read" },
		{ "odd/badrange/", -EINVAL, "which we cannot read" },
		{ "tier_mem/loads", -EINVAL, "has one slash" },
		{ "/loads/", -EINVAL, "does not begin with a PMU" },
		{ "../x//", -EINVAL, "does not begin with a PMU" },
		{ "tier_mem//pppp", -EINVAL, "at most 3 'p', and 'u', not 'pppp'" },
		{ "tier_mem//pP", -EINVAL, "not 'pP'" },
		{ "tier_mem//uk", -EINVAL,
			"not 'uk': tierd samples the accesses of user" },
		{ "tier_mem//pppp", -EINVAL, "not 'pppp'" },
	};
	struct fake_root *fake = *state;

	make_tier_mem(fake);
	make_odd(fake);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_perf_event event;
		char *error = NULL;
		int r = tierd_perf_event_resolve(
			&event, &fake->root, cases[i].text, &error);

		if (r != cases[i].r)
			fail_msg("%s: %d, %s", cases[i].text, r, error);
		assert_error_contains(&error, cases[i].says);
	}
}

static void test_overlong_text(void **state)
{
	struct fake_root *fake = *state;
	struct tierd_perf_event event;
	char text[600] = "tier_mem/";
	char *error = NULL;

	make_tier_mem(fake);
	memset(text + 9, 'x', sizeof(text) - 11);
	text[sizeof(text) - 2] = '/';
	assert_int_equal(
		tierd_perf_event_resolve(&event, &fake->root, text, &error), -EINVAL);
	assert_error_contains(&error, "too long");

	text[300] = '/';
	text[301] = '\0';
	assert_int_equal(
		tierd_perf_event_resolve(&event, &fake->root, text, &error), -EINVAL);
	assert_error_contains(&error, "is no term");
}

static void test_broken_type(void **state)
{
	static const char *const types[] = { "", "x\n", "-1\n", "4294967296\n" };
	struct fake_root *fake = *state;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct tierd_perf_event event;
		char *error = NULL;

		write_pmu(fake, "tier_mem", "type", types[i]);
		assert_true(tierd_perf_event_resolve(
				    &event, &fake->root, "tier_mem//", &error) < 0);
		assert_error_contains(&error, "cannot read the type of PMU tier_mem");
	}
}

static void assert_finds(struct fake_root *fake, const char *text, const char *expected)
{
	struct tierd_perf_event event;
	char *error = NULL;
	int r = tierd_perf_event_resolve(&event, &fake->root, text, &error);

	if (r < 0)
		fail_msg("%d, %s", r, error);
	assert_string_equal(event.text, expected);
	tierd_perf_event_done(&event);
}

static void test_finds_the_most_preferred(void **state)
{
	struct fake_root *fake = *state;

	write_pmu(fake, "ibs_op", "type", "11\n");
	assert_finds(fake, "", "ibs_op//");
	write_pmu(fake, "ibs_op", "format/l3missonly", "config:16\n");
	assert_finds(fake, NULL, "ibs_op/l3missonly=1/");
	make_intel(fake, "cpu_core");
	assert_finds(fake, NULL, "cpu_core/mem-loads,ldlat=30/ppp");
	make_intel(fake, "cpu");
	assert_finds(fake, NULL, "cpu/mem-loads,ldlat=30/ppp");
	make_tier_mem(fake);
	assert_finds(fake, NULL, "tier_mem//");
}

static void test_finds_nothing(void **state)
{
	struct fake_root *fake = *state;
	struct tierd_perf_event event;
	char *error = NULL;

	write_pmu(fake, "software", "type", "1\n");
	write_pmu(fake, "cpu", "type", "4\n");
	write_pmu(fake, "cpu", "events/cycles", "event=0x3c\n");
	assert_int_equal(
		tierd_perf_event_resolve(&event, &fake->root, "", &error), -ENODEV);
	assert_non_null(error);
	for (size_t i = 0; tierd_perf_known[i].text; i++)
		assert_non_null(strstr(error, tierd_perf_known[i].text));
	assert_non_null(strstr(error, DEVICES));
	assert_error_contains(&error, "Event= in tierd.conf");
}

static void test_no_sysfs_at_all(void **state)
{
	struct fake_root *fake = *state;
	struct tierd_perf_event event;
	char *error = NULL;

	fake_root_remove(fake, "/sys");
	assert_int_equal(
		tierd_perf_event_resolve(&event, &fake->root, "", &error), -ENODEV);
	assert_error_contains(&error, "no event that samples memory accesses");
	assert_int_equal(
		tierd_perf_event_resolve(&event, &fake->root, "cpu//", &error), -ENOENT);
	assert_error_contains(&error, "no PMU 'cpu' in " DEVICES ", only: none");
}

static void test_mem_loads_behind_its_leader(void **state)
{
	struct fake_root *fake = *state;
	struct tierd_perf_event event;
	char *error = NULL;

	make_intel(fake, "cpu");
	write_pmu(fake, "cpu", "events/mem-loads-aux", "event=0x03,umask=0x82\n");

	assert_int_equal(tierd_perf_event_resolve(&event, &fake->root, NULL, &error), 0);
	assert_true(event.has_leader);
	assert_int_equal(event.leader_config[0], 0x8203);
	assert_int_equal(event.leader_config[1], 0);
	assert_int_equal(event.config[0], 0x1cd);
	tierd_perf_event_done(&event);

	assert_int_equal(
		tierd_perf_event_resolve(&event, &fake->root, "cpu/mem-stores/p", &error),
		0);
	assert_false(event.has_leader);
	tierd_perf_event_done(&event);
}

static void test_cpus_of_a_hybrid_pmu(void **state)
{
	struct fake_root *fake = *state;
	struct tierd_perf_event event;
	char *error = NULL;

	make_intel(fake, "cpu_core");
	write_pmu(fake, "cpu_core", "cpus", "0-15\n");
	assert_int_equal(tierd_perf_event_resolve(&event, &fake->root, NULL, &error), 0);
	assert_string_equal(event.cpus, "0-15");
	tierd_perf_event_done(&event);
}

static void test_known_events_are_sound(_unused_ void **state)
{
	for (size_t i = 0; tierd_perf_known[i].text; i++) {
		const struct tierd_perf_known *known = &tierd_perf_known[i];
		const struct tierd_perf_trait *trait = tierd_perf_trait(known->pmu);
		size_t n = strlen(known->pmu);

		assert_memory_equal(known->text, known->pmu, n);
		assert_int_equal(known->text[n], '/');
		assert_true(trait->bounds.step >= 1);
		assert_true(trait->bounds.min >= 1);
		assert_int_equal(
			tierd_rate_clamp(&trait->bounds, trait->period), trait->period);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_strings_become_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_errors_say_what_is_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlong_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_type, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_finds_the_most_preferred, setup, teardown),
		cmocka_unit_test_setup_teardown(test_finds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_sysfs_at_all, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_mem_loads_behind_its_leader, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_cpus_of_a_hybrid_pmu, setup, teardown),
		cmocka_unit_test(test_known_events_are_sound),
		cmocka_unit_test_setup_teardown(
			test_names_stand_for_events, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
