/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A group's state, for the files of the core that work on it: group.c feeds it, engines
 * make plans of it.
 */
#ifndef TIER_CORE_GROUP_H
#define TIER_CORE_GROUP_H

#include "core/blockmap.h"
#include "core/census.h"
#include "core/curve.h"
#include "core/engine.h"
#include "core/hash.h"
#include "core/ledger.h"
#include "core/phase.h"
#include "core/rates.h"

struct tier_group {
	struct tier_group_config config;
	const struct tier_engine_ops *engine;
	void *engine_state;
	struct tier_blockmap map;
	struct tier_census census;
	struct tier_rates rates;
	struct tier_phase phase;
	struct tier_scores scores;
	struct tier_ledger ledger;
	struct tier_group_stats stats;
	uint64_t now_ns;
	uint64_t planned_ns; /* when the last plan was made */
	uint64_t cooled_ns;  /* when counts were last halved; 0: time has not begun */
	uint64_t counted;    /* samples since then, decayed */
	uint64_t collapse_from_ns; /* before that no huge page is to be had */
	uint64_t tier_pages[TIER_TIERS_MAX];
	uint64_t huge_blocks;
	uint32_t load_keep;  /* of 2^32 loads so many less one are counted, … */
	uint32_t store_keep; /* … and of 2^32 stores */
	struct tier_random thinning;
	unsigned boundary; /* which the last plan was about */
	uint32_t cool_cursor;
	tier_group_tap_t tap; /* NULL: nobody listens */
	void *tap_userdata;
};

/* Pages of all tiers. */
uint64_t tier_group_resident_pages(const struct tier_group *group);

#endif
