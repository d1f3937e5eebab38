/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What engine rank keeps from plan to plan: the scale of the last one, and what was
 * decided at each boundary when it was last looked at. It serves those who ask why a page
 * stays where it is.
 */
#ifndef TIER_CORE_RANK_H
#define TIER_CORE_RANK_H

#include "core/decision.h"
#include "core/group.h"

struct tier_rank {
	struct tier_scale scale;
	struct tier_decision decisions[TIER_TIERS_MAX - 1]; /* by their upper tier */
};

void tier_rank_explain(const struct tier_group *group, const struct tier_block *block,
	unsigned page, struct tier_explanation *ret);
void tier_rank_count_whys(const struct tier_group *group, struct tier_whys *ret);

#endif
