/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The governor: how much may be sampled, and looked at, for what it costs. Two caps hold:
 * one for the CPU time of tierd's own loop, one for the time that samples take from the
 * programs they are taken of. Pure arithmetic: CPU time, wall time and counts come from
 * the caller, and rate.h turns the rate that comes out of it into a period.
 */
#ifndef TIERD_SAMPLER_GOVERNOR_H
#define TIERD_SAMPLER_GOVERNOR_H

#include <stdint.h>

#define TIERD_GOVERNOR_NO_CAP  UINT64_MAX
#define TIERD_GOVERNOR_PER_CPU UINT64_C(1000000) /* a cap of one whole CPU */

struct tierd_governor_caps {
	uint64_t cpu_ppm;      /* of one CPU: tierd's loop */
	uint64_t overhead_ppm; /* of one CPU: taken from programs, all together */
	uint64_t kernel_per_s; /* samples a second that the kernel lets through */
};

/* Of one stretch of time. Draining is part of the loop's CPU time. */
struct tierd_governor_seen {
	uint64_t wall_ns;
	uint64_t cpu_ns;
	uint64_t drain_cpu_ns;
	uint64_t records; /* that were drained in that time */
};

/* What holds sampling below what is wanted. */
enum tierd_governor_limit {
	TIERD_GOVERNOR_LIMIT_NONE,
	TIERD_GOVERNOR_LIMIT_CPU,
	TIERD_GOVERNOR_LIMIT_OVERHEAD,
	TIERD_GOVERNOR_LIMIT_KERNEL,
	TIERD_GOVERNOR_LIMIT_MAX,
};

/* "none", "cpu", "overhead", "kernel"; NULL for values out of range. */
const char *tierd_governor_limit_to_string(int limit);

struct tierd_governor {
	struct tierd_governor_caps caps;
	double credit_ns;  /* CPU time to spend before the cap is used up; may be owed */
	double base_share; /* of a CPU, for all but draining; smoothed */
	double record_ns;  /* CPU time to drain and count a record; smoothed */
};

/* Without evidence yet; *caps is copied. */
void tierd_governor_init(
	struct tierd_governor *ret, const struct tierd_governor_caps *caps);

/* Other caps; what was learned stays. */
void tierd_governor_set_caps(
	struct tierd_governor *governor, const struct tierd_governor_caps *caps);

/* Once a tick: what the time since the last call brought. */
void tierd_governor_account(
	struct tierd_governor *governor, const struct tierd_governor_seen *seen);

/* How many records are drained at a tick whatever is owed, with @wall_ns since the last
 * one: a part of the cap that other work cannot take. */
unsigned tierd_governor_least(const struct tierd_governor *governor, uint64_t wall_ns);

/* How many records may be drained now, when the loop has used @cpu_ns in @wall_ns since
 * the last tierd_governor_account(); at most @max. */
unsigned tierd_governor_records(const struct tierd_governor *governor, uint64_t wall_ns,
	uint64_t cpu_ns, unsigned max);

/*
 * Samples a second to aim at, of which @wanted_per_s would be of use, each of which takes
 * @sample_cost_ns from the program it is taken of. *ret_limit says what bounds it.
 */
uint64_t tierd_governor_rate(const struct tierd_governor *governor, uint64_t wanted_per_s,
	uint64_t sample_cost_ns, enum tierd_governor_limit *ret_limit);

/* What is left of @budget_ns for one piece of a tick's work, with @tick_ns between
 * ticks: never nothing. */
uint64_t tierd_governor_work_ns(
	const struct tierd_governor *governor, uint64_t budget_ns, uint64_t tick_ns);

/* When the next tick should be: later than after @tick_ns while CPU time is owed. */
uint64_t tierd_governor_tick_ns(const struct tierd_governor *governor, uint64_t tick_ns);

#endif
