/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cap on tierd's own CPU is kept twice. By aim: what a record costs is measured, what
 * is left of the cap beside the rest of the work divided by it is a rate, and the period
 * follows. And by account, for the aim can be wrong and a period can be as long as it
 * gets: a bucket fills at the rate of the cap and is emptied by what was really used.
 * Nothing is drained from an empty one; the ring then overflows, which the kernel counts
 * and which costs nobody anything. What cannot wait runs all the same and is owed: less
 * is drained, residency is looked at in smaller steps, and ticks come later, until the
 * debt is paid. A little is drained even so: what other work cannot do without must not
 * blind tierd.
 *
 * The bucket holds six seconds' worth, so no minute takes more than a tenth above its cap
 * on that account; and it remembers a debt of no more than thirty, so that a first look
 * at a large machine does not leave tierd blind for long.
 *
 * The aim is a little below the cap, and moves with what is in the bucket: smoothly, as
 * the costs themselves are smoothed, so that the period does not swing.
 */
#include <math.h>

#include "base/util.h"
#include "sampler/governor.h"

#define NS_PER_SEC 1e9

#define CREDIT_MAX_S 6.0
#define DEBT_MAX_S   30.0

/* Part of the cap that is aimed at with half the credit, and how far that goes. */
#define AIM          0.9
#define AIM_MIN      0.3
#define AIM_PER_S    0.03
#define AIM_CREDIT_S 3.0

/* However dear all else is, so much of the cap is for samples, and so many there are. */
#define SAMPLING_SHARE_MIN 0.25
#define RATE_MIN           100

/* And this for what is drained though nothing is left, within the cap's tolerance. */
#define SAMPLING_SHARE_OWED 0.15
#define RECORDS_OWED_MAX    16384

/* Before anything was measured: what a sample costs on a slow machine. */
#define RECORD_NS_FIRST 500.0

/* How fast costs are learned; of records, a few in a drain say little. */
#define LEARNING        0.1
#define RECORDS_LEARNED 256

/* Part of the cap that one piece of a tick's work may take, and the least that makes
 * progress. */
#define WORK_SHARE  0.5
#define WORK_MIN_NS 200000

/* Ticks come at most so many times later: quotas are kept by them. */
#define TICK_STRETCH_MAX 8

static const char *const limits[TIERD_GOVERNOR_LIMIT_MAX] = {
	[TIERD_GOVERNOR_LIMIT_NONE] = "none",
	[TIERD_GOVERNOR_LIMIT_CPU] = "cpu",
	[TIERD_GOVERNOR_LIMIT_OVERHEAD] = "overhead",
	[TIERD_GOVERNOR_LIMIT_KERNEL] = "kernel",
};

const char *tierd_governor_limit_to_string(int limit)
{
	return limit >= 0 && limit < TIERD_GOVERNOR_LIMIT_MAX ? limits[limit] : NULL;
}

static bool is_capped(const struct tierd_governor *governor)
{
	return governor->caps.cpu_ppm != TIERD_GOVERNOR_NO_CAP;
}

/* Of a CPU, and also: ns of CPU time for each ns. */
static double cap_share(const struct tierd_governor *governor)
{
	return (double)governor->caps.cpu_ppm / TIERD_GOVERNOR_PER_CPU;
}

static double bound_credit(const struct tierd_governor *governor, double credit_ns)
{
	double a_second = cap_share(governor) * NS_PER_SEC;

	return fmin(fmax(credit_ns, -DEBT_MAX_S * a_second), CREDIT_MAX_S * a_second);
}

void tierd_governor_init(
	struct tierd_governor *ret, const struct tierd_governor_caps *caps)
{
	*ret = (struct tierd_governor){ .caps = *caps, .record_ns = RECORD_NS_FIRST };
	if (is_capped(ret))
		ret->credit_ns = bound_credit(ret, INFINITY);
}

void tierd_governor_set_caps(
	struct tierd_governor *governor, const struct tierd_governor_caps *caps)
{
	bool was_capped = is_capped(governor);

	governor->caps = *caps;
	if (is_capped(governor))
		governor->credit_ns = bound_credit(
			governor, was_capped ? governor->credit_ns : INFINITY);
}

static void learn(double *value, double seen)
{
	*value += LEARNING * (seen - *value);
}

void tierd_governor_account(
	struct tierd_governor *governor, const struct tierd_governor_seen *seen)
{
	uint64_t drain_ns = TIER_MIN(seen->drain_cpu_ns, seen->cpu_ns);

	if (seen->wall_ns == 0)
		return;
	learn(&governor->base_share,
		(double)(seen->cpu_ns - drain_ns) / (double)seen->wall_ns);
	if (seen->records >= RECORDS_LEARNED)
		learn(&governor->record_ns, (double)drain_ns / (double)seen->records);
	if (is_capped(governor))
		governor->credit_ns = bound_credit(
			governor, governor->credit_ns +
					  cap_share(governor) * (double)seen->wall_ns -
					  (double)seen->cpu_ns);
}

unsigned tierd_governor_least(const struct tierd_governor *governor, uint64_t wall_ns)
{
	if (!is_capped(governor))
		return 0;
	return (unsigned)fmin(SAMPLING_SHARE_OWED * cap_share(governor) *
				      (double)wall_ns / fmax(governor->record_ns, 1.0),
		(double)RECORDS_OWED_MAX);
}

unsigned tierd_governor_records(const struct tierd_governor *governor, uint64_t wall_ns,
	uint64_t cpu_ns, unsigned max)
{
	double credit_ns, records;

	if (!is_capped(governor))
		return max;
	credit_ns = bound_credit(governor, governor->credit_ns +
						   cap_share(governor) * (double)wall_ns -
						   (double)cpu_ns);
	if (credit_ns <= 0)
		return 0;
	records = credit_ns / fmax(governor->record_ns, 1.0);
	return records < max ? (unsigned)records : max;
}

/* Samples a second that tierd can take within its cap. */
static double affordable(const struct tierd_governor *governor)
{
	double cap = cap_share(governor), aim, share;
	double credit_s = governor->credit_ns / (cap * NS_PER_SEC);

	aim = AIM + AIM_PER_S * (credit_s - AIM_CREDIT_S);
	share = fmax(cap * fmin(fmax(aim, AIM_MIN), 1.0) - governor->base_share,
		cap * SAMPLING_SHARE_MIN);
	return share * NS_PER_SEC / fmax(governor->record_ns, 1.0);
}

uint64_t tierd_governor_rate(const struct tierd_governor *governor, uint64_t wanted_per_s,
	uint64_t sample_cost_ns, enum tierd_governor_limit *ret_limit)
{
	const struct tierd_governor_caps *caps = &governor->caps;
	double bounds[TIERD_GOVERNOR_LIMIT_MAX] = {
		[TIERD_GOVERNOR_LIMIT_NONE] = (double)wanted_per_s,
		[TIERD_GOVERNOR_LIMIT_CPU] =
			is_capped(governor) ? affordable(governor) : INFINITY,
		[TIERD_GOVERNOR_LIMIT_OVERHEAD] = INFINITY,
		[TIERD_GOVERNOR_LIMIT_KERNEL] = (double)caps->kernel_per_s,
	};
	enum tierd_governor_limit limit = TIERD_GOVERNOR_LIMIT_NONE;

	if (caps->overhead_ppm != TIERD_GOVERNOR_NO_CAP && sample_cost_ns > 0)
		bounds[TIERD_GOVERNOR_LIMIT_OVERHEAD] =
			(double)caps->overhead_ppm * NS_PER_SEC / TIERD_GOVERNOR_PER_CPU /
			(double)sample_cost_ns;
	for (int i = 0; i < TIERD_GOVERNOR_LIMIT_MAX; i++)
		if (bounds[i] < bounds[limit])
			limit = i;
	*ret_limit = limit;
	return TIER_MAX(
		(uint64_t)bounds[limit], TIER_MIN(wanted_per_s, (uint64_t)RATE_MIN));
}

uint64_t tierd_governor_work_ns(
	const struct tierd_governor *governor, uint64_t budget_ns, uint64_t tick_ns)
{
	double share;

	if (!is_capped(governor))
		return budget_ns;
	share = governor->credit_ns > 0 ? WORK_SHARE : WORK_SHARE / 4;
	return TIER_MIN(budget_ns,
		TIER_MAX((uint64_t)(share * cap_share(governor) * (double)tick_ns),
			(uint64_t)WORK_MIN_NS));
}

uint64_t tierd_governor_tick_ns(const struct tierd_governor *governor, uint64_t tick_ns)
{
	double paid_ns;

	if (!is_capped(governor) || governor->credit_ns >= 0)
		return tick_ns;
	paid_ns = -governor->credit_ns / cap_share(governor);
	return tick_ns +
	       (uint64_t)fmin(paid_ns, (TICK_STRETCH_MAX - 1) * (double)tick_ns);
}
