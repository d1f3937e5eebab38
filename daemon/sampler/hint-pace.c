/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "base/util.h"
#include "sampler/hint-pace.h"

#define SCAN_MIB_MAX   256
#define SCAN_MIB_FIRST 64

#define PERIOD_MS_MIN       4000
#define PERIOD_MS_MAX       (24 * 3600 * 1000)
#define PERIOD_MS_FIRST     4000
#define MIB_PER_S_FIRST_MAX 512

#define MIB_PER_S_MAX      1024.0
#define FAULTS_PER_MIB_MIN 0.25

#define DEAD_BAND 1.25

const struct tierd_hint_pace tierd_hint_pace_rest = { 1, PERIOD_MS_MAX };

struct tierd_hint_pace tierd_hint_pace_first(uint64_t memory_bytes)
{
	uint64_t ms = (memory_bytes >> 20) * 1000 / MIB_PER_S_FIRST_MAX;

	return (struct tierd_hint_pace){
		.scan_mib = SCAN_MIB_FIRST,
		.period_ms = (unsigned)TIER_MIN(
			TIER_MAX(ms, (uint64_t)PERIOD_MS_FIRST), (uint64_t)PERIOD_MS_MAX),
	};
}

struct tierd_hint_pace tierd_hint_pace_for(
	uint64_t faults_per_s, const struct tierd_hint_stats *stats)
{
	double largest_mib = (double)stats->largest_bytes / (1 << 20);
	double per_mib = fmax(stats->faults_per_mib, FAULTS_PER_MIB_MIN);
	double mib_per_s = fmin((double)faults_per_s / per_mib, MIB_PER_S_MAX);
	double mib, ms;

	mib_per_s = fmin(mib_per_s, largest_mib / PERIOD_MS_MIN * 1000);
	mib = mib_per_s * (double)stats->step_ns / 1e9;
	ms = mib_per_s > 0 ? largest_mib / mib_per_s * 1000 : PERIOD_MS_MAX;
	return (struct tierd_hint_pace){
		.scan_mib = (unsigned)fmin(fmax(mib, 1), SCAN_MIB_MAX),
		.period_ms = (unsigned)fmin(fmax(ms, PERIOD_MS_MIN), PERIOD_MS_MAX),
	};
}

static bool is_far(double a, double b)
{
	return a > b * DEAD_BAND || b > a * DEAD_BAND;
}

bool tierd_hint_pace_differs(
	const struct tierd_hint_pace *a, const struct tierd_hint_pace *b)
{
	return is_far(a->scan_mib, b->scan_mib) || is_far(a->period_ms, b->period_ms);
}
