/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gups: giga-updates per second of a table whose pages are not all equally hot. A run
 * goes from top to bottom of run(): place the table, say where it lies, wait to be told,
 * update while keeping a time line, say where it lies now, check every word.
 *
 * The workers know nothing of time. This thread, at a lower priority than theirs, does
 * all the looking, and sleeps for signals in between.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "options.h"
#include "place.h"
#include "report.h"
#include "residency.h"
#include "worker.h"

#define EXIT_USAGE        2
#define NS_PER_S          UINT64_C(1000000000)
#define WATCHER_NICE      10
#define WAIT_FILE_POLL_NS (NS_PER_S / 50)
#define WATCHER_STREAM    UINT64_C(0xffffffff)
#define WORKERS_ENDED     SIGUSR2
#define START             SIGUSR1

DEFINE_CLEANUP(struct gups_workers *, gups_workers_free);

struct run {
	struct gups_options options;
	struct gups_distribution distribution;
	struct gups_nodes dram_nodes;
	struct gups_nodes slow_nodes;
	struct gups_table table;
	struct gups_rng rng;
	struct gups_report report;
	FILE *timeline;
	unsigned phase;
};

static int fail(int r, const char *what)
{
	fprintf(stderr, "gups: %s: %s\n", what, strerror(-r));
	return r;
}

static int refuse_nodes(const char *option, const struct gups_nodes *asked,
	const struct gups_nodes *memory)
{
	char there[256], wanted[256];

	gups_nodes_format(memory, there, sizeof(there));
	gups_nodes_format(asked, wanted, sizeof(wanted));
	fprintf(stderr,
		"gups: --%s=%s: must name nodes that have memory; on this machine: %s\n",
		option, wanted, there);
	return -EINVAL;
}

/* -EINVAL is the user's mistake; anything else is the machine's. */
static int find_nodes(struct run *run)
{
	const struct gups_options *o = &run->options;
	struct gups_nodes memory, cpu, prefer = {};
	int r;

	r = gups_nodes_of_machine(&memory, &cpu);
	if (r < 0)
		return fail(r == -EINVAL ? -EIO : r,
			"cannot read the nodes from /sys/devices/system/node");
	if (o->has_dram_nodes && !gups_nodes_is_subset(&o->dram_nodes, &memory))
		return refuse_nodes("dram-nodes", &o->dram_nodes, &memory);
	if (o->prefer_node >= 0) {
		gups_nodes_add(&prefer, o->prefer_node);
		if (!gups_nodes_is_subset(&prefer, &memory))
			return refuse_nodes("prefer", &prefer, &memory);
	}
	run->dram_nodes = o->has_dram_nodes ? o->dram_nodes : cpu;
	run->slow_nodes = gups_nodes_and_not(&memory, &run->dram_nodes);
	if (o->place == GUPS_PLACE_BEST && gups_nodes_is_empty(&run->slow_nodes)) {
		fprintf(stderr,
			"gups: --place=best: must have a slow node to place the rest on, "
			"and all nodes of this machine are DRAM\n");
		return -EINVAL;
	}
	return 0;
}

static int place_best(struct run *run)
{
	uint64_t pages = run->options.dram_budget_bytes / GUPS_PAGE_BYTES;
	struct gups_placement *p = &run->report.placement;
	int r;

	r = gups_place_best(&run->table, &run->distribution, &run->dram_nodes,
		&run->slow_nodes, pages, p);
	if (r < 0)
		return fail(r, "cannot place the table by hand");
	if (p->chosen_dram_pages < p->chosen_pages || p->rest_dram_pages > 0)
		fprintf(stderr,
			"gups: placed %.1f of %.1f MiB in DRAM, and %.1f MiB of the rest\n",
			(double)p->chosen_dram_pages / 256, (double)p->chosen_pages / 256,
			(double)p->rest_dram_pages / 256);
	return 0;
}

static int make_table(struct run *run)
{
	const struct gups_options *o = &run->options;
	int r;

	r = gups_table_map(run->distribution.pages, o->seed, o->huge, &run->table);
	if (r < 0)
		return fail(r, "cannot map the working set");
	if (o->place == GUPS_PLACE_BEST)
		return place_best(run);
	if (o->prefer_node >= 0) {
		r = gups_place_prefer(&run->table, o->prefer_node);
		if (r < 0)
			return fail(r, "cannot prefer the node");
	}
	gups_place_first_touch(&run->table);
	return 0;
}

static int show_portions(struct run *run, struct gups_portions *ret)
{
	int r;

	r = gups_residency_portions(&run->table, &run->dram_nodes, ret);
	if (r < 0)
		return fail(r, "cannot ask where pages are");
	gups_print_portions(stdout, ret);
	return 0;
}

/* The signal that came before the time given (CLOCK_MONOTONIC), or 0. */
static int wait_until(const sigset_t *signals, uint64_t until_ns)
{
	for (;;) {
		uint64_t now = gups_now_ns();
		uint64_t left = until_ns > now ? until_ns - now : 0;
		struct timespec ts = {
			.tv_sec = (time_t)(left / NS_PER_S),
			.tv_nsec = (long)(left % NS_PER_S),
		};
		int sig = sigtimedwait(signals, NULL, &ts);

		if (sig > 0)
			return sig;
		if (errno == EAGAIN)
			return 0;
	}
}

static void block(const sigset_t *signals)
{
	sigprocmask(SIG_BLOCK, signals, NULL);
}

static sigset_t signals_of_end(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return set;
}

static sigset_t signal_set(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return set;
}

/* False: told to end before it was told to start. */
static bool wait_for_start(const struct gups_options *o)
{
	sigset_t set = signals_of_end();

	sigaddset(&set, START);
	while (o->start_paused || o->wait_file) {
		int sig;

		if (o->wait_file && access(o->wait_file, F_OK) >= 0)
			break;
		sig = wait_until(&set, gups_now_ns() + WAIT_FILE_POLL_NS);
		if (sig == START && o->start_paused)
			break;
		if (sig != 0 && sig != START)
			return false;
	}
	return true;
}

static double seconds_since(uint64_t start_ns, uint64_t now_ns)
{
	return (double)(now_ns - start_ns) / (double)NS_PER_S;
}

static uint64_t ns_after(uint64_t start_ns, double seconds)
{
	return start_ns + (uint64_t)llround(seconds * (double)NS_PER_S);
}

struct watch {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t phase_ns;
	uint64_t interval_ns;
	uint64_t n_intervals;
	uint64_t seen_ns;
	uint64_t seen_updates;
};

static int record_interval(
	struct run *run, const struct gups_workers *workers, struct watch *w)
{
	uint64_t now_ns = gups_now_ns(), updates = gups_workers_done(workers);
	struct gups_interval interval = {
		.t = seconds_since(w->start_ns, now_ns),
		.updates_per_s = (double)(updates - w->seen_updates) /
				 seconds_since(w->seen_ns, now_ns),
	};
	int r;

	w->seen_ns = now_ns;
	w->seen_updates = updates;
	while (w->interval_ns <= now_ns)
		w->interval_ns = ns_after(
			w->start_ns, (double)++w->n_intervals * run->options.interval);

	r = gups_residency_estimate(&run->table, &run->dram_nodes, &run->distribution,
		run->phase, &run->rng, &interval.estimate);
	if (r < 0)
		return fail(r, "cannot ask where pages are");
	gups_print_interval(run->timeline, &interval);
	r = gups_report_add(&run->report, &interval);
	if (r < 0)
		return fail(r, "cannot keep the time line");
	return 0;
}

static void change_phase(struct run *run, struct gups_workers *workers, struct watch *w)
{
	gups_workers_change_phase(workers);
	run->phase = 1;
	run->report.phase_changed_at = seconds_since(w->start_ns, gups_now_ns());
	w->phase_ns = UINT64_MAX;
	fprintf(run->timeline, "phase changed at %.1f s\n", run->report.phase_changed_at);
}

/* Watches over the workers until they have ended, their time is over or a signal says so.
 */
static int watch(struct run *run, struct gups_workers *workers, struct watch *w)
{
	sigset_t set = signals_of_end();

	sigaddset(&set, WORKERS_ENDED);
	for (;;) {
		uint64_t events = TIER_MIN(w->phase_ns, w->end_ns);
		int sig = wait_until(&set, TIER_MIN(w->interval_ns, events)), r;

		if (sig == SIGINT || sig == SIGTERM || gups_workers_have_ended(workers))
			return 0;
		if (gups_now_ns() >= w->phase_ns)
			change_phase(run, workers, w);
		if (gups_now_ns() >= w->interval_ns) {
			r = record_interval(run, workers, w);
			if (r < 0)
				return r;
		}
		if (gups_now_ns() >= w->end_ns)
			return 0;
	}
}

static int update(struct run *run, struct gups_history *ret_histories)
{
	const struct gups_options *o = &run->options;
	_cleanup_(gups_workers_freep) struct gups_workers *workers = NULL;
	uint64_t end_ns, start_ns = gups_now_ns();
	struct watch w = {
		.start_ns = start_ns,
		.end_ns = o->seconds > 0 ? ns_after(start_ns, o->seconds) : UINT64_MAX,
		.phase_ns =
			o->phase_at > 0 ? ns_after(start_ns, o->phase_at) : UINT64_MAX,
		.interval_ns = ns_after(start_ns, o->interval),
		.n_intervals = 1,
		.seen_ns = start_ns,
	};
	int r;

	r = gups_workers_new(&run->table, &run->distribution, (unsigned)o->threads,
		o->updates, WORKERS_ENDED, &workers);
	if (r < 0)
		return fail(r, "cannot start the updating threads");
	if (setpriority(PRIO_PROCESS, 0, WATCHER_NICE) < 0)
		return fail(-errno, "cannot lower the watching thread's priority");
	r = watch(run, workers, &w);
	if (r < 0)
		return r;

	gups_workers_stop(workers, &end_ns);
	run->report.updates = gups_workers_done(workers);
	run->report.elapsed_ns = end_ns - start_ns;
	memcpy(ret_histories, gups_workers_histories(workers),
		o->threads * sizeof(*ret_histories));
	return 0;
}

static int finish(struct run *run, const struct gups_history *histories)
{
	struct gups_report *report = &run->report;
	int r;

	r = show_portions(run, &report->final);
	if (r < 0)
		return r;
	gups_print_final(stdout, report);
	r = gups_verify(&run->table, &run->distribution, histories,
		(unsigned)run->options.threads, &report->verdict);
	if (r < 0)
		return fail(r, "cannot verify the table");
	gups_print_verdict(stdout, &report->verdict);
	if (run->options.json_path) {
		r = gups_report_write_json(report, run->options.json_path);
		if (r < 0)
			return fail(r, run->options.json_path);
	}
	return report->verdict.errors > 0 ? -EBADMSG : 0;
}

static int run_all(struct run *run)
{
	struct gups_history histories[GUPS_THREADS_MAX] = {};
	sigset_t ends = signals_of_end();
	int r;

	r = make_table(run);
	if (r < 0)
		return r;
	r = show_portions(run, &run->report.initial);
	if (r < 0)
		return r;
	/* Until here a signal simply ends the program: there is nothing to report yet. */
	block(&ends);
	printf("gups: ready\n");
	if (wait_for_start(&run->options)) {
		r = update(run, histories);
		if (r < 0)
			return r;
	}
	return finish(run, histories);
}

static int open_timeline(struct run *run)
{
	const char *path = run->options.timeline_path;

	setvbuf(stdout, NULL, _IOLBF, 0);
	run->timeline = stdout;
	if (path) {
		run->timeline = fopen(path, "we");
		if (!run->timeline)
			return fail(-errno, path);
		setvbuf(run->timeline, NULL, _IOLBF, 0);
	}
	return 0;
}

static int run_with_options(struct run *run)
{
	struct gups_distribution_config config = gups_options_distribution(&run->options);
	int r;

	gups_distribution_init(&run->distribution, &config);
	gups_rng_init(&run->rng, run->options.seed, WATCHER_STREAM);
	run->report.options = &run->options;
	run->report.distribution = config;
	run->report.dram_nodes = run->dram_nodes;

	r = open_timeline(run);
	if (r < 0)
		return r;
	r = run_all(run);
	if (run->timeline != stdout && fclose(run->timeline) != 0 && r >= 0)
		r = fail(-errno, run->options.timeline_path);
	gups_report_done(&run->report);
	gups_table_done(&run->table);
	return r;
}

int main(int argc, char **argv)
{
	sigset_t starts = signal_set(START), ended = signal_set(WORKERS_ENDED);
	struct run run = {};

	block(&starts);
	block(&ended);
	if (gups_options_parse(argc, argv, stderr, &run.options) < 0)
		return EXIT_USAGE;
	if (run.options.help) {
		gups_options_help(stdout);
		return EXIT_SUCCESS;
	}
	switch (find_nodes(&run)) {
	case 0:
		break;
	case -EINVAL:
		return EXIT_USAGE;
	default:
		return EXIT_FAILURE;
	}
	if (run_with_options(&run) < 0)
		return EXIT_FAILURE;
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
