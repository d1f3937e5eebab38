/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steers the sampler: measures what sampling and the rest of the loop cost, has the
 * governor (sampler/governor.h) weigh it against CPUMax= and OverheadMax=, and sets the
 * rate. What would be of use is the caller's to say.
 *
 * CPUMax= is about the thread that all of this runs in: draining, bookkeeping, looking at
 * residency, planning, the bus. Migrators have threads of their own, and what they spend
 * on copying is bounded by BandwidthMax=.
 */
#ifndef TIERD_STEERING_H
#define TIERD_STEERING_H

#include <stdbool.h>
#include <stdint.h>

#include "sampler/governor.h"
#include "sampler/sampler.h"
#include "settings/config.h"
#include "settings/root.h"

/* What the outside may see of it. */
struct tierd_steering_view {
	uint64_t wanted_per_s;      /* samples that would be of use */
	uint64_t target_per_s;      /* and what is aimed at */
	const char *limit;          /* what makes the difference: see governor.h */
	uint64_t kernel_per_s;      /* samples a second the kernel lets through */
	uint64_t loop_cpu_ns;       /* CPU time of this thread: what CPUMax= is about */
	uint64_t overhead_ns;       /* taken from programs so far, as estimated */
	uint64_t overhead_ns_per_s; /* the same a second, of late */
};

struct tierd_steering {
	struct tierd_governor governor;
	struct tierd_steering_view view;
	uint64_t kernel_looked_ns;

	uint64_t wall_ns; /* when it was last accounted, and the thread's CPU time then */
	uint64_t cpu_ns;
	uint64_t drain_cpu_ns; /* spent on draining since then, */
	uint64_t drained;      /* for so many records */

	uint64_t drain_began_ns; /* in CPU time */
	bool is_bounded;         /* this drain is, by the cap */
	bool is_behind;          /* more was offered than the cap let be drained */
	uint64_t records;        /* drained in all */
};

void tierd_steering_init(
	struct tierd_steering *ret, const struct tierd_config *config, uint64_t now_ns);

/*
 * Before draining: how many records it may be, at most @max; and at least @least, where
 * something has to be seen of what comes in. Afterwards, with all that was drained
 * counted, tierd_steering_end_drain(): @is_cut_short if more was waiting.
 */
unsigned tierd_steering_begin_drain(
	struct tierd_steering *steering, uint64_t now_ns, unsigned least, unsigned max);
void tierd_steering_end_drain(struct tierd_steering *steering,
	const struct tierd_sampler *sampler, bool is_cut_short);

/* Once a tick: accounts for the time since the last call, and sets the rate. Errors: as
 * tierd_sampler_set_rate(). */
int tierd_steering_steer(struct tierd_steering *steering, const struct tierd_root *root,
	const struct tierd_config *config, struct tierd_sampler *sampler,
	uint64_t wanted_per_s, uint64_t now_ns);

/* How many times as many samples are of use as where they do not tell single pages. */
unsigned tierd_steering_rate_factor(const struct tierd_sampler *sampler);

/*
 * Samples a second once there is little left to learn: SamplesPerSecondSettled=, times
 * the factor as far as a fifth of OverheadMax= pays for it.
 */
uint64_t tierd_steering_settled_rate(
	const struct tierd_config *config, const struct tierd_sampler *sampler);

/* Whether a tick out of turn is within the cap, where it would only save time. */
bool tierd_steering_may_hurry(const struct tierd_steering *steering);

void tierd_steering_get_view(
	const struct tierd_steering *steering, struct tierd_steering_view *ret);

#endif
