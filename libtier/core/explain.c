/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why a page is where it is: what the group's books say of it, what its engine decided,
 * and what came of its last move. It changes nothing.
 */
#include <math.h>

#include "base/util.h"
#include "core/group.h"

static void tell_last_move(const struct tier_group *group, uint64_t space,
	uint64_t address, struct tier_explanation *ret)
{
	const struct tier_ledger_entry *entry =
		tier_ledger_find(&group->ledger, space, address);

	if (!entry)
		return;
	ret->moved_ns = entry->time_ns;
	ret->moved_direction = entry->direction;
	ret->moved_reason = entry->reason;
	ret->moved_to = entry->to;
	ret->moved_result = entry->result;
}

static void tell_heat(const struct tier_group *group, const struct tier_block *block,
	unsigned page, struct tier_explanation *ret)
{
	for (unsigned i = 0; i < TIER_BLOCK_PAGES; i++)
		ret->block_samples += block->count[i];
	ret->huge = block->huge;
	ret->samples = block->huge ? ret->block_samples : block->count[page];
	ret->exposure = fmax(0, tier_exposure_in_epoch(group->rates.exposure,
					group->rates.epoch, block->epoch) -
					block->born);
}

/* A page that plans would move, but which the kernel, or its node, refused. */
static enum tier_why by_result(enum tier_why why, enum tier_result result)
{
	if (!tier_why_is_to_move(why) && why != TIER_WHY_UNCOVERED)
		return why;
	switch (result) {
	case TIER_RESULT_BUSY:
		return TIER_WHY_PINNED;
	case TIER_RESULT_UNSUPPORTED:
		return TIER_WHY_UNSUPPORTED;
	case TIER_RESULT_NOMEM:
	case TIER_RESULT_NOROOM:
		return why == TIER_WHY_UNCOVERED ? why : TIER_WHY_NO_ROOM;
	default:
		return why;
	}
}

_public_ void tier_group_explain(const struct tier_group *group, uint64_t space,
	uint64_t address, struct tier_explanation *ret)
{
	const struct tier_slot *slot =
		tier_blockmap_find(&group->map, space, address >> TIER_BLOCK_SHIFT);
	const struct tier_block *block =
		slot ? tier_blockmap_at(&group->map, slot->index) : NULL;
	unsigned page = tier_page_in_block(address);
	struct tier_explanation explanation = {
		.why = TIER_WHY_UNCOVERED,
		.rate = NAN,
		.rate_low = NAN,
		.rate_high = NAN,
		.cut_rate = group->stats.cut_rate,
	};

	tell_last_move(group, space, address, &explanation);
	if (block && tier_block_has(block, page)) {
		explanation.why = TIER_WHY_UNKNOWN;
		explanation.is_covered = true;
		explanation.tier = tier_block_tier(block, page);
		tell_heat(group, block, page, &explanation);
		if (group->stats.plans > 0)
			group->engine->explain(group, block, page, &explanation);
	}
	if (explanation.moved_ns > 0)
		explanation.why = by_result(explanation.why, explanation.moved_result);
	*ret = explanation;
}

/* ---- Adding up ----------------------------------------------------------------- */

static void count_block(const struct tier_group *group, const struct tier_block *block,
	struct tier_whys *whys)
{
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		struct tier_explanation explanation = { .why = TIER_WHY_UNKNOWN };

		if (!tier_block_has(block, page))
			continue;
		if (group->stats.plans > 0)
			group->engine->explain(group, block, page, &explanation);
		if (tier_block_tier(block, page) == 0)
			whys->fast_pages[explanation.why]++;
		else
			whys->slow_pages[explanation.why]++;
	}
}

_public_ int tier_group_count_whys(struct tier_group *group, struct tier_whys *ret)
{
	struct tier_whys whys = { 0 };
	int r;

	r = tier_census_update(
		&group->census, &group->map, group->rates.exposure, group->rates.epoch);
	if (r < 0)
		return r;
	if (group->engine->count_whys)
		group->engine->count_whys(group, &whys);
	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);

		if (block->in_use && !group->engine->count_whys)
			count_block(group, block, &whys);
	}
	*ret = whys;
	return 0;
}
