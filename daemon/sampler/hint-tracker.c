/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/util.h"
#include "sampler/hint-pass.h"
#include "sampler/hint-tracker.h"

/* Of earlier passes so much is remembered at each, and more if that was a small one. */
#define MEMORY 0.5

/* 1 / the golden ratio: steps of so much of a list visit it evenly at any time. */
#define GOLDEN 0.61803398875

struct process {
	uint32_t pid;
	struct tierd_hint_pass now;    /* the scanner is on it */
	struct tierd_hint_pass before; /* over, but its last faults may still come */
	uint64_t before_ns;            /* how long it took; 0: there is none */
	bool had_pass;
	UT_hash_handle hh;
};

/* The samples of one pass. */
struct batch {
	uint32_t pid;
	uint64_t *faults;
	size_t n, n_taken, next, step;
	struct batch *following;
};

struct tierd_hint_tracker {
	struct process *processes; /* a uthash, by pid */
	struct batch *first, **end;
	size_t n_waiting;
	double weights[TIERD_HINT_BINS];
	double passes_per_s; /* of one process */
	double steps_per_s;
	double faults_per_mib;
	uint64_t largest_bytes;
	struct tierd_hint_stats stats;
};

int tierd_hint_tracker_new(struct tierd_hint_tracker **ret)
{
	struct tierd_hint_tracker *tracker = calloc(1, sizeof(*tracker));

	if (!tracker)
		return -ENOMEM;
	tracker->end = &tracker->first;
	*ret = tracker;
	return 0;
}

/* ---- Samples on their way out --------------------------------------------------- */

static void free_first_batch(struct tierd_hint_tracker *tracker)
{
	struct batch *batch = tracker->first;

	tracker->n_waiting -= batch->n - batch->n_taken;
	tracker->first = batch->following;
	if (!tracker->first)
		tracker->end = &tracker->first;
	free(batch->faults);
	free(batch);
}

static size_t greatest_common_divisor(size_t a, size_t b)
{
	while (b > 0) {
		size_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static size_t even_step(size_t n)
{
	size_t step = TIER_MAX((size_t)(GOLDEN * (double)n), (size_t)1);

	while (greatest_common_divisor(n, step) != 1)
		step++;
	return step;
}

/* Takes the pass's faults over. */
static int add_batch(struct tierd_hint_tracker *tracker, uint32_t pid,
	struct tierd_hint_pass *pass, unsigned cut)
{
	struct batch *batch;
	size_t n = 0;

	for (size_t i = 0; i < pass->n_faults; i++)
		if (tierd_hint_fault_bin(pass->faults[i]) < cut)
			pass->faults[n++] = pass->faults[i];
	pass->n_faults = n;
	if (n == 0)
		return 0;
	if (tracker->n_waiting + n > TIERD_HINT_WAITING_MAX)
		return -ENOBUFS;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	*batch = (struct batch){
		.pid = pid,
		.faults = TAKE_PTR(pass->faults),
		.n = n,
		.step = even_step(n),
	};
	*tracker->end = batch;
	tracker->end = &batch->following;
	tracker->n_waiting += n;
	return 0;
}

int tierd_hint_tracker_take(
	struct tierd_hint_tracker *tracker, uint32_t *ret_pid, uint64_t *ret_address)
{
	struct batch *batch;

	while (tracker->first && tracker->first->n_taken == tracker->first->n)
		free_first_batch(tracker);
	batch = tracker->first;
	if (!batch)
		return 0;
	*ret_pid = batch->pid;
	*ret_address = tierd_hint_fault_address(batch->faults[batch->next]);
	batch->next = (batch->next + batch->step) % batch->n;
	batch->n_taken++;
	tracker->n_waiting--;
	return 1;
}

/* ---- Passes -------------------------------------------------------------------- */

static double follow(double before, double now)
{
	return before > 0 ? MEMORY * before + (1 - MEMORY) * now : now;
}

/* What remains of what was known, after a pass. */
static double memory_after(
	const struct tierd_hint_tracker *tracker, const struct tierd_hint_pass *pass)
{
	double largest = TIER_MAX(tracker->largest_bytes, pass->bytes);

	return pow(MEMORY, (double)pass->bytes / largest);
}

static int weigh(struct tierd_hint_tracker *tracker, const struct tierd_hint_pass *pass)
{
	double memory = memory_after(tracker, pass);

	for (unsigned i = 0; i < TIERD_HINT_BINS; i++)
		tracker->weights[i] *= memory;
	return tierd_hint_pass_weigh(pass, tracker->weights);
}

/* Small processes have no say. Of the others the rates are averaged and not the times, as
 * one that sleeps for an hour would stand for all. */
static void note_pass(struct tierd_hint_tracker *tracker,
	const struct tierd_hint_pass *pass, uint64_t pass_ns)
{
	struct tierd_hint_stats *stats = &tracker->stats;
	double shrunk = (double)tracker->largest_bytes * memory_after(tracker, pass);

	tracker->largest_bytes = TIER_MAX(pass->bytes, (uint64_t)shrunk);
	if (pass->bytes < tracker->largest_bytes / 2)
		return;
	tracker->passes_per_s = follow(tracker->passes_per_s, 1e9 / (double)pass_ns);
	tracker->steps_per_s = follow(
		tracker->steps_per_s, (double)pass->n_steps * 1e9 / (double)pass_ns);
	tracker->faults_per_mib = follow(tracker->faults_per_mib,
		(double)pass->touched * (1 << 20) / (double)pass->bytes);
	stats->passes++;
}

static void set_period(struct tierd_hint_tracker *tracker, unsigned cut)
{
	double watched_per_s;

	tracker->stats.window_ns = TIER_MAX(tierd_hint_bin_floor(cut), UINT64_C(1));
	watched_per_s = tracker->passes_per_s * (double)tracker->stats.window_ns / 1e9;
	tracker->stats.period = (uint64_t)fmax(1, round(1 / watched_per_s));
}

static void conclude(struct tierd_hint_tracker *tracker, struct process *process)
{
	struct tierd_hint_pass *pass = &process->before;
	unsigned cut;
	int r = 0;

	note_pass(tracker, pass, process->before_ns);
	if (pass->n_faults > 0) {
		r = weigh(tracker, pass);
		cut = TIER_MIN(tierd_hint_cut(tracker->weights), pass->n_bins);
		set_period(tracker, cut);
		if (r >= 0)
			r = add_batch(tracker, process->pid, pass, cut);
	}
	if (r < 0)
		tracker->stats.dropped += pass->n_faults;
	tierd_hint_pass_done(pass);
	process->before_ns = 0;
}

/* A first pass may have begun anywhere; then it was none. */
static bool is_whole(const struct process *process, uint64_t next_start)
{
	return process->had_pass || next_start >= process->now.ranges[0].start;
}

static void turn_over(struct tierd_hint_tracker *tracker, struct process *process,
	uint64_t next_start, uint64_t time_ns)
{
	bool is_over = is_whole(process, next_start);

	if (process->before_ns)
		conclude(tracker, process);
	if (is_over) {
		process->before = process->now;
		process->before_ns = TIER_MAX(
			tier_saturating_sub(time_ns, process->before.ranges[0].time_ns),
			UINT64_C(1));
	} else {
		tierd_hint_pass_done(&process->now);
	}
	process->had_pass = true;
	tierd_hint_pass_init(&process->now);
}

static struct process *find_process(
	const struct tierd_hint_tracker *tracker, uint32_t pid)
{
	struct process *process;

	HASH_FIND(hh, tracker->processes, &pid, sizeof(pid), process);
	return process;
}

static struct process *add_process(struct tierd_hint_tracker *tracker, uint32_t pid)
{
	struct process *process;

	if (HASH_COUNT(tracker->processes) >= TIERD_HINT_PROCESSES_MAX)
		return NULL;
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->pid = pid;
	tierd_hint_pass_init(&process->now);
	HASH_ADD(hh, tracker->processes, pid, sizeof(pid), process);
	return process;
}

void tierd_hint_tracker_protect(struct tierd_hint_tracker *tracker, uint32_t pid,
	uint64_t start, uint64_t end, uint64_t time_ns)
{
	struct process *process = find_process(tracker, pid);

	if (start >= end)
		return;
	if (!process)
		process = add_process(tracker, pid);
	if (!process)
		return;
	if (tierd_hint_pass_protect(&process->now, start, end, time_ns) == 1) {
		turn_over(tracker, process, start, time_ns);
		(void)tierd_hint_pass_protect(&process->now, start, end, time_ns);
	}
}

void tierd_hint_tracker_fault(struct tierd_hint_tracker *tracker, uint32_t pid,
	uint64_t address, uint64_t time_ns)
{
	struct process *process = find_process(tracker, pid);
	int r = 0;

	if (process)
		r = tierd_hint_pass_fault(&process->now, address, time_ns);
	if (r == 0 && process && process->before_ns)
		r = tierd_hint_pass_fault(&process->before, address, time_ns);
	tracker->stats.faults += r > 0;
	tracker->stats.other_faults += r == 0;
	tracker->stats.dropped += r < 0;
}

static void free_process(struct tierd_hint_tracker *tracker, struct process *process)
{
	HASH_DEL(tracker->processes, process);
	tierd_hint_pass_done(&process->now);
	tierd_hint_pass_done(&process->before);
	free(process);
}

void tierd_hint_tracker_forget(struct tierd_hint_tracker *tracker, uint32_t pid)
{
	struct process *process = find_process(tracker, pid);

	if (process)
		free_process(tracker, process);
	for (struct batch *batch = tracker->first; batch; batch = batch->following)
		if (batch->pid == pid) {
			tracker->n_waiting -= batch->n - batch->n_taken;
			batch->n_taken = batch->n;
		}
}

void tierd_hint_tracker_advance(struct tierd_hint_tracker *tracker, uint64_t now_ns)
{
	struct process *process, *next;

	HASH_ITER(hh, tracker->processes, process, next)
	if (process->before_ns && now_ns >= tierd_hint_pass_last_ns(&process->before) +
						    TIERD_HINT_WINDOW_NS)
		conclude(tracker, process);
}

void tierd_hint_tracker_get_stats(
	const struct tierd_hint_tracker *tracker, struct tierd_hint_stats *ret)
{
	*ret = tracker->stats;
	if (tracker->passes_per_s > 0)
		ret->pass_ns = (uint64_t)llround(1e9 / tracker->passes_per_s);
	if (tracker->steps_per_s > 0)
		ret->step_ns = (uint64_t)llround(1e9 / tracker->steps_per_s);
	ret->largest_bytes = tracker->largest_bytes;
	ret->faults_per_mib = tracker->faults_per_mib;
}

struct tierd_hint_tracker *tierd_hint_tracker_free(struct tierd_hint_tracker *tracker)
{
	struct process *process, *next;

	if (!tracker)
		return NULL;
	HASH_ITER(hh, tracker->processes, process, next)
	free_process(tracker, process);
	while (tracker->first)
		free_first_batch(tracker);
	free(tracker);
	return NULL;
}
