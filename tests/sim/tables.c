/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-tables: runs the rows and prints the table. It knows the command line and nothing
 * of what is behind it.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"
#include "base/util.h"
#include "report.h"

#define EXIT_USAGE 64

#define SEEDS_OF_COUNT 3
#define SEEDS_MAX      1000
#define SCALE_MAX      1024

#define NAMES_MAX 64
#define ROWS_MAX  64

enum output {
	OUTPUT_TABLE,
	OUTPUT_JSON,
	OUTPUT_NOTES,
	OUTPUT_LIST,
};

struct options {
	const char *rows[NAMES_MAX];
	const char *engines[NAMES_MAX];
	size_t n_rows, n_engines;
	uint64_t seeds; /* 0: as many as there are to be */
	uint64_t processes;
	uint64_t scale;
	enum output output;
};

static const char usage[] =
	"usage: sim-tables [OPTIONS]\n"
	"\n"
	"Simulates the rows with each engine, and prints a table.\n"
	"\n"
	"  --row NAME      only this row (repeatable)\n"
	"  --engine NAME   only this engine (repeatable): rank, memtis, tpp, and for\n"
	"                  comparison count and oracle\n"
	"  --seeds N       runs of each line (default: up to 20 of rank, 3 of count)\n"
	"  --scale N       memory and rates divided by N (default: 1, the notes' scale)\n"
	"  --jobs N        processes (default: one for each processor)\n"
	"  --json          every value of every run\n"
	"  --notes         in the words of the notes, of one run: --seeds is its seed\n"
	"  --list          rows, and what they are\n"
	"\n"
	"Targets are printed beside the figures and never change the exit code: 0 if all\n"
	"ran, 1 if something failed, 64 for wrong usage.\n";

static int usage_error(const char *what, const char *name)
{
	fprintf(stderr, "sim-tables: %s%s%s\nTry 'sim-tables --help'.\n", what,
		name ? " " : "", name ? name : "");
	return -EINVAL;
}

static int add_name(const char **names, size_t *n, const char *name, bool is_known)
{
	if (!is_known)
		return usage_error("there is no", name);
	if (*n == NAMES_MAX)
		return usage_error("too many names", NULL);
	names[(*n)++] = name;
	return 0;
}

static int parse_number(const char *text, uint64_t most, uint64_t *ret)
{
	uint64_t number;

	if (tier_parse_u64(text, &number) < 0 || number == 0 || number > most)
		return usage_error("not a number that fits:", text);
	*ret = number;
	return 0;
}

static int parse_option(struct options *options, int option)
{
	switch (option) {
	case 'r':
		return add_name(
			options->rows, &options->n_rows, optarg, sim_row_find(optarg));
	case 'e':
		return add_name(options->engines, &options->n_engines, optarg,
			sim_policy_find(optarg));
	case 's':
		return parse_number(optarg, SEEDS_MAX, &options->seeds);
	case 'S':
		return parse_number(optarg, SCALE_MAX, &options->scale);
	case 'J':
		return parse_number(optarg, SEEDS_MAX, &options->processes);
	case 'j':
		options->output = OUTPUT_JSON;
		return 0;
	case 'n':
		options->output = OUTPUT_NOTES;
		return 0;
	case 'l':
		options->output = OUTPUT_LIST;
		return 0;
	default:
		return usage_error("wrong usage", NULL);
	}
}

/* Returns 1 if help was asked for. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option long_options[] = {
		{ "row", required_argument, NULL, 'r' },
		{ "engine", required_argument, NULL, 'e' },
		{ "seeds", required_argument, NULL, 's' },
		{ "scale", required_argument, NULL, 'S' },
		{ "jobs", required_argument, NULL, 'J' },
		{ "json", no_argument, NULL, 'j' },
		{ "notes", no_argument, NULL, 'n' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options options = {
		.processes = sysconf(_SC_NPROCESSORS_ONLN),
		.scale = 1,
	};
	int option, r;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
		if (option == 'h')
			return 1;
		r = parse_option(&options, option);
		if (r < 0)
			return r;
	}
	if (optind < argc)
		return usage_error("too many arguments:", argv[optind]);
	*ret = options;
	return 0;
}

static bool is_wanted(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return n == 0;
}

static size_t seeds_of(const struct options *options, const struct sim_row *row,
	const struct sim_policy_ops *ops)
{
	if (options->seeds > 0)
		return options->seeds;
	if (ops == &sim_policy_rank)
		return row->seeds;
	if (ops == &sim_policy_count)
		return TIER_MIN(row->seeds, (unsigned)SEEDS_OF_COUNT);
	return 1;
}

static int choose_lines_of(
	const struct options *options, const struct sim_row *row, struct sim_lines *lines)
{
	const struct sim_policy_ops *ops;

	for (size_t i = 0; (ops = sim_policy_get(i)); i++) {
		int r;

		if (!is_wanted(options->engines, options->n_engines, ops->name) ||
			(row->only && strcmp(row->only, ops->name) != 0) ||
			!sim_policy_exists(ops))
			continue;
		r = sim_lines_add(lines, row, ops, seeds_of(options, row, ops));
		if (r < 0)
			return r;
	}
	return 0;
}

static int choose_lines(
	const struct options *options, struct sim_row *rows, struct sim_lines *lines)
{
	const struct sim_row *row;
	size_t n = 0;

	for (size_t i = 0; (row = sim_row_get(i)); i++) {
		int r;

		if (!is_wanted(options->rows, options->n_rows, row->name))
			continue;
		if (n == ROWS_MAX)
			return -ENOSPC;
		sim_row_scale(row, options->scale, &rows[n]);
		r = choose_lines_of(options, &rows[n++], lines);
		if (r < 0)
			return r;
	}
	return 0;
}

static int run_table(const struct options *options, struct sim_lines *lines)
{
	int r;

	r = sim_lines_fill(lines, options->processes, true);
	if (r < 0)
		return r;
	if (options->output == OUTPUT_JSON)
		return sim_report_json(lines);
	return sim_report_table(lines, isatty(STDOUT_FILENO));
}

static int run_notes(const struct options *options, const struct sim_lines *lines)
{
	struct sim_zipf_cache cache = { 0 };
	uint64_t seed = TIER_MAX(options->seeds, UINT64_C(1));
	int r = 0;

	for (size_t i = 0; i < lines->n && r >= 0; i++) {
		const struct sim_line *line = &lines->lines[i];
		double figures[SIM_FIGURE_MAX];
		struct sim_record record;

		r = sim_run(line->row, line->ops, seed, &cache, figures, &record);
		if (r >= 0)
			sim_report_notes(line->row, line->ops, seed, figures, &record);
	}
	sim_zipf_cache_done(&cache);
	return r;
}

static void list_rows(void)
{
	const struct sim_row *row;

	for (size_t i = 0; (row = sim_row_get(i)); i++)
		printf("%-22s %s, %.0f s\n", row->name, row->title, row->seconds);
}

int main(int argc, char **argv)
{
	static struct sim_row rows[ROWS_MAX];
	static struct sim_lines lines;
	struct options options;
	int r;

	r = parse_options(argc, argv, &options);
	if (r < 0)
		return EXIT_USAGE;
	if (r > 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (options.output == OUTPUT_LIST) {
		list_rows();
		return 0;
	}
	r = choose_lines(&options, rows, &lines);
	if (r >= 0)
		r = options.output == OUTPUT_NOTES ? run_notes(&options, &lines)
						   : run_table(&options, &lines);
	sim_lines_done(&lines);
	if (r < 0) {
		fprintf(stderr, "sim-tables: %s\n", strerror(-r));
		return 1;
	}
	return 0;
}
