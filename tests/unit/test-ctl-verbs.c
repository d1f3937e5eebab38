/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of tierctl that show something, and what is wrong with a command line.
 *
 *   test-ctl-verbs TIERCTL FAKE-TIERD
 */
#include "ctl-world.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* ---- Text ---------------------------------------------------------------------- */

static const char status_text[] =
	"● tierd 1.2.3 - memory tiers and DRAM quotas\n"
	"   Uptime: 3h 12min\n"
	"      CPU: 2min 18s (1.2% of one CPU)\n"
	"  Sampler: pmu tier_mem/latency=1/, 1 in 49 accesses\n"
	"  Samples: 12345678 taken, of which 345678 of stores, 17 lost, throttled 2 times\n"
	"     Rate: 15000 a second of 20000 wanted (limit: cpu), from 7 of 8 CPUs\n"
	"     Cost: 0.0% of one CPU, estimated, taken from programs\n"
	" Coverage: 75.0% of what programs access\n"
	"           better: the machine has none\n"
	"    Tiers: DRAM  node 0    [███████████▏    ]   712M of    1G used,  312M free\n"
	"           slow  nodes 1,3 [██████▍         ]     2G of    5G used,    3G free\n"
	"   Groups: 4, 12.7G in DRAM, 1.3G in slow memory\n"
	"\n";

static const char table_head[] =
	"CGROUP                                      QUOTA DRAM SLOW   HIT COVERAGE "
	"PROCS MODE\n";

static const char table_rows[] =
	"/system.slice/gups.service                   700M 712M 1.3G 93.8%    87.5% "
	"    2 soft\n"
	"/system.slice/postgresql.service         infinity   4G 512K     -     0.0% "
	"    0 advise\n"
	"/user.slice/käse ?[31m\\xff.scope         infinity   4G 512K     -     0.0% "
	"    0 advise\n"
	"/user.slice/user-1000.slice/gups.service infinity   4G 512K     -     0.0% "
	"    0 advise\n";

static const char show_text[] =
	"● /system.slice/gups.service\n"
	"    Policy: /etc/tierd/policies.d/50-gups.conf (soft, engine rank)\n"
	"     Quota: 700M, at least 100M, 12M over\n"
	"      DRAM: [██████▉             ]    712M  34.6%\n"
	"      Slow: [█████████████▏      ]    1.3G  65.4%\n"
	" Uncovered: 3M that cannot be moved\n"
	"      Hits: 93.8% of samples in DRAM\n"
	"  Coverage: 87.5% of pages watched long enough to judge\n"
	"  In doubt: 25.0% of pages may belong on the other side of the cut\n"
	"     Rates: a page is accessed 12.5/s on average, quota is full at 50/s\n"
	"     Moved: 402M up, 390M down\n"
	" Processes: 2\n";

static const char hist_text[] =
	"/system.slice/gups.service: memory by samples seen per page\n"
	"\n"
	"    SAMPLES    DRAM                              SLOW\n"
	"          0    290M ██████                       1.2G █████████████████████████\n"
	"          1     12M ▎                            140M ██▉                      \n"
	"        2-3     60M █▎                             7M ▏                        \n"
	"        4-7    180M ███▊                           1M ▏                        \n"
	"       8-15    150M ███▏                            0                          \n"
	"      16-31     20M ▍                               0                          \n"
	"      total    712M                              1.3G\n";

static const char residency_text[] =
	"/system.slice/gups.service\n"
	"pid 1234, 2G resident, 50.0% in DRAM\n"
	"dram portion per gb: [1.000, 0.000, 0.500]\n"
	"pid 1240, 8M resident, 12.5% in DRAM\n"
	"dram portion per gb: [0.125]\n";

static const char explain_text[] =
	"/system.slice/gups.service: memory by what keeps it where it is\n"
	"\n"
	"  paused: Nothing moves.\n"
	"\n"
	"    DRAM    SLOW  REASON\n"
	"    700M       0  hot: It belongs there.\n"
	"     12M    1.3G  warm: It would not pay.\n";

static const char page_head[] =
	"● 0x7f0012345000 of process 1234 in /system.slice/gups.service\n"
	"      Why: hot: It belongs there.\n"
	"    Where: DRAM\n"
	"    Class: hot\n"
	"     Heat: 12 samples, 345 in its 2 MiB; one accessed once a second would have "
	"0.25\n"
	"     Rate: 48/s, believed to be 40/s to 64/s; the quota is full at 50/s\n"
	"Last move: promote to tier 0 (exchange), ";

static const char no_page_text[] =
	"● 0x1000 of process 1234 in /system.slice/gups.service\n"
	"      Why: unmapped: There is none.\n";

static void test_explain(_unused_ void **state)
{
	struct run r;

	assert_output("explain " GUPS, explain_text);
	assert_output("explain 1234 0x1000", no_page_text);
	run("explain 1234 0x7f0012345000", &r);
	assert_int_equal(r.exit, 0);
	assert_memory_equal(r.out, page_head, strlen(page_head));
}

static void test_explain_json(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *group = run_json("--json explain " GUPS);
	_cleanup_(json_object_putp) json_object *page =
		run_json("--json=short explain 1234 139638282145792");
	json_object *warm = json_object_array_get_idx(member(group, "pages"), 1);

	assert_int_equal(json_object_array_length(member(group, "holds")), 1);
	assert_int_equal(number(warm, "slow_bytes"), UINT64_C(1348) << 20);
	assert_int_equal(number(page, "address"), 0x7f0012345000);
	assert_int_equal(number(page, "samples"), 12);
	assert_true(json_object_get_double(member(page, "rate_high")) == 64);
	assert_int_equal(number(member(page, "last_move"), "to"), 0);
}

static void test_status(_unused_ void **state)
{
	_cleanup_(freep) char *text = NULL;

	assert_true(asprintf(&text, "%s%s%s", status_text, table_head, table_rows) > 0);
	assert_output("status", text);
	assert_output("", text);
}

static void test_list(_unused_ void **state)
{
	_cleanup_(freep) char *text = NULL;

	assert_true(
		asprintf(&text, "%s%s\n4 groups, 12.7G in DRAM, 1.3G in slow memory.\n",
			table_head, table_rows) > 0);
	assert_output("list", text);
	assert_output("list --no-legend", table_rows);
	assert_output("--json=off --no-legend list", table_rows);
}

static void test_one_group(_unused_ void **state)
{
	assert_output("show " GUPS, show_text);
	assert_output("show system.slice/gups.service", show_text);
	assert_output("hist " GUPS, hist_text);
	assert_output("residency " GUPS, residency_text);
	assert_output("residency postgresql.service --no-legend",
		"/system.slice/postgresql.service\n");
}

static void test_counters(_unused_ void **state)
{
	static const char head[] =
		"promotion_scanned                        2010\n"
		"promotion_tried                          1005\n"
		"promotion_tried_failure                   105\n"
		"promotion_tried_failure_nomem              60\n";
	struct run r;

	run("counters --no-legend " GUPS, &r);
	assert_int_equal(r.exit, 0);
	assert_memory_equal(r.out, head, strlen(head));
}

static const char curve_head[] =
	"/system.slice/gups.service: accesses that DRAM would serve, by 1500 samples\n"
	"\n"
	"  DRAM     HIT\n"
	"     0    0.0%                                          \n"
	"  128M   12.5%  █████                                   \n"
	"  256M   25.0%  ██████████                              \n";

static void test_curve(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *curve = NULL;
	json_object *point;
	struct run r;

	run("curve " GUPS, &r);
	assert_string_equal(r.err, "");
	r.out[strlen(curve_head)] = '\0';
	assert_string_equal(r.out, curve_head);
	run("curve --no-legend " GUPS, &r);
	assert_non_null(strstr(r.out,
		"  768M   58.3%  ███████████████████████▍"
		"                 now\n"));
	curve = run_json("--json curve " GUPS);
	assert_true(json_object_get_double(member(curve, "samples")) == 1500);
	assert_int_equal(json_object_array_length(member(curve, "points")), 65);
	point = json_object_array_get_idx(member(curve, "points"), 8);
	assert_int_equal(number(point, "dram_bytes"), UINT64_C(256) << 20);
	assert_true(json_object_get_double(member(point, "hit_ratio")) == 0.25);
}

#define BLANK_56 "                                                        "

static void test_heatmap(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *map = NULL;
	json_object *processes, *regions;

	assert_output("heatmap " GUPS, GUPS
		"\n"
		"pid 1234: 2M a line, 1.0s a column, █ is 5e+03/s accesses\n"
		" |" BLANK_56
		"███ |\n"
		" |" BLANK_56
		" ▒▓ |\n"
		"pid 1240: 2M a line, 1.0s a column, █ is 5e+03/s accesses\n"
		" |" BLANK_56 "░░░ |\n");
	assert_output("heatmap --no-legend 1240", GUPS "\n |" BLANK_56 "███ |\n");
	assert_output("heatmap postgresql.service",
		"/system.slice/postgresql.service\nno samples in the last minute\n");
	map = run_json("--json=short heatmap " GUPS);
	assert_int_equal(number(map, "region_bytes"), 2 << 20);
	assert_int_equal(json_object_array_length(member(map, "exposure")), 60);
	processes = member(map, "processes");
	assert_int_equal(json_object_array_length(processes), 2);
	regions = member(json_object_array_get_idx(processes, 0), "regions");
	assert_int_equal(json_object_array_length(regions), 2);
}

/* ---- JSON ---------------------------------------------------------------------- */

static void check_groups(json_object *groups)
{
	json_object *gups, *postgres;

	assert_true(json_object_is_type(groups, json_type_array));
	assert_int_equal(json_object_array_length(groups), 4);
	gups = json_object_array_get_idx(groups, 0);
	assert_string_equal(json_object_get_string(member(gups, "cgroup")), GUPS);
	assert_int_equal(number(gups, "dram_quota_bytes"), UINT64_C(700) << 20);
	assert_int_equal(number(gups, "dram_bytes"), UINT64_C(712) << 20);
	assert_int_equal(number(gups, "slow_bytes"), UINT64_C(1348) << 20);
	assert_true(json_object_get_double(member(gups, "hit_ratio")) == 0.9375);
	postgres = json_object_array_get_idx(groups, 1);
	assert_null(member(postgres, "dram_quota_bytes"));
	assert_null(member(postgres, "hit_ratio"));
}

static void test_list_json(_unused_ void **state)
{
	static const char *const commands[] = { "--json list", "list --json",
		"--json=short list", "list --json=pretty --no-legend" };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		_cleanup_(json_object_putp) json_object *groups = run_json(commands[i]);

		check_groups(groups);
	}
}

static void test_status_json(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *status = run_json("--json status");
	json_object *tiers = member(status, "tiers"), *sampler, *slow;

	check_groups(member(status, "groups"));
	assert_int_equal(json_object_array_length(tiers), 2);
	slow = json_object_array_get_idx(tiers, 1);
	assert_string_equal(
		json_object_to_json_string_ext(member(slow, "nodes"), 0), "[1,3]");
	assert_int_equal(number(slow, "total_bytes"), UINT64_C(5) << 30);
	assert_int_equal(number(slow, "free_bytes"), UINT64_C(3) << 30);
	sampler = member(status, "sampler");
	assert_string_equal(json_object_get_string(member(sampler, "source")), "pmu");
	assert_int_equal(number(sampler, "samples"), 12345678);
	assert_int_equal(number(sampler, "lost"), 17);
	assert_true(json_object_get_double(member(sampler, "coverage")) == 0.75);
	assert_int_equal(json_object_array_length(member(sampler, "sources")), 2);
	assert_int_equal(number(sampler, "cpus"), 8);
	assert_int_equal(number(sampler, "cpus_heard"), 7);
	assert_int_equal(number(sampler, "wanted_per_s"), 20000);
	assert_int_equal(number(sampler, "target_per_s"), 15000);
	assert_string_equal(json_object_get_string(member(sampler, "limit")), "cpu");
	assert_int_equal(number(sampler, "overhead_usec"), 4000000);
}

static void test_group_json(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *show = run_json("show --json " GUPS);
	_cleanup_(json_object_putp) json_object *hist = run_json("hist --json " GUPS);
	_cleanup_(json_object_putp) json_object *counters =
		run_json("counters --json " GUPS);
	json_object *bin;

	assert_int_equal(number(show, "dram_min_bytes"), UINT64_C(100) << 20);
	assert_int_equal(number(show, "processes"), 2);
	assert_int_equal(number(hist, "dram_pages"), 712 * 256);
	assert_int_equal(json_object_array_length(member(hist, "bins")), 16);
	bin = json_object_array_get_idx(member(hist, "bins"), 3);
	assert_int_equal(number(bin, "floor"), 4);
	assert_int_equal(number(bin, "dram_pages"), 180 * 256);
	assert_int_equal(number(bin, "slow_pages"), 256);
	assert_int_equal(number(counters, "promoted"), 900);
}

static void test_residency_json(_unused_ void **state)
{
	assert_output("--json=short residency " GUPS,
		"[{\"cgroup\":\"/system.slice/gups.service\",\"processes\":[{\"pid\":1234,"
		"\"resident_bytes\":2160066560,\"dram_bytes\":1080033280,"
		"\"dram_portion_per_gb\":[1.0,0.0,0.5]},{\"pid\":1240,\"resident_bytes\":"
		"8388608,\"dram_bytes\":1048576,\"dram_portion_per_gb\":[0.125]}]}]\n");
}

/* ---- Errors -------------------------------------------------------------------- */

static void test_failures(_unused_ void **state)
{
	static const struct failure rows[] = {
		{ "frobnicate", 2, "there is no verb 'frobnicate'" },
		{ "show", 2, "usage: tierctl show GROUP" },
		{ "list too much", 2, "usage: tierctl list\n" },
		{ "--json=yes list", 2, "--json= takes pretty, short or off" },
		{ "--no-such-option list", 2, "no-such-option" },
		{ "set-quota " GUPS " 1.5X", 2, "'1.5X' is no size" },
		{ "set-quota " GUPS " -1", 2, "invalid option" },
		{ "set-quota -- " GUPS " -1", 2, "'-1' is no size" },
		{ "set-quota " GUPS " 18446744073709551615", 2, "is no size" },
		{ "set-quota " GUPS " 1M", 1, "below the group's DRAMMin" },
		{ "set-enforcement " GUPS " maybe", 1, "There is no such enforcement" },
		{ "list --persist", 2, "--persist is for set-quota" },
		{ "add", 2, "usage: tierctl add CGROUP [KEY=VALUE...]" },
		{ "add /a DRAMQuota", 2, "'DRAMQuota' is no setting" },
		{ "add /a DRAMQuota=2X", 2, "'DRAMQuota' is no setting" },
		{ "add /a Quota=2G", 2, "'Quota' is no setting" },
		{ "add /a/../b", 1, "Not a path below the cgroup root" },
		{ "add /not/there", 1, "There is no such cgroup" },
		{ "add " GUPS, 1, "The cgroup is managed already" },
		{ "add /new.slice DRAMMin=2G DRAMQuota=1G", 1, "DRAMMin is above" },
		{ "remove nope.service", 4, "no managed group is called" },
		{ "heatmap 77", 4, "process 77 is in no managed group" },
		{ "show nope.service", 4, "no managed group is called 'nope.service'" },
		{ "show ups.service", 4, "no managed group is called" },
		{ "show /gups.service", 4, "no managed group is called" },
		{ "hist gups.service", 4,
			"  /user.slice/user-1000.slice/gups.service\n" },
	};

	check_failures(0, rows, ARRAY_SIZE(rows));
}

static void test_not_running(_unused_ void **state)
{
	static const struct failure rows[] = {
		{ "status", 3,
			"tierctl: tierd is not running (systemctl start tierd)\n" },
		{ "--json list", 3, "not running" },
		{ "show x", 3, "not running" },
		{ "residency", 3, "not running" },
		{ "reload", 3, "not running" },
	};

	check_failures(0, rows, ARRAY_SIZE(rows));
}

static void test_explain_failures(_unused_ void **state)
{
	static const struct failure rows[] = {
		{ "explain nope.service", 4, "no managed group" },
		{ "explain 1 0x1000", 4, "Process 1 is not in a managed group" },
		{ "explain 1234 1000x", 2, "an address" },
		{ "explain -- -1 0x1000", 2, "an address" },
		{ "explain 1234 0x10000000000000000", 2, "an address" },
	};

	check_failures(0, rows, ARRAY_SIZE(rows));
}

static void test_explain_unprivileged(_unused_ void **state)
{
	static const struct failure row = { "explain 1234 0x1000", 1,
		"permission denied" };
	struct run r;

	check_failures(NOBODY, &row, 1);
	run_as(NOBODY, "explain " GUPS, &r);
	assert_int_equal(r.exit, 0);
}

static void test_doctor(_unused_ void **state)
{
	static const char text[] =
		"notice paused: machine\n"
		"    nothing is moved\n"
		"    To do: tierctl resume, when what it was paused for is over.\n"
		"warning drift: " GUPS
		"\n"
		"    2 values\n"
		"    To do: Find who else writes it (systemctl show, audit), and have one "
		"of the two stop.\n";
	_cleanup_(json_object_putp) json_object *found = NULL;
	struct run r;

	assert_output("doctor", "nothing found\n");
	assert_output("doctor --no-legend", "");
	assert_output("doctor --json=short", "[]\n");
	run("pause", &r);
	run("doctor", &r);
	assert_string_equal(r.out, text);
	assert_int_equal(r.exit, 5);
	run("doctor --json", &r);
	assert_int_equal(r.exit, 5);
	found = json_tokener_parse(r.out);
	assert_int_equal(json_object_array_length(found), 2);
	assert_string_equal(json_object_get_string(member(
				    json_object_array_get_idx(found, 1), "subject")),
		GUPS);
}

/* By the program that TIERD names. */
static void test_doctor_without_tierd(_unused_ void **state)
{
	static const struct failure unprivileged = { "doctor", 3, "only root" };
	static const struct failure failures[] = {
		{ "doctor", 1, "cannot have tierd check the machine" },
	};
	_cleanup_(freep) char *path = NULL;
	struct run r;

	assert_true(asprintf(&path, "%s/check", bus.directory) > 0);
	write_text("check",
		"#!/bin/sh\n"
		"printf 'one-tier\\terror\\tmachine\\tone\\tgo\\n'\n"
		"exit 1\n");
	assert_return_code(chmod(path, 0755), errno);
	setenv("TIERD", path, true);
	run("doctor", &r);
	assert_string_equal(r.out, "error one-tier: machine\n    one\n    To do: go\n");
	assert_int_equal(r.exit, 5);
	check_failures(NOBODY, &unprivileged, 1);

	write_text("check", "#!/bin/sh\necho no tabs\n");
	check_failures(0, failures, 1);
	write_text("check", "#!/bin/sh\nexit 78\n");
	check_failures(0, failures, 1);
	setenv("TIERD", "/nonexistent", true);
	check_failures(0, failures, 1);
	unsetenv("TIERD");
	remove_text("check");
}

/* By anybody, without tierd. */
static void test_verify(_unused_ void **state)
{
	static const struct failure rows[] = {
		{ "verify /bad.conf", 1, "tierctl: /bad.conf: No such file" },
		{ "verify %1$s/bad.conf", 1,
			"/bad.conf:4: DRAMQuota=1Q in section [Memory]: expected bytes" },
		{ "verify %1$s/good.conf %1$s/tierd.conf %1$s/bad.conf", 1,
			"/tierd.conf:2: unknown key Tick= in section [Daemon]" },
	};
	_cleanup_(freep) char *good = NULL;

	write_text("good.conf", "[Match]\nUnit=a.service\n");
	write_text("bad.conf", "[Match]\nUnit=a.service\n[Memory]\nDRAMQuota=1Q\n");
	write_text("tierd.conf", "[Daemon]\nTick=1\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *command = NULL;
		struct failure failure = rows[i];

		assert_true(asprintf(&command, failure.command, bus.directory) > 0);
		failure.command = command;
		check_failures(NOBODY, &failure, 1);
	}
	assert_true(asprintf(&good, "verify %s/good.conf", bus.directory) > 0);
	assert_output(good, "");
	remove_text("good.conf");
	remove_text("bad.conf");
	remove_text("tierd.conf");
}

static void test_help(_unused_ void **state)
{
	struct run r;

	run("--help", &r);
	assert_int_equal(r.exit, 0);
	assert_non_null(strstr(r.out, "  set-quota GROUP SIZE         Set"));
	run("--version", &r);
	assert_int_equal(r.exit, 0);
	assert_string_equal(r.out, "tierctl " TIER_VERSION "\n");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_not_running),
		cmocka_unit_test(test_verify),
		TEST(test_status),
		TEST(test_explain),
		TEST(test_explain_json),
		TEST(test_doctor),
		cmocka_unit_test(test_doctor_without_tierd),
		TEST(test_explain_failures),
		TEST(test_explain_unprivileged),
		TEST(test_list),
		TEST(test_one_group),
		TEST(test_counters),
		TEST(test_curve),
		TEST(test_heatmap),
		TEST(test_list_json),
		TEST(test_status_json),
		TEST(test_group_json),
		TEST(test_residency_json),
		TEST(test_failures),
	};

	return run_with_bus(tests, argc, argv);
}
