/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler that needs no PMU: NUMA hint faults. The kernel's scanner takes access away
 * from a process's pages, range by range, and the next touch of each is a page fault that
 * perf reports. How soon it comes tells how hot the page is. This file holds the parts
 * together: hint-guard.c sees to it that the kernel migrates nothing itself,
 * hint-settings.c makes it scan, at hint-pace.c's pace, hint-probe.c sees what is
 * protected, the pmu sampler takes page faults like any other event, and hint-tracker.c
 * makes samples of the two.
 *
 * The scanner works on every process of the machine, of which there is no choosing. It
 * passes over memory for which a program has asked for nodes of its own, hugetlb and
 * what is only mapped for reading from files. There is no other way to take access away
 * from another process's pages: mprotect() would have to be called by the process itself,
 * made to by ptrace.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sampler/hint-cost.h"
#include "sampler/hint-guard.h"
#include "sampler/hint-pace.h"
#include "sampler/hint-probe.h"
#include "sampler/hint-settings.h"
#include "sampler/hint-tracker.h"
#include "sampler/registry.h"
#include "settings/errtext.h"

/* PERF_COUNT_SW_PAGE_FAULTS */
#define PAGE_FAULTS "software/config=2,period=1/"
#define RING_PAGES  256

struct hint_sampler {
	struct tierd_sampler sampler;
	const struct tierd_root *root;
	struct tierd_journal *journal;
	struct tierd_sampler *faults;
	struct tierd_hint_probe *probe;
	struct tierd_hint_tracker *tracker;
	const struct tierd_sampler_sink *sink; /* while draining */
	struct tierd_hint_pace pace;
	uint64_t fault_ns; /* what a fault takes */
	bool is_held;      /* the settings are ours */
	uint64_t now_ns;   /* perf's time of the last record */
	uint64_t samples;  /* handed over */
};

static struct hint_sampler *hint_sampler(struct tierd_sampler *sampler)
{
	assert(sampler->ops == &tierd_sampler_hint_ops);
	return (struct hint_sampler *)sampler;
}

/* ---- Coming and going ---------------------------------------------------------- */

static int open_faults(struct hint_sampler *hint,
	const struct tierd_sampler_config *config, char **ret_error)
{
	const struct tierd_sampler_config faults = {
		.event = PAGE_FAULTS,
		.root = config->root,
		.ring_pages = config->ring_pages ? config->ring_pages : RING_PAGES,
	};

	return tierd_sampler_pmu_ops.open(&faults, &hint->faults, ret_error);
}

static int check_machine(const struct tierd_sampler_config *config, char **ret_error)
{
	if (config->keeps_kernel_tiering)
		return tierd_error(ret_error, -EBUSY,
			"NUMA hint faults need the kernel's NUMA balancing, which "
			"KernelTiering=keep in tierd.conf leaves alone");
	return tierd_hint_guard_check(config->root, ret_error);
}

/* Short of changing anything: with what is left unknown the opening may still fail. */
static int hint_probe(const struct tierd_sampler_config *config, char **ret_error)
{
	int r = check_machine(config, ret_error);

	return r < 0 ? r : tierd_hint_settings_probe(config->root, ret_error);
}

static int hint_setup(struct hint_sampler *hint,
	const struct tierd_sampler_config *config, char **ret_error)
{
	int r;

	r = check_machine(config, ret_error);
	if (r < 0)
		return r;
	r = tierd_hint_tracker_new(&hint->tracker);
	if (r < 0)
		return r;
	r = tierd_hint_probe_open(config->root, &hint->probe, ret_error);
	if (r < 0)
		return r;
	r = open_faults(hint, config, ret_error);
	if (r < 0)
		return r;
	r = tierd_hint_measure_fault(&hint->fault_ns);
	if (r < 0)
		return r;
	r = tierd_hint_settings_hold(hint->root, hint->journal, &hint->pace, ret_error);
	hint->is_held = r >= 0;
	return r;
}

static void hint_free(struct tierd_sampler *sampler)
{
	struct hint_sampler *hint = hint_sampler(sampler);

	if (hint->is_held)
		tierd_hint_settings_rest(hint->root, hint->journal);
	tierd_sampler_free(hint->faults);
	tierd_hint_probe_free(hint->probe);
	tierd_hint_tracker_free(hint->tracker);
	free(hint);
}

static int hint_open(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	struct hint_sampler *hint = calloc(1, sizeof(*hint));
	int r;

	if (!hint)
		return -ENOMEM;
	hint->sampler.ops = &tierd_sampler_hint_ops;
	hint->root = config->root;
	hint->journal = config->journal;
	hint->pace = tierd_hint_pace_first(
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
	r = hint_setup(hint, config, ret_error);
	if (r < 0) {
		hint_free(&hint->sampler);
		return r;
	}
	*ret = &hint->sampler;
	return 0;
}

static void hint_get_fds(
	struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n)
{
	tierd_sampler_get_fds(hint_sampler(sampler)->faults, ret_fds, ret_n);
}

/* ---- Draining ------------------------------------------------------------------ */

static void on_protect(
	void *userdata, uint32_t pid, uint64_t start, uint64_t end, uint64_t time_ns)
{
	struct hint_sampler *hint = userdata;

	hint->now_ns = TIER_MAX(hint->now_ns, time_ns);
	tierd_hint_tracker_protect(hint->tracker, pid, start, end, time_ns);
}

static void on_fault(void *userdata, const struct tierd_access *access)
{
	struct hint_sampler *hint = userdata;

	hint->now_ns = TIER_MAX(hint->now_ns, access->time_ns);
	tierd_hint_tracker_fault(
		hint->tracker, access->pid, access->address, access->time_ns);
}

static void on_exec(void *userdata, uint32_t pid)
{
	struct hint_sampler *hint = userdata;

	tierd_hint_tracker_forget(hint->tracker, pid);
	if (hint->sink->on_exec)
		hint->sink->on_exec(hint->sink->userdata, pid);
}

static void on_process_exit(void *userdata, uint32_t pid)
{
	struct hint_sampler *hint = userdata;

	tierd_hint_tracker_forget(hint->tracker, pid);
	if (hint->sink->on_exit)
		hint->sink->on_exit(hint->sink->userdata, pid);
}

static void on_fork(void *userdata, uint32_t parent, uint32_t child)
{
	struct hint_sampler *hint = userdata;

	if (hint->sink->on_fork)
		hint->sink->on_fork(hint->sink->userdata, parent, child);
}

/* 1 if there may be more. */
static int hand_over(struct hint_sampler *hint, unsigned max_samples)
{
	struct tierd_access access = { .time_ns = hint->now_ns };
	struct tierd_hint_stats stats;

	tierd_hint_tracker_get_stats(hint->tracker, &stats);
	access.period = stats.period;
	for (unsigned i = 0; i < max_samples; i++) {
		if (!tierd_hint_tracker_take(hint->tracker, &access.pid, &access.address))
			return 0;
		access.tid = access.pid;
		hint->samples++;
		if (hint->sink->on_sample)
			hint->sink->on_sample(hint->sink->userdata, &access);
	}
	return 1;
}

/* Protections first: then no fault is looked at before what caused it. */
static int hint_drain(struct tierd_sampler *sampler, unsigned max_records,
	const struct tierd_sampler_sink *sink)
{
	struct hint_sampler *hint = hint_sampler(sampler);
	const struct tierd_sampler_sink parts = {
		.userdata = hint,
		.on_sample = on_fault,
		.on_exec = on_exec,
		.on_exit = on_process_exit,
		.on_fork = on_fork,
	};
	int r;

	hint->sink = sink;
	tierd_hint_probe_drain(hint->probe, on_protect, hint);
	r = tierd_sampler_drain(hint->faults, max_records, &parts);
	if (r < 0)
		return r;
	tierd_hint_tracker_advance(hint->tracker, hint->now_ns);
	return hand_over(hint, max_records) || r;
}

/* ---- Steering ------------------------------------------------------------------ */

/* The cost is in the faults, and how they tell hot from cold is not up to us. */
static int hint_set_period(
	_unused_ struct tierd_sampler *sampler, _unused_ uint64_t period)
{
	return -EOPNOTSUPP;
}

static int set_pace(struct hint_sampler *hint, struct tierd_hint_pace pace)
{
	int r;

	if (!tierd_hint_pace_differs(&pace, &hint->pace))
		return 0;
	r = tierd_hint_settings_pace(hint->root, hint->journal, &pace);
	if (r < 0)
		return r;
	hint->pace = pace;
	return 1;
}

/* Where the kernel can no longer be held off nothing more is protected, at once. */
static int hint_set_rate(struct tierd_sampler *sampler, uint64_t target_per_s,
	_unused_ uint64_t interval_ns)
{
	struct hint_sampler *hint = hint_sampler(sampler);
	struct tierd_hint_stats stats;
	int r = tierd_hint_guard_check(hint->root, NULL);

	if (r < 0)
		return set_pace(hint, tierd_hint_pace_rest);
	tierd_hint_tracker_get_stats(hint->tracker, &stats);
	return stats.passes > 0
		       ? set_pace(hint, tierd_hint_pace_for(target_per_s, &stats))
		       : 0;
}

static int hint_check(struct tierd_sampler *sampler, char **ret_error)
{
	struct hint_sampler *hint = hint_sampler(sampler);
	int r = tierd_sampler_check(hint->faults, ret_error);

	return r < 0 ? r : tierd_hint_guard_check(hint->root, ret_error);
}

/* With page faults of other kinds among them, as a pass that takes long is no silence. */
static void hint_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	const struct hint_sampler *hint = (const struct hint_sampler *)sampler;
	struct tierd_hint_stats stats;

	tierd_hint_tracker_get_stats(hint->tracker, &stats);
	tierd_sampler_get_stats(hint->faults, ret);
	ret->source = sampler->ops->name;
	ret->event = "NUMA hint faults";
	ret->period = stats.period;
	ret->samples = hint->samples;
	ret->overhead_ns = (stats.faults + ret->lost) * hint->fault_ns +
			   stats.other_faults * ret->sample_cost_ns;
	ret->sample_cost_ns = hint->fault_ns;
	ret->lost += stats.dropped + tierd_hint_probe_lost(hint->probe);
	ret->unattributed += stats.other_faults;
}

const struct tierd_sampler_ops tierd_sampler_hint_ops = {
	.name = "hint",
	.is_only_named = true,
	.skips_policy = true,
	.tells_pages = true,
	.probe = hint_probe,
	.open = hint_open,
	.get_fds = hint_get_fds,
	.drain = hint_drain,
	.set_period = hint_set_period,
	.set_rate = hint_set_rate,
	.check = hint_check,
	.stats = hint_stats,
	.free = hint_free,
};
