/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "doctor.h"
#include "exit-codes.h"
#include "libtier.h"
#include "events.h"
#include "log.h"
#include "manager.h"

static const char usage[] =
	"Usage: tierd [OPTION…]\n"
	"Keep each cgroup's hottest pages within its share of DRAM.\n"
	"\n"
	"  -c, --config=FILE  read FILE in place of /etc/tierd/tierd.conf\n"
	"      --check        say what would keep tierd from working here, and end\n"
	"  -h, --help         show this help\n"
	"      --version      show the version\n"
	"\n"
	"See tierd(8).\n";

/* Quoted from files, say. */
static const char *without_controls(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return text;
}

/* A line each, its fields separated by tabs: for tierctl, and for people. */
static int check(const char *config)
{
	_cleanup_(tierd_findings_done) struct tierd_findings findings = { 0 };

	tierd_doctor_check(config, &findings);
	for (size_t i = 0; i < findings.n; i++)
		printf("%s\t%s\t%s\t%s\t%s\n", findings.items[i].id,
			findings.items[i].severity, findings.items[i].subject,
			without_controls(findings.items[i].what),
			findings.items[i].advice);
	return findings.n > 0 ? TIERD_EXIT_FAILURE : TIERD_EXIT_OK;
}

/* Sets *ret_config; returns -1 to go on, or the exit status. */
static int parse_options(int argc, char **argv, const char **ret_config)
{
	static const struct option options[] = {
		{ "check", no_argument, NULL, 'k' },
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	bool is_check = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			*ret_config = optarg;
			break;
		case 'k':
			is_check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return TIERD_EXIT_OK;
		case 'v':
			printf("tierd %s\n", tier_version());
			return TIERD_EXIT_OK;
		default:
			return TIERD_EXIT_USAGE;
		}
	}
	if (optind < argc) {
		log_error("unexpected argument: %s", argv[optind]);
		return TIERD_EXIT_USAGE;
	}
	return is_check ? check(*ret_config) : -1;
}

static int handle_signals(sd_event *event)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i]);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
	if (r < 0)
		return r;
	return sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
}

static int run(sd_event *event, const char *config)
{
	struct tierd_manager *manager;
	int r;

	r = handle_signals(event);
	if (r < 0) {
		log_error_errno(r, "cannot set up the event loop");
		return TIERD_EXIT_OS;
	}
	r = tierd_manager_new(event, config, &manager);
	if (r != 0)
		return r;
	sd_notify(false, "READY=1");
	tierd_log_event(TIERD_EVENT_STARTED, 0, NULL, "tierd %s has started: %zu groups",
		tier_version(), tierd_manager_n_groups(manager));
	r = sd_event_loop(event);
	sd_notify(false, "STOPPING=1");
	tierd_manager_free(manager);
	tierd_log_event(TIERD_EVENT_STOPPED, 0, NULL, "tierd has stopped");
	if (r < 0) {
		log_error_errno(r, "the event loop failed");
		return TIERD_EXIT_OS;
	}
	return r;
}

int main(int argc, char **argv)
{
	const char *config = NULL;
	sd_event *event = NULL;
	int r;

	r = parse_options(argc, argv, &config);
	if (r >= 0)
		return r;
	r = sd_event_default(&event);
	if (r < 0) {
		log_error_errno(r, "cannot set up the event loop");
		return TIERD_EXIT_OS;
	}
	r = run(event, config);
	sd_event_unref(event);
	return r;
}
