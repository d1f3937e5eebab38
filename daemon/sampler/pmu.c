/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler that asks the processor: one perf event per CPU, for all processes, each
 * with a ring of its own. How the event is named is perf-event.c's business, how it is
 * opened perf-open.c's, what is in the rings perf-ring.c's, which period comes next
 * rate.c's; this file holds the CPUs together and takes turns among them.
 *
 * CPUs that come and go are not followed: the sampler then asks to be opened again.
 */
#include <assert.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "settings/errtext.h"
#include "settings/root.h"
#include "sampler/perf-event.h"
#include "sampler/perf-open.h"
#include "sampler/perf-ring.h"
#include "sampler/range-list.h"
#include "sampler/rate.h"
#include "sampler/registry.h"

#define CPUS_ONLINE        "/sys/devices/system/cpu/online"
#define RING_PAGES_DEFAULT 64
#define RING_PAGES_MAX     4096
#define QUANTUM_MIN        64

struct pmu_cpu {
	int leader_fd;
	struct tierd_perf_ring ring;
	size_t map_bytes;
	bool is_heard;
};

struct pmu_sampler {
	struct tierd_sampler sampler;
	struct tierd_perf_event event;
	struct perf_event_attr attr;
	struct tierd_rate_bounds bounds;
	uint64_t period;

	struct pmu_cpu *cpus;
	int *fds; /* in the order of cpus */
	size_t n_cpus;
	size_t next_cpu; /* whose turn it is */
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

static int fail_map(const struct pmu_sampler *pmu, size_t bytes, int r, char **ret_error)
{
	if (r == -EPERM)
		return tierd_error(ret_error, r,
			"not allowed to map %zu KiB of ring a CPU for %s: this takes "
			"CAP_IPC_LOCK, a larger kernel.perf_event_mlock_kb or a smaller "
			"ring",
			bytes / 1024, pmu->event.text);
	return tierd_error(ret_error, r, "cannot map the ring of %s: %s", pmu->event.text,
		strerror(-r));
}

static int map_ring(struct pmu_cpu *cpu, int fd, size_t data_bytes)
{
	size_t page_bytes = sysconf(_SC_PAGESIZE);
	void *map;

	map = mmap(
		NULL, page_bytes + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;

	cpu->map_bytes = page_bytes + data_bytes;
	cpu->ring.page = map;
	cpu->ring.data = (const uint8_t *)map + page_bytes;
	cpu->ring.size = data_bytes;
	return 0;
}

static void close_cpu(struct pmu_sampler *pmu, size_t i)
{
	struct pmu_cpu *cpu = &pmu->cpus[i];

	if (cpu->ring.page)
		munmap(cpu->ring.page, cpu->map_bytes);
	closep(&pmu->fds[i]);
	closep(&cpu->leader_fd);
}

static int open_cpu(
	struct pmu_sampler *pmu, size_t i, size_t data_bytes, char **ret_error)
{
	struct pmu_cpu *cpu = &pmu->cpus[i];
	int r;

	r = tierd_perf_open(
		&pmu->attr, &pmu->event, cpu->ring.cpu, &cpu->leader_fd, ret_error);
	if (r < 0)
		return r;
	pmu->fds[i] = r;

	r = tierd_perf_layout_init(&cpu->ring.layout, pmu->attr.sample_type);
	if (r < 0)
		return r;
	r = map_ring(cpu, pmu->fds[i], data_bytes);
	return r < 0 ? fail_map(pmu, data_bytes, r, ret_error) : 0;
}

/* Begins to sample one more CPU; one that has just gone away is passed over. */
static int add_cpu(
	struct pmu_sampler *pmu, unsigned number, size_t data_bytes, char **ret_error)
{
	size_t i = pmu->n_cpus;
	int r;

	pmu->cpus[i] = (struct pmu_cpu){
		.leader_fd = -EBADF,
		.ring = { .cpu = number, .period = pmu->period },
	};
	pmu->fds[i] = -EBADF;

	r = open_cpu(pmu, i, data_bytes, ret_error);
	if (r < 0) {
		close_cpu(pmu, i);
		return r == -ENODEV ? 0 : r;
	}
	pmu->n_cpus++;
	return 0;
}

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

static int allocate_cpus(struct pmu_sampler *pmu, const char *list)
{
	size_t n;
	int r;

	r = count_cpus(list, &n);
	if (r < 0)
		return r;

	pmu->cpus = calloc(n, sizeof(*pmu->cpus));
	pmu->fds = calloc(n, sizeof(*pmu->fds));
	return pmu->cpus && pmu->fds ? 0 : -ENOMEM;
}

static int add_cpus(
	struct pmu_sampler *pmu, const char *list, size_t data_bytes, char **ret_error)
{
	unsigned first, last;
	int r;

	r = allocate_cpus(pmu, list);
	if (r < 0)
		return tierd_error(ret_error, r, "cannot sample the CPUs '%s': %s", list,
			strerror(-r));

	while (tierd_range_list_next(&list, &first, &last) > 0)
		for (unsigned cpu = first; cpu <= last; cpu++) {
			r = add_cpu(pmu, cpu, data_bytes, ret_error);
			if (r < 0)
				return r;
		}
	if (pmu->n_cpus == 0)
		return tierd_error(ret_error, -ENODEV, "no CPU that is online has %s",
			pmu->event.text);
	return 0;
}

static int enable(struct pmu_sampler *pmu, char **ret_error)
{
	for (size_t i = 0; i < pmu->n_cpus; i++) {
		int leader = pmu->cpus[i].leader_fd;

		if (ioctl(leader >= 0 ? leader : pmu->fds[i], PERF_EVENT_IOC_ENABLE, 0) <
			0)
			return tierd_error(ret_error, -errno,
				"cannot start %s on CPU %d: %m", pmu->event.text,
				pmu->cpus[i].ring.cpu);
	}
	return 0;
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

static int init_period(struct pmu_sampler *pmu, const struct tierd_sampler_config *config,
	char **ret_error)
{
	struct tierd_rate_bounds bounds = pmu->event.bounds;

	if (config->period_min)
		bounds.min = TIER_MAX(bounds.min, config->period_min);
	if (config->period_max)
		bounds.max = TIER_MIN(bounds.max, config->period_max);
	if (bounds.min > bounds.max)
		return tierd_error(ret_error, -EINVAL,
			"%s can be sampled with periods from %llu to %llu, which leaves "
			"nothing of the bounds in the configuration",
			pmu->event.text, (unsigned long long)pmu->event.bounds.min,
			(unsigned long long)pmu->event.bounds.max);

	pmu->bounds = bounds;
	pmu->period = tierd_rate_clamp(
		&bounds, config->period ? config->period : pmu->event.period);
	return 0;
}

static int pmu_setup(struct pmu_sampler *pmu, const struct tierd_sampler_config *config,
	char **ret_error)
{
	const struct tierd_perf_wish wish = { config->want_physical,
		config->want_cgroup };
	size_t data_bytes = ring_bytes(config->ring_pages);
	int r;

	r = tierd_perf_event_resolve(&pmu->event, config->root, config->event, ret_error);
	if (r < 0)
		return r;
	r = init_period(pmu, config, ret_error);
	if (r < 0)
		return r;
	tierd_perf_attr_init(&pmu->attr, &pmu->event, &wish, data_bytes / 2);
	pmu->attr.sample_period = pmu->period;

	pmu->root = config->root;
	r = tierd_root_read_line(config->root, CPUS_ONLINE, &pmu->online);
	if (r >= 0)
		r = count_cpus(pmu->online, &pmu->n_online);
	if (r < 0)
		return tierd_error(
			ret_error, r, "cannot read %s: %s", CPUS_ONLINE, strerror(-r));
	r = add_cpus(pmu, pmu->event.cpus ? pmu->event.cpus : pmu->online, data_bytes,
		ret_error);
	if (r < 0)
		return r;
	return enable(pmu, ret_error);
}

static void pmu_free(struct tierd_sampler *sampler)
{
	struct pmu_sampler *pmu = pmu_sampler(sampler);

	for (size_t i = 0; i < pmu->n_cpus; i++)
		close_cpu(pmu, i);
	tierd_perf_event_done(&pmu->event);
	free(pmu->cpus);
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
	*ret_n = pmu->n_cpus;
}

/* Goes round the CPUs until all are found empty in a row or the budget is spent. */
static int pmu_drain(struct tierd_sampler *sampler, unsigned max_records,
	const struct tierd_sampler_sink *sink)
{
	struct pmu_sampler *pmu = pmu_sampler(sampler);
	unsigned quantum =
		TIER_MAX(max_records / (unsigned)pmu->n_cpus, (unsigned)QUANTUM_MIN);
	unsigned left = max_records;
	size_t n_empty = 0;

	pmu->wakeups++;
	while (left > 0 && n_empty < pmu->n_cpus) {
		struct pmu_cpu *cpu = &pmu->cpus[pmu->next_cpu];
		unsigned n, budget = TIER_MIN(quantum, left);
		uint64_t samples = pmu->counts.samples;

		n = tierd_perf_ring_drain(&cpu->ring, budget, sink, &pmu->counts);
		cpu->is_heard |= pmu->counts.samples > samples;
		n_empty = n < budget ? n_empty + 1 : 0;
		left -= n;
		pmu->next_cpu = (pmu->next_cpu + 1) % pmu->n_cpus;
	}
	return n_empty < pmu->n_cpus;
}

static int apply_period(struct pmu_sampler *pmu, uint64_t period)
{
	if (period == pmu->period)
		return 0;
	for (size_t i = 0; i < pmu->n_cpus; i++) {
		if (ioctl(pmu->fds[i], PERF_EVENT_IOC_PERIOD, &period) < 0)
			return -errno;
		pmu->cpus[i].ring.period = period;
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

static void pmu_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	const struct pmu_sampler *pmu = (const struct pmu_sampler *)sampler;
	const struct tierd_perf_counts *counts = &pmu->counts;

	*ret = (struct tierd_sampler_stats){
		.source = sampler->ops->name,
		.event = pmu->event.text,
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
		.sample_cost_ns = pmu->event.sample_cost_ns,
		.n_cpus = pmu->n_cpus,
		.coverage = (double)pmu->n_cpus / pmu->n_online,
	};
	for (size_t i = 0; i < pmu->n_cpus; i++)
		ret->n_cpus_heard += pmu->cpus[i].is_heard;
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
