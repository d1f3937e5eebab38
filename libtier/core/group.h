/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A group's state, for the files of the core that work on it: group.c feeds it, plan.c
 * makes plans of it.
 */
#ifndef TIER_CORE_GROUP_H
#define TIER_CORE_GROUP_H

#include "core/blockmap.h"
#include "core/phase.h"
#include "core/rates.h"

struct tier_group {
	struct tier_group_config config;
	struct tier_blockmap map;
	struct tier_rates rates;
	struct tier_phase phase;
	struct tier_group_stats stats;
	uint64_t now_ns;
	uint64_t cooled_ns; /* when counts were last halved; 0: time has not begun */
	uint64_t counted;   /* samples held in counts, decayed */
	uint64_t fast_pages;
	uint64_t resident_pages;
	uint64_t huge_blocks;
	size_t cool_cursor;
};

#endif
