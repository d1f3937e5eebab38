/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A finished plan; plan.c makes it, and the migrator copies it. */
#ifndef TIER_CORE_PLAN_H
#define TIER_CORE_PLAN_H

#include "libtier.h"

struct tier_plan {
	uint64_t owed_pages;
	bool is_cut_short;
	size_t n_moves;
	struct tier_move moves[];
};

#endif
