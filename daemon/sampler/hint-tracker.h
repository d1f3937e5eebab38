/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From protections and faults to samples. Each process's passes are followed on their
 * own, and what a pass brought is handed over only once it is whole: then every block
 * that the scanner sees was watched for equally long, and none looks hotter for having
 * been protected more often. It is handed over in an order that is as good as random,
 * so that a part of it is no less even than all of it.
 *
 * A sample is a page that was touched within the window after it was protected. The
 * window is the same for all processes and follows how soon pages are touched of late
 * (tierd_hint_cut()), and with the length of a pass it gives the samples' meaning: a page
 * is watched for a window in each pass.
 *
 * Times are perf's; it reads no clock.
 */
#ifndef TIERD_SAMPLER_HINT_TRACKER_H
#define TIERD_SAMPLER_HINT_TRACKER_H

#include <stddef.h>
#include <stdint.h>

struct tierd_hint_tracker;

/* Bounds: processes followed at once, and samples that wait to be taken. */
#define TIERD_HINT_PROCESSES_MAX 4096
#define TIERD_HINT_WAITING_MAX   (4 << 20)

/* What the last passes were like. */
struct tierd_hint_stats {
	uint64_t passes;    /* handed over, of all processes */
	uint64_t period;    /* accesses a sample stands for; 0 before the first pass */
	uint64_t window_ns; /* how soon a touch has to come to be a sample */
	uint64_t pass_ns;   /* how long a pass takes */
	uint64_t step_ns;   /* how often the scanner takes a step of one */
	uint64_t largest_bytes; /* of the passes of late */
	double faults_per_mib;  /* that protecting so much has caused */
	uint64_t faults;        /* due to the scanner … */
	uint64_t other_faults;  /* … and not, which are evidence of nothing */
	uint64_t dropped;       /* faults there was no room for */
};

int tierd_hint_tracker_new(struct tierd_hint_tracker **ret);
struct tierd_hint_tracker *tierd_hint_tracker_free(struct tierd_hint_tracker *tracker);

/*
 * The scanner protected a range of @pid's, or @pid had a page fault. Of one process tell
 * protections in their order, and before the faults that follow them. What there is no
 * memory for is counted as dropped.
 */
void tierd_hint_tracker_protect(struct tierd_hint_tracker *tracker, uint32_t pid,
	uint64_t start, uint64_t end, uint64_t time_ns);
void tierd_hint_tracker_fault(struct tierd_hint_tracker *tracker, uint32_t pid,
	uint64_t address, uint64_t time_ns);

/* The process ended or has another address space now. */
void tierd_hint_tracker_forget(struct tierd_hint_tracker *tracker, uint32_t pid);

/* Concludes the passes whose last window is over. */
void tierd_hint_tracker_advance(struct tierd_hint_tracker *tracker, uint64_t now_ns);

/* Takes a sample: 1, or 0 when none waits. */
int tierd_hint_tracker_take(
	struct tierd_hint_tracker *tracker, uint32_t *ret_pid, uint64_t *ret_address);

void tierd_hint_tracker_get_stats(
	const struct tierd_hint_tracker *tracker, struct tierd_hint_stats *ret);

#endif
