/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens a resolved event on one CPU for all processes, and explains to the administrator
 * why that failed. It reads no samples and keeps no descriptor.
 */
#ifndef TIERD_SAMPLER_PERF_OPEN_H
#define TIERD_SAMPLER_PERF_OPEN_H

#include <stdbool.h>

#include "sampler/perf-event.h"

struct perf_event_attr;

/* Which optional fields samples shall carry, besides those that always come. */
struct tierd_perf_wish {
	bool physical;
	bool cgroup;
};

/* What to pass to tierd_perf_open(); wake_bytes is how full a ring wakes its reader. */
void tierd_perf_attr_init(struct perf_event_attr *ret,
	const struct tierd_perf_event *event, const struct tierd_perf_wish *wish,
	uint32_t wake_bytes);

/*
 * Opens the event, stopped. The attributes are adapted to what the kernel accepts, so
 * pass the same ones for all CPUs. *ret_leader_fd is the group's leader, to be enabled in
 * place of the event and closed after it, or -EBADF. Returns the event's descriptor or a
 * negative errno, of which -ENODEV comes without text: the CPU does not have this PMU, or
 * is offline.
 */
int tierd_perf_open(struct perf_event_attr *attr, const struct tierd_perf_event *event,
	int cpu, int *ret_leader_fd, char **ret_error);

/* Opens an event as it is, for all processes, and raises the limit of descriptors if that
 * is what it takes. Returns the descriptor or a negative errno. */
int tierd_perf_open_attr(struct perf_event_attr *attr, int cpu, int group_fd);

#endif
