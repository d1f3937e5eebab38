/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libtier's bookkeeping costs as memory grows: feeding a sample, beside a bare
 * increment at random over as much memory; a tick that has been fed, with ten thousand
 * moves; memory for each page. Prints JSON; tests/bench/libtier builds and runs it.
 *
 * Both sides of a ratio are measured in turn, in short rounds, and the medians of the
 * rounds are compared: what slows the machine for a while slows both.
 */
#include <errno.h>
#include <getopt.h>
#include <json.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/size.h"
#include "base/util.h"
#include "core/hash.h"
#include "libtier.h"

#define SPACE UINT64_C(1)
#define BASE  UINT64_C(0x100000000000)
#define NSEC  UINT64_C(1000000000)

#define FEED_ROUNDS  41
#define FEED_SAMPLES 65536

#define TICKS      40
#define TICK_NS    (NSEC / 2)
#define TICK_MOVES 10000

struct options {
	double samples_per_s;
	const char *json;
};

struct figures {
	uint64_t bytes; /* of memory that is tracked */
	double bytes_per_page;
	double bare_ns;
	double feed_ns;
	double feed_ratio; /* median of the rounds' */
	double tick_ms;
	double tick_worst_ms;
	double cooling_tick_ms; /* the worst of those in which counts are halved */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC + now.tv_nsec;
}

/* Memory of its own: without what is mapped from files, as code is. */
static uint64_t resident_bytes(void)
{
	_cleanup_(fclosep) FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long size, resident, shared;

	if (!file || fscanf(file, "%llu %llu %llu", &size, &resident, &shared) != 3)
		return 0;
	return (resident - shared) * TIER_PAGE_SIZE;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[n / 2];
}

/* ---- The group ----------------------------------------------------------------- */

struct bench {
	struct tier_group *group;
	uint64_t n_pages;
	uint64_t fast_pages;
	uint64_t now_ns;
	struct tier_random random;
	struct tier_sample *samples;
	uint8_t *array;
	uint64_t array_bytes;
	uint64_t own_bytes; /* resident, of the two */
};

/* The first half is fast. */
static int tell_residency(struct bench *bench)
{
	for (uint64_t page = 0; page < bench->n_pages; page += TIER_BLOCK_PAGES) {
		struct tier_residency residency = { 0 };
		bool is_slow = page >= bench->n_pages / 2;
		int r;

		memset(residency.resident, 0xff, sizeof(residency.resident));
		if (is_slow)
			memset(residency.tier[0], 0xff, sizeof(residency.tier[0]));
		else
			bench->fast_pages += TIER_BLOCK_PAGES;
		r = tier_group_set_residency(
			bench->group, SPACE, BASE + page * TIER_PAGE_SIZE, &residency);
		if (r < 0)
			return r;
	}
	return 0;
}

static int bench_init(struct bench *bench, uint64_t bytes, struct figures *figures)
{
	struct tier_group_config config;
	uint64_t before = resident_bytes();
	int r;

	*bench = (struct bench){
		.n_pages = bytes / TIER_PAGE_SIZE,
		.now_ns = NSEC,
		.random = { 1 },
	};
	tier_group_config_default(&config);
	config.half_life_ns = TICKS / 2 * TICK_NS;
	r = tier_group_new(&config, &bench->group);
	if (r < 0)
		return r;
	r = tell_residency(bench);
	if (r < 0)
		return r;
	bench->array_bytes = resident_bytes() - before;
	figures->bytes = bytes;
	bench->samples = calloc(FEED_SAMPLES, sizeof(*bench->samples));
	bench->array = calloc(bench->array_bytes, 1);
	if (!bench->samples || !bench->array)
		return -ENOMEM;
	memset(bench->samples, 1, FEED_SAMPLES * sizeof(*bench->samples));
	memset(bench->array, 1, bench->array_bytes);
	bench->own_bytes = resident_bytes() - before - bench->array_bytes;
	return 0;
}

static void bench_done(struct bench *bench)
{
	tier_group_free(bench->group);
	free(bench->samples);
	free(bench->array);
}

static void draw_samples(struct bench *bench, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bench->samples[i] = (struct tier_sample){
			.space = SPACE,
			.address = BASE + tier_random_next(&bench->random) %
						  (bench->n_pages * TIER_PAGE_SIZE),
		};
}

/* ---- Feeding ------------------------------------------------------------------- */

static double time_feed(struct bench *bench)
{
	uint64_t begin_ns = now_ns();

	tier_group_feed(bench->group, bench->samples, FEED_SAMPLES, NULL);
	return (double)(now_ns() - begin_ns) / FEED_SAMPLES;
}

/* The same addresses, scaled to the array. */
static double time_bare(struct bench *bench)
{
	uint64_t begin_ns;

	for (size_t i = 0; i < FEED_SAMPLES; i++)
		bench->samples[i].address = (bench->samples[i].address - BASE) /
					    (double)(bench->n_pages * TIER_PAGE_SIZE) *
					    bench->array_bytes;
	begin_ns = now_ns();
	for (size_t i = 0; i < FEED_SAMPLES; i++)
		bench->array[bench->samples[i].address]++;
	return (double)(now_ns() - begin_ns) / FEED_SAMPLES;
}

static void measure_feeding(struct bench *bench, struct figures *figures)
{
	double feed[FEED_ROUNDS], bare[FEED_ROUNDS], ratio[FEED_ROUNDS];

	for (size_t i = 0; i < FEED_ROUNDS; i++) {
		draw_samples(bench, FEED_SAMPLES);
		feed[i] = time_feed(bench);
		bare[i] = time_bare(bench);
		ratio[i] = feed[i] / bare[i];
	}
	figures->feed_ns = median(feed, FEED_ROUNDS);
	figures->bare_ns = median(bare, FEED_ROUNDS);
	figures->feed_ratio = median(ratio, FEED_ROUNDS);
}

/* ---- Ticks --------------------------------------------------------------------- */

static void carry_out(struct bench *bench, const struct tier_plan *plan)
{
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);

	for (size_t i = 0; i < n; i++) {
		tier_group_complete(
			bench->group, &moves[i], TIER_RESULT_DONE, bench->now_ns);
		bench->fast_pages += moves[i].direction == TIER_PROMOTE ? 1 : -1;
	}
}

/* Every other tick the quota has room for so many moves, or is that much exceeded. */
static int tick(struct bench *bench, bool up, size_t n_samples, double *ret_ms)
{
	struct tier_limits limits = {
		.now_ns = bench->now_ns,
		.fast_pages = bench->fast_pages,
		.quota_pages = bench->fast_pages + (up ? TICK_MOVES : -TICK_MOVES),
		.room_pages = { TIER_UNLIMITED_PAGES, TIER_UNLIMITED_PAGES },
		.budget_pages = TICK_MOVES,
	};
	struct tier_plan *plan;
	uint64_t begin_ns;
	size_t n;
	int r;

	draw_samples(bench, n_samples);
	begin_ns = now_ns();
	tier_group_feed(bench->group, bench->samples, n_samples, NULL);
	tier_group_advance(bench->group, bench->now_ns, 1e-4);
	r = tier_group_plan(bench->group, &limits, &plan);
	if (r < 0)
		return r;
	carry_out(bench, plan);
	tier_plan_moves(plan, &n);
	tier_plan_free(plan);
	*ret_ms = (double)(now_ns() - begin_ns) / 1e6;
	return n < TICK_MOVES * 9 / 10 ? -ENODATA : 0;
}

static int measure_ticks(
	struct bench *bench, const struct options *options, struct figures *figures)
{
	size_t n_samples = options->samples_per_s * TICK_NS / NSEC;
	double ms[TICKS];
	struct tier_group_stats stats;
	uint64_t coolings = 0;

	for (size_t i = 0; i < TICKS; i++) {
		int r;

		bench->now_ns += TICK_NS;
		r = tick(bench, i % 2, n_samples, &ms[i]);
		if (r < 0)
			return r;
		tier_group_get_stats(bench->group, &stats);
		if (stats.coolings > coolings)
			figures->cooling_tick_ms =
				TIER_MAX(figures->cooling_tick_ms, ms[i]);
		coolings = stats.coolings;
	}
	figures->tick_ms = median(ms + 2, TICKS - 2);
	figures->tick_worst_ms = ms[TICKS - 1];
	return 0;
}

/* ---- Putting it together ------------------------------------------------------- */

static int measure(uint64_t bytes, const struct options *options, struct figures *figures)
{
	struct bench bench;
	uint64_t before = resident_bytes();
	int r;

	r = bench_init(&bench, bytes, figures);
	if (r < 0)
		return r;
	measure_feeding(&bench, figures);
	r = measure_ticks(&bench, options, figures);
	malloc_trim(0); /* plans come and go */
	figures->bytes_per_page =
		(double)(resident_bytes() - before - bench.own_bytes) / bench.n_pages;
	bench_done(&bench);
	return r;
}

static void add_number(json_object *object, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3g", value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

static json_object *to_json(const struct figures *figures)
{
	json_object *object = json_object_new_object();

	json_object_object_add(
		object, "tracked_bytes", json_object_new_uint64(figures->bytes));
	add_number(object, "bytes_per_page", figures->bytes_per_page);
	add_number(object, "bare_increment_ns", figures->bare_ns);
	add_number(object, "feed_ns", figures->feed_ns);
	add_number(object, "feed_to_bare", figures->feed_ratio);
	add_number(object, "tick_ms", figures->tick_ms);
	add_number(object, "tick_worst_ms", figures->tick_worst_ms);
	add_number(object, "cooling_tick_worst_ms", figures->cooling_tick_ms);
	return object;
}

static const char usage[] =
	"usage: bench-libtier [--samples-per-second N] [SIZE...]\n"
	"\n"
	"Measures libtier's bookkeeping for so much tracked memory (default: 1G 64G 1T).\n"
	"A tick is half a second's samples and ten thousand moves.\n";

int main(int argc, char **argv)
{
	static const char *const sizes[] = { "1G", "64G", "1T" };
	static const struct option options[] = {
		{ "samples-per-second", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options opt = { .samples_per_s = 8300 };
	json_object *all = json_object_new_array();
	int option;

	/* What plans take for a moment is not to stay between what is kept. */
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 's')
			opt.samples_per_s = strtod(optarg, NULL);
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (option == '?' || opt.samples_per_s <= 0 ||
			opt.samples_per_s > 2.0 * FEED_SAMPLES) {
			fputs(usage, stderr);
			return 64;
		}
	}
	for (size_t i = 0; i < (optind < argc ? argc - optind : ARRAY_SIZE(sizes)); i++) {
		const char *text = optind < argc ? argv[optind + i] : sizes[i];
		struct figures figures = { 0 };
		uint64_t bytes;
		int r = tier_parse_size(text, &bytes);

		fprintf(stderr, "bench-libtier: measuring %s\n", text);
		if (r >= 0)
			r = measure(bytes, &opt, &figures);
		if (r < 0) {
			fprintf(stderr, "bench-libtier: %s: %s\n", text, strerror(-r));
			return 1;
		}
		json_object_array_add(all, to_json(&figures));
	}
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
	return 0;
}
