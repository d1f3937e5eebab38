/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl doctor: what is wrong, and what to do about it, as a running tierd sees it.
 * When none runs, the tierd that is installed is asked what would keep it from working
 * here.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "bus-call.h"
#include "properties.h"
#include "tierctl.h"
#include "verbs.h"

struct finding {
	char *fields[5]; /* id, severity, subject, what, advice */
};

enum {
	ID,
	SEVERITY,
	SUBJECT,
	WHAT,
	ADVICE,
};

struct findings {
	struct finding *items;
	size_t n;
};

static void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(findings->items[i].fields); k++)
			free(findings->items[i].fields[k]);
	free(findings->items);
	*findings = (struct findings){};
}

static int add(struct findings *findings, const char *const fields[static 5])
{
	struct finding *items =
		tierctl_grow(findings->items, findings->n, sizeof(*findings->items));
	struct finding *finding;

	if (!items)
		return -ENOMEM;
	findings->items = items;
	finding = &items[findings->n++];
	for (size_t k = 0; k < ARRAY_SIZE(finding->fields); k++) {
		finding->fields[k] = strdup(fields[k]);
		if (!finding->fields[k])
			return -ENOMEM;
	}
	return 0;
}

/* ---- Of a tierd that runs ------------------------------------------------------ */

static int read_findings(sd_bus_message *reply, struct findings *findings)
{
	const char *fields[5];
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "(sssss)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(reply, "(sssss)", &fields[0], &fields[1],
			&fields[2], &fields[3], &fields[4])) > 0) {
		r = add(findings, fields);
		if (r < 0)
			return r;
	}
	return r;
}

/* 1 if there was a tierd to answer. */
static int ask_tierd(struct findings *findings, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
	const struct tierctl_call call = { TIERCTL_MANAGER_PATH,
		TIERCTL_MANAGER_INTERFACE, "Doctor" };
	int r;

	if (sd_bus_open_system_with_description(&bus, "tierctl") < 0)
		return 0;
	r = tierctl_call(bus, &call, &reply, error, "");
	if (r < 0 &&
		(sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
			sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER)))
		return 0;
	if (r < 0)
		return r;
	r = read_findings(reply, findings);
	return r < 0 ? r : 1;
}

/* ---- Without one --------------------------------------------------------------- */

static int read_line(struct findings *findings, char *line)
{
	const char *fields[5];

	line[strcspn(line, "\n")] = '\0';
	for (size_t k = 0; k < ARRAY_SIZE(fields); k++) {
		fields[k] = strsep(&line, "\t");
		if (!fields[k])
			return -EBADMSG;
	}
	return add(findings, fields);
}

static int read_lines(int fd, struct findings *findings)
{
	_cleanup_(fclosep) FILE *f = fdopen(fd, "re");
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	while (r >= 0 && getline(&line, &size, f) > 0)
		r = read_line(findings, line);
	return r;
}

static int start_check(const char *program, pid_t *ret_pid, int *ret_fd)
{
	char *argv[] = { (char *)"tierd", (char *)"--check", NULL };
	posix_spawn_file_actions_t actions;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r = posix_spawn_file_actions_init(&actions);
	if (r == 0) {
		r = posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
		if (r == 0)
			r = posix_spawn(ret_pid, program, &actions, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	close(fds[1]);
	if (r != 0) {
		close(fds[0]);
		return -r;
	}
	*ret_fd = fds[0];
	return 0;
}

static int check_machine(struct findings *findings)
{
	const char *program = getenv("TIERD");
	int fd = -EBADF, status, r;
	pid_t pid;

	r = start_check(program && *program ? program : TIERD_PROGRAM, &pid, &fd);
	if (r < 0)
		return r;
	r = read_lines(fd, findings);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (r < 0)
		return r;
	return WIFEXITED(status) && WEXITSTATUS(status) <= 1 ? 0 : -EPROTO;
}

/* ---- Printing ------------------------------------------------------------------ */

static enum tierctl_colour colour_of(const char *severity)
{
	return strcmp(severity, "error") == 0     ? TIERCTL_BAD
	       : strcmp(severity, "warning") == 0 ? TIERCTL_WARNING
						  : TIERCTL_BOLD;
}

static int print_finding(struct tierctl *ctl, const struct finding *finding)
{
	_cleanup_(freep) char *subject = NULL, *what = NULL;

	if (tierctl_printable(&ctl->style, finding->fields[SUBJECT], &subject) < 0 ||
		tierctl_printable(&ctl->style, finding->fields[WHAT], &what) < 0)
		return tierctl_failed(-ENOMEM, "print what was found");
	printf("%s%s%s %s: %s\n",
		tierctl_colour(&ctl->style, colour_of(finding->fields[SEVERITY])),
		finding->fields[SEVERITY], tierctl_colour(&ctl->style, TIERCTL_PLAIN),
		finding->fields[ID], subject);
	printf("    %s\n    To do: %s\n", what, finding->fields[ADVICE]);
	return TIERCTL_EXIT_OK;
}

static int print_text(struct tierctl *ctl, const struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		int r = print_finding(ctl, &findings->items[i]);

		if (r != TIERCTL_EXIT_OK)
			return r;
	}
	if (findings->n == 0 && ctl->legend)
		printf("nothing found\n");
	return TIERCTL_EXIT_OK;
}

static int print_json(struct tierctl *ctl, const struct findings *findings)
{
	static const char *const keys[5] = { "id", "severity", "subject", "what",
		"advice" };
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_array(json, NULL);
	for (size_t i = 0; i < findings->n; i++) {
		tierctl_json_open_object(json, NULL);
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			tierctl_json_string(json, keys[k], findings->items[i].fields[k]);
		tierctl_json_close(json);
	}
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_doctor(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(findings_done) struct findings findings = {};
	int r;

	r = ask_tierd(&findings, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (r == 0 && geteuid() != 0) {
		tierctl_error(
			"tierd is not running, and only root can check the machine "
			"for it");
		return TIERCTL_EXIT_NOT_RUNNING;
	}
	if (r == 0) {
		r = check_machine(&findings);
		if (r < 0)
			return tierctl_failed(r, "have tierd check the machine");
	}
	r = ctl->json == TIERCTL_JSON_OFF ? print_text(ctl, &findings)
					  : print_json(ctl, &findings);
	if (r != TIERCTL_EXIT_OK)
		return r;
	return findings.n > 0 ? TIERCTL_EXIT_FOUND : TIERCTL_EXIT_OK;
}
