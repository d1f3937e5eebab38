/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>

#include "base/util.h"
#include "sampler/hint-pace.h"

#define SCAN_MIB_MAX 256

#define PERIOD_MS_MIN   4000
#define PERIOD_MS_MAX   (24 * 3600 * 1000)
#define PERIOD_MS_FIRST 10000

/* As if half of all pages were small and in use. */
#define FAULTS_PER_MIB_FIRST 128.0
#define FAULTS_PER_MIB_MIN   0.25

#define DEAD_BAND 1.25

const struct tierd_hint_pace tierd_hint_pace_rest = { 1, PERIOD_MS_MAX };

struct tierd_hint_pace tierd_hint_pace_for(
	uint64_t faults_per_s, const struct tierd_hint_stats *stats)
{
	double per_mib = stats->passes > 0
				 ? fmax(stats->faults_per_mib, FAULTS_PER_MIB_MIN)
				 : FAULTS_PER_MIB_FIRST;
	double mib = fmin(fmax((double)faults_per_s / per_mib, 1), SCAN_MIB_MAX);
	double ms = PERIOD_MS_FIRST;

	if (stats->passes > 0)
		ms = (double)(stats->largest_bytes >> 20) / mib * 1000;
	return (struct tierd_hint_pace){
		.scan_mib = (unsigned)mib,
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
