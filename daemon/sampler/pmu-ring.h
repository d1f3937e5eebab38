/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event on one CPU, for all processes, with a ring of its own. It knows neither other
 * CPUs nor when to read.
 */
#ifndef TIERD_SAMPLER_PMU_RING_H
#define TIERD_SAMPLER_PMU_RING_H

#include <linux/perf_event.h>

#include "sampler/perf-event.h"
#include "sampler/perf-ring.h"

struct tierd_pmu_event {
	struct tierd_perf_event event;
	struct perf_event_attr attr; /* as the kernel last accepted it */
};

struct tierd_pmu_ring {
	const struct tierd_pmu_event *event;
	int leader_fd;
	struct tierd_perf_ring ring;
	size_t map_bytes;
	bool is_heard;
};

/*
 * Opens the event, stopped, at the period of its attributes, and maps @data_bytes of
 * ring. Errors as for tierd_perf_open(), of which -ENODEV comes without text.
 */
int tierd_pmu_ring_open(struct tierd_pmu_ring *ring, struct tierd_pmu_event *event,
	unsigned cpu, size_t data_bytes, int *ret_fd, char **ret_error);
void tierd_pmu_ring_close(struct tierd_pmu_ring *ring, int fd);

int tierd_pmu_ring_enable(const struct tierd_pmu_ring *ring, int fd, char **ret_error);

#endif
