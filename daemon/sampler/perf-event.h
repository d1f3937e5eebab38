/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to ask perf for: turns "pmu/term=value,…/" into the numbers perf_event_open()
 * takes, by the descriptions each PMU gives of itself in sysfs, or finds an event known
 * to sample memory accesses. It opens no event.
 */
#ifndef TIERD_SAMPLER_PERF_EVENT_H
#define TIERD_SAMPLER_PERF_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sampler/rate.h"

struct tierd_root;

#define TIERD_PERF_CONFIGS 3

struct tierd_perf_event {
	char *text; /* as named in the configuration or found */
	char *cpus; /* the CPUs that have this PMU; NULL: all */
	uint32_t type;
	uint64_t config[TIERD_PERF_CONFIGS];
	unsigned precise; /* 0 to 3: how exactly the instruction is wanted */
	uint64_t period;  /* to start with */
	struct tierd_rate_bounds bounds;
	uint64_t sample_cost_ns; /* what a sample takes from its program; estimated */
	bool has_leader; /* works only in a group behind this event of the same PMU */
	uint64_t leader_config[TIERD_PERF_CONFIGS];
};

/*
 * Resolves text; NULL or "" finds the first known event this machine has. The syntax is
 * perf's: "pmu/term,term=value/ppp", where a term is one of the PMU's formats or named
 * events, or period, config, config1, config2; each p asks for more precision. "pmu"
 * alone is "pmu//". Errors as for tierd_sampler_open().
 */
int tierd_perf_event_resolve(struct tierd_perf_event *ret, const struct tierd_root *root,
	const char *text, char **ret_error);
void tierd_perf_event_done(struct tierd_perf_event *event);

#endif
