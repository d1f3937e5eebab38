/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of tierctl that change something, who may use them, and tierctl monitor.
 *
 *   test-ctl-changes TIERCTL FAKE-TIERD
 */
#include "ctl-world.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The file is its owner's alone, also if it was everybody's before. */
static void test_record(_unused_ void **state)
{
	const char trace[] = "what was recorded"; /* by the fake tierd */
	char name[] = "/tmp/test-ctl-record-XXXXXX", command[128], said[64] = "";
	int fd = mkstemp(name);
	struct stat status;
	struct run r;

	assert_return_code(fd, errno);
	assert_return_code(fchmod(fd, 0644), errno);
	snprintf(command, sizeof(command), "record " GUPS " --duration=0.5 -o %s", name);
	run(command, &r);
	assert_int_equal(r.exit, 0);
	assert_non_null(strstr(r.out, name));
	assert_int_equal(pread(fd, said, sizeof(said) - 1, 0), strlen(trace));
	assert_string_equal(said, trace);
	assert_return_code(fstat(fd, &status), errno);
	assert_int_equal(status.st_mode & 0777, 0600);
	close(fd);
	unlink(name);
	run("record " GUPS " --duration=3601", &r);
	assert_int_equal(r.exit, 2);
	run("list --duration=1", &r);
	assert_int_equal(r.exit, 2);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_set_quota),
		TEST(test_set_enforcement),
		TEST(test_add_and_remove),
		TEST(test_pause),
		TEST(test_record),
		TEST(test_monitor),
		TEST(test_reload),
		TEST(test_unprivileged),
		cmocka_unit_test_setup_teardown(
			test_bad_configuration, set_up_bad_configuration, tear_down),
	};

	return run_with_bus(tests, argc, argv);
}
