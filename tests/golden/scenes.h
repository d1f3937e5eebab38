/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the golden traces show: small groups whose accesses follow a table. A scene knows
 * no engine; whatever its plans would move, it goes on as if nothing had moved, and it is
 * the replay that keeps count. All numbers are whole, so that every machine makes the
 * same trace.
 */
#ifndef TEST_GOLDEN_SCENES_H
#define TEST_GOLDEN_SCENES_H

#include "libtier.h"

struct scene {
	const char *name;
	unsigned n_blocks;
	unsigned
		tier_blocks[TIER_TIERS_MAX]; /* they lie in, from the lowest address on */
	bool huge;                           /* blocks are huge pages */
	bool zipf;        /* page k from the end has weight 1 / k; else … */
	unsigned hot;     /* … the last so many pages get … */
	unsigned percent; /* … so many of a hundred accesses, the others the rest */
	bool scattered;   /* pages are in no order */
	bool timed;       /* samples carry times of their own */
	uint64_t quota_pages;
	uint64_t owed_pages;
	uint64_t room_pages[TIER_TIERS_MAX];
	uint64_t budget_pages;
};

/* In the order of their names, up to the first without one. */
extern const struct scene scenes[];

unsigned scene_n_tiers(const struct scene *scene);

/* Writes the scene's trace. Errors: -ENOMEM, and what @write returns. */
int scene_write(const struct scene *scene, tier_trace_write_t write, void *userdata);

#endif
