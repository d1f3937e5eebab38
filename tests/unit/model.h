/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a group should know of its pages, kept in the most naive way: one entry a page. It
 * follows what libtier.h promises and knows nothing of how libtier does it.
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

#include "history.h"
#include "libtier.h"

#define MODEL_NEVER UINT64_MAX

struct model_block {
	bool is_known;
	bool huge;
	bool resident[TIER_BLOCK_PAGES];
	uint8_t tier[TIER_BLOCK_PAGES];
	uint64_t moved_ns[TIER_BLOCK_PAGES]; /* when it was moved, or MODEL_NEVER */
};

struct model {
	const struct history *history;
	struct model_block blocks[HISTORY_BLOCKS_MAX];
	uint64_t result_pages[TIER_DIRECTION_MAX][TIER_RESULT_MAX];
};

/* The index of the block that holds the address, or -1. */
int model_find(const struct model *model, uint64_t space, uint64_t address);

/* Draws what is resident in a block as its kind has it, and where. */
void model_draw_residency(const struct history *history, unsigned i, uint64_t seed,
	struct tier_residency *ret);
void model_set_residency(
	struct model *model, unsigned i, const struct tier_residency *residency);
void model_drop(struct model *model, unsigned i);

enum tier_sampled model_sampled(
	const struct model *model, uint64_t space, uint64_t address);
void model_complete(struct model *model, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns);

/* Pages known to be in a tier. */
uint64_t model_tier_pages(const struct model *model, unsigned tier);

#endif
