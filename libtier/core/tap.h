/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a group is told, handed on to whoever listens (tier_group_set_tap()) in the form
 * of trace records. It knows nothing of files or formats.
 */
#ifndef TIER_CORE_TAP_H
#define TIER_CORE_TAP_H

#include "core/group.h"

static inline bool tier_tap_is_open(const struct tier_group *group)
{
	return group->tap != NULL;
}

/* Each of these does nothing while nobody listens. */
void tier_tap_samples(
	const struct tier_group *group, const struct tier_sample *samples, size_t n);
void tier_tap_residency(const struct tier_group *group, uint64_t space, uint64_t address,
	const struct tier_residency *residency);
void tier_tap_space_end(const struct tier_group *group, uint64_t space);
void tier_tap_advance(const struct tier_group *group, uint64_t now_ns, double exposure);
void tier_tap_limits(const struct tier_group *group, const struct tier_limits *limits);

#endif
