/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, by one table: name, parser, target and help of every option. Each
 * value is checked where it is parsed; what several options say together is checked after
 * the last. Whether this machine can do what is asked (its nodes, its memory) is not
 * known here.
 */
#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"
#include "options.h"

/* NULL, or what the value should have been. */
typedef const char *(*parse_fn)(const char *value, void *target);

struct option_spec {
	const char *name;
	const char *metavar; /* NULL: a switch */
	parse_fn parse;
	size_t offset;
	const char *help;
};

static const char *const huge_names[GUPS_HUGE_MAX] = {
	[GUPS_HUGE_DEFAULT] = "default",
	[GUPS_HUGE_ALWAYS] = "always",
	[GUPS_HUGE_NEVER] = "never",
};

static const char *const place_names[GUPS_PLACE_MAX] = {
	[GUPS_PLACE_FIRST_TOUCH] = "first-touch",
	[GUPS_PLACE_BEST] = "best",
};

const char *gups_huge_to_string(enum gups_huge huge)
{
	if (huge < 0 || huge >= GUPS_HUGE_MAX)
		return NULL;
	return huge_names[huge];
}

const char *gups_place_to_string(enum gups_place place)
{
	if (place < 0 || place >= GUPS_PLACE_MAX)
		return NULL;
	return place_names[place];
}

static int name_index(const char *const *names, int n, const char *value)
{
	for (int i = 0; i < n; i++)
		if (strcmp(names[i], value) == 0)
			return i;
	return -EINVAL;
}

static const char *parse_kind(const char *value, void *target)
{
	enum gups_kind kind = gups_kind_from_string(value);

	if (kind < 0)
		return "hotset, zipf or random";
	*(enum gups_kind *)target = kind;
	return NULL;
}

static const char *parse_huge(const char *value, void *target)
{
	int i = name_index(huge_names, GUPS_HUGE_MAX, value);

	if (i < 0)
		return "always, never or default";
	*(enum gups_huge *)target = i;
	return NULL;
}

static const char *parse_place(const char *value, void *target)
{
	int i = name_index(place_names, GUPS_PLACE_MAX, value);

	if (i < 0)
		return "first-touch or best";
	*(enum gups_place *)target = i;
	return NULL;
}

static const char *parse_unsigned(const char *value, void *target)
{
	uint64_t n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || errno != 0)
		return "a whole number";
	*(uint64_t *)target = n;
	return NULL;
}

static bool suffix_shift(const char *suffix, unsigned *ret)
{
	static const char letters[] = "KMGT";
	const char *letter;

	if (*suffix == '\0') {
		*ret = 0;
		return true;
	}
	letter = strchr(letters, *suffix);
	if (!letter || suffix[1] != '\0')
		return false;
	*ret = 10 * (unsigned)(letter - letters + 1);
	return true;
}

static const char *parse_size(const char *value, void *target)
{
	unsigned shift;
	uint64_t n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || errno != 0 || !suffix_shift(end, &shift) ||
		n > (UINT64_MAX >> 1) >> shift)
		return "a size such as 4096, 512K, 400M or 14G";
	n <<= shift;
	if (n % GUPS_PAGE_BYTES != 0)
		return "a multiple of 4K, the unit in which pages are chosen";
	*(uint64_t *)target = n;
	return NULL;
}

static const char *parse_positive_size(const char *value, void *target)
{
	const char *right;
	uint64_t n;

	right = parse_size(value, &n);
	if (right)
		return right;
	if (n == 0)
		return "a size above 0, such as 400M";
	*(uint64_t *)target = n;
	return NULL;
}

static bool parse_real(const char *value, double *ret)
{
	char *end;
	double x;

	if ((*value < '0' || *value > '9') && *value != '.')
		return false;
	x = strtod(value, &end);
	if (end == value || *end != '\0' || !isfinite(x))
		return false;
	*ret = x;
	return true;
}

static const char *parse_count(const char *value, void *target)
{
	double x;

	if (!parse_real(value, &x) || x < 1 || x > 0x1p53 || x != floor(x))
		return "a whole number from 1, such as 1000000 or 8e8";
	*(uint64_t *)target = (uint64_t)x;
	return NULL;
}

static const char *parse_seconds(const char *value, void *target)
{
	double x;

	if (!parse_real(value, &x) || x < 0.01 || x > 1e7)
		return "a time in seconds, from 0.01 to 10000000";
	*(double *)target = x;
	return NULL;
}

static const char *parse_fraction(const char *value, void *target)
{
	double x;

	if (!parse_real(value, &x) || x <= 0 || x > 1)
		return "a fraction above 0 and up to 1, such as 0.9";
	*(double *)target = x;
	return NULL;
}

static const char *parse_exponent(const char *value, void *target)
{
	double x;

	if (!parse_real(value, &x) || x <= 0 || x > 10)
		return "a number above 0 and up to 10, such as 0.99";
	*(double *)target = x;
	return NULL;
}

static const char *parse_threads(const char *value, void *target)
{
	uint64_t n;

	if (parse_unsigned(value, &n) || n < 1 || n > GUPS_THREADS_MAX)
		return "a whole number from 1 to 64";
	*(uint64_t *)target = n;
	return NULL;
}

static const char *parse_node(const char *value, void *target)
{
	uint64_t n;

	if (parse_unsigned(value, &n) || n >= GUPS_NODES_MAX)
		return "the number of a memory node";
	*(int *)target = (int)n;
	return NULL;
}

static const char *parse_path(const char *value, void *target)
{
	if (*value == '\0')
		return "the name of a file";
	*(const char **)target = value;
	return NULL;
}

static const char *parse_switch(const char *value _unused_, void *target)
{
	*(bool *)target = true;
	return NULL;
}

static const char *parse_offset(const char *value, void *target)
{
	struct gups_options *o = target;

	o->has_offset = true;
	return parse_size(value, &o->offset_bytes);
}

static const char *parse_dram_nodes(const char *value, void *target)
{
	struct gups_options *o = target;

	o->has_dram_nodes = true;
	return gups_nodes_parse(value, &o->dram_nodes) < 0
		       ? "a list of memory nodes such as 0 or 0-1,3"
		       : NULL;
}

#define FIELD(f) offsetof(struct gups_options, f)
#define WHOLE    0

static const struct option_spec specs[] = {
	{ "distribution", "KIND", parse_kind, FIELD(kind),
		"hotset (default), zipf or random" },
	{ "working-set", "SIZE", parse_positive_size, FIELD(working_set_bytes),
		"size of the table; suffixes K, M, G, T (default 1G)" },
	{ "hot", "SIZE", parse_positive_size, FIELD(hot_bytes),
		"size of the hot set; with zipf, how many top ranks are reported as hot" },
	{ "hot-share", "FRACTION", parse_fraction, FIELD(hot_share),
		"the same as a share of the working set (default 0.1)" },
	{ "hot-probability", "P", parse_fraction, FIELD(hot_probability),
		"share of updates that go to the hot set; the rest goes evenly to the "
		"pages outside it (default 0.9)" },
	{ "zipf-exponent", "S", parse_exponent, FIELD(zipf_exponent),
		"rank k of the pages has weight k^-S (default 0.99)" },
	{ "reverse", NULL, parse_switch, FIELD(reverse),
		"hot set, or top ranks, last in the address range" },
	{ "offset", "SIZE", parse_offset, WHOLE,
		"hot set, or top rank, begins there instead" },
	{ "scatter", NULL, parse_switch, FIELD(scatter),
		"ranks scattered page by page over the working set, by the seed" },
	{ "huge", "WHEN", parse_huge, FIELD(huge),
		"transparent huge pages: always, never or default (the system's)" },
	{ "prefer", "NODE", parse_node, FIELD(prefer_node),
		"let the table prefer a node (MPOL_PREFERRED)" },
	{ "place", "HOW", parse_place, FIELD(place),
		"first-touch (default), or best: by hand, the hottest --dram-budget on "
		"DRAM nodes and all the rest on the others" },
	{ "dram-budget", "SIZE", parse_positive_size, FIELD(dram_budget_bytes),
		"DRAM for --place=best; as much must be free" },
	{ "dram-nodes", "LIST", parse_dram_nodes, WHOLE,
		"nodes counted as DRAM (default: those with CPUs)" },
	{ "threads", "N", parse_threads, FIELD(threads), "updating threads (default 1)" },
	{ "updates", "N", parse_count, FIELD(updates), "end after so many updates, 8e8" },
	{ "seconds", "S", parse_seconds, FIELD(seconds),
		"end after so much time; without either, SIGINT or SIGTERM ends the run" },
	{ "phase-at", "SECONDS", parse_seconds, FIELD(phase_at),
		"then the hot set jumps half the working set on, where none of it was; "
		"zipf's ranks rotate as far" },
	{ "seed", "N", parse_unsigned, FIELD(seed),
		"start of all randomness (default 1)" },
	{ "start-paused", NULL, parse_switch, FIELD(start_paused),
		"fault in, print 'gups: ready', wait for SIGUSR1" },
	{ "wait-file", "FILE", parse_path, FIELD(wait_file),
		"the same, waiting until the file exists" },
	{ "interval", "SECONDS", parse_seconds, FIELD(interval),
		"spacing of the time line (default 1)" },
	{ "timeline", "FILE", parse_path, FIELD(timeline_path),
		"write the time line there instead of to standard output" },
	{ "json", "FILE", parse_path, FIELD(json_path),
		"write a summary there at the end" },
	{ "help", NULL, parse_switch, FIELD(help), "show this" },
};

void gups_options_help(FILE *f)
{
	fprintf(f,
		"Usage: gups [options]\n\n"
		"Updates random words of a table, some pages more often than others, and "
		"checks\nevery word at the end. SIGINT or SIGTERM ends the updating early; "
		"the results and\nthe check still follow. Exit: 0 well, 1 failure or a wrong "
		"page, 2 bad usage.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++)
		fprintf(f, "  --%s%s%s\n        %s\n", specs[i].name,
			specs[i].metavar ? "=" : "",
			specs[i].metavar ? specs[i].metavar : "", specs[i].help);
}

static int complain(FILE *err, const char *what)
{
	fprintf(err, "gups: %s\n", what);
	return -EINVAL;
}

static int check_hot(const struct gups_options *o, FILE *err)
{
	struct gups_distribution_config c = gups_options_distribution(o);

	if (o->hot_bytes > 0 && o->hot_share > 0)
		return complain(
			err, "--hot and --hot-share say the same: give one of them");
	if (o->hot_bytes > o->working_set_bytes)
		return complain(
			err, "--hot is larger than --working-set: make it smaller");
	if (o->kind == GUPS_KIND_HOTSET && c.hot_pages < c.pages &&
		o->hot_probability * (double)c.pages < (double)c.hot_pages)
		return complain(err,
			"--hot-probability is below the hot set's share of the working set, "
			"which would make it the colder part: raise it or lower --hot");
	if (o->phase_at > 0 && o->kind == GUPS_KIND_HOTSET && c.hot_pages > c.pages / 2)
		return complain(err,
			"--phase-at needs a place for the hot set that shares no page with "
			"the first: --hot may be half of --working-set at most");
	return 0;
}

static int check_layout(const struct gups_options *o, FILE *err)
{
	struct gups_distribution_config c = gups_options_distribution(o);

	if (o->kind == GUPS_KIND_RANDOM &&
		(o->hot_bytes > 0 || o->hot_share > 0 || o->reverse || o->has_offset ||
			o->scatter || o->phase_at > 0))
		return complain(err,
			"--distribution=random has no hot part: leave out --hot, --hot-share, "
			"--reverse, --offset, --scatter and --phase-at");
	if (o->reverse && o->has_offset)
		return complain(err, "--reverse and --offset exclude each other");
	if (c.offset_pages + (o->kind == GUPS_KIND_HOTSET ? c.hot_pages : 1) > c.pages)
		return complain(err,
			"--offset leaves no room for the hot part before the end of the "
			"working set: lower it");
	return 0;
}

static int check_place(const struct gups_options *o, FILE *err)
{
	if (o->place == GUPS_PLACE_BEST && o->dram_budget_bytes == 0)
		return complain(err, "--place=best needs --dram-budget=SIZE");
	if (o->place != GUPS_PLACE_BEST && o->dram_budget_bytes > 0)
		return complain(
			err, "--dram-budget has a meaning with --place=best only");
	if (o->place == GUPS_PLACE_BEST && o->prefer_node >= 0)
		return complain(err, "--place=best and --prefer exclude each other");
	if (o->start_paused && o->wait_file)
		return complain(err, "--start-paused and --wait-file exclude each other");
	return 0;
}

static int check_together(const struct gups_options *o, FILE *err)
{
	int r;

	r = check_hot(o, err);
	if (r < 0)
		return r;
	r = check_layout(o, err);
	if (r < 0)
		return r;
	return check_place(o, err);
}

static int parse_one(const struct option_spec *spec, const char *value, FILE *err,
	struct gups_options *o)
{
	const char *right = spec->parse(value, (char *)o + spec->offset);

	if (!right)
		return 0;
	fprintf(err, "gups: --%s=%s: must be %s\n", spec->name, value, right);
	return -EINVAL;
}

static int parse_all(int argc, char **argv, FILE *err, struct gups_options *o)
{
	struct option longs[ARRAY_SIZE(specs) + 1] = {};
	int i, r;

	for (size_t k = 0; k < ARRAY_SIZE(specs); k++)
		longs[k] = (struct option){
			.name = specs[k].name,
			.has_arg = specs[k].metavar ? required_argument : no_argument,
			.val = (int)k + 1,
		};

	optind = 0;
	opterr = 0;
	while ((i = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (i == ':' || i == '?') {
			fprintf(err, "gups: %s: %s; see gups --help\n", argv[optind - 1],
				i == ':' ? "needs a value"
					 : "no such option, or not in this form");
			return -EINVAL;
		}
		r = parse_one(&specs[i - 1], optarg, err, o);
		if (r < 0)
			return r;
	}
	if (optind < argc) {
		fprintf(err, "gups: %s: only options are known; see gups --help\n",
			argv[optind]);
		return -EINVAL;
	}
	return 0;
}

int gups_options_parse(int argc, char **argv, FILE *err, struct gups_options *ret)
{
	struct gups_options o = {
		.working_set_bytes = UINT64_C(1) << 30,
		.hot_probability = 0.9,
		.zipf_exponent = 0.99,
		.prefer_node = -1,
		.threads = 1,
		.seed = 1,
		.interval = 1,
	};
	int r;

	r = parse_all(argc, argv, err, &o);
	if (r < 0)
		return r;
	if (!o.help) {
		r = check_together(&o, err);
		if (r < 0)
			return r;
	}
	*ret = o;
	return 0;
}

static uint64_t hot_pages_of(const struct gups_options *o, uint64_t pages)
{
	double share = o->hot_share > 0 ? o->hot_share : 0.1;

	if (o->kind == GUPS_KIND_RANDOM)
		return pages;
	if (o->hot_bytes > 0)
		return o->hot_bytes / GUPS_PAGE_BYTES;
	return TIER_MAX((uint64_t)llround(share * (double)pages), UINT64_C(1));
}

struct gups_distribution_config gups_options_distribution(const struct gups_options *o)
{
	uint64_t pages = o->working_set_bytes / GUPS_PAGE_BYTES;

	return (struct gups_distribution_config){
		.kind = o->kind,
		.pages = pages,
		.hot_pages = hot_pages_of(o, pages),
		.hot_probability = o->hot_probability,
		.zipf_exponent = o->zipf_exponent,
		.offset_pages = o->offset_bytes / GUPS_PAGE_BYTES,
		.reverse = o->reverse,
		.scatter = o->scatter,
		.seed = o->seed,
	};
}
