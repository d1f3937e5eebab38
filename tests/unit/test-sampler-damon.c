/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What DAMON's source does short of the kernel: reading the tracepoint's format and its
 * records, making samples of counts, and leaving the switchboard as it was.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "fake-root.h"
#include "sampler/damon-admin.h"
#include "sampler/damon-record.h"
#include "sampler/damon-spread.h"

#define ADMIN  "/sys/kernel/mm/damon/admin/kdamonds"
#define EVENT  "/sys/kernel/tracing/events/damon/damon_aggregated"
#define PAGE   UINT64_C(4096)
#define ROUNDS 200

static const char format_text[] =
	"name: damon_aggregated\n"
	"ID: 471\n"
	"format:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
	"\n"
	"\tfield:unsigned long target_id;\toffset:8;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned int nr_regions;\toffset:16;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long start;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned long end;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:unsigned int nr_accesses;\toffset:40;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned int age;\toffset:44;\tsize:4;\tsigned:0;\n"
	"\n"
	"print fmt: \"target_id=%lu\", REC->target_id\n";

/* ---- Format and records -------------------------------------------------------- */

static void test_format(_unused_ void **state)
{
	struct tierd_damon_format format;

	assert_int_equal(tierd_damon_format_parse(format_text, &format), 0);
	assert_int_equal(format.id, 471);
	assert_int_equal(format.target.offset, 8);
	assert_int_equal(format.start.offset, 24);
	assert_int_equal(format.end.offset, 32);
	assert_int_equal(format.accesses.offset, 40);
	assert_int_equal(format.accesses.size, 4);
}

static void test_formats_that_make_no_sense(_unused_ void **state)
{
	static const char *const texts[] = {
		"",
		"ID: 4\n",
		"ID: x\n\tfield:unsigned long start;\toffset:24;\tsize:8;\n",
		"ID: 4\n\tfield:unsigned long target_id",
		"ID: 4\n\tfield:unsigned long target_id;\toffset:8;\tsize:3;\n",
		"ID: 4\n\tfield:unsigned long target_id;\toffset:99999;\tsize:8;\n",
	};
	struct tierd_damon_format format;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(tierd_damon_format_parse(texts[i], &format), -EBADMSG);
}

static void test_format_that_is_not_there(_unused_ void **state)
{
	struct tierd_damon_format format;
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	assert_int_equal(tierd_damon_format_read(&fake.root, &format, &error), -ENODEV);
	assert_error_contains(&error, "mount tracefs");
	fake_root_write(&fake, EVENT "/format", "ID: 4\n");
	assert_int_equal(tierd_damon_format_read(&fake.root, &format, &error), -EBADMSG);
	assert_error_contains(&error, "does not describe");
	fake_root_write(&fake, EVENT "/format", format_text);
	assert_int_equal(tierd_damon_format_read(&fake.root, &format, &error), 0);
	fake_root_done(&fake);
}

static void test_records(_unused_ void **state)
{
	struct record {
		uint64_t common;
		uint64_t target;
		uint64_t nr_regions;
		uint64_t start;
		uint64_t end;
		uint32_t accesses;
		uint32_t age;
	} record = { 0, 3, 100, 0x7f0000000000, 0x7f0000200000, 7, 1 };
	const uint8_t *data = (const uint8_t *)&record;
	struct tierd_damon_format format;
	struct tierd_damon_region region;

	assert_int_equal(tierd_damon_format_parse(format_text, &format), 0);
	assert_int_equal(
		tierd_damon_record_decode(&format, data, sizeof(record), &region), 0);
	assert_int_equal(region.target, 3);
	assert_int_equal(region.start, record.start);
	assert_int_equal(region.end, record.end);
	assert_int_equal(region.accesses, 7);
	for (size_t size = 0; size < 44; size++)
		assert_int_equal(tierd_damon_record_decode(&format, data, size, &region),
			-EBADMSG);
	record.end = record.start;
	assert_int_equal(
		tierd_damon_record_decode(&format, data, sizeof(record), &region),
		-EBADMSG);
	record.end = UINT64_MAX;
	assert_int_equal(
		tierd_damon_record_decode(&format, data, sizeof(record), &region),
		-EBADMSG);
}

/* ---- Samples ------------------------------------------------------------------- */

/* Samples of each region over so many rounds. */
static void spread_rounds(const struct tierd_damon_region *regions, size_t n,
	unsigned regions_min, unsigned rounds, uint64_t *ret_samples)
{
	struct tierd_damon_spread spread;

	tierd_damon_spread_init(&spread, regions_min, 42);
	memset(ret_samples, 0, n * sizeof(*ret_samples));
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < n; i++) {
			uint64_t samples = tierd_damon_spread_add(&spread, &regions[i]);

			assert_true(round > 0 || samples == 0);
			assert_true(samples <= regions[i].accesses);
			ret_samples[i] += samples;
			for (uint64_t k = 0; k < samples; k++) {
				uint64_t address = tierd_damon_spread_address(
					&spread, &regions[i], k, samples);

				assert_in_range(
					address, regions[i].start, regions[i].end - 1);
				assert_int_equal(address % PAGE, 0);
			}
		}
}

/* Of regions with the same count all pages get the same share, whatever the sizes; and
 * one of the largest size gets as many samples as looks at it hit. */
static void test_counts_are_spread_by_size(_unused_ void **state)
{
	static const struct tierd_damon_region regions[] = {
		{ 0, 0x10000000, 0x10000000 + 1000 * PAGE, 8 },
		{ 0, 0x20000000, 0x20000000 + 500 * PAGE, 8 },
		{ 0, 0x30000000, 0x30000000 + 500 * PAGE, 4 },
		{ 1, 0x10000000, 0x10000000 + 1999 * PAGE, 0 },
		{ 1, 0x20000000, 0x20000000 + 1 * PAGE, 8 },
	};
	uint64_t samples[ARRAY_SIZE(regions)];

	/* 4000 pages over four regions: a period of 1000. */
	spread_rounds(regions, ARRAY_SIZE(regions), 4, ROUNDS + 1, samples);
	assert_in_range(samples[0], 8 * ROUNDS - 8, 8 * ROUNDS);
	assert_in_range(samples[1], 4 * ROUNDS - 8, 4 * ROUNDS + 8);
	assert_in_range(samples[2], 2 * ROUNDS - 8, 2 * ROUNDS + 8);
	assert_int_equal(samples[3], 0);
	assert_in_range(samples[4], 0, 8);
}

/* Within a region chance decides, and evenly so. */
static void test_addresses_are_all_over_the_region(_unused_ void **state)
{
	const struct tierd_damon_region region = { 0, 0x10000000, 0x10000000 + 64 * PAGE,
		10 };
	struct tierd_damon_spread spread;
	unsigned counts[64] = { 0 };

	tierd_damon_spread_init(&spread, 1, 42);
	for (unsigned i = 0; i < 64 * 100; i++) {
		uint64_t address = tierd_damon_spread_address(&spread, &region, 0, 1);

		counts[(address - region.start) / PAGE]++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		assert_in_range(counts[i], 60, 140);
}

/* ---- The switchboard ----------------------------------------------------------- */

static const struct tierd_damon_intervals intervals = { 1, 2, 3, 4, 5 };

static const char *const writable[] = {
	"/0/contexts/nr_contexts",
	"/0/contexts/0/operations",
	"/0/contexts/0/monitoring_attrs/intervals/sample_us",
	"/0/contexts/0/monitoring_attrs/intervals/aggr_us",
	"/0/contexts/0/monitoring_attrs/intervals/update_us",
	"/0/contexts/0/monitoring_attrs/nr_regions/min",
	"/0/contexts/0/monitoring_attrs/nr_regions/max",
	"/0/contexts/0/targets/nr_targets",
	"/0/contexts/0/targets/0/pid_target",
	"/0/contexts/0/targets/1/pid_target",
};

static void make_admin(struct fake_root *fake)
{
	fake_root_init(fake);
	fake_root_mkdir(fake, "/run");
	fake_root_write(fake, ADMIN "/nr_kdamonds", "0\n");
	fake_root_write(fake, ADMIN "/0/state", "off\n");
	fake_root_write(fake, ADMIN "/0/pid", "-1\n");
	for (size_t i = 0; i < ARRAY_SIZE(writable); i++) {
		char path[160];

		snprintf(path, sizeof(path), ADMIN "%s", writable[i]);
		fake_root_write(fake, path, "\n");
	}
}

static void assert_file(struct fake_root *fake, const char *path, const char *value)
{
	char *text = NULL;

	assert_int_equal(tierd_root_read_line(&fake->root, path, &text), 0);
	assert_string_equal(text, value);
	free(text);
}

static void test_is_put_back(_unused_ void **state)
{
	static const pid_t pids[] = { 17, 18 };
	struct tierd_journal *journal;
	struct fake_root fake;
	char *error = NULL;
	pid_t thread;

	make_admin(&fake);
	assert_int_equal(tierd_journal_open(&fake.root, &journal), 0);
	assert_int_equal(
		tierd_damon_admin_take(&fake.root, journal, &intervals, &error), 0);
	assert_int_equal(tierd_journal_n_held(journal), 2);
	assert_file(&fake, ADMIN "/nr_kdamonds", "1");
	assert_file(&fake, ADMIN "/0/contexts/0/operations", "vaddr");
	assert_file(&fake, ADMIN "/0/contexts/0/monitoring_attrs/intervals/aggr_us", "2");

	assert_int_equal(tierd_damon_admin_watch(&fake.root, journal, pids, 2), 0);
	assert_file(&fake, ADMIN "/0/contexts/0/targets/1/pid_target", "18");
	assert_file(&fake, ADMIN "/0/state", "on");
	fake_root_write(&fake, ADMIN "/0/pid", "4711\n");
	assert_int_equal(tierd_damon_admin_thread(&fake.root, &thread), 0);
	assert_int_equal(thread, 4711);

	tierd_damon_admin_release(&fake.root, journal);
	assert_file(&fake, ADMIN "/0/state", "off");
	assert_file(&fake, ADMIN "/nr_kdamonds", "0");
	assert_int_equal(tierd_journal_n_held(journal), 0);
	tierd_journal_close(journal);
	fake_root_done(&fake);
}

static void test_changes_while_it_runs_are_committed(_unused_ void **state)
{
	static const pid_t pids[] = { 17, 18 };
	struct tierd_journal *journal;
	struct fake_root fake;

	make_admin(&fake);
	assert_int_equal(tierd_journal_open(&fake.root, &journal), 0);
	assert_int_equal(
		tierd_damon_admin_take(&fake.root, journal, &intervals, NULL), 0);
	fake_root_write(&fake, ADMIN "/0/state", "on\n");
	fake_root_write(&fake, ADMIN "/0/pid", "4711\n");
	assert_int_equal(tierd_damon_admin_watch(&fake.root, journal, pids, 1), 0);
	assert_file(&fake, ADMIN "/0/state", "commit");
	tierd_journal_close(journal);
	fake_root_done(&fake);
}

static void test_is_not_taken_from_others(_unused_ void **state)
{
	struct tierd_journal *journal;
	struct fake_root fake;
	char *error = NULL;
	pid_t thread;

	make_admin(&fake);
	assert_int_equal(tierd_journal_open(&fake.root, &journal), 0);
	fake_root_write(&fake, ADMIN "/nr_kdamonds", "2\n");
	assert_int_equal(
		tierd_damon_admin_take(&fake.root, journal, &intervals, &error), -EBUSY);
	assert_error_contains(&error, "somebody else has set DAMON up");
	assert_file(&fake, ADMIN "/nr_kdamonds", "2");
	assert_int_equal(tierd_journal_n_held(journal), 0);

	/* Nor put back, once it has become theirs. */
	fake_root_write(&fake, ADMIN "/nr_kdamonds", "0\n");
	assert_int_equal(
		tierd_damon_admin_take(&fake.root, journal, &intervals, &error), 0);
	fake_root_write(&fake, ADMIN "/nr_kdamonds", "3\n");
	assert_int_equal(tierd_damon_admin_thread(&fake.root, &thread), -EBUSY);
	tierd_damon_admin_release(&fake.root, journal);
	assert_file(&fake, ADMIN "/nr_kdamonds", "3");
	tierd_journal_close(journal);
	fake_root_done(&fake);
}

static void test_without_damon(_unused_ void **state)
{
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	assert_int_equal(tierd_damon_admin_probe(&fake.root, &error), -ENODEV);
	assert_error_contains(&error, "CONFIG_DAMON_SYSFS");
	fake_root_done(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_formats_that_make_no_sense),
		cmocka_unit_test(test_format_that_is_not_there),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_counts_are_spread_by_size),
		cmocka_unit_test(test_addresses_are_all_over_the_region),
		cmocka_unit_test(test_is_put_back),
		cmocka_unit_test(test_changes_while_it_runs_are_committed),
		cmocka_unit_test(test_is_not_taken_from_others),
		cmocka_unit_test(test_without_damon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
