/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the manager comes by samples: it opens a ladder of sources, has their descriptors
 * wake it up, hands what they deliver to the groups, and tells them which processes there
 * are. A switch of sources is seen here, and nowhere else.
 */
#ifndef TIERD_SAMPLING_H
#define TIERD_SAMPLING_H

#include <stdint.h>

struct tierd_findings;
struct tierd_manager;

/* Opens a source; returns 0 or an exit code, and what is missing is logged. */
int tierd_sampling_start(struct tierd_manager *manager);
void tierd_sampling_stop(struct tierd_manager *manager);

/* Hands to the groups what has been sampled, as far as CPUMax= allows; and at least so
 * many records, whatever it costs. */
void tierd_sampling_drain(struct tierd_manager *manager, unsigned least);

/*
 * What a page accessed once a second would have been sampled since the last call, given
 * the period and what was lost.
 */
double tierd_sampling_exposure(struct tierd_manager *manager, uint64_t elapsed_ns);

/* Sees that there is a source, and the best: for every tick, as it has a pace of its own.
 */
void tierd_sampling_look_after(struct tierd_manager *manager, uint64_t now_ns);

/* Tells the source which processes are managed now. */
void tierd_sampling_follow(struct tierd_manager *manager);

/* Which sources do not work, and why. */
void tierd_sampling_see_sources(
	const struct tierd_manager *manager, struct tierd_findings *findings);

#endif
