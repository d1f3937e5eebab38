/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "steering.h"

#include <stddef.h>

#include "base/size.h"
#include "base/util.h"
#include "clock.h"

#define MAX_SAMPLE_RATE "/proc/sys/kernel/perf_event_max_sample_rate"

#define LOOK_AT_KERNEL_NS (2 * TIERD_NSEC)

/* So many times the rate where samples come page by page. */
#define PAGES_FACTOR 4

/* Of OverheadMax=, for these, once there is little left to learn. */
#define SETTLED_DIVISOR 5

static uint64_t thread_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * TIERD_NSEC + used.tv_nsec;
}

static struct tierd_governor_caps caps_of(
	const struct tierd_config *config, uint64_t kernel_per_s)
{
	return (struct tierd_governor_caps){
		.cpu_ppm = config->cpu_max_ppm,
		.overhead_ppm = config->overhead_max_ppm,
		.kernel_per_s = kernel_per_s,
	};
}

void tierd_steering_init(
	struct tierd_steering *ret, const struct tierd_config *config, uint64_t now_ns)
{
	const struct tierd_governor_caps caps = caps_of(config, UINT64_MAX);

	*ret = (struct tierd_steering){
		.view = { .kernel_per_s = UINT64_MAX },
		.wall_ns = now_ns,
		.cpu_ns = thread_cpu_ns(),
	};
	tierd_governor_init(&ret->governor, &caps);
}

/* ---- Draining ------------------------------------------------------------------ */

unsigned tierd_steering_begin_drain(
	struct tierd_steering *steering, uint64_t now_ns, unsigned least, unsigned max)
{
	const struct tierd_governor *governor = &steering->governor;
	uint64_t wall_ns = now_ns - steering->wall_ns;
	unsigned n;

	steering->drain_began_ns = thread_cpu_ns();
	n = tierd_governor_records(
		governor, wall_ns, steering->drain_began_ns - steering->cpu_ns, max);
	steering->is_bounded = n < max;
	if (least == 0)
		return n;
	least = TIER_MAX(least, tierd_governor_least(governor, wall_ns));
	return TIER_MAX(n, least);
}

void tierd_steering_end_drain(struct tierd_steering *steering,
	const struct tierd_sampler *sampler, bool is_cut_short)
{
	struct tierd_sampler_stats stats;
	uint64_t records;

	tierd_sampler_get_stats(sampler, &stats);
	records = stats.samples + stats.outside_user + stats.unattributed +
		  stats.other_records;
	steering->drained += records - steering->records;
	steering->records = records;
	steering->drain_cpu_ns += thread_cpu_ns() - steering->drain_began_ns;
	steering->is_behind |= is_cut_short && steering->is_bounded;
}

/* ---- The rate ------------------------------------------------------------------ */

/* Interrupts that take too long make the kernel lower it; it holds for each CPU, and for
 * sources that sample CPUs. */
static void look_at_kernel(struct tierd_steering *steering, const struct tierd_root *root,
	unsigned n_cpus, uint64_t now_ns)
{
	_cleanup_(freep) char *line = NULL;
	uint64_t rate;

	if (steering->kernel_looked_ns != 0 &&
		now_ns - steering->kernel_looked_ns < LOOK_AT_KERNEL_NS)
		return;
	steering->kernel_looked_ns = now_ns;
	if (tierd_root_read_line(root, MAX_SAMPLE_RATE, &line) < 0 ||
		tier_parse_u64(line, &rate) < 0)
		return;
	steering->view.kernel_per_s = n_cpus > 0 ? rate * n_cpus : UINT64_MAX;
}

static void account(struct tierd_steering *steering, uint64_t now_ns)
{
	uint64_t cpu_ns = thread_cpu_ns();

	tierd_governor_account(
		&steering->governor, &(struct tierd_governor_seen){
					     .wall_ns = now_ns - steering->wall_ns,
					     .cpu_ns = cpu_ns - steering->cpu_ns,
					     .drain_cpu_ns = steering->drain_cpu_ns,
					     .records = steering->drained,
				     });
	steering->wall_ns = now_ns;
	steering->cpu_ns = steering->view.loop_cpu_ns = cpu_ns;
	steering->drain_cpu_ns = steering->drained = 0;
}

static void note_overhead(
	struct tierd_steering_view *view, uint64_t overhead_ns, uint64_t elapsed_ns)
{
	double ns = (double)(overhead_ns - view->overhead_ns);

	view->overhead_ns = overhead_ns;
	if (elapsed_ns > 0)
		view->overhead_ns_per_s =
			(3 * view->overhead_ns_per_s +
				(uint64_t)(ns / (double)elapsed_ns * TIERD_NSEC)) /
			4;
}

/* What is left in the rings says nothing of the rate but that it is too high. */
static int set_rate(struct tierd_steering *steering, struct tierd_sampler *sampler,
	uint64_t period, uint64_t elapsed_ns)
{
	bool is_behind = steering->is_behind;

	steering->is_behind = false;
	if (is_behind && period <= UINT64_MAX / 2)
		return tierd_sampler_set_period(sampler, 2 * period);
	return tierd_sampler_set_rate(sampler, steering->view.target_per_s, elapsed_ns);
}

int tierd_steering_steer(struct tierd_steering *steering, const struct tierd_root *root,
	const struct tierd_config *config, struct tierd_sampler *sampler,
	uint64_t wanted_per_s, uint64_t now_ns)
{
	struct tierd_steering_view *view = &steering->view;
	uint64_t elapsed_ns = now_ns - steering->wall_ns;
	struct tierd_governor_caps caps;
	enum tierd_governor_limit limit;
	struct tierd_sampler_stats stats;

	tierd_sampler_get_stats(sampler, &stats);
	look_at_kernel(steering, root, stats.n_cpus, now_ns);
	caps = caps_of(config, view->kernel_per_s);
	tierd_governor_set_caps(&steering->governor, &caps);
	note_overhead(view, stats.overhead_ns, elapsed_ns);
	account(steering, now_ns);
	view->wanted_per_s = wanted_per_s;
	view->target_per_s = tierd_governor_rate(
		&steering->governor, wanted_per_s, stats.sample_cost_ns, &limit);
	view->limit = tierd_governor_limit_to_string(limit);
	return set_rate(steering, sampler, stats.period, elapsed_ns);
}

unsigned tierd_steering_rate_factor(const struct tierd_sampler *sampler)
{
	return tierd_sampler_tells_pages(sampler) ? PAGES_FACTOR : 1;
}

/* Samples a second for which programs pay that part of OverheadMax=. */
static uint64_t cheap_rate(
	const struct tierd_config *config, const struct tierd_sampler *sampler)
{
	struct tierd_sampler_stats stats;
	double ns_per_s = (double)config->overhead_max_ppm * TIERD_NSEC /
			  TIERD_GOVERNOR_PER_CPU / SETTLED_DIVISOR;

	tierd_sampler_get_stats(sampler, &stats);
	if (config->overhead_max_ppm == TIERD_GOVERNOR_NO_CAP ||
		stats.sample_cost_ns == 0)
		return UINT64_MAX;
	return (uint64_t)(ns_per_s / (double)stats.sample_cost_ns);
}

uint64_t tierd_steering_settled_rate(
	const struct tierd_config *config, const struct tierd_sampler *sampler)
{
	uint64_t rate = config->samples_per_second_settled;

	return TIER_MAX(rate, TIER_MIN(tierd_steering_rate_factor(sampler) * rate,
				      cheap_rate(config, sampler)));
}

bool tierd_steering_may_hurry(const struct tierd_steering *steering)
{
	return steering->governor.caps.cpu_ppm == TIERD_GOVERNOR_NO_CAP ||
	       steering->governor.credit_ns > 0;
}

void tierd_steering_get_view(
	const struct tierd_steering *steering, struct tierd_steering_view *ret)
{
	*ret = steering->view;
	if (!ret->limit)
		ret->limit = tierd_governor_limit_to_string(TIERD_GOVERNOR_LIMIT_NONE);
}
