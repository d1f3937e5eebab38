/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tap that is opened late first hears where all pages are, block by block, as if it had
 * been told so just now: what follows then makes sense to a group that begins there. What
 * was counted before is not told.
 */
#include "core/tap.h"

#include "base/util.h"

static void tell(const struct tier_group *group, const struct tier_trace_record *record)
{
	group->tap(group->tap_userdata, record);
}

void tier_tap_samples(
	const struct tier_group *group, const struct tier_sample *samples, size_t n)
{
	for (size_t i = 0; group->tap && i < n; i++)
		tell(group, &(struct tier_trace_record){
				    .type = TIER_TRACE_SAMPLE,
				    .sample = { .access = samples[i],
					    .tier = TIER_TRACE_TIER_UNKNOWN },
			    });
}

void tier_tap_residency(const struct tier_group *group, uint64_t space, uint64_t address,
	const struct tier_residency *residency)
{
	if (group->tap)
		tell(group, &(struct tier_trace_record){
				    .type = TIER_TRACE_RESIDENCY,
				    .residency = { .space = space,
					    .address = address & ~(TIER_BLOCK_SIZE - 1),
					    .pages = *residency },
			    });
}

void tier_tap_space_end(const struct tier_group *group, uint64_t space)
{
	if (group->tap)
		tell(group, &(struct tier_trace_record){
				    .type = TIER_TRACE_SPACE_END, .space = space });
}

void tier_tap_advance(const struct tier_group *group, uint64_t now_ns, double exposure)
{
	if (group->tap)
		tell(group, &(struct tier_trace_record){
				    .type = TIER_TRACE_ADVANCE,
				    .advance = { now_ns, exposure },
			    });
}

void tier_tap_limits(const struct tier_group *group, const struct tier_limits *limits)
{
	if (group->tap)
		tell(group, &(struct tier_trace_record){
				    .type = TIER_TRACE_LIMITS, .limits = *limits });
}

/* ---- Opening --------------------------------------------------------------------- */

static void tell_block(const struct tier_group *group, const struct tier_block *block)
{
	struct tier_residency residency = {
		.huge = block->huge,
		.anonymous = block->anonymous,
		.has_policy = block->has_policy,
	};

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		if (tier_block_has(block, page))
			tier_residency_add(
				&residency, page, tier_block_tier(block, page));
	tier_tap_residency(group, block->space, tier_block_address(block, 0), &residency);
}

_public_ void tier_group_set_tap(
	struct tier_group *group, tier_group_tap_t tap, void *userdata)
{
	group->tap = tap;
	group->tap_userdata = userdata;
	if (!tap)
		return;
	tier_tap_advance(group, group->now_ns, 0);
	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);

		if (block->in_use)
			tell_block(group, block);
	}
}
