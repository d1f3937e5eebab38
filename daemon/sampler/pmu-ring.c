/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "settings/errtext.h"
#include "sampler/perf-open.h"
#include "sampler/pmu-ring.h"

static int fail_map(const char *event, size_t bytes, int r, char **ret_error)
{
	if (r == -EPERM)
		return tierd_error(ret_error, r,
			"not allowed to map %zu KiB of ring a CPU for %s: this takes "
			"CAP_IPC_LOCK, a larger kernel.perf_event_mlock_kb or a smaller "
			"ring",
			bytes / 1024, event);
	return tierd_error(
		ret_error, r, "cannot map the ring of %s: %s", event, strerror(-r));
}

static int map(struct tierd_pmu_ring *ring, int fd, size_t data_bytes)
{
	size_t page_bytes = sysconf(_SC_PAGESIZE);
	void *map;

	map = mmap(
		NULL, page_bytes + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;

	ring->map_bytes = page_bytes + data_bytes;
	ring->ring.page = map;
	ring->ring.data = (const uint8_t *)map + page_bytes;
	ring->ring.size = data_bytes;
	return 0;
}

int tierd_pmu_ring_open(struct tierd_pmu_ring *ring, struct tierd_pmu_event *event,
	unsigned cpu, size_t data_bytes, int *ret_fd, char **ret_error)
{
	struct tierd_pmu_ring opened = {
		.event = event,
		.leader_fd = -EBADF,
		.ring = { .cpu = cpu, .period = event->attr.sample_period },
	};
	_cleanup_(closep) int fd = -EBADF;
	int r;

	fd = tierd_perf_open(
		&event->attr, &event->event, cpu, &opened.leader_fd, ret_error);
	if (fd < 0)
		return fd;
	r = tierd_perf_layout_init(&opened.ring.layout, event->attr.sample_type);
	if (r >= 0) {
		r = map(&opened, fd, data_bytes);
		if (r < 0)
			fail_map(event->event.text, data_bytes, r, ret_error);
	}
	if (r < 0) {
		tierd_pmu_ring_close(&opened, TAKE_FD(fd));
		return r;
	}
	*ring = opened;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void tierd_pmu_ring_close(struct tierd_pmu_ring *ring, int fd)
{
	if (ring->ring.page)
		munmap(ring->ring.page, ring->map_bytes);
	closep(&fd);
	closep(&ring->leader_fd);
}

int tierd_pmu_ring_enable(const struct tierd_pmu_ring *ring, int fd, char **ret_error)
{
	int leader = ring->leader_fd;

	if (ioctl(leader >= 0 ? leader : fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
		return tierd_error(ret_error, -errno, "cannot start %s on CPU %d: %m",
			ring->event->event.text, ring->ring.cpu);
	return 0;
}
