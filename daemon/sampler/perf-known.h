/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What we know about PMUs beforehand: which events sample memory accesses with their
 * address, and how often each can be asked to. Tables only; nothing here looks at the
 * machine.
 */
#ifndef TIERD_SAMPLER_PERF_KNOWN_H
#define TIERD_SAMPLER_PERF_KNOWN_H

#include "sampler/rate.h"

struct tierd_perf_known {
	const char *text;   /* as tierd_perf_event_resolve() takes it */
	const char *pmu;    /* the machine has it when this PMU … */
	const char *folder; /* … in this folder, "" or with a leading slash … */
	const char *file;   /* … has this file */
};

/* In order of preference, up to the first without text. */
extern const struct tierd_perf_known tierd_perf_known[];

/*
 * What a name stands for: "intel-l3-miss-local" is easier to write, and to get right,
 * than the event. Any other text is returned as it is.
 */
const char *tierd_perf_named(const char *text);

struct tierd_perf_trait {
	const char *pmu;
	uint64_t period; /* to start with */
	struct tierd_rate_bounds bounds;
	uint64_t sample_cost_ns; /* what a sample takes from its program; estimated */
};

/* What holds for a PMU; never NULL. */
const struct tierd_perf_trait *tierd_perf_trait(const char *pmu);

#endif
