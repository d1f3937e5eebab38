/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * probe.c: asks a tiered machine what it really does, in the way perf's users will.
 *
 * `speed` measures the mean time of a random access to each memory node. `pmu` samples
 * the memory accesses of a child process whose addresses, node, cgroup and physical pages
 * are known, and says what share of the samples tells the truth. `churn` opens and closes
 * events while processes come and go, for as long as it is told.
 *
 * It judges nothing: it prints lines for people and, with --json, one object for whoever
 * does. It needs root, and no library but libc, so that it can be linked statically.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "sampling.h"

#define NODES_MAX      8
#define SPEED_ACCESSES 400000
#define SPEED_ROUNDS   5

struct options {
	unsigned int node;
	unsigned int seconds;
	uint64_t bytes;
	uint64_t period;
	uint64_t then_period; /* 0: no second stage */
	uint64_t config;
	const char *json;
};

static bool node_exists(unsigned int node)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%u", node);
	return access(path, F_OK) == 0;
}

static double access_ns(char *buffer, uint64_t bytes)
{
	uint64_t state = 88172645463325252ULL, start = now_ns();

	touch(buffer, bytes, SPEED_ACCESSES, &state);
	return (double)(now_ns() - start) / SPEED_ACCESSES;
}

/* The best of several rounds: whatever disturbs one only makes it slower. */
static void verb_speed(const struct options *options, FILE *json)
{
	char *buffers[NODES_MAX];
	double best[NODES_MAX];
	unsigned int n = 0;

	for (; n < NODES_MAX && node_exists(n); n++) {
		buffers[n] = buffer_on_node(options->bytes, n);
		best[n] = access_ns(buffers[n], options->bytes);
	}
	for (unsigned int round = 1; round < SPEED_ROUNDS; round++)
		for (unsigned int node = 0; node < n; node++) {
			double ns = access_ns(buffers[node], options->bytes);

			if (ns < best[node])
				best[node] = ns;
		}

	fprintf(json, "{\"access_ns\":[");
	for (unsigned int node = 0; node < n; node++) {
		printf("node %u: %.0f ns per access\n", node, best[node]);
		fprintf(json, "%s%.1f", node ? "," : "", best[node]);
	}
	fprintf(json, "]}\n");
}

static void run_stage(const struct options *options, uint64_t period,
	const struct workload *workload, FILE *json)
{
	struct tally tally = sample_for(options->seconds, workload);

	print_tally(&tally, period, options->seconds);
	write_tally(&tally, period, json);
}

static void verb_pmu(const struct options *options, FILE *json)
{
	uint64_t then_period = options->then_period;
	struct workload workload;

	workload_start(&workload, options->bytes, options->node);
	open_events(options->config, options->period);
	control_events(PERF_EVENT_IOC_ENABLE, NULL);
	fprintf(json, "[");
	run_stage(options, options->period, &workload, json);
	if (then_period > 0) {
		control_events(PERF_EVENT_IOC_PERIOD, &then_period);
		fprintf(json, ",");
		run_stage(options, then_period, &workload, json);
	}
	fprintf(json, "]\n");
	close_events();
	workload_stop(&workload);
}

static pid_t spawn_short_lived(void)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		uint64_t state = 88172645463325252ULL;

		touch(buffer_on_node(1 << 20, 0), 1 << 20, 2000, &state);
		_exit(EXIT_SUCCESS);
	}
	return pid;
}

static void verb_churn(const struct options *options, FILE *json)
{
	uint64_t end = now_ns() + options->seconds * 1000000000ULL;
	uint64_t rounds = 0, processes = 0, beside = options->period * 5;
	unsigned int n_cpus = count_cpus();
	struct workload nobody = {};
	struct tally tally = {};

	while (now_ns() < end) {
		int other = open_event(rounds % n_cpus, rounds % 4, beside);

		open_events(rounds % 3, options->period);
		control_events(PERF_EVENT_IOC_ENABLE, NULL);
		ioctl(other, PERF_EVENT_IOC_ENABLE, NULL);
		for (unsigned int i = 0; i < 2 * n_cpus; i++, processes++)
			spawn_short_lived();
		while (wait(NULL) > 0)
			;
		drain_events(&tally, &nobody);
		close_events();
		close(other);
		rounds++;
	}
	printf("%" PRIu64 " rounds, %" PRIu64 " processes, %" PRIu64 " samples, %" PRIu64
	       " lost\n",
		rounds, processes, tally.samples, tally.lost);
	fprintf(json,
		"{\"rounds\":%" PRIu64 ",\"processes\":%" PRIu64 ",\"samples\":%" PRIu64
		",\"lost\":%" PRIu64 "}\n",
		rounds, processes, tally.samples, tally.lost);
}

static const struct verb {
	const char *name;
	void (*fn)(const struct options *options, FILE *json);
} verbs[] = {
	{ "speed", verb_speed },
	{ "pmu", verb_pmu },
	{ "churn", verb_churn },
};

static int usage(void)
{
	fprintf(stderr,
		"usage: vm-probe speed|pmu|churn [--node N] [--mib N] [--seconds N] "
		"[--period N]\n"
		"       [--then-period N] [--config N] [--json FILE]\n");
	return 64;
}

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "node", required_argument, NULL, 'n' },
		{ "mib", required_argument, NULL, 'm' },
		{ "seconds", required_argument, NULL, 's' },
		{ "period", required_argument, NULL, 'p' },
		{ "then-period", required_argument, NULL, 't' },
		{ "config", required_argument, NULL, 'c' },
		{ "json", required_argument, NULL, 'j' },
		{},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		uint64_t number = c == '?' || c == 'j' ? 0 : strtoull(optarg, NULL, 0);

		switch (c) {
		case 'n':
			options->node = (unsigned int)number;
			break;
		case 'm':
			options->bytes = number << 20;
			break;
		case 's':
			options->seconds = (unsigned int)number;
			break;
		case 'p':
			options->period = number;
			break;
		case 't':
			options->then_period = number;
			break;
		case 'c':
			options->config = number;
			break;
		case 'j':
			options->json = optarg;
			break;
		default:
			return -EINVAL;
		}
	}
	return optind == argc - 1 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct options options = {
		.seconds = 3,
		.bytes = 64 << 20,
		.period = 199,
		.json = "/dev/null",
	};
	FILE *json;

	if (parse_options(argc, argv, &options) < 0 || options.bytes == 0 ||
		options.seconds == 0 || options.node >= NODES_MAX)
		return usage();
	json = fopen(options.json, "we");
	if (!json)
		fail(options.json);

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, argv[optind]) != 0)
			continue;
		verbs[i].fn(&options, json);
		if (fclose(json) != 0)
			fail(options.json);
		return EXIT_SUCCESS;
	}
	return usage();
}
