/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples come at the rate of accesses over the period, so one measurement tells where
 * the period should be. Four things keep that from being followed blindly.
 *
 * A dead band, because every change is an interrupt on every CPU: nothing happens within
 * a quarter of the target, nor within three standard deviations of so small a count. No
 * samples at all, where some were due, is always a miss.
 *
 * Damping: a miss by less than two is met half way (in its logarithm), as much of it may
 * be the program's own wavering.
 *
 * A bounded step, because the next interval may be another phase of the program. Overload
 * is shed by up to four at a time, but the period shrinks by no more than two: a program
 * that sleeps for a moment must not find it at the bottom when it wakes.
 *
 * Throttling, which hides how many samples there would have been: then the period at
 * least doubles.
 */
#include <math.h>

#include "base/util.h"
#include "sampler/rate.h"

#define DEAD_BAND       0.25
#define NOISE_DEVIATION 3.0
#define DAMPED_BELOW    2.0
#define STEP_UP         4.0
#define STEP_DOWN       0.5
#define STEP_THROTTLED  2.0

uint64_t tierd_rate_clamp(const struct tierd_rate_bounds *bounds, uint64_t period)
{
	uint64_t lowest = (bounds->min + bounds->step - 1) / bounds->step * bounds->step;
	uint64_t rest;

	period = TIER_MIN(period, bounds->max);
	rest = period % bounds->step;
	period -= rest;
	if (rest >= (bounds->step + 1) / 2 && bounds->max - period >= bounds->step)
		period += bounds->step;
	return TIER_MAX(period, lowest);
}

static double damp(double miss)
{
	return miss > 1.0 / DAMPED_BELOW && miss < DAMPED_BELOW ? sqrt(miss) : miss;
}

/* By how much the period should be multiplied, before bounds. */
static double wanted_factor(uint64_t target_per_s, const struct tierd_rate_seen *seen)
{
	double expected = (double)target_per_s * (double)seen->interval_ns / 1e9;
	double excess = (double)seen->samples - expected;
	double noise = TIER_MIN(NOISE_DEVIATION * sqrt(expected), 0.99 * expected);
	double factor;

	if (fabs(excess) <= TIER_MAX(DEAD_BAND * expected, noise))
		factor = 1.0;
	else
		factor = damp((double)seen->samples / expected);

	if (seen->throttled)
		factor = TIER_MAX(factor, STEP_THROTTLED);
	return TIER_MIN(TIER_MAX(factor, STEP_DOWN), STEP_UP);
}

uint64_t tierd_rate_next(const struct tierd_rate_bounds *bounds, uint64_t period,
	uint64_t target_per_s, const struct tierd_rate_seen *seen)
{
	double factor, next;

	if (seen->interval_ns == 0)
		return period;
	if (target_per_s == 0)
		return tierd_rate_clamp(bounds, bounds->max);

	factor = wanted_factor(target_per_s, seen);
	if (factor == 1.0)
		return period;

	next = (double)period * factor;
	if (next >= (double)bounds->max)
		return tierd_rate_clamp(bounds, bounds->max);
	return tierd_rate_clamp(bounds, (uint64_t)(next + 0.5));
}
