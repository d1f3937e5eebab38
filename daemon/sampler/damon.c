/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler that asks DAMON, the kernel's own monitor of accesses. It needs no PMU,
 * costs programs next to nothing and finds out which large ranges are hot; of pages here
 * and there it knows little. damon-admin.c tells it whom to watch, damon-record.c reads
 * what it reports, damon-spread.c makes samples of that; this file holds these together.
 *
 * Reports come by perf, from a tracepoint, and only those of our own kernel thread: the
 * event is that thread's alone, so that whatever else DAMON watches is never seen.
 *
 * Intervals are long on purpose. Hardware that has a page's translation in its TLB does
 * not set the accessed bit again, and DAMON does not flush: a page that is hot all the
 * time has to fall out of the TLB between two looks to be seen as such.
 */
#include <assert.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "clock.h"
#include "settings/errtext.h"
#include "sampler/damon-admin.h"
#include "sampler/damon-record.h"
#include "sampler/damon-spread.h"
#include "sampler/perf-ring.h"
#include "sampler/registry.h"

#define RING_BYTES (512 * 1024)

/* What tierd_perf_ring_walk() hands over at least. */
#define RECORD_MAX 256

/* Changes of whom to watch are not made more often. */
#define CHANGE_NS (5 * TIERD_NSEC)

#define SEED UINT64_C(0x9e3779b97f4a7c15)

#define SAMPLE_TYPE (PERF_SAMPLE_TIME | PERF_SAMPLE_RAW)

/* Records of an aggregation are due twice a second; a change of processes waits for one.
 */
static const struct tierd_damon_intervals intervals = {
	.sample_us = 50000,
	.aggregation_us = 500000,
	.update_us = 1000000,
	.regions_min = 100,
	.regions_max = 1000,
};

struct damon_sampler {
	struct tierd_sampler sampler;
	const struct tierd_root *root;
	struct tierd_journal *journal;
	struct tierd_damon_format format;
	struct tierd_damon_spread spread;
	char event[64];

	pid_t thread; /* whose reports the event delivers; 0: there is no event */
	int fd;
	struct tierd_perf_ring ring;
	size_t map_bytes;

	pid_t targets[TIERD_DAMON_TARGETS_MAX];
	size_t n_targets;
	size_t n_processes; /* there are, watched or not */
	uint64_t changed_ns;

	const struct tierd_sampler_sink *sink; /* while draining */
	struct tierd_perf_counts counts;
	uint64_t wakeups;
};

static struct damon_sampler *damon_sampler(struct tierd_sampler *sampler)
{
	assert(sampler->ops == &tierd_sampler_damon_ops);
	return (struct damon_sampler *)sampler;
}

/* ---- Reports ------------------------------------------------------------------- */

/* glibc has no wrapper. Of one thread, whatever CPU it is on. */
static int open_event(const struct tierd_damon_format *format, pid_t thread)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = format->id,
		.sample_period = 1,
		.sample_type = SAMPLE_TYPE,
		.watermark = 1,
		.wakeup_watermark = RING_BYTES / 2,
	};
	int fd = (int)syscall(
		SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static void unlisten(struct damon_sampler *damon)
{
	if (damon->ring.page)
		munmap(damon->ring.page, damon->map_bytes);
	damon->ring = (struct tierd_perf_ring){ 0 };
	closep(&damon->fd);
	damon->fd = -EBADF;
	damon->thread = 0;
}

static int listen_to(struct damon_sampler *damon, pid_t thread)
{
	size_t page_bytes = sysconf(_SC_PAGESIZE);
	void *map;

	unlisten(damon);
	damon->fd = open_event(&damon->format, thread);
	if (damon->fd < 0)
		return damon->fd;
	damon->map_bytes = page_bytes + RING_BYTES;
	map = mmap(
		NULL, damon->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, damon->fd, 0);
	if (map == MAP_FAILED) {
		int r = -errno;

		unlisten(damon);
		return r;
	}
	damon->ring = (struct tierd_perf_ring){
		.page = map,
		.data = (const uint8_t *)map + page_bytes,
		.size = RING_BYTES,
	};
	damon->thread = thread;
	return 0;
}

static void take_region(struct damon_sampler *damon, uint64_t time_ns,
	const struct tierd_damon_region *region)
{
	uint64_t n = tierd_damon_spread_add(&damon->spread, region);
	struct tierd_access access = {
		.time_ns = time_ns,
		.period = damon->spread.period,
	};

	if (region->target >= damon->n_targets || damon->targets[region->target] == 0) {
		damon->counts.unattributed += n;
		return;
	}
	access.pid = access.tid = (uint32_t)damon->targets[region->target];
	for (uint64_t i = 0; i < n; i++) {
		access.address = tierd_damon_spread_address(&damon->spread, region, i, n);
		damon->counts.samples++;
		if (damon->sink->on_sample)
			damon->sink->on_sample(damon->sink->userdata, &access);
	}
}

/* A sample's body: the time, the size of what follows, and the tracepoint's data. */
static void take_sample(struct damon_sampler *damon, const uint8_t *body, size_t size)
{
	struct tierd_damon_region region;
	uint64_t time_ns;
	uint32_t raw_size;

	if (size < sizeof(time_ns) + sizeof(raw_size)) {
		damon->counts.other_records++;
		return;
	}
	memcpy(&time_ns, body, sizeof(time_ns));
	memcpy(&raw_size, body + sizeof(time_ns), sizeof(raw_size));
	body += sizeof(time_ns) + sizeof(raw_size);
	size -= sizeof(time_ns) + sizeof(raw_size);
	if (raw_size > size ||
		tierd_damon_record_decode(&damon->format, body, raw_size, &region) < 0)
		damon->counts.other_records++;
	else
		take_region(damon, time_ns, &region);
}

static void on_record(
	void *userdata, const struct perf_event_header *header, const uint8_t *record)
{
	struct damon_sampler *damon = userdata;
	size_t size = TIER_MIN((size_t)header->size, (size_t)RECORD_MAX);
	uint64_t lost;

	switch (header->type) {
	case PERF_RECORD_SAMPLE:
		take_sample(damon, record + sizeof(*header), size - sizeof(*header));
		break;
	case PERF_RECORD_LOST:
		if (size < sizeof(*header) + 2 * sizeof(lost))
			break;
		memcpy(&lost, record + sizeof(*header) + sizeof(lost), sizeof(lost));
		damon->counts.lost += lost;
		break;
	default:
		damon->counts.other_records++;
		break;
	}
}

static int damon_drain(struct tierd_sampler *sampler, unsigned max_records,
	const struct tierd_sampler_sink *sink)
{
	struct damon_sampler *damon = damon_sampler(sampler);
	unsigned n;

	damon->wakeups++;
	if (damon->thread == 0)
		return 0;
	damon->sink = sink;
	n = tierd_perf_ring_walk(
		&damon->ring, max_records, on_record, damon, &damon->counts);
	damon->sink = NULL;
	return n == max_records;
}

/* ---- Whom to watch ------------------------------------------------------------- */

static bool is_among(pid_t pid, const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

/*
 * Who is to be which target: those that stay keep their place as far as there is one, as
 * DAMON keeps a target's regions by its place; newcomers get what is free.
 */
static size_t arrange(const struct damon_sampler *damon, const pid_t *pids, size_t n,
	pid_t ret[static TIERD_DAMON_TARGETS_MAX])
{
	size_t n_targets = TIER_MIN(n, (size_t)TIERD_DAMON_TARGETS_MAX), next = 0;

	memset(ret, 0, TIERD_DAMON_TARGETS_MAX * sizeof(*ret));
	for (size_t i = 0; i < TIER_MIN(damon->n_targets, n_targets); i++)
		if (is_among(damon->targets[i], pids, n_targets))
			ret[i] = damon->targets[i];
	for (size_t i = 0; i < n_targets; i++) {
		if (is_among(pids[i], ret, n_targets))
			continue;
		while (ret[next] != 0)
			next++;
		ret[next] = pids[i];
	}
	return n_targets;
}

/* What is still to come is of both the old and the new target of a place only where these
 * are the same. */
static void blur(struct damon_sampler *damon, const pid_t *targets)
{
	for (size_t i = 0; i < damon->n_targets; i++)
		if (damon->targets[i] != targets[i])
			damon->targets[i] = 0;
}

static void install(struct damon_sampler *damon, const pid_t *targets, size_t n)
{
	memcpy(damon->targets, targets, n * sizeof(*targets));
	damon->n_targets = n;
}

static int watch(struct damon_sampler *damon, const pid_t *targets, size_t n)
{
	pid_t thread;
	int r;

	if (n == 0) {
		unlisten(damon);
		return tierd_damon_admin_pause(damon->root);
	}
	r = tierd_damon_admin_watch(damon->root, damon->journal, targets, n);
	if (r >= 0)
		r = tierd_damon_admin_thread(damon->root, &thread);
	if (r < 0 || thread == damon->thread)
		return r;
	return thread > 0 ? listen_to(damon, thread) : -ESRCH;
}

/* A process that has just ended is refused: the next look at processes knows better. */
static int damon_follow(struct tierd_sampler *sampler, const pid_t *pids, size_t n,
	const struct tierd_sampler_sink *sink)
{
	struct damon_sampler *damon = damon_sampler(sampler);
	pid_t targets[TIERD_DAMON_TARGETS_MAX], thread;
	size_t n_targets = arrange(damon, pids, n, targets);
	uint64_t now_ns = tierd_now_ns();
	int r = tierd_damon_admin_thread(damon->root, &thread);

	damon->n_processes = n;
	if (r < 0)
		return 0; /* what check() is for */
	if (n_targets == damon->n_targets && thread == damon->thread &&
		memcmp(targets, damon->targets, n_targets * sizeof(*targets)) == 0)
		return 0;
	if (thread > 0 && now_ns - damon->changed_ns < CHANGE_NS)
		return 0;
	damon->changed_ns = now_ns;
	(void)damon_drain(sampler, UINT32_MAX, sink);
	r = watch(damon, targets, n_targets);
	if (r == -EINVAL || r == -ESRCH) {
		damon->n_targets = 0;
		return 0;
	}
	if (r < 0)
		return r;
	blur(damon, targets);
	(void)damon_drain(sampler, UINT32_MAX, sink);
	install(damon, targets, n_targets);
	return 0;
}

static int damon_check(struct tierd_sampler *sampler, char **ret_error)
{
	pid_t thread;
	int r = tierd_damon_admin_thread(damon_sampler(sampler)->root, &thread);

	return r < 0 ? tierd_error(ret_error, r,
			       "somebody else has changed what DAMON watches")
		     : 0;
}

/* ---- Coming and going ---------------------------------------------------------- */

/* Whether perf hands out the tracepoint: tried on this process, which never passes it. */
static int try_event(const struct tierd_damon_format *format, char **ret_error)
{
	_cleanup_(closep) int fd = open_event(format, 0);

	if (fd == -EACCES || fd == -EPERM)
		return tierd_error(ret_error, fd,
			"perf does not hand out the tracepoint damon:damon_aggregated: "
			"this takes CAP_PERFMON, and a system call filter that lets "
			"perf_event_open through");
	if (fd < 0)
		return tierd_error(ret_error, fd,
			"perf does not hand out the tracepoint damon:damon_aggregated: %s",
			strerror(-fd));
	return 0;
}

static int probe(const struct tierd_sampler_config *config,
	struct tierd_damon_format *ret_format, char **ret_error)
{
	int r;

	r = tierd_damon_admin_probe(config->root, ret_error);
	if (r < 0)
		return r;
	r = tierd_damon_format_read(config->root, ret_format, ret_error);
	if (r < 0)
		return r;
	return try_event(ret_format, ret_error);
}

static int damon_probe(const struct tierd_sampler_config *config, char **ret_error)
{
	struct tierd_damon_format format;

	return probe(config, &format, ret_error);
}

static int damon_open(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	_cleanup_(freep) struct damon_sampler *damon = calloc(1, sizeof(*damon));
	int r;

	if (!damon)
		return -ENOMEM;
	damon->sampler.ops = &tierd_sampler_damon_ops;
	damon->root = config->root;
	damon->journal = config->journal;
	damon->fd = -EBADF;
	r = probe(config, &damon->format, ret_error);
	if (r < 0)
		return r;
	r = tierd_damon_admin_take(config->root, config->journal, &intervals, ret_error);
	if (r < 0)
		return r;
	tierd_damon_spread_init(&damon->spread, intervals.regions_min, SEED);
	snprintf(damon->event, sizeof(damon->event), "damon:damon_aggregated, %u ms",
		intervals.sample_us / 1000);
	*ret = &TAKE_PTR(damon)->sampler;
	return 0;
}

static void damon_free(struct tierd_sampler *sampler)
{
	struct damon_sampler *damon = damon_sampler(sampler);

	unlisten(damon);
	tierd_damon_admin_release(damon->root, damon->journal);
	free(damon);
}

/* ---- The rest ------------------------------------------------------------------ */

/* Reports come by the half second, and the ring holds several: it is drained at ticks. */
static void damon_get_fds(
	_unused_ struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n)
{
	*ret_fds = NULL;
	*ret_n = 0;
}

static int damon_set_period(
	_unused_ struct tierd_sampler *sampler, _unused_ uint64_t period)
{
	return 0; /* follows from the number of regions */
}

/* A look at each region every 50 ms costs the same whatever there is to learn. */
static int damon_set_rate(_unused_ struct tierd_sampler *sampler,
	_unused_ uint64_t target_per_s, _unused_ uint64_t interval_ns)
{
	return 0;
}

static void damon_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	const struct damon_sampler *damon = (const struct damon_sampler *)sampler;

	*ret = (struct tierd_sampler_stats){
		.source = sampler->ops->name,
		.event = damon->event,
		.period = damon->spread.period,
		.samples = damon->counts.samples,
		.lost = damon->counts.lost,
		.unattributed = damon->counts.unattributed,
		.other_records = damon->counts.other_records,
		.malformed = damon->counts.malformed,
		.drained_bytes = damon->counts.bytes,
		.wakeups = damon->wakeups,
		.coverage = damon->n_processes > 0 ? (double)damon->n_targets /
							     (double)damon->n_processes
						   : 1,
	};
}

const struct tierd_sampler_ops tierd_sampler_damon_ops = {
	.name = "damon",
	.probe = damon_probe,
	.open = damon_open,
	.get_fds = damon_get_fds,
	.drain = damon_drain,
	.set_period = damon_set_period,
	.set_rate = damon_set_rate,
	.check = damon_check,
	.follow = damon_follow,
	.stats = damon_stats,
	.free = damon_free,
};
