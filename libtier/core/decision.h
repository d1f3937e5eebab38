/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How far a plan of engine rank goes at one boundary: down the slow pages, hottest first,
 * and up the fast ones, coldest first. It is decided twice, within the plan's budget and
 * as if there were none, so that a page that only waits for its turn can be told from one
 * whose move would not pay. What was decided is kept, and is what answers for each page
 * that stays: there is no second opinion.
 */
#ifndef TIER_CORE_DECISION_H
#define TIER_CORE_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/layout.h"
#include "core/rank-picks.h"

/* How far one direction goes: to this bin of the layout. */
struct tier_edge {
	bool is_any; /* something is moved at all */
	unsigned bin;
	bool is_whole; /* all of the bin is */
};

struct tier_reach {
	struct tier_mark up;
	struct tier_mark down;
	struct tier_edge up_edge;
	struct tier_edge down_edge;
	uint64_t owed; /* pages to be demoted first */
	uint64_t room; /* pages that promotions may take before a demotion gives */
	bool is_cut_short;
};

struct tier_decision {
	bool is_made;
	unsigned upper;
	unsigned lower;
	uint64_t held;  /* pages in the upper tier, … */
	uint64_t quota; /* … and how many there may be */
	double cut;
	uint64_t budget;
	uint64_t quota_owed;
	bool node_is_full;       /* the quota has room that the tier has not */
	struct tier_reach now;   /* within the budget */
	struct tier_reach whole; /* with no end to it */
};

/* Classes, and the band around the cut within which a move would not pay: bins. */
struct tier_cut {
	int bin;
	int band;
};

struct tier_cut tier_cut_of(
	const struct tier_group *group, const struct tier_scale *scale);
enum tier_class tier_cut_classify(
	const struct tier_cut *cut, const struct tier_cell *cell, bool is_known);

/* Whether what is believed of pages reaches from below the cut to above it, by more than
 * the band; @spread is by how many bins they differ from what is believed of their kind.
 * Of unknown ones anything may be. */
bool tier_cut_is_in_doubt(const struct tier_cut *cut, const struct tier_cell *cell,
	bool is_known, int spread);

/* Decides about the boundary below @upper. */
void tier_decision_make(struct tier_decision *decision, const struct tier_group *group,
	const struct tier_limits *limits, const struct tier_layout *layout,
	unsigned upper);

/* A page as a decision sees it. */
struct tier_standing {
	unsigned tier;
	const struct tier_cell *cell;
	bool is_resting;
	enum tier_class class;
};

/* Whether a page that rests is passed over. */
bool tier_decision_spares_resting(
	const struct tier_decision *decision, enum tier_direction direction);

/* Why the page is where it is, as far as this boundary goes. */
enum tier_why tier_decision_judge(
	const struct tier_decision *decision, const struct tier_standing *page);

#endif
