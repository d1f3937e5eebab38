/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked of the kernel is chosen to be cheap. The period is fixed and wake-ups go
 * by watermark, which lets Intel's kernel code batch samples without an interrupt for
 * each; choosing a clock would undo that. The CPU is not recorded, since each ring has
 * its own. Beside samples come fork, exec and exit, but no mappings.
 *
 * PMUs differ in how exactly they can tell an instruction and in what they can leave out,
 * and say so only by refusing. What is refused is conceded step by step; addresses,
 * without which there is no point, never are.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "settings/errtext.h"
#include "sampler/perf-open.h"

/* glibc has no wrapper. Returns a descriptor or a negative errno. */
static int perf_event_open(struct perf_event_attr *attr, int cpu, int group_fd)
{
	int fd = syscall(
		SYS_perf_event_open, attr, -1, cpu, group_fd, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur == limit.rlim_max)
		return -EMFILE;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int tierd_perf_open_attr(struct perf_event_attr *attr, int cpu, int group_fd)
{
	int fd = perf_event_open(attr, cpu, group_fd);

	if (fd == -EMFILE && raise_fd_limit() == 0)
		fd = perf_event_open(attr, cpu, group_fd);
	return fd;
}

/*
 * Gives up one thing the kernel may have refused: first precision, but never all of it
 * when some was asked for, as addresses hang on it; then the filters that AMD's IBS does
 * not have, whose work perf-ring.c repeats.
 */
static bool concede(struct perf_event_attr *attr)
{
	if (attr->precise_ip > 1) {
		attr->precise_ip--;
		return true;
	}
	if (attr->exclude_kernel) {
		attr->exclude_kernel = 0;
		attr->exclude_hv = 0;
		return true;
	}
	return false;
}

static bool is_refusal(int r)
{
	return r == -EINVAL || r == -EOPNOTSUPP;
}

static int open_conceding(struct perf_event_attr *attr, int cpu, int group_fd)
{
	struct perf_event_attr wanted = *attr;
	int fd, first = tierd_perf_open_attr(attr, cpu, group_fd);

	for (fd = first; is_refusal(fd) && concede(attr);)
		fd = tierd_perf_open_attr(attr, cpu, group_fd);
	if (fd >= 0)
		return fd;

	*attr = wanted;
	return is_refusal(fd) ? first : fd;
}

static int open_leader(const struct tierd_perf_event *event, int cpu)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = event->type,
		.config = event->leader_config[0],
		.config1 = event->leader_config[1],
		.config2 = event->leader_config[2],
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = 1,
	};

	return tierd_perf_open_attr(&attr, cpu, -1);
}

static int fail_open(const char *event, int cpu, int r, char **ret_error)
{
	switch (r) {
	case -ENODEV:
		return r;
	case -EACCES:
	case -EPERM:
		return tierd_error(ret_error, r,
			"not allowed to sample %s on all processes: this takes "
			"CAP_PERFMON (or kernel.perf_event_paranoid <= 0), and a system "
			"call filter that lets perf_event_open through",
			event);
	case -EMFILE:
		return tierd_error(ret_error, r,
			"file descriptors ran out at CPU %d: %s needs one a CPU, raise "
			"LimitNOFILE=",
			cpu, event);
	case -EINVAL:
	case -EOPNOTSUPP:
	case -ENOENT:
	case -ENODATA:
		return tierd_error(ret_error, r,
			"the kernel refuses to sample %s: %s. Virtual machines often "
			"lack the PMU features this needs; name another event by Event= "
			"in tierd.conf",
			event, strerror(-r));
	case -EBUSY:
		return tierd_error(ret_error, r,
			"no counter is free for %s on CPU %d: another profiler, or the "
			"NMI watchdog, holds it",
			event, cpu);
	default:
		return tierd_error(ret_error, r, "cannot open %s on CPU %d: %s", event,
			cpu, strerror(-r));
	}
}

/*
 * Samples carry their period, as it can change between the access and our reading of it.
 * Software events cannot: for them the kernel takes that field as a wish for every single
 * event, whatever the period.
 */
static uint64_t sample_type(
	const struct tierd_perf_event *event, const struct tierd_perf_wish *wish)
{
	uint64_t type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR |
			PERF_SAMPLE_WEIGHT | PERF_SAMPLE_DATA_SRC;

	if (event->type != PERF_TYPE_SOFTWARE)
		type |= PERF_SAMPLE_PERIOD;
	if (wish->physical)
		type |= PERF_SAMPLE_PHYS_ADDR;
	if (wish->cgroup)
		type |= PERF_SAMPLE_CGROUP;
	return type;
}

void tierd_perf_attr_init(struct perf_event_attr *ret,
	const struct tierd_perf_event *event, const struct tierd_perf_wish *wish,
	uint32_t wake_bytes)
{
	*ret = (struct perf_event_attr){
		.size = sizeof(*ret),
		.type = event->type,
		.config = event->config[0],
		.config1 = event->config[1],
		.config2 = event->config[2],
		.sample_period = event->period,
		.sample_type = sample_type(event, wish),
		.precise_ip = event->precise,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = !event->has_leader,
		.task = 1,
		.comm = 1,
		.comm_exec = 1,
		.watermark = 1,
		.wakeup_watermark = wake_bytes,
	};
}

int tierd_perf_open(struct perf_event_attr *attr, const struct tierd_perf_event *event,
	int cpu, int *ret_leader_fd, char **ret_error)
{
	_cleanup_(closep) int leader_fd = -EBADF;
	int fd;

	if (event->has_leader) {
		leader_fd = open_leader(event, cpu);
		if (leader_fd < 0)
			return fail_open(event->text, cpu, leader_fd, ret_error);
	}
	fd = open_conceding(attr, cpu, event->has_leader ? leader_fd : -1);
	if (fd < 0)
		return fail_open(event->text, cpu, fd, ret_error);

	*ret_leader_fd = TAKE_FD(leader_fd);
	return fd;
}
