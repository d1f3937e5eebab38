/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler that asks the processor: one or a few perf events on each CPU, for all
 * processes. How an event is named is perf-event.c's business, how it is opened
 * perf-open.c's and pmu-ring.c's, what is in the rings perf-ring.c's, which period comes
 * next rate.c's; this file holds the rings together and takes turns among them.
 *
 * Events keep the proportion of the periods that they began with. What is steered is the
 * first one's, by the samples of all.
 *
 * CPUs that come and go are not followed: the sampler then asks to be opened again.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "settings/errtext.h"
#include "settings/root.h"
#include "sampler/perf-open.h"
#include "sampler/pmu-ring.h"
#include "sampler/range-list.h"
#include "sampler/rate.h"
#include "sampler/registry.h"

#define CPUS_ONLINE        "/sys/devices/system/cpu/online"
#define RING_PAGES_DEFAULT 64
#define RING_PAGES_MAX     4096
#define QUANTUM_MIN        64
#define EVENTS_MAX         4

struct pmu_sampler {
	struct tierd_sampler sampler;
	struct tierd_pmu_event events[EVENTS_MAX];
	size_t n_events;
	char *text; /* all of them */
	struct tierd_rate_bounds bounds;
	uint64_t period;

	struct tierd_pmu_ring *rings; /* those of a CPU next to each other */
	int *fds;                     /* in the order of rings */
	size_t n_rings;
	size_t n_cpus;
	size_t next_ring; /* whose turn it is */
	const struct tierd_root *root;
	char *online; /* the list of CPUs as it was */
	size_t n_online;

	struct tierd_perf_counts counts;
	struct tierd_perf_counts counts_at_steering;
	uint64_t wakeups;
};

static struct pmu_sampler *pmu_sampler(struct tierd_sampler *sampler)
{
	assert(sampler->ops == &tierd_sampler_pmu_ops);
	return (struct pmu_sampler *)sampler;
}

static size_t ring_bytes(unsigned pages)
{
	size_t n = 1;

	if (pages == 0)
		pages = RING_PAGES_DEFAULT;
	pages = TIER_MIN(pages, (unsigned)RING_PAGES_MAX);
	while (n < pages)
		n *= 2;
	return n * sysconf(_SC_PAGESIZE);
}

/* ---- CPUs ---------------------------------------------------------------------- */

static int count_cpus(const char *list, size_t *ret)
{
	unsigned first, last;
	size_t n = 0;
	int r;

	while ((r = tierd_range_list_next(&list, &first, &last)) > 0)
		n += last - first + 1;
	if (r < 0)
		return r;
	*ret = n;
	return n > 0 ? 0 : -ENODEV;
}

static bool has_cpu(const char *list, unsigned cpu)
{
	unsigned first, last;

	while (tierd_range_list_next(&list, &first, &last) > 0)
		if (first <= cpu && cpu <= last)
			return true;
	return false;
}

/* Begins to sample one more CPU, with those events that it has; one that has just gone
 * away is passed over. */
static int add_cpu(
	struct pmu_sampler *pmu, unsigned cpu, size_t data_bytes, char **ret_error)
{
	size_t before = pmu->n_rings;

	for (size_t i = 0; i < pmu->n_events; i++) {
		struct tierd_pmu_event *event = &pmu->events[i];
		int r;

		if (event->event.cpus && !has_cpu(event->event.cpus, cpu))
			continue;
		/* That processes come and go is told once. */
		event->attr.task = event->attr.comm = event->attr.comm_exec =
			pmu->n_rings == before;
		r = tierd_pmu_ring_open(&pmu->rings[pmu->n_rings], event, cpu, data_bytes,
			&pmu->fds[pmu->n_rings], ret_error);
		if (r >= 0)
			pmu->n_rings++;
		else if (r != -ENODEV)
			return r;
	}
	pmu->n_cpus += pmu->n_rings > before;
	return 0;
}

static int check_events(const struct pmu_sampler *pmu, char **ret_error)
{
	for (size_t i = 0; i < pmu->n_events; i++) {
		size_t n = 0;

		for (size_t j = 0; j < pmu->n_rings; j++)
			n += pmu->rings[j].event == &pmu->events[i];
		if (n == 0)
			return tierd_error(ret_error, -ENODEV,
				"no CPU that is online has %s",
				pmu->events[i].event.text);
	}
	return 0;
}

static int add_cpus(struct pmu_sampler *pmu, size_t data_bytes, char **ret_error)
{
	const char *list = pmu->online;
	unsigned first, last;

	pmu->rings = calloc(pmu->n_online * pmu->n_events, sizeof(*pmu->rings));
	pmu->fds = calloc(pmu->n_online * pmu->n_events, sizeof(*pmu->fds));
	if (!pmu->rings || !pmu->fds)
		return -ENOMEM;
	while (tierd_range_list_next(&list, &first, &last) > 0)
		for (unsigned cpu = first; cpu <= last; cpu++) {
			int r = add_cpu(pmu, cpu, data_bytes, ret_error);

			if (r < 0)
				return r;
		}
	return check_events(pmu, ret_error);
}

static int enable(const struct pmu_sampler *pmu, char **ret_error)
{
	int r = 0;

	for (size_t i = 0; i < pmu->n_rings && r >= 0; i++)
		r = tierd_pmu_ring_enable(&pmu->rings[i], pmu->fds[i], ret_error);
	return r;
}

/* ---- Events -------------------------------------------------------------------- */

static int add_event(struct pmu_sampler *pmu, const struct tierd_sampler_config *config,
	const char *text, char **ret_error)
{
	const struct tierd_perf_wish wish = { config->want_physical,
		config->want_cgroup };
	struct tierd_pmu_event *event = &pmu->events[pmu->n_events];
	size_t n;
	int r;

	if (pmu->n_events == EVENTS_MAX)
		return tierd_error(ret_error, -EINVAL,
			"'%s' are more than %d events: name fewer by Event= in "
			"tierd.conf",
			config->event, EVENTS_MAX);
	r = tierd_perf_event_resolve(&event->event, config->root, text, ret_error);
	if (r < 0)
		return r;
	pmu->n_events++;
	r = event->event.cpus ? count_cpus(event->event.cpus, &n) : 0;
	if (r < 0)
		return tierd_error(ret_error, r, "cannot sample the CPUs '%s': %s",
			event->event.cpus, strerror(-r));
	tierd_perf_attr_init(
		&event->attr, &event->event, &wish, ring_bytes(config->ring_pages) / 2);
	return 0;
}

/* Those of the configuration, which are separated by spaces, or the one that is found. */
static int add_events(struct pmu_sampler *pmu, const struct tierd_sampler_config *config,
	char **ret_error)
{
	_cleanup_(freep) char *words = strdup(config->event ? config->event : "");
	char *rest, *word;
	int r = 0;

	if (!words)
		return -ENOMEM;
	word = strtok_r(words, " ", &rest);
	if (!word)
		return add_event(pmu, config, NULL, ret_error);
	for (; word && r >= 0; word = strtok_r(NULL, " ", &rest))
		r = add_event(pmu, config, word, ret_error);
	return r;
}

static int join_texts(struct pmu_sampler *pmu)
{
	size_t size = 1;

	for (size_t i = 0; i < pmu->n_events; i++)
		size += strlen(pmu->events[i].event.text) + 1;
	pmu->text = calloc(1, size);
	if (!pmu->text)
		return -ENOMEM;
	for (size_t i = 0; i < pmu->n_events; i++) {
		strcat(pmu->text, i > 0 ? " " : "");
		strcat(pmu->text, pmu->events[i].event.text);
	}
	return 0;
}

/* The event's period when the first one's is @period. */
static uint64_t period_of(const struct pmu_sampler *pmu,
	const struct tierd_perf_event *event, uint64_t period)
{
	double ratio = (double)event->period / pmu->events[0].event.period;

	if (event == &pmu->events[0].event)
		return period;
	return tierd_rate_clamp(
		&event->bounds, (uint64_t)fmin(period * ratio, event->bounds.max));
}

static int init_period(struct pmu_sampler *pmu, const struct tierd_sampler_config *config,
	char **ret_error)
{
	const struct tierd_perf_event *event = &pmu->events[0].event;
	struct tierd_rate_bounds bounds = event->bounds;

	if (config->period_min)
		bounds.min = TIER_MAX(bounds.min, config->period_min);
	if (config->period_max)
		bounds.max = TIER_MIN(bounds.max, config->period_max);
	if (bounds.min > bounds.max)
		return tierd_error(ret_error, -EINVAL,
			"%s can be sampled with periods from %llu to %llu, which leaves "
			"nothing of the bounds in the configuration",
			event->text, (unsigned long long)event->bounds.min,
			(unsigned long long)event->bounds.max);

	pmu->bounds = bounds;
	pmu->period = tierd_rate_clamp(
		&bounds, config->period ? config->period : event->period);
	return 0;
}

static int pmu_setup(struct pmu_sampler *pmu, const struct tierd_sampler_config *config,
	char **ret_error)
{
	int r;

	r = add_events(pmu, config, ret_error);
	if (r >= 0)
		r = join_texts(pmu);
	if (r < 0)
		return r;
	r = init_period(pmu, config, ret_error);
	if (r < 0)
		return r;
	for (size_t i = 0; i < pmu->n_events; i++)
		pmu->events[i].attr.sample_period =
			period_of(pmu, &pmu->events[i].event, pmu->period);

	pmu->root = config->root;
	r = tierd_root_read_line(config->root, CPUS_ONLINE, &pmu->online);
	if (r >= 0)
		r = count_cpus(pmu->online, &pmu->n_online);
	if (r < 0)
		return tierd_error(
			ret_error, r, "cannot read %s: %s", CPUS_ONLINE, strerror(-r));
	r = add_cpus(pmu, ring_bytes(config->ring_pages), ret_error);
	return r < 0 ? r : enable(pmu, ret_error);
}

static void pmu_free(struct tierd_sampler *sampler)
{
	struct pmu_sampler *pmu = pmu_sampler(sampler);

	for (size_t i = 0; i < pmu->n_rings; i++)
		tierd_pmu_ring_close(&pmu->rings[i], pmu->fds[i]);
	for (size_t i = 0; i < pmu->n_events; i++)
		tierd_perf_event_done(&pmu->events[i].event);
	free(pmu->text);
	free(pmu->rings);
	free(pmu->fds);
	free(pmu->online);
	free(pmu);
}

static int pmu_open(const struct tierd_sampler_config *config, struct tierd_sampler **ret,
	char **ret_error)
{
	struct pmu_sampler *pmu = calloc(1, sizeof(*pmu));
	int r;

	if (!pmu)
		return -ENOMEM;
	pmu->sampler.ops = &tierd_sampler_pmu_ops;

	r = pmu_setup(pmu, config, ret_error);
	if (r < 0) {
		pmu_free(&pmu->sampler);
		return r;
	}
	*ret = &pmu->sampler;
	return 0;
}

static void pmu_get_fds(struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n)
{
	struct pmu_sampler *pmu = pmu_sampler(sampler);

	*ret_fds = pmu->fds;
	*ret_n = pmu->n_rings;
}

/* Goes round the rings until all are found empty in a row or the budget is spent. */
static int pmu_drain(struct tierd_sampler *sampler, unsigned max_records,
	const struct tierd_sampler_sink *sink)
{
	struct pmu_sampler *pmu = pmu_sampler(sampler);
	unsigned quantum =
		TIER_MAX(max_records / (unsigned)pmu->n_rings, (unsigned)QUANTUM_MIN);
	unsigned left = max_records;
	size_t n_empty = 0;

	pmu->wakeups++;
	while (left > 0 && n_empty < pmu->n_rings) {
		struct tierd_pmu_ring *ring = &pmu->rings[pmu->next_ring];
		unsigned n, budget = TIER_MIN(quantum, left);
		uint64_t samples = pmu->counts.samples;

		n = tierd_perf_ring_drain(&ring->ring, budget, sink, &pmu->counts);
		ring->is_heard |= pmu->counts.samples > samples;
		n_empty = n < budget ? n_empty + 1 : 0;
		left -= n;
		pmu->next_ring = (pmu->next_ring + 1) % pmu->n_rings;
	}
	return n_empty < pmu->n_rings;
}

static int apply_period(struct pmu_sampler *pmu, uint64_t period)
{
	if (period == pmu->period)
		return 0;
	for (size_t i = 0; i < pmu->n_rings; i++) {
		struct tierd_pmu_ring *ring = &pmu->rings[i];
		uint64_t own = period_of(pmu, &ring->event->event, period);

		if (ioctl(pmu->fds[i], PERF_EVENT_IOC_PERIOD, &own) < 0)
			return -errno;
		ring->ring.period = own;
	}
	pmu->period = period;
	return 1;
}

static int pmu_set_period(struct tierd_sampler *sampler, uint64_t period)
{
	struct pmu_sampler *pmu = pmu_sampler(sampler);
	int r = apply_period(pmu, tierd_rate_clamp(&pmu->bounds, period));

	return r < 0 ? r : 0;
}

/* Everything that was sampled, useful or not: all of it has its cost. */
static uint64_t count_all(const struct tierd_perf_counts *counts)
{
	return counts->samples + counts->lost + counts->outside_user +
	       counts->unattributed;
}

static int pmu_set_rate(
	struct tierd_sampler *sampler, uint64_t target_per_s, uint64_t interval_ns)
{
	struct pmu_sampler *pmu = pmu_sampler(sampler);
	struct tierd_perf_counts *before = &pmu->counts_at_steering;
	struct tierd_rate_seen seen = {
		.samples = count_all(&pmu->counts) - count_all(before),
		.interval_ns = interval_ns,
		.throttled = pmu->counts.throttled != before->throttled,
	};

	*before = pmu->counts;
	return apply_period(
		pmu, tierd_rate_next(&pmu->bounds, pmu->period, target_per_s, &seen));
}

static int pmu_check(struct tierd_sampler *sampler, char **ret_error)
{
	const struct pmu_sampler *pmu = pmu_sampler(sampler);
	_cleanup_(freep) char *online = NULL;
	int r = tierd_root_read_line(pmu->root, CPUS_ONLINE, &online);

	if (r < 0)
		return tierd_error(
			ret_error, r, "cannot read %s: %s", CPUS_ONLINE, strerror(-r));
	if (strcmp(online, pmu->online) == 0)
		return 0;
	return tierd_error(ret_error, -ESTALE, "the CPUs online are %s, and were %s",
		online, pmu->online);
}

static unsigned count_heard(const struct pmu_sampler *pmu)
{
	int last = -1;
	unsigned n = 0;

	for (size_t i = 0; i < pmu->n_rings; i++) {
		const struct tierd_pmu_ring *ring = &pmu->rings[i];

		if (!ring->is_heard || ring->ring.cpu == last)
			continue;
		last = ring->ring.cpu;
		n++;
	}
	return n;
}

static void pmu_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	const struct pmu_sampler *pmu = (const struct pmu_sampler *)sampler;
	const struct tierd_perf_counts *counts = &pmu->counts;

	*ret = (struct tierd_sampler_stats){
		.source = sampler->ops->name,
		.event = pmu->text,
		.period = pmu->period,
		.samples = counts->samples,
		.stores = counts->stores,
		.lost = counts->lost,
		.throttled = counts->throttled,
		.unthrottled = counts->unthrottled,
		.outside_user = counts->outside_user,
		.unattributed = counts->unattributed,
		.other_records = counts->other_records,
		.malformed = counts->malformed,
		.drained_bytes = counts->bytes,
		.wakeups = pmu->wakeups,
		.n_cpus = pmu->n_cpus,
		.coverage = (double)pmu->n_cpus / pmu->n_online,
	};
	for (size_t i = 0; i < pmu->n_events; i++)
		ret->sample_cost_ns = TIER_MAX(
			ret->sample_cost_ns, pmu->events[i].event.sample_cost_ns);
	ret->overhead_ns = count_all(counts) * ret->sample_cost_ns;
	ret->n_cpus_heard = count_heard(pmu);
}

const struct tierd_sampler_ops tierd_sampler_pmu_ops = {
	.name = "pmu",
	.open = pmu_open,
	.get_fds = pmu_get_fds,
	.drain = pmu_drain,
	.set_period = pmu_set_period,
	.set_rate = pmu_set_rate,
	.check = pmu_check,
	.stats = pmu_stats,
	.free = pmu_free,
};
