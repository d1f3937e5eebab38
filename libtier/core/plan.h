/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A finished plan; engines make it, and the migrator copies it. */
#ifndef TIER_CORE_PLAN_H
#define TIER_CORE_PLAN_H

#include "libtier.h"

struct tier_plan {
	uint64_t owed_pages;
	uint64_t room_pages;
	unsigned upper;
	unsigned lower;
	bool is_cut_short;
	size_t n_moves;
	struct tier_move moves[];
};

/* A plan with room for @n_moves and none in it; NULL if there is no memory. */
struct tier_plan *tier_plan_new(size_t n_moves);

/* The tier demotions to below @upper go to: the first with room, or else the next. */
unsigned tier_plan_choose_lower(const struct tier_group_config *config,
	const struct tier_limits *limits, unsigned upper);

#endif
