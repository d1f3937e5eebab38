/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A history is all that happens to a group: which blocks there are, and step by step what
 * changes, what is accessed, what a plan may use and how moves turn out. It is plain
 * data, made of a seed, and can be made simpler part by part: each part draws its chances
 * from a seed of its own, so that taking one away leaves the others what they were.
 */
#ifndef TEST_HISTORY_H
#define TEST_HISTORY_H

#include "libtier.h"
#include "property.h"

#define HISTORY_BLOCKS_MAX 24
#define HISTORY_STEPS_MAX  12
#define HISTORY_BASE       UINT64_C(0x5500000000)

enum history_kind {
	HISTORY_WHOLE,
	HISTORY_PARTIAL, /* some pages are not resident */
	HISTORY_HUGE,
	HISTORY_KIND_MAX,
};

struct history_block {
	uint64_t seed;
	uint64_t space;
	uint64_t address;
	enum history_kind kind;
	unsigned tiers; /* its pages are in the first so many; 0: all in the last */
};

enum history_event {
	HISTORY_NOTHING,
	HISTORY_FORGET, /* one address space ends */
	HISTORY_KEEP,   /* some ranges are unmapped */
	HISTORY_SWEEP,  /* residency is looked up anew, and has changed */
	HISTORY_DECREE, /* tier_group_expect_change() */
	HISTORY_EVENT_MAX,
};

struct history_step {
	uint64_t seed;
	enum history_event event;
	uint64_t pass_ns;   /* until the plan */
	bool skips_advance; /* the plan comes without tier_group_advance() */
	uint32_t samples;
	bool reversed; /* what was hot is cold */
	bool even;     /* each page has the same number of samples instead */
	double exposure;
	uint64_t quota_pages;
	uint64_t room_pages[TIER_TIERS_MAX];
	uint64_t owed_pages;
	uint64_t budget_pages;
	uint64_t uncovered_pages; /* fast ones that nobody told the group of */
	unsigned failing_percent;
	uint64_t carrying_out_ns;
};

struct history {
	uint64_t seed;
	enum tier_engine engine;
	unsigned n_tiers;
	uint64_t cool_down_ns;
	uint64_t half_life_ns;
	double margin;
	double store_weight;
	unsigned n_blocks;
	struct history_block blocks[HISTORY_BLOCKS_MAX];
	unsigned n_steps;
	struct history_step steps[HISTORY_STEPS_MAX];
};

/* As struct property has them; cases are histories. */
void history_generate(void *ret_history, uint64_t seed);
enum property_simplified history_simplify(void *history, unsigned way);
void history_print(const void *history, FILE *f);

#endif
