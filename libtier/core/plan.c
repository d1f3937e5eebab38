/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/plan.h"

#include <stdlib.h>

#include "base/util.h"

struct tier_plan *tier_plan_new(size_t n_moves)
{
	struct tier_plan *plan;

	plan = calloc(1, sizeof(*plan) + n_moves * sizeof(plan->moves[0]));
	if (plan)
		plan->lower = 1;
	return plan;
}

unsigned tier_plan_choose_lower(const struct tier_group_config *config,
	const struct tier_limits *limits, unsigned upper)
{
	for (unsigned tier = upper + 1; tier < config->n_tiers; tier++)
		if (limits->room_pages[tier] > 0)
			return tier;
	return upper + 1;
}

_public_ struct tier_plan *tier_plan_free(struct tier_plan *plan)
{
	free(plan);
	return NULL;
}

_public_ const struct tier_move *tier_plan_moves(
	const struct tier_plan *plan, size_t *ret_n)
{
	*ret_n = plan->n_moves;
	return plan->moves;
}

_public_ void tier_plan_get_tiers(
	const struct tier_plan *plan, unsigned *ret_upper, unsigned *ret_lower)
{
	*ret_upper = plan->upper;
	*ret_lower = plan->lower;
}

_public_ uint64_t tier_plan_owed_pages(const struct tier_plan *plan)
{
	return plan->owed_pages;
}

_public_ uint64_t tier_plan_room_pages(const struct tier_plan *plan)
{
	return plan->room_pages;
}

_public_ bool tier_plan_is_cut_short(const struct tier_plan *plan)
{
	return plan->is_cut_short;
}
