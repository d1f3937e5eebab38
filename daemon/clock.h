/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's one clock: CLOCK_MONOTONIC in nanoseconds. */
#ifndef TIERD_CLOCK_H
#define TIERD_CLOCK_H

#include <stdint.h>
#include <time.h>

#define TIERD_NSEC UINT64_C(1000000000)

static inline uint64_t tierd_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * TIERD_NSEC + now.tv_nsec;
}

#endif
