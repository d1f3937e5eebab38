/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast the NUMA scanner should go. Every page that it protects and that is touched
 * later costs the program a fault, so that the pace is what the source costs. Pure
 * arithmetic.
 *
 * The kernel scans scan_size_mb of a process at a time, and does so as often as takes it
 * through all of the process in scan_period_min_ms of CPU time. It looks at the period
 * when it scans a process for the first time, and later as good as never (6.12, seen): it
 * is by the size of a step that a process is steered. Small steps are better ones: the
 * faults that a step causes hold the program up, and with it its touches of all else
 * that was protected just then.
 */
#ifndef TIERD_SAMPLER_HINT_PACE_H
#define TIERD_SAMPLER_HINT_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "sampler/hint-tracker.h"

struct tierd_hint_pace {
	unsigned scan_mib; /* a step, never 0: the kernel divides by it */
	unsigned period_ms;
};

/* As good as standing still. */
extern const struct tierd_hint_pace tierd_hint_pace_rest;

/* Before anything is known: through each process in four seconds, or as long as 512 MiB a
 * second take through all of the machine's memory. */
struct tierd_hint_pace tierd_hint_pace_first(uint64_t memory_bytes);

/* What brings about so many faults a second, by what passes, of which there was one at
 * least, have brought. */
struct tierd_hint_pace tierd_hint_pace_for(
	uint64_t faults_per_s, const struct tierd_hint_stats *stats);

/* Whether the change is worth being made. */
bool tierd_hint_pace_differs(
	const struct tierd_hint_pace *a, const struct tierd_hint_pace *b);

#endif
