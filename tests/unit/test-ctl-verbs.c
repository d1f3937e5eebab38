/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl as a user runs it, against fake-tierd on a dbus-daemon of the test's own that
 * lets through what the installed bus policy lets through.
 *
 *   test-ctl-verbs TIERCTL FAKE-TIERD
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/wait.h>

#include "base/util.h"
#include "private-bus.h"

#define GUPS          "/system.slice/gups.service"
#define NOBODY        65534
#define ARGUMENTS_MAX 8
#define RELOAD_ERROR  "/etc/tierd/tierd.conf:3: unknown key 'Speed'"

static const char *tierctl_program, *tierd_program;
static struct private_bus bus;
static pid_t tierd_pid;

struct run {
	int exit;
	char out[16384];
	char err[4096];
};

/* ---- Processes ----------------------------------------------------------------- */

static void read_back(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	assert_true(n >= 0 && (size_t)n < size - 1);
	buf[n] = '\0';
}

/* The program is opened before the user changes: its directory may be closed to others.
 */
static void exec_tierctl(uid_t uid, int out, int err, char *const *argv)
{
	int program = open(tierctl_program, O_RDONLY | O_CLOEXEC);

	if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(126);
	if (uid != 0 && setresuid(uid, uid, uid) < 0)
		_exit(126);
	fexecve(program, argv, environ);
	_exit(127);
}

static int temporary_file(void)
{
	int fd = open(bus.directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_return_code(fd, errno);
	return fd;
}

static void write_text(const char *name, const char *text)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(fclosep) FILE *f = NULL;

	assert_true(asprintf(&path, "%s/%s", bus.directory, name) > 0);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

static void remove_text(const char *name)
{
	_cleanup_(freep) char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", bus.directory, name) > 0);
	assert_return_code(unlink(path), errno);
}

/* command's words are separated by single blanks. */
static void run_as(uid_t uid, const char *command, struct run *ret)
{
	_cleanup_(closep) int out = temporary_file(), err = temporary_file();
	_cleanup_(freep) char *words = strdup(command);
	char *argv[ARGUMENTS_MAX + 2] = { (char *)"tierctl" }, *rest = words;
	int n = 1, status;
	pid_t pid;

	while (rest && *rest) {
		assert_true(n <= ARGUMENTS_MAX);
		argv[n++] = strsep(&rest, " ");
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		exec_tierctl(uid, out, err, argv);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	ret->exit = WEXITSTATUS(status);
	read_back(out, ret->out, sizeof(ret->out));
	read_back(err, ret->err, sizeof(ret->err));
}

static void run(const char *command, struct run *ret)
{
	run_as(0, command, ret);
}

/* ---- tierd --------------------------------------------------------------------- */

static void start_tierd(const char *reload_error)
{
	struct run r;

	tierd_pid = start_program(tierd_program,
		(char *[]){ (char *)"fake-tierd", (char *)reload_error, NULL });
	for (int i = 0;; i++) {
		run("list", &r);
		if (r.exit == 0)
			return;
		assert_int_equal(r.exit, 3);
		assert_int_equal(waitpid(tierd_pid, NULL, WNOHANG), 0);
		assert_true(i < WAIT_STEPS);
		wait_step();
	}
}

static int set_up(_unused_ void **state)
{
	start_tierd(NULL);
	return 0;
}

static int set_up_bad_configuration(_unused_ void **state)
{
	start_tierd(RELOAD_ERROR);
	return 0;
}

static int tear_down(_unused_ void **state)
{
	assert_int_equal(stop_program(tierd_pid), 0);
	return 0;
}

static int group_set_up(_unused_ void **state)
{
	private_bus_start(&bus);
	return 0;
}

static int group_tear_down(_unused_ void **state)
{
	private_bus_remove(&bus);
	return 0;
}

/* ---- Text ---------------------------------------------------------------------- */

static const char status_text[] =
	"● tierd 1.2.3 - memory tiers and DRAM quotas\n"
	"   Uptime: 3h 12min\n"
	"      CPU: 2min 18s (1.2% of one CPU)\n"
	"  Sampler: pmu tier_mem/latency=1/, 1 in 49 accesses\n"
	"  Samples: 12345678 taken, 17 lost, throttled 2 times\n"
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

static void assert_output(const char *command, const char *expected)
{
	struct run r;

	run(command, &r);
	assert_string_equal(r.err, "");
	assert_string_equal(r.out, expected);
	assert_int_equal(r.exit, 0);
}

DEFINE_CLEANUP(json_object *, json_object_put)

static json_object *run_json(const char *command)
{
	json_object *parsed;
	struct run r;

	run(command, &r);
	assert_string_equal(r.err, "");
	assert_int_equal(r.exit, 0);
	parsed = json_tokener_parse(r.out);
	assert_non_null(parsed);
	return parsed;
}

static json_object *member(json_object *object, const char *key)
{
	json_object *value;

	assert_true(json_object_is_type(object, json_type_object));
	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("there is no '%s'", key);
	return value;
}

static uint64_t number(json_object *object, const char *key)
{
	json_object *value = member(object, key);

	assert_true(json_object_is_type(value, json_type_int));
	return json_object_get_uint64(value);
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

static void test_set_quota(_unused_ void **state)
{
	assert_output("set-quota postgresql.service 1.5G",
		"/system.slice/postgresql.service: DRAM quota 1.5G (was infinity)\n");
	assert_output("set-quota postgresql.service infinity",
		"/system.slice/postgresql.service: DRAM quota infinity (was 1.5G)\n");
	assert_output("--json=short set-quota postgresql.service 4096",
		"{\"cgroup\":\"/system.slice/postgresql.service\",\"dram_quota_bytes\":"
		"4096,\"previous_dram_quota_bytes\":null}\n");
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

static void test_set_enforcement(_unused_ void **state)
{
	assert_output("set-enforcement " GUPS " advise",
		GUPS ": enforcement advise (was soft)\n");
	assert_output("--json=short set-enforcement " GUPS " soft",
		"{\"cgroup\":\"" GUPS
		"\",\"enforcement\":\"soft\","
		"\"previous_enforcement\":\"advise\"}\n");
}

static void test_add_and_remove(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *show = NULL;

	assert_output("add /new.slice DRAMQuota=2M DRAMMin=1M Enforcement=advise", "");
	show = run_json("--json show /new.slice");
	assert_int_equal(number(show, "dram_quota_bytes"), 2 << 20);
	assert_int_equal(number(show, "dram_min_bytes"), 1 << 20);
	assert_string_equal(json_object_get_string(member(show, "policy")), "runtime");
	assert_output("--json=short remove new.slice",
		"{\"cgroup\":\"/new.slice\",\"managed\":false}\n");
	assert_output("--json=short add /new.slice DRAMQuota=infinity",
		"{\"cgroup\":\"/new.slice\",\"managed\":true}\n");
	assert_output("remove /new.slice", "");
}

static void test_pause(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *status = NULL;
	struct run r;

	assert_output("pause", "");
	run("status", &r);
	assert_non_null(strstr(r.out, "\n    State: paused, nothing is moved\n"));
	status = run_json("--json status");
	assert_true(json_object_get_boolean(member(status, "paused")));
	assert_output("--json=short resume", "{\"paused\":false}\n");
	assert_output("resume", "");
	run("status", &r);
	assert_null(strstr(r.out, "paused"));
}

/* Whether the monitor says so in the end, with the command repeated until then. */
static bool is_announced(int out, const char *command, const char *words)
{
	struct run r;

	for (int i = 0; i < WAIT_STEPS; i++) {
		run(command, &r);
		wait_step();
		read_back(out, r.out, sizeof(r.out));
		if (strstr(r.out, words))
			return true;
	}
	return false;
}

static void test_monitor(_unused_ void **state)
{
	_cleanup_(closep) int out = temporary_file();
	char *argv[] = { (char *)"tierctl", (char *)"--json=short", (char *)"monitor",
		NULL };
	struct run r;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		exec_tierctl(0, out, out, argv);
	assert_true(is_announced(out, "set-quota postgresql.service 3G",
		"\"event\":\"PropertiesChanged\",\"cgroup\":\"/system.slice/"
		"postgresql.service\",\"values\":{\"DRAMQuota\":3221225472}"));
	run("pause", &r);
	assert_true(is_announced(out, "list",
		"\"event\":\"PropertiesChanged\",\"values\":{\"Paused\":\"yes\"}"));
	stop_program(pid);
}

static void test_reload(_unused_ void **state)
{
	assert_output("reload", "");
	assert_output("reload --json=short", "{\"reloaded\":true}\n");
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

struct failure {
	const char *command;
	int exit;
	const char *error; /* part of it */
};

static void check_failures(uid_t uid, const struct failure *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct run r;

		run_as(uid, rows[i].command, &r);
		if (!strstr(r.err, rows[i].error))
			fail_msg("tierctl %s: %s", rows[i].command, r.err);
		assert_string_equal(r.out, "");
		assert_int_equal(r.exit, rows[i].exit);
	}
}

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

static void test_bad_configuration(_unused_ void **state)
{
	static const struct failure rows[] = { { "reload", 1,
		"tierctl: " RELOAD_ERROR "\n" } };

	check_failures(0, rows, ARRAY_SIZE(rows));
}

static void test_unprivileged(_unused_ void **state)
{
	static const struct failure denied[] = {
		{ "reload", 1, "permission denied" },
		{ "set-quota postgresql.service 1G", 1, "permission denied" },
		{ "set-quota --persist postgresql.service 1G", 1, "is for root" },
		{ "set-enforcement " GUPS " soft", 1, "permission denied" },
		{ "add /new.slice", 1, "permission denied" },
		{ "remove " GUPS, 1, "permission denied" },
		{ "pause", 1, "permission denied" },
		{ "resume", 1, "permission denied" },
	};
	static const char *const allowed[] = { "status", "list", "show " GUPS,
		"residency", "hist " GUPS, "counters " GUPS, "curve " GUPS };

	check_failures(NOBODY, denied, ARRAY_SIZE(denied));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		struct run r;

		run_as(NOBODY, allowed[i], &r);
		assert_string_equal(r.err, "");
		assert_int_equal(r.exit, 0);
	}
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_not_running),
		cmocka_unit_test(test_verify),
		TEST(test_status),
		TEST(test_list),
		TEST(test_one_group),
		TEST(test_counters),
		TEST(test_set_quota),
		TEST(test_curve),
		TEST(test_set_enforcement),
		TEST(test_add_and_remove),
		TEST(test_pause),
		TEST(test_monitor),
		TEST(test_reload),
		TEST(test_list_json),
		TEST(test_status_json),
		TEST(test_group_json),
		TEST(test_residency_json),
		TEST(test_failures),
		TEST(test_unprivileged),
		cmocka_unit_test_setup_teardown(
			test_bad_configuration, set_up_bad_configuration, tear_down),
	};

	if (argc != 3) {
		fprintf(stderr, "Usage: %s TIERCTL FAKE-TIERD\n", argv[0]);
		return EXIT_FAILURE;
	}
	tierctl_program = argv[1];
	tierd_program = argv[2];
	if (geteuid() != 0 || !private_bus_is_possible()) {
		fprintf(stderr, "this test takes root and dbus-daemon\n");
		return 77;
	}
	setenv("LC_ALL", "C.UTF-8", true);
	unsetenv("COLUMNS");
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
