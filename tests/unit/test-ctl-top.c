/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl top: its arithmetic, and a session of it at a terminal that is a
 * pseudo-terminal: what keys do, and that the terminal is left as it was however the
 * session ends.
 *
 *   test-ctl-top TIERCTL FAKE-TIERD
 */
#include "ctl-world.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <utmp.h>

#include "top.h"

/* ---- Arithmetic ---------------------------------------------------------------- */

static struct tierctl_group group(const char *cgroup, uint64_t dram_bytes, double hits,
	uint32_t processes, uint64_t promoted_bytes)
{
	return (struct tierctl_group){
		.cgroup = (char *)cgroup,
		.dram_bytes = dram_bytes,
		.hit_ratio = hits,
		.processes = processes,
		.promoted_bytes = promoted_bytes,
		.demoted_bytes = 100,
	};
}

static void test_speeds(_unused_ void **state)
{
	struct tierctl_group then[] = { group("/a", 0, 0, 0, 500),
		group("/b", 0, 0, 0, 900) };
	struct tierctl_group now[] = { group("/a", 0, 0, 0, 1500),
		group("/b", 0, 0, 0, 400), group("/c", 0, 0, 0, 400) };
	struct tierctl_top_row rows[ARRAY_SIZE(now)];

	tierctl_top_fill(&(struct tierctl_groups){ now, ARRAY_SIZE(now) },
		&(struct tierctl_groups){ then, ARRAY_SIZE(then) }, 500000,
		TIERCTL_TOP_PATH, rows);
	assert_true(rows[0].promoted_per_sec == 2000);
	assert_true(rows[0].demoted_per_sec == 0);
	assert_true(isnan(rows[1].promoted_per_sec)); /* counts anew */
	assert_true(isnan(rows[2].promoted_per_sec)); /* was not there */
	tierctl_top_fill(&(struct tierctl_groups){ now, ARRAY_SIZE(now) },
		&(struct tierctl_groups){}, 0, TIERCTL_TOP_PATH, rows);
	assert_true(isnan(rows[0].promoted_per_sec));
}

static void test_orders(_unused_ void **state)
{
	static const struct {
		const char *name;
		int key;
		const char *cgroups;
	} rows[] = {
		{ "path", 'p', "/a/b/c/d" },
		{ "tasks", 't', "/d/a/b/c" },
		{ "hits", 'c', "/d/b/a/c" }, /* not known comes last */
		{ "memory", 'm', "/c/b/a/d" },
		{ "moves", 'i', "/b/a/c/d" },
	};
	struct tierctl_group then[] = { group("/a", 0, 0, 0, 0), group("/b", 0, 0, 0, 0),
		group("/c", 0, 0, 0, 0) };
	struct tierctl_group now[] = { group("/a", 10, 0.9, 5, 100),
		group("/b", 20, 0.5, 5, 200), group("/c", 30, NAN, 1, 0),
		group("/d", 5, 0.1, 9, 0) };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum tierctl_top_order order =
			tierctl_top_order_from_string(rows[i].name);
		struct tierctl_top_row sorted[ARRAY_SIZE(now)];
		char cgroups[16] = "";

		assert_int_equal(order, tierctl_top_order_from_key(rows[i].key));
		tierctl_top_fill(&(struct tierctl_groups){ now, ARRAY_SIZE(now) },
			&(struct tierctl_groups){ then, ARRAY_SIZE(then) }, 1, order,
			sorted);
		for (size_t j = 0; j < ARRAY_SIZE(now); j++)
			strcat(cgroups, sorted[j].group->cgroup);
		assert_string_equal(cgroups, rows[i].cgroups);
	}
	assert_int_equal(tierctl_top_order_from_string("cpu"), TIERCTL_TOP_ORDER_INVALID);
	assert_int_equal(tierctl_top_order_from_key('x'), TIERCTL_TOP_ORDER_INVALID);
}

static void test_gain(_unused_ void **state)
{
	struct tierctl_point points[] = { { 0, 0 }, { 100, 0.5 }, { 200, 0.75 },
		{ 300, 0.75 } };
	struct tierctl_curve curve = { points, ARRAY_SIZE(points), 1000 };
	struct tierctl_point unknown[] = { { 0, NAN }, { 100, NAN } };

	assert_true(fabs(tierctl_top_gain(&curve, 40) - 0.05) < 1e-12);
	assert_true(fabs(tierctl_top_gain(&curve, 100) - 0.0625) < 1e-12);
	assert_true(tierctl_top_gain(&curve, 0) == 0);
	assert_true(tierctl_top_gain(&curve, 400) == 0);
	assert_true(
		isnan(tierctl_top_gain(&(struct tierctl_curve){ unknown, 2, 0 }, 50)));
	assert_true(isnan(tierctl_top_gain(&(struct tierctl_curve){}, 50)));
}

/* ---- Off a terminal ------------------------------------------------------------ */

static const char once_text[] =
	"CGROUP                                      QUOTA DRAM SLOW UNCOV   HIT +25% "
	"UP/s DOWN/s PROCS\n"
	"/system.slice/postgresql.service         infinity   4G 512K     0     - 0.0% "
	"   -      -     0\n"
	"/user.slice/käse ?[31m\\xff.scope         infinity   4G 512K     0     - 0.0% "
	"   -      -     0\n"
	"/user.slice/user-1000.slice/gups.service infinity   4G 512K     0     - 0.0% "
	"   -      -     0\n"
	"/system.slice/gups.service                   700M 712M 1.3G    3M 93.8% 5.8% "
	"   -      -     2\n";

static void test_once(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *top =
		run_json("--json top --order=path");
	json_object *groups = member(top, "groups");
	json_object *gups = json_object_array_get_idx(groups, 0);
	struct run r;

	assert_output("top", once_text);
	run("top --raw --no-legend --order=hits", &r);
	assert_memory_equal(r.out, "/system.slice/gups.service", 26);
	assert_non_null(strstr(r.out, " 734003200  746586112 1413480448 3145728 "));
	assert_int_equal(json_object_array_length(groups), 4);
	assert_int_equal(number(gups, "dram_quota_bytes"), UINT64_C(700) << 20);
	assert_null(member(gups, "promoted_bytes_per_sec"));
	assert_true(fabs(json_object_get_double(member(gups, "quarter_more_gain")) -
			    178.0 / 2048 / 1.5) < 1e-9);
}

static void test_iterations(_unused_ void **state)
{
	struct run r;
	char *second;

	run("top -b -n 2 -d 0.1 --order path", &r);
	assert_int_equal(r.exit, 0);
	second = strstr(r.out, "\n\nCGROUP");
	assert_non_null(second);
	assert_non_null(strstr(second, "    0      0     2\n"));
	assert_null(strstr(r.out, "\033"));
}

static void test_failures(_unused_ void **state)
{
	static const struct failure rows[] = {
		{ "top -n many", 2, "--iterations= takes a number" },
		{ "top -d 0", 2, "--delay= takes seconds from 0.1 to 86400" },
		{ "top --delay=1e3", 2, "--delay= takes seconds" },
		{ "top --order=cpu", 2, "--order= takes path" },
		{ "list -n 1", 2, "-n, -d, -b, -r and --order are for top" },
		{ "list --raw", 2, "are for top" },
		{ "top " GUPS, 2, "usage: tierctl top\n" },
	};

	check_failures(0, rows, ARRAY_SIZE(rows));
}

/* ---- At a terminal ------------------------------------------------------------- */

struct session {
	int terminal; /* the end that a person would sit at */
	int line;     /* and the program's */
	pid_t pid;
	struct termios found;
	char shown[65536]; /* since the last key */
	size_t n;
};

static void forget(struct session *session)
{
	session->n = 0;
	session->shown[0] = '\0';
}

/* What a shell does with a job in the foreground: the process that goes on is the job,
 * the other one waits for it and passes its exit code on. */
static void become_job(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		_exit(126);
	if (pid == 0) {
		signal(SIGTTOU, SIG_IGN);
		if (setpgid(0, 0) < 0 || tcsetpgrp(STDIN_FILENO, getpid()) < 0)
			_exit(126);
		signal(SIGTTOU, SIG_DFL);
		return;
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		_exit(126);
	_exit(WEXITSTATUS(status));
}

static void begin_as(struct session *session, const char *delay, bool is_job)
{
	struct winsize size = { .ws_row = 12, .ws_col = 100 };
	char *argv[] = { (char *)"tierctl", (char *)"top", (char *)"-d", (char *)delay,
		NULL };

	forget(session);
	assert_return_code(
		openpty(&session->terminal, &session->line, NULL, NULL, &size), errno);
	assert_return_code(tcgetattr(session->line, &session->found), errno);
	assert_true(session->found.c_lflag & ECHO);
	session->pid = fork();
	assert_true(session->pid >= 0);
	if (session->pid > 0)
		return;
	close(session->terminal); /* or the line would never be hung up */
	setenv("TERM", "xterm", true);
	if (login_tty(session->line) < 0)
		_exit(126);
	if (is_job)
		become_job();
	exec_tierctl(0, STDOUT_FILENO, STDERR_FILENO, argv);
}

static void begin(struct session *session, const char *delay)
{
	begin_as(session, delay, false);
}

/* Waits until text has been shown since the last key. */
static void await_text(struct session *session, const char *text)
{
	for (int i = 0; !strstr(session->shown, text); i++) {
		struct pollfd input = { .fd = session->terminal, .events = POLLIN };
		ssize_t n;

		if (i == WAIT_STEPS)
			fail_msg("no '%s' in: %s", text, session->shown);
		if (poll(&input, 1, 50) <= 0)
			continue;
		n = read(session->terminal, session->shown + session->n,
			sizeof(session->shown) - 1 - session->n);
		assert_true(n > 0);
		session->n += (size_t)n;
		session->shown[session->n] = '\0';
	}
}

static void press(struct session *session, char key)
{
	forget(session);
	assert_int_equal(write(session->terminal, &key, 1), 1);
}

static struct termios settings(const struct session *session)
{
	struct termios now;

	assert_return_code(tcgetattr(session->line, &now), errno);
	return now;
}

static bool is_as_found(const struct session *session)
{
	struct termios now = settings(session);

	return now.c_lflag == session->found.c_lflag &&
	       now.c_iflag == session->found.c_iflag &&
	       now.c_oflag == session->found.c_oflag;
}

/* Returns what waitpid() says; the terminal has to be as it was. */
static int end(struct session *session)
{
	int status, i = 0;

	while (waitpid(session->pid, &status, WNOHANG) == 0) {
		if (i++ == WAIT_STEPS)
			fail_msg("it goes on: %s", session->shown);
		wait_step();
	}
	assert_true(is_as_found(session));
	close(session->terminal);
	close(session->line);
	return status;
}

static void test_keys(_unused_ void **state)
{
	static struct session session;

	begin(&session, "60");
	await_text(&session, "\033[H\033[J\033[1mCGROUP");
	await_text(&session, "5.8%");
	assert_false(settings(&session).c_lflag & (ECHO | ICANON));
	press(&session, 'p');
	await_text(&session, "PROCS\033[0m\r\n/system.slice/gups.service ");
	press(&session, 'm');
	await_text(&session, "PROCS\033[0m\r\n/system.slice/postgresql.service ");
	press(&session, 'h');
	await_text(&session, "every 1min 0s    Space now    h help    q quit\r\n");
	press(&session, '+');
	await_text(&session, "every 1min 1s ");
	press(&session, '-');
	await_text(&session, "every 1min 0s ");
	tell_tierd(SIGUSR1);
	press(&session, ' ');
	await_text(&session, "quit");
	assert_null(strstr(session.shown, " -      -     2\r\n"));
	assert_null(strstr(session.shown, " 0      0     2\r\n"));
	press(&session, 'i');
	await_text(&session, "PROCS\033[0m\r\n/system.slice/gups.service ");
	press(&session, 'q');
	assert_int_equal(end(&session), 0);
}

static void test_looks_again(_unused_ void **state)
{
	static struct session session;

	begin(&session, "0.1");
	await_text(&session, "PROCS");
	forget(&session);
	await_text(&session, "PROCS");
	forget(&session);
	await_text(&session, "    0      0     2\r\n");
	press(&session, 'q');
	assert_int_equal(end(&session), 0);
}

/* However it ends: by a signal, by the key for one, with tierd, with the line. */
static void test_ends(_unused_ void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	static struct session session;
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		begin(&session, "60");
		await_text(&session, "PROCS");
		assert_return_code(kill(session.pid, signals[i]), errno);
		status = end(&session);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
	}
	begin(&session, "60");
	await_text(&session, "PROCS");
	press(&session, session.found.c_cc[VINTR]);
	status = end(&session);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	begin(&session, "60");
	await_text(&session, "PROCS");
	close(session.terminal);
	session.terminal = -EBADF;
	assert_int_equal(waitpid(session.pid, &status, 0), session.pid);
	close(session.line);
}

static void await_settings(const struct session *session, bool as_found)
{
	for (int i = 0; is_as_found(session) != as_found; i++) {
		assert_true(i < WAIT_STEPS);
		wait_step();
	}
}

/* The shell that it is a job of continues it. */
static void test_stops(_unused_ void **state)
{
	static struct session session;
	pid_t job;

	begin_as(&session, "60", true);
	await_text(&session, "PROCS");
	job = tcgetpgrp(session.terminal);
	assert_true(job > 0 && job != session.pid);
	assert_return_code(kill(job, SIGTSTP), errno);
	await_settings(&session, true);
	assert_return_code(kill(job, SIGCONT), errno);
	await_settings(&session, false);
	press(&session, 'h');
	await_text(&session, "quit");
	press(&session, 'q');
	assert_int_equal(end(&session), 0);
}

/* Without a shell the kernel does not stop it. */
static void test_does_not_stop(_unused_ void **state)
{
	static struct session session;

	begin(&session, "60");
	await_text(&session, "PROCS");
	assert_return_code(kill(session.pid, SIGTSTP), errno);
	for (int i = 0; i < 2; i++) {
		press(&session, 'h');
		await_text(&session, i == 0 ? "quit" : "PROCS");
	}
	assert_false(is_as_found(&session));
	press(&session, 'q');
	assert_int_equal(end(&session), 0);
}

static void test_tierd_goes(_unused_ void **state)
{
	static struct session session;
	int status;

	set_up(NULL);
	begin(&session, "60");
	await_text(&session, "PROCS");
	tear_down(NULL);
	press(&session, ' ');
	await_text(&session, "tierd is not running");
	status = end(&session);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_speeds),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_gain),
		cmocka_unit_test(test_tierd_goes),
		TEST(test_once),
		TEST(test_iterations),
		TEST(test_failures),
		TEST(test_keys),
		TEST(test_looks_again),
		TEST(test_ends),
		TEST(test_stops),
		TEST(test_does_not_stop),
	};

	return run_with_bus(tests, argc, argv);
}
