/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl shows what tierd does and changes what it may: this file reads the command
 * line, connects to the bus and hands over to a verb. Everything it knows comes over
 * D-Bus.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <string.h>

#include "bus-client.h"
#include "tierctl.h"
#include "verbs.h"

static const struct tierctl_verb verbs[] = {
	{ "status", "", 0, 0, "The machine's tiers, the sampler and all groups",
		tierctl_verb_status },
	{ "list", "", 0, 0, "The managed groups", tierctl_verb_list },
	{ "show", "GROUP", 1, 1, "All there is to know about a group",
		tierctl_verb_show },
	{ "residency", "[GROUP]", 0, 1, "Share of DRAM in each GiB of each process",
		tierctl_verb_residency },
	{ "hist", "GROUP", 1, 1, "A group's pages by number of samples seen",
		tierctl_verb_hist },
	{ "counters", "GROUP", 1, 1, "What was planned, tried, moved, and why not",
		tierctl_verb_counters },
	{ "curve", "GROUP", 1, 1, "Accesses DRAM would serve, by its size",
		tierctl_verb_curve },
	{ "explain", "GROUP | PID ADDRESS", 1, 2, "Why memory is where it is",
		tierctl_verb_explain },
	{ "doctor", "", 0, 0, "What is wrong, and what to do about it",
		tierctl_verb_doctor, .is_offline = true },
	{ "set-quota", "GROUP SIZE", 2, 2, "Set a group's DRAM quota until a reload",
		tierctl_verb_set_quota, .can_persist = true },
	{ "set-enforcement", "GROUP MODE", 2, 2, "Set how it is kept, until a reload",
		tierctl_verb_set_enforcement },
	{ "add", "CGROUP [KEY=VALUE...]", 1, -1, "Manage a cgroup until a reload",
		tierctl_verb_add },
	{ "remove", "GROUP", 1, 1, "Manage a group no more, until a reload",
		tierctl_verb_remove },
	{ "pause", "", 0, 0, "Move nothing, for all groups", tierctl_verb_pause },
	{ "resume", "", 0, 0, "Move pages again", tierctl_verb_resume },
	{ "monitor", "", 0, 0, "Show what tierd announces, as it happens",
		tierctl_verb_monitor },
	{ "verify", "[FILE...]", 0, -1, "Check configuration and policies, without tierd",
		tierctl_verb_verify, .is_offline = true },
	{ "reload", "", 0, 0, "Read configuration and policies again",
		tierctl_verb_reload },
};

void tierctl_error(const char *format, ...)
{
	va_list arguments;

	fputs("tierctl: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int tierctl_failed(int r, const char *doing)
{
	tierctl_error("cannot %s: %s", doing, strerror(-r));
	return TIERCTL_EXIT_FAILURE;
}

int tierctl_finish_json(struct tierctl *ctl, struct tierctl_json *json)
{
	int r;

	r = tierctl_json_print(json, ctl->json, stdout);
	return r < 0 ? tierctl_failed(r, "print JSON") : TIERCTL_EXIT_OK;
}

static bool is_error(const sd_bus_error *error, const char *const *names)
{
	for (; *names; names++)
		if (sd_bus_error_has_name(error, *names))
			return true;
	return false;
}

int tierctl_call_failed(int r, const sd_bus_error *error)
{
	static const char *const not_running[] = { SD_BUS_ERROR_SERVICE_UNKNOWN,
		SD_BUS_ERROR_NAME_HAS_NO_OWNER, NULL };
	static const char *const no_such_group[] = { TIERCTL_ERROR_NO_SUCH_GROUP,
		SD_BUS_ERROR_UNKNOWN_OBJECT, NULL };
	static const char *const denied[] = { SD_BUS_ERROR_ACCESS_DENIED,
		SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, NULL };

	if (is_error(error, not_running)) {
		tierctl_error("tierd is not running (systemctl start tierd)");
		return TIERCTL_EXIT_NOT_RUNNING;
	}
	if (is_error(error, no_such_group)) {
		tierctl_error("the group is not managed any more");
		return TIERCTL_EXIT_NO_SUCH_GROUP;
	}
	if (is_error(error, denied))
		tierctl_error(
			"permission denied: this is for root, and whom polkit allows");
	else if (sd_bus_error_is_set(error))
		tierctl_error("%s", error->message);
	else
		tierctl_error("the call to tierd failed: %s", strerror(-r));
	return TIERCTL_EXIT_FAILURE;
}

/* Where the help of a verb's arguments ends. */
#define ARGUMENTS_COLUMN 26

static int help(void)
{
	printf("Usage: tierctl [OPTION…] VERB [ARGUMENT…]\n\n"
	       "Show and change how tierd places memory.\n\nVerbs:\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %s %-*s  %s\n", verbs[i].name,
			ARGUMENTS_COLUMN - (int)strlen(verbs[i].name), verbs[i].arguments,
			verbs[i].help);
	printf("\nOptions:\n"
	       "  --json[=MODE]  Print JSON: pretty (the default), short, or off\n"
	       "  --no-legend    Leave out headings and totals\n"
	       "  --persist      With set-quota: put it into a policy file as well\n"
	       "  -h --help      Show this help\n"
	       "  --version      Show the version\n\n"
	       "GROUP is a cgroup's path (/system.slice/x.service) or the end of it\n"
	       "(x.service); SIZE is in bytes, takes K, M, G or T, or is \"infinity\".\n"
	       "See tierctl(1).\n");
	return TIERCTL_EXIT_OK;
}

static const struct tierctl_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int run(struct tierctl *ctl, int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "status";
	const struct tierctl_verb *verb = find_verb(name);
	int r;

	if (!verb) {
		tierctl_error("there is no verb '%s' (see tierctl --help)", name);
		return TIERCTL_EXIT_USAGE;
	}
	argc = TIER_MAX(argc - 1, 0);
	if (ctl->persist && !verb->can_persist) {
		tierctl_error("--persist is for set-quota");
		return TIERCTL_EXIT_USAGE;
	}
	if (argc < verb->min || (verb->max >= 0 && argc > verb->max)) {
		tierctl_error("usage: tierctl %s%s%s", name, *verb->arguments ? " " : "",
			verb->arguments);
		return TIERCTL_EXIT_USAGE;
	}
	if (verb->is_offline)
		return verb->run(ctl, argc, argv + 1);
	r = sd_bus_open_system_with_description(&ctl->bus, "tierctl");
	if (r < 0)
		return tierctl_failed(r, "connect to the system bus");
	r = verb->run(ctl, argc, argv + 1);
	sd_bus_flush_close_unref(ctl->bus);
	return r;
}

enum {
	OPTION_JSON = 256,
	OPTION_NO_LEGEND,
	OPTION_PERSIST,
	OPTION_VERSION,
};

static int main_with_options(struct tierctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", optional_argument, NULL, OPTION_JSON },
		{ "no-legend", no_argument, NULL, OPTION_NO_LEGEND },
		{ "persist", no_argument, NULL, OPTION_PERSIST },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPTION_JSON:
			ctl->json =
				tierctl_json_mode_from_string(optarg ? optarg : "pretty");
			if (ctl->json < 0) {
				tierctl_error("--json= takes pretty, short or off");
				return TIERCTL_EXIT_USAGE;
			}
			break;
		case OPTION_NO_LEGEND:
			ctl->legend = false;
			break;
		case OPTION_PERSIST:
			ctl->persist = true;
			break;
		case OPTION_VERSION:
			printf("tierctl %s\n", TIER_VERSION);
			return TIERCTL_EXIT_OK;
		case 'h':
			return help();
		default:
			return TIERCTL_EXIT_USAGE;
		}
	}
	return run(ctl, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
	struct tierctl ctl = { .legend = true };
	int r;

	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	tierctl_style_init(&ctl.style);
	r = main_with_options(&ctl, argc, argv);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		tierctl_error("cannot write the output: %s", strerror(errno));
		return TIERCTL_EXIT_FAILURE;
	}
	return r;
}
