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

#include "base/size.h"
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
	{ "heatmap", "GROUP|PID", 1, 1, "Where accesses fell in the last minute",
		tierctl_verb_heatmap },
	{ "top", "", 0, 0, "The groups, again and again", tierctl_verb_top,
		.takes = TIERCTL_TAKES_REFRESH },
	{ "set-quota", "GROUP SIZE", 2, 2, "Set a group's DRAM quota until a reload",
		tierctl_verb_set_quota, .takes = TIERCTL_TAKES_PERSIST },
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
	{ "record", "GROUP", 1, 1, "Record what is seen of a group, as a trace",
		tierctl_verb_record, .takes = TIERCTL_TAKES_RECORD },
	{ "verify", "[FILE...]", 0, -1, "Check configuration and policies, without tierd",
		tierctl_verb_verify, .is_offline = true },
	{ "cat-config", "", 0, 0, "Show configuration and policies, in their order",
		tierctl_verb_cat_config, .is_offline = true },
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
	       "Options of top:\n"
	       "  -n --iterations=N  Look so many times; 0: without end\n"
	       "  -d --delay=SEC     Wait so long in between\n"
	       "  -b --batch         Neither clear the screen nor take keys\n"
	       "  -r --raw           Show exact numbers of bytes\n"
	       "  --order=ORDER      Sort by path, tasks, hits, memory or moves\n\n"
	       "Options of record:\n"
	       "  -o --output=FILE   Write the trace to FILE (default: tierd.trace)\n"
	       "  --duration=SEC     Record for so long (default: 10)\n\n"
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

/* Whether all options that were given are for this verb. */
static bool takes_options(const struct tierctl *ctl, const struct tierctl_verb *verb)
{
	unsigned wrong = ctl->restricted & ~verb->takes;

	if (wrong & TIERCTL_TAKES_PERSIST)
		tierctl_error("--persist is for set-quota");
	else if (wrong & TIERCTL_TAKES_REFRESH)
		tierctl_error("-n, -d, -b, -r and --order are for top");
	else if (wrong & TIERCTL_TAKES_RECORD)
		tierctl_error("-o and --duration are for record");
	return !wrong;
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
	if (!takes_options(ctl, verb))
		return TIERCTL_EXIT_USAGE;
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
	OPTION_DURATION = 256,
	OPTION_JSON,
	OPTION_NO_LEGEND,
	OPTION_ORDER,
	OPTION_PERSIST,
	OPTION_VERSION,
};

/* One of top's options; false, and says so, if it has no such value. */
static bool take_refresh_option(struct tierctl_refresh *refresh, int option)
{
	switch (option) {
	case 'n':
		refresh->has_iterations = true;
		if (tier_parse_u64(optarg, &refresh->iterations) >= 0)
			return true;
		tierctl_error("--iterations= takes a number");
		return false;
	case 'd':
		if (tier_parse_scaled(optarg, 1000000, &refresh->delay_usec) >= 0 &&
			refresh->delay_usec >= TIERCTL_DELAY_MIN_USEC &&
			refresh->delay_usec <= TIERCTL_DELAY_MAX_USEC)
			return true;
		tierctl_error("--delay= takes seconds from 0.1 to 86400");
		return false;
	case OPTION_ORDER:
		refresh->order = tierctl_top_order_from_string(optarg);
		if (refresh->order >= 0)
			return true;
		tierctl_error("--order= takes path, tasks, hits, memory or moves");
		return false;
	case 'b':
		refresh->batch = true;
		return true;
	default:
		refresh->raw = true;
		return true;
	}
}

/* The same for those of record. */
static bool take_record_option(struct tierctl_recording *record, int option)
{
	if (option == 'o') {
		record->file = optarg;
		return true;
	}
	if (tier_parse_scaled(optarg, 1000000, &record->duration_usec) >= 0 &&
		record->duration_usec > 0 &&
		record->duration_usec <= TIERCTL_DURATION_MAX_USEC)
		return true;
	tierctl_error("--duration= takes seconds above 0 and up to 3600");
	return false;
}

/* The same for the options that print nothing. */
static bool take_option(struct tierctl *ctl, int option)
{
	switch (option) {
	case OPTION_JSON:
		ctl->json = tierctl_json_mode_from_string(optarg ? optarg : "pretty");
		if (ctl->json >= 0)
			return true;
		tierctl_error("--json= takes pretty, short or off");
		return false;
	case OPTION_NO_LEGEND:
		ctl->legend = false;
		return true;
	case OPTION_PERSIST:
		ctl->persist = true;
		ctl->restricted |= TIERCTL_TAKES_PERSIST;
		return true;
	case 'o':
	case OPTION_DURATION:
		ctl->restricted |= TIERCTL_TAKES_RECORD;
		return take_record_option(&ctl->record, option);
	case '?':
		return false;
	default:
		ctl->restricted |= TIERCTL_TAKES_REFRESH;
		return take_refresh_option(&ctl->refresh, option);
	}
}

static int main_with_options(struct tierctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{ "batch", no_argument, NULL, 'b' },
		{ "delay", required_argument, NULL, 'd' },
		{ "duration", required_argument, NULL, OPTION_DURATION },
		{ "iterations", required_argument, NULL, 'n' },
		{ "json", optional_argument, NULL, OPTION_JSON },
		{ "no-legend", no_argument, NULL, OPTION_NO_LEGEND },
		{ "order", required_argument, NULL, OPTION_ORDER },
		{ "output", required_argument, NULL, 'o' },
		{ "persist", no_argument, NULL, OPTION_PERSIST },
		{ "raw", no_argument, NULL, 'r' },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, 'h' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "bd:hn:o:r", options, NULL)) >= 0) {
		if (c == OPTION_VERSION) {
			printf("tierctl %s\n", TIER_VERSION);
			return TIERCTL_EXIT_OK;
		}
		if (c == 'h')
			return help();
		if (!take_option(ctl, c))
			return TIERCTL_EXIT_USAGE;
	}
	return run(ctl, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
	struct tierctl ctl = {
		.legend = true,
		.record = { "tierd.trace", 10000000 },
		.refresh = { .delay_usec = 1000000, .order = TIERCTL_TOP_MEMORY },
	};
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
