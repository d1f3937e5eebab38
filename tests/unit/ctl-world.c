/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "ctl-world.h"

#define ARGUMENTS_MAX 8

struct private_bus bus;
static const char *tierctl_program, *tierd_program;
static pid_t tierd_pid;

/* ---- Processes ----------------------------------------------------------------- */

void read_back(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	assert_true(n >= 0 && (size_t)n < size - 1);
	buf[n] = '\0';
}

/* The program is opened before the user changes: its directory may be closed to others.
 */
void exec_tierctl(uid_t uid, int out, int err, char *const *argv)
{
	int program = open(tierctl_program, O_RDONLY | O_CLOEXEC);

	if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(126);
	if (uid != 0 && setresuid(uid, uid, uid) < 0)
		_exit(126);
	fexecve(program, argv, environ);
	_exit(127);
}

int temporary_file(void)
{
	int fd = open(bus.directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_return_code(fd, errno);
	return fd;
}

void write_text(const char *name, const char *text)
{
	_cleanup_(freep) char *path = NULL;
	_cleanup_(fclosep) FILE *f = NULL;

	assert_true(asprintf(&path, "%s/%s", bus.directory, name) > 0);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

void remove_text(const char *name)
{
	_cleanup_(freep) char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", bus.directory, name) > 0);
	assert_return_code(unlink(path), errno);
}

/* command's words are separated by single blanks. */
void run_as(uid_t uid, const char *command, struct run *ret)
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

void run(const char *command, struct run *ret)
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

int set_up(_unused_ void **state)
{
	start_tierd(NULL);
	return 0;
}

void tell_tierd(int number)
{
	assert_return_code(kill(tierd_pid, number), errno);
}

int set_up_bad_configuration(_unused_ void **state)
{
	start_tierd(RELOAD_ERROR);
	return 0;
}

int tear_down(_unused_ void **state)
{
	assert_int_equal(stop_program(tierd_pid), 0);
	return 0;
}

int group_set_up(_unused_ void **state)
{
	private_bus_start(&bus);
	return 0;
}

int group_tear_down(_unused_ void **state)
{
	private_bus_remove(&bus);
	return 0;
}

void assert_output(const char *command, const char *expected)
{
	struct run r;

	run(command, &r);
	assert_string_equal(r.err, "");
	assert_string_equal(r.out, expected);
	assert_int_equal(r.exit, 0);
}

json_object *run_json(const char *command)
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

json_object *member(json_object *object, const char *key)
{
	json_object *value;

	assert_true(json_object_is_type(object, json_type_object));
	if (!json_object_object_get_ex(object, key, &value))
		fail_msg("there is no '%s'", key);
	return value;
}

uint64_t number(json_object *object, const char *key)
{
	json_object *value = member(object, key);

	assert_true(json_object_is_type(value, json_type_int));
	return json_object_get_uint64(value);
}

void check_failures(uid_t uid, const struct failure *rows, size_t n)
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

bool take_arguments(int argc, char **argv)
{
	if (argc != 3 || geteuid() != 0 || !private_bus_is_possible()) {
		fprintf(stderr,
			"%s TIERCTL FAKE-TIERD: this test takes root and dbus-daemon\n",
			argv[0]);
		return false;
	}
	tierctl_program = argv[1];
	tierd_program = argv[2];
	setenv("LC_ALL", "C.UTF-8", true);
	unsetenv("COLUMNS");
	return true;
}
