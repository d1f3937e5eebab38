/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"
#include "private-bus.h"

#define WAIT_STEP_NS 50000000

pid_t start_program(const char *program, char *const *argv)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
		execvp(program, argv);
		_exit(127);
	}
	return pid;
}

int stop_program(pid_t pid)
{
	int status;

	assert_return_code(kill(pid, SIGTERM), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

void wait_step(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = WAIT_STEP_NS }, NULL);
}

bool private_bus_is_possible(void)
{
	pid_t pid = start_program("dbus-daemon",
		(char *[]){ (char *)"dbus-daemon", (char *)"--version", NULL });
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void write_configuration(const struct private_bus *bus, const char *path)
{
	_cleanup_(fclosep) FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(
		fprintf(f,
			"<!DOCTYPE busconfig PUBLIC\n"
			" \"-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN\"\n"
			" \"https://www.freedesktop.org/standards/dbus/1.0/"
			"busconfig.dtd\">\n"
			"<busconfig>\n"
			"<listen>unix:path=%s/bus</listen>\n"
			"<auth>EXTERNAL</auth>\n"
			"<policy context=\"default\">\n"
			"<allow user=\"*\"/>\n"
			"<deny own=\"*\"/>\n"
			"<deny send_type=\"method_call\"/>\n"
			"<allow send_type=\"signal\"/>\n"
			"<allow send_requested_reply=\"true\""
			" send_type=\"method_return\"/>\n"
			"<allow send_requested_reply=\"true\" send_type=\"error\"/>\n"
			"<allow receive_type=\"method_call\"/>\n"
			"<allow receive_type=\"method_return\"/>\n"
			"<allow receive_type=\"error\"/>\n"
			"<allow receive_type=\"signal\"/>\n"
			"<allow send_destination=\"org.freedesktop.DBus\"/>\n"
			"</policy>\n"
			"<policy user=\"root\">\n"
			"<allow own=\"org.freedesktop.PolicyKit1\"/>\n"
			"<allow send_destination=\"org.freedesktop.PolicyKit1\"/>\n"
			"</policy>\n"
			"<include>%s</include>\n"
			"</busconfig>\n",
			bus->directory, SOURCE_ROOT "/dbus/org.tierd.Tierd1.conf") > 0);
}

/* A socket is there a moment before anybody listens at it. */
static bool listens(const char *path)
{
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	assert_true(fd >= 0 && strlen(path) < sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

void private_bus_restart(struct private_bus *bus)
{
	_cleanup_(freep) char *option = NULL, *path = NULL;

	assert_true(asprintf(&option, "--config-file=%s/bus.conf", bus->directory) > 0);
	assert_true(asprintf(&path, "%s/bus", bus->directory) > 0);
	unlink(path);
	bus->pid = start_program("dbus-daemon",
		(char *[]){ (char *)"dbus-daemon", option, (char *)"--nofork", NULL });
	for (int i = 0; !listens(path); i++) {
		assert_int_equal(waitpid(bus->pid, NULL, WNOHANG), 0);
		assert_true(i < WAIT_STEPS);
		wait_step();
	}
}

void private_bus_start(struct private_bus *bus)
{
	_cleanup_(freep) char *configuration = NULL, *address = NULL;

	strcpy(bus->directory, "/tmp/test-bus-XXXXXX");
	assert_non_null(mkdtemp(bus->directory));
	assert_return_code(chmod(bus->directory, 0755), errno);
	assert_true(asprintf(&configuration, "%s/bus.conf", bus->directory) > 0);
	assert_true(asprintf(&address, "unix:path=%s/bus", bus->directory) > 0);
	write_configuration(bus, configuration);
	assert_return_code(setenv("DBUS_SYSTEM_BUS_ADDRESS", address, true), errno);
	private_bus_restart(bus);
}

void private_bus_stop(struct private_bus *bus)
{
	stop_program(bus->pid);
}

void private_bus_remove(struct private_bus *bus)
{
	_cleanup_(freep) char *configuration = NULL, *socket = NULL;

	private_bus_stop(bus);
	assert_true(asprintf(&configuration, "%s/bus.conf", bus->directory) > 0);
	assert_true(asprintf(&socket, "%s/bus", bus->directory) > 0);
	unlink(configuration);
	unlink(socket);
	assert_return_code(rmdir(bus->directory), errno);
}
