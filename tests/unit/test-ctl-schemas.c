/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every verb prints as JSON is as ctl/schemas says, to jq.
 *
 *   test-ctl-schemas TIERCTL FAKE-TIERD
 */
#include "ctl-world.h"

#include <string.h>
#include <sys/wait.h>

#define SCHEMAS SOURCE_ROOT "/ctl/schemas"
#define FITS    SOURCE_ROOT "/tests/vm/scenarios/schema.sh"

static const struct {
	const char *schema;
	const char *command;
	int exit;
} rows[] = {
	{ "status", "status" },
	{ "status", "" },
	{ "list", "list" },
	{ "show", "show " GUPS },
	{ "show", "show postgresql.service" },
	{ "residency", "residency" },
	{ "residency", "residency " GUPS },
	{ "hist", "hist " GUPS },
	{ "counters", "counters " GUPS },
	{ "curve", "curve " GUPS },
	{ "curve", "curve postgresql.service" },
	{ "explain", "explain " GUPS },
	{ "explain", "explain 1234 0x7f0012345000" },
	{ "doctor", "doctor" },
	{ "heatmap", "heatmap " GUPS },
	{ "heatmap", "heatmap 1240" },
	{ "heatmap", "heatmap postgresql.service" },
	{ "top", "top -n 2 -d 0.1" },
	{ "set-quota", "set-quota " GUPS " 900M" },
	{ "set-quota", "set-quota " GUPS " infinity" },
	{ "set-enforcement", "set-enforcement " GUPS " advise" },
	{ "add", "add /new.slice DRAMQuota=2M" },
	{ "remove", "remove /new.slice" },
	{ "pause", "pause" },
	{ "resume", "resume" },
	{ "record", "record " GUPS " -o /dev/null --duration=1" },
	{ "verify", "verify /nowhere.conf", 1 },
	{ "cat-config", "cat-config", 0 },
	{ "reload", "reload" },
};

/* Whether the text, put into a file, is as a schema says; *ret_said is why not. */
static bool fits(const char *text, const char *schema, char said[static 1024])
{
	_cleanup_(freep) char *command = NULL;
	FILE *f;
	size_t n;

	write_text("out.json", text);
	assert_true(asprintf(&command, "bash -c '. %s; fits %s/out.json %s %s' 2>&1",
			    FITS, bus.directory, schema, SCHEMAS) > 0);
	f = popen(command, "re");
	assert_non_null(f);
	n = fread(said, 1, 1023, f);
	said[n] = '\0';
	remove_text("out.json");
	return pclose(f) == 0;
}

static void check_row(size_t i, const char *mode)
{
	_cleanup_(freep) char *command = NULL;
	char said[1024];
	struct run r;

	assert_true(asprintf(&command, "%s%s%s", mode, *rows[i].command ? " " : "",
			    rows[i].command) > 0);
	run(command, &r);
	if (r.exit != rows[i].exit)
		fail_msg("%s: exit code %d", command, r.exit);
	if (!fits(r.out, rows[i].schema, said))
		fail_msg("%s: %s", command, said);
}

static void test_verbs(_unused_ void **state)
{
	check_row(0, "--json=pretty");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(i, "--json=short");
}

/* That it can fail at all. */
static void test_misfits(_unused_ void **state)
{
	static const struct {
		const char *text, *schema, *said;
	} misfits[] = {
		{ "", "pause", "nothing to compare" },
		{ "{}", "nothing", "nothing to compare" },
		{ "{", "pause", "parse error" },
		{ "{}", "pause", "$: there is no paused" },
		{ "{\"paused\":1}", "resume", "$.paused: not of type [\"boolean\"]" },
		{ "{\"paused\":true,\"x\":1}", "pause", "$: there is a x" },
		{ "{\"cgroup\":\"a\",\"managed\":true}", "add", "$.cgroup: not like ^/" },
		{ "{\"reloaded\":false}", "reload", "$.reloaded: not true" },
		{ "{\"cgroup\":\"/a\",\"samples\":-1,\"points\":[{\"dram_bytes\":1.5,"
		  "\"hit_ratio\":2}]}",
			"curve", "$.samples: -1 is below 0" },
		{ "{\"cgroup\":\"/a\",\"samples\":1,\"points\":[{\"dram_bytes\":1.5,"
		  "\"hit_ratio\":null}]}",
			"curve", "$.points[0].dram_bytes: not of type [\"integer\"]" },
		{ "{\"cgroup\":\"/a\",\"samples\":1,\"points\":[{\"dram_bytes\":1,"
		  "\"hit_ratio\":1.25}]}",
			"curve", "$.points[0].hit_ratio: 1.25 is above 1" },
		{ "{\"A\":1}", "counters", "$ name: not like" },
		{ "{}", "counters", "$: too few members" },
		{ "{\"a\":-1}", "counters", "$.a: -1 is below 0" },
	};
	char said[1024];

	for (size_t i = 0; i < ARRAY_SIZE(misfits); i++) {
		assert_false(fits(misfits[i].text, misfits[i].schema, said));
		if (!strstr(said, misfits[i].said))
			fail_msg("case %zu: %s", i, said);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_verbs),
		cmocka_unit_test(test_misfits),
	};

	return run_with_bus(tests, argc, argv);
}
