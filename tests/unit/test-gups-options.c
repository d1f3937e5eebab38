/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: what good ones mean, and that each bad one is refused with a message
 * that names the option.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/util.h"
#include "options.h"

#define MIB (UINT64_C(1) << 20)

/* Splits a command line at spaces, parses it, and gives what was said on errors. */
static int parse(const char *line, char *ret_said, size_t n, struct gups_options *ret)
{
	static char words[256];
	char *argv[20] = { "gups" }, *save = NULL;
	int argc = 1, r;
	FILE *f;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	memset(ret_said, 0, n);
	f = fmemopen(ret_said, n, "w");
	assert_non_null(f);
	r = gups_options_parse(argc, argv, f, ret);
	fclose(f);
	return r;
}

static void bad_ones_are_refused(void **state _unused_)
{
	static const struct {
		const char *line, *said;
	} cases[] = {
		{ "--distribution=pareto",
			"--distribution=pareto: must be hotset, zipf" },
		{ "--working-set=2X", "--working-set=2X: must be a size" },
		{ "--working-set=-4K", "--working-set=-4K: must be a size" },
		{ "--working-set=99999999999G", "must be a size" },
		{ "--working-set=5000", "--working-set=5000: must be a multiple of 4K" },
		{ "--working-set=0", "--working-set=0: must be a size above 0" },
		{ "--hot=0", "--hot=0: must be a size above 0" },
		{ "--working-set", "--working-set: needs a value" },
		{ "--hot=2G", "--hot is larger than --working-set" },
		{ "--hot=4M --hot-share=0.1", "--hot and --hot-share say the same" },
		{ "--hot-share=1.5", "--hot-share=1.5: must be a fraction" },
		{ "--hot-share=0", "--hot-share=0: must be a fraction" },
		{ "--hot-probability=nan", "--hot-probability=nan: must be a fraction" },
		{ "--hot-probability=0.1 --hot-share=0.5", "--hot-probability is below" },
		{ "--zipf-exponent=0", "--zipf-exponent=0: must be a number above 0" },
		{ "--reverse --offset=4M", "--reverse and --offset exclude" },
		{ "--reverse=yes", "--reverse=yes" },
		{ "--offset=1000M", "--offset leaves no room" },
		{ "--distribution=random --scatter", "--distribution=random has no hot" },
		{ "--threads=0", "--threads=0: must be a whole number from 1 to 64" },
		{ "--threads=65", "--threads=65: must be a whole number from 1 to 64" },
		{ "--threads=18446744073709551617",
			"must be a whole number from 1 to 64" },
		{ "--updates=1.5", "--updates=1.5: must be a whole number" },
		{ "--updates=8e99", "--updates=8e99: must be a whole number" },
		{ "--seconds=0", "--seconds=0: must be a time" },
		{ "--interval=1s", "--interval=1s: must be a time" },
		{ "--phase-at=5 --hot-share=0.6", "--phase-at needs a place" },
		{ "--huge=sometimes", "--huge=sometimes: must be always, never" },
		{ "--prefer=pmem", "--prefer=pmem: must be the number" },
		{ "--place=worst", "--place=worst: must be first-touch or best" },
		{ "--place=best", "--place=best needs --dram-budget" },
		{ "--dram-budget=1G", "--dram-budget has a meaning with --place=best" },
		{ "--place=best --dram-budget=1G --prefer=0", "exclude each other" },
		{ "--dram-nodes=", "--dram-nodes=: must be a list" },
		{ "--dram-nodes=2-1", "--dram-nodes=2-1: must be a list" },
		{ "--dram-nodes=0,", "--dram-nodes=0,: must be a list" },
		{ "--dram-nodes=4000", "--dram-nodes=4000: must be a list" },
		{ "--json=", "--json=: must be the name of a file" },
		{ "--start-paused --wait-file=x", "exclude each other" },
		{ "--frobnicate", "--frobnicate: no such option" },
		{ "-x", "-x: no such option" },
		{ "leftover", "leftover: only options" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gups_options o, before;
		char said[512];

		memset(&o, 0x5a, sizeof(o));
		before = o;
		assert_int_equal(parse(cases[i].line, said, sizeof(said), &o), -EINVAL);
		if (!strstr(said, cases[i].said))
			fail_msg("'%s' is answered by: %s", cases[i].line, said);
		assert_memory_equal(&o, &before, sizeof(o));
	}
}

static void good_ones_are_understood(void **state _unused_)
{
	struct gups_options o;
	char said[512];

	assert_int_equal(
		parse("--distribution=zipf --working-set=14G --hot=400M --scatter "
		      "--updates=8e8 --seconds=2.5 --threads=64 --seed=7 --huge=never "
		      "--place=best --dram-budget=700M --dram-nodes=0,2-3",
			said, sizeof(said), &o),
		0);
	assert_string_equal(said, "");
	assert_int_equal(o.kind, GUPS_KIND_ZIPF);
	assert_int_equal(o.working_set_bytes, 14336 * MIB);
	assert_int_equal(o.hot_bytes, 400 * MIB);
	assert_true(o.scatter && !o.reverse);
	assert_int_equal(o.updates, 800000000);
	assert_true(o.seconds == 2.5);
	assert_int_equal(o.threads, 64);
	assert_int_equal(o.seed, 7);
	assert_int_equal(o.huge, GUPS_HUGE_NEVER);
	assert_int_equal(o.place, GUPS_PLACE_BEST);
	assert_int_equal(o.dram_budget_bytes, 700 * MIB);
	assert_true(gups_nodes_has(&o.dram_nodes, 0));
	assert_false(gups_nodes_has(&o.dram_nodes, 1));
	assert_true(gups_nodes_has(&o.dram_nodes, 2));
	assert_true(gups_nodes_has(&o.dram_nodes, 3));
	assert_false(gups_nodes_has(&o.dram_nodes, 4));
}

static void sizes_become_pages(void **state _unused_)
{
	static const struct {
		const char *line;
		uint64_t pages, hot, offset;
	} cases[] = {
		{ "", 262144, 26214, 0 },
		{ "--working-set=4K", 1, 1, 0 },
		{ "--working-set=2G --hot=400M", 524288, 102400, 0 },
		{ "--hot-share=0.25 --offset=512M", 262144, 65536, 131072 },
		{ "--distribution=random --working-set=700M", 179200, 179200, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gups_distribution_config c;
		struct gups_options o;
		char said[512];

		assert_int_equal(parse(cases[i].line, said, sizeof(said), &o), 0);
		c = gups_options_distribution(&o);
		assert_int_equal(c.pages, cases[i].pages);
		assert_int_equal(c.hot_pages, cases[i].hot);
		assert_int_equal(c.offset_pages, cases[i].offset);
	}
}

static void help_names_every_option(void **state _unused_)
{
	static char text[8192];
	FILE *f = fmemopen(text, sizeof(text), "w");

	assert_non_null(f);
	gups_options_help(f);
	fclose(f);
	assert_non_null(strstr(text, "--distribution=KIND"));
	assert_non_null(strstr(text, "--wait-file=FILE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_ones_are_refused),
		cmocka_unit_test(good_ones_are_understood),
		cmocka_unit_test(sizes_become_pages),
		cmocka_unit_test(help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
