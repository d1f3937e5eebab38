/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sample costs tierd, all in: out of perf's ring, decoded, given to the process,
 * group and address space it belongs to, and counted by libtier. The ring is one that the
 * kernel could have written, in memory; the rest is the daemon's own code. Beside it, and
 * in turn with it, a bare pass that only goes from record to record and adds up the
 * addresses. Prints JSON; tests/bench/sampler builds and runs it.
 */
#include <errno.h>
#include <getopt.h>
#include <json.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/size.h"
#include "base/util.h"
#include "core/hash.h"
#include "group-internal.h"
#include "manager-internal.h"
#include "sampler/perf-ring.h"
#include "sampling.h"

#define BASE UINT64_C(0x100000000000)
#define NSEC UINT64_C(1000000000)

/* 64 pages, as tierd has them for each CPU; filled and drained so many times. */
#define RING_BYTES (64 * 4096)
#define ROUNDS     2001

/* What tierd asks perf for. */
#define SAMPLE_TYPE                                                                   \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_WEIGHT | \
		PERF_SAMPLE_DATA_SRC)

/* One sample in so many is of a process that is not managed. */
#define FOREIGN_DIVISOR 8
#define FOREIGN_PID     1

struct record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t time;
	uint64_t address;
	uint64_t weight;
	uint64_t data_src;
};

struct options {
	uint64_t bytes; /* of memory that is tracked */
	unsigned processes;
	double samples_per_s; /* what a share of a CPU is told for */
};

/* ---- A sampler whose ring is filled by hand ------------------------------------- */

struct hand_sampler {
	struct tierd_sampler sampler;
	struct perf_event_mmap_page page;
	struct tierd_perf_ring ring;
	struct tierd_perf_counts counts;
	struct record *records;
};

#define RECORDS (RING_BYTES / sizeof(struct record))

static struct hand_sampler *hand_sampler(struct tierd_sampler *sampler)
{
	return (struct hand_sampler *)sampler;
}

static int hand_drain(struct tierd_sampler *sampler, unsigned max_records,
	const struct tierd_sampler_sink *sink)
{
	struct hand_sampler *hand = hand_sampler(sampler);

	return tierd_perf_ring_drain(&hand->ring, max_records, sink, &hand->counts) ==
	       max_records;
}

static void hand_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	const struct hand_sampler *hand = (const struct hand_sampler *)sampler;

	*ret = (struct tierd_sampler_stats){
		.source = "hand",
		.samples = hand->counts.samples,
		.lost = hand->counts.lost,
	};
}

static const struct tierd_sampler_ops hand_ops = {
	.name = "hand",
	.drain = hand_drain,
	.stats = hand_stats,
};

static int hand_init(struct hand_sampler *hand)
{
	void *data = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (data == MAP_FAILED)
		return -errno;
	*hand = (struct hand_sampler){ .sampler.ops = &hand_ops, .records = data };
	hand->ring = (struct tierd_perf_ring){
		.page = &hand->page,
		.data = data,
		.size = RING_BYTES,
		.period = 199,
	};
	return tierd_perf_layout_init(&hand->ring.layout, SAMPLE_TYPE);
}

/* ---- A daemon with one group of many processes ----------------------------------- */

struct bench {
	struct options options;
	struct tierd_topology topology;
	struct tierd_group_context context;
	struct tierd_manager manager;
	struct hand_sampler hand;
	struct tier_random random;
	uint64_t process_pages;
	uint64_t sum; /* of the bare passes, so that they are not left out */
};

static pid_t pid_of(unsigned process)
{
	return 100000 + (pid_t)process;
}

static int tell_residency(struct tier_group *heat, uint64_t space, uint64_t pages)
{
	struct tier_residency residency = { 0 };
	int r;

	memset(residency.resident, 0xff, sizeof(residency.resident));
	for (uint64_t page = 0; page < pages; page += TIER_BLOCK_PAGES) {
		r = tier_group_set_residency(
			heat, space, BASE + page * TIER_PAGE_SIZE, &residency);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_process(struct bench *bench, struct tierd_group *group, unsigned process)
{
	struct tierd_attribution *attribution = calloc(1, sizeof(*attribution));
	struct tierd_manager *manager = &bench->manager;
	struct tierd_space *space = calloc(1, sizeof(*space));

	if (!attribution || !space)
		return -ENOMEM;
	*space = (struct tierd_space){
		.pid = pid_of(process), .id = process + 1, .pidfd = -EBADF
	};
	*attribution = (struct tierd_attribution){
		.pid = space->pid, .group = group, .space = space
	};
	HASH_ADD_INT(manager->attributions, pid, attribution);
	return tell_residency(tierd_group_heat(group), space->id, bench->process_pages);
}

static int bench_init(struct bench *bench, const struct options *options)
{
	struct tierd_policy policy;
	struct tierd_group *group;
	int r;

	*bench = (struct bench){ .options = *options, .topology.n_tiers = 2 };
	bench->process_pages = options->bytes / TIER_PAGE_SIZE / options->processes &
			       ~(TIER_BLOCK_PAGES - 1ULL);
	bench->context = (struct tierd_group_context){
		.topology = &bench->topology,
		.dram_total_bytes = options->bytes,
		.bandwidth_max_bytes = UINT64_MAX,
	};
	tierd_policy_defaults(&policy);
	r = tierd_group_new(&bench->context, NULL, &policy, &group);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < options->processes; i++) {
		r = add_process(bench, group, i);
		if (r < 0)
			return r;
	}
	r = hand_init(&bench->hand);
	if (r < 0)
		return r;
	bench->manager.sampler = &bench->hand.sampler;
	bench->manager.groups = malloc(sizeof(*bench->manager.groups));
	if (!bench->manager.groups)
		return -ENOMEM;
	bench->manager.groups[0] = group;
	bench->manager.n_groups = 1;
	tierd_config_defaults(&bench->manager.config);
	tierd_steering_init(
		&bench->manager.steering, &bench->manager.config, tierd_now_ns());
	return 0;
}

/* ---- Measuring ------------------------------------------------------------------- */

static void fill_ring(struct bench *bench)
{
	struct hand_sampler *hand = &bench->hand;

	for (size_t i = 0; i < RECORDS; i++) {
		uint64_t random = tier_random_next(&bench->random);
		bool is_foreign = random % FOREIGN_DIVISOR == 0;
		uint32_t process = (random >> 8) % bench->options.processes;
		uint32_t pid = is_foreign ? FOREIGN_PID : (uint32_t)pid_of(process);

		hand->records[i] = (struct record){
			.header = { PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER,
				sizeof(struct record) },
			.pid = pid,
			.tid = pid,
			.time = i,
			.address = BASE + (tier_random_next(&bench->random) %
						  bench->process_pages) *
						  TIER_PAGE_SIZE,
			.weight = 300,
			.data_src = PERF_MEM_S(OP, LOAD),
		};
	}
	hand->page.data_head = RECORDS * sizeof(struct record);
	hand->page.data_tail = 0;
}

static double pass_bare(struct bench *bench)
{
	const uint8_t *at = bench->hand.ring.data;
	uint64_t begin_ns = tierd_now_ns();

	for (size_t i = 0; i < RECORDS; i++) {
		struct record record;

		memcpy(&record, at, sizeof(record));
		bench->sum += record.address;
		at += record.header.size;
	}
	return (double)(tierd_now_ns() - begin_ns) / RECORDS;
}

static double pass_all(struct bench *bench)
{
	uint64_t begin_ns = tierd_now_ns();

	tierd_sampling_drain(&bench->manager, 0);
	return (double)(tierd_now_ns() - begin_ns) / RECORDS;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void add_number(json_object *object, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3g", value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

/* The machine's slow moments are in the mean of all, and not in the median. */
static void report(const struct bench *bench, double *bare, double *all)
{
	const struct options *options = &bench->options;
	json_object *object = json_object_new_object();
	double mean = 0;

	for (size_t i = 0; i < ROUNDS; i++)
		mean += all[i] / ROUNDS;
	qsort(bare, ROUNDS, sizeof(*bare), compare_doubles);
	qsort(all, ROUNDS, sizeof(*all), compare_doubles);
	json_object_object_add(
		object, "tracked_bytes", json_object_new_uint64(options->bytes));
	json_object_object_add(
		object, "processes", json_object_new_uint64(options->processes));
	add_number(object, "bare_ns", bare[ROUNDS / 2]);
	add_number(object, "sample_ns", all[ROUNDS / 2]);
	add_number(object, "sample_mean_ns", mean);
	add_number(object, "samples_per_s", options->samples_per_s);
	add_number(object, "cpu_share", all[ROUNDS / 2] * options->samples_per_s / NSEC);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY));
	json_object_put(object);
}

static int measure(const struct options *options)
{
	static double bare[ROUNDS], all[ROUNDS];
	static struct bench bench;
	struct tier_group_stats stats;
	uint64_t counted = 0;
	int r;

	r = bench_init(&bench, options);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ROUNDS; i++) {
		fill_ring(&bench);
		bare[i] = pass_bare(&bench);
		all[i] = pass_all(&bench);
	}
	/* All were drained, and those that are managed were counted. */
	tier_group_get_stats(tierd_group_heat(bench.manager.groups[0]), &stats);
	for (int i = 0; i < TIER_SAMPLED_MAX; i++)
		counted += stats.samples[i];
	if (bench.hand.counts.samples != ROUNDS * RECORDS ||
		counted < ROUNDS * RECORDS / 2 || bench.sum == 0)
		return -EBADMSG;
	report(&bench, bare, all);
	return 0;
}

static const char usage[] =
	"usage: bench-sampler [--processes N] [--samples-per-second N] [SIZE]\n"
	"\n"
	"Measures what a sample costs tierd, with so much memory tracked (default: 16G)\n"
	"of so many processes (default: 64).\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "processes", required_argument, NULL, 'p' },
		{ "samples-per-second", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options opt = { UINT64_C(16) << 30, 64, 300000 };
	int option, r = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'p')
			opt.processes = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 's')
			opt.samples_per_s = strtod(optarg, NULL);
		else {
			fputs(usage, option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 64;
		}
	}
	if (optind < argc)
		r = tier_parse_size(argv[optind], &opt.bytes);
	if (r < 0 || opt.processes == 0 || opt.samples_per_s <= 0 ||
		opt.bytes / opt.processes < TIER_BLOCK_SIZE) {
		fputs(usage, stderr);
		return 64;
	}
	r = measure(&opt);
	if (r < 0)
		fprintf(stderr, "bench-sampler: %s\n", strerror(-r));
	return r < 0;
}
