/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rate controller: which sampling period comes next, given what the last one brought.
 * Pure arithmetic without state; it does not know clocks or counters.
 */
#ifndef TIERD_SAMPLER_RATE_H
#define TIERD_SAMPLER_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct tierd_rate_bounds {
	uint64_t min;  /* at least 1 */
	uint64_t max;  /* at least min */
	uint64_t step; /* the hardware counts in multiples of this; at least 1 */
};

struct tierd_rate_seen {
	uint64_t samples; /* in the interval, those that were dropped or lost included */
	uint64_t interval_ns; /* 0 is no evidence */
	bool throttled;       /* the kernel cut the rate: samples says too little */
};

/* The nearest period that the bounds allow. */
uint64_t tierd_rate_clamp(const struct tierd_rate_bounds *bounds, uint64_t period);

/* The period to use next; period itself when there is no reason to change it. */
uint64_t tierd_rate_next(const struct tierd_rate_bounds *bounds, uint64_t period,
	uint64_t target_per_s, const struct tierd_rate_seen *seen);

#endif
