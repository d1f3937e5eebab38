/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the kernel would promote by itself: by a node's free memory and nothing else. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "fake-root.h"
#include "sampler/hint-guard.h"

#define MIB_PAGES UINT64_C(256)
#define GIB_PAGES (UINT64_C(1024) * MIB_PAGES)

struct zone {
	unsigned node;
	const char *name;
	uint64_t free, high, present;
};

static void print_zone(FILE *out, const struct zone *zone)
{
	fprintf(out,
		"Node %u, zone %8s\n"
		"  per-node stats\n"
		"      nr_inactive_anon 9999999999\n"
		"  pages free     %llu\n"
		"        boost    0\n"
		"        min      11\n"
		"        low      22\n"
		"        high     %llu\n"
		"        promo    44\n"
		"        spanned  %llu\n"
		"        present  %llu\n"
		"        managed  %llu\n"
		"        protection: (0, 2911, 7803)\n"
		"      nr_free_pages 9999999999\n"
		"  pagesets\n"
		"    cpu: 0\n"
		"              count:    1\n"
		"              high:     9999999999\n",
		zone->node, zone->name, (unsigned long long)zone->free,
		(unsigned long long)zone->high, (unsigned long long)zone->present,
		(unsigned long long)zone->present, (unsigned long long)zone->present);
}

static int check(const struct zone *zones, size_t n, char **error)
{
	struct fake_root fake;
	char text[8192];
	FILE *out = fmemopen(text, sizeof(text), "w");
	int r;

	assert_non_null(out);
	for (size_t i = 0; i < n; i++)
		print_zone(out, &zones[i]);
	fclose(out);
	fake_root_init(&fake);
	fake_root_write(&fake, "/proc/zoneinfo", text);
	fake_root_write(&fake, "/sys/devices/system/node/has_cpu", "0\n");
	r = tierd_hint_guard_check(&fake.root, error);
	fake_root_done(&fake);
	return r;
}

static void test_rows(_unused_ void **state)
{
	static const struct {
		struct zone zones[3];
		int result;
	} rows[] = {
		/* All of the node is less than what would be plenty. */
		{ { { 0, "Normal", GIB_PAGES - 10, 100, GIB_PAGES } }, 0 },
		/* 3 GiB: plenty is 1 GiB, and too close from 768 MiB on. */
		{ { { 0, "Normal", 768 * MIB_PAGES + 99, 100, 3 * GIB_PAGES } }, 0 },
		{ { { 0, "Normal", 768 * MIB_PAGES + 100, 100, 3 * GIB_PAGES } },
			-EBUSY },
		/* One zone of it is enough, and two do not add up. */
		{ { { 0, "DMA32", 100, 10, 2 * GIB_PAGES },
			  { 0, "Normal", GIB_PAGES, 10, 2 * GIB_PAGES } },
			-EBUSY },
		{ { { 0, "DMA32", 700 * MIB_PAGES, 10, 2 * GIB_PAGES },
			  { 0, "Normal", 700 * MIB_PAGES, 10, 2 * GIB_PAGES } },
			0 },
		/* A sixteenth of 64 GiB is 4 GiB. */
		{ { { 0, "Normal", 2 * GIB_PAGES, 100, 64 * GIB_PAGES } }, 0 },
		{ { { 0, "Normal", 3 * GIB_PAGES + 100, 100, 64 * GIB_PAGES } }, -EBUSY },
		/* Nobody promotes to a node without CPUs. */
		{ { { 1, "Normal", 8 * GIB_PAGES, 100, 8 * GIB_PAGES } }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = 0;

		while (n < ARRAY_SIZE(rows[i].zones) && rows[i].zones[n].name)
			n++;
		assert_int_equal(check(rows[i].zones, n, NULL), rows[i].result);
	}
}

static void test_says_what_to_do(_unused_ void **state)
{
	static const struct zone zone = { 0, "Normal", GIB_PAGES, 256, 3 * GIB_PAGES };
	char *error = NULL;

	assert_int_equal(check(&zone, 1, &error), -EBUSY);
	assert_error_contains(&error, "node 0 has 1024 MiB free: with 1025 MiB");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
