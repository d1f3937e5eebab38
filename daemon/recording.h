/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records what one group is told (tier_group_set_tap()) as a trace, and hands it over
 * through a socket to whoever asked. Spaces go by the pids of their processes, so that a
 * trace can be played back to processes that are still there (sampler/replay.c). tierd
 * opens no file for it and never waits for the reader: one that cannot keep up ends its
 * recording, as does one that goes.
 */
#ifndef TIERD_RECORDING_H
#define TIERD_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "libtier.h"

struct tierd_group;
struct tierd_recording;

/* Of all groups. */
#define TIERD_RECORDINGS_MAX 4

#define TIERD_RECORDING_NS_MAX UINT64_C(3600000000000)

/*
 * Records @group for @duration_ns, or until the reader shuts its end down. *ret_fd is the
 * reader's end and the caller's to close. The recording does not outlive @group. Errors:
 * -ENOMEM, those of sockets and of the event loop.
 */
int tierd_recording_new(sd_event *event, struct tierd_group *group,
	const struct tier_trace_meta *meta, uint64_t duration_ns, int *ret_fd,
	struct tierd_recording **ret);
struct tierd_recording *tierd_recording_free(struct tierd_recording *recording);

/* Nothing is recorded any more, and all of it was handed over, or given up. */
bool tierd_recording_is_over(const struct tierd_recording *recording);

#endif
