/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model.h"

#include <string.h>

#include "core/hash.h"

static unsigned page_in_block(uint64_t address)
{
	return address / TIER_PAGE_SIZE % TIER_BLOCK_PAGES;
}

int model_find(const struct model *model, uint64_t space, uint64_t address)
{
	for (unsigned i = 0; i < model->history->n_blocks; i++)
		if (model->history->blocks[i].space == space &&
			model->history->blocks[i].address ==
				address / TIER_BLOCK_SIZE * TIER_BLOCK_SIZE)
			return i;
	return -1;
}

static unsigned draw_tier(
	const struct history *history, unsigned i, struct tier_random *random)
{
	unsigned tiers = history->blocks[i].tiers;

	return tiers == 0 ? history->n_tiers - 1 : tier_random_next(random) % tiers;
}

void model_draw_residency(const struct history *history, unsigned i, uint64_t seed,
	struct tier_residency *ret)
{
	struct tier_random random = { seed };
	bool huge = history->blocks[i].kind == HISTORY_HUGE;
	unsigned tier = draw_tier(history, i, &random);

	*ret = (struct tier_residency){ .huge = huge };
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		if (history->blocks[i].kind != HISTORY_PARTIAL ||
			tier_random_next(&random) % 2)
			tier_residency_add(
				ret, page, huge ? tier : draw_tier(history, i, &random));
}

static bool bit(const uint64_t *words, unsigned i)
{
	return words[i / 64] >> (i % 64) & 1;
}

void model_set_residency(
	struct model *model, unsigned i, const struct tier_residency *residency)
{
	struct model_block *block = &model->blocks[i];

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		if (!block->is_known || !block->resident[page])
			block->moved_ns[page] = MODEL_NEVER;
		block->resident[page] = bit(residency->resident, page);
		block->tier[page] =
			bit(residency->tier[0], page) + 2 * bit(residency->tier[1], page);
	}
	block->huge = residency->huge;
	block->is_known = true;
}

void model_drop(struct model *model, unsigned i)
{
	model->blocks[i] = (struct model_block){ 0 };
}

enum tier_sampled model_sampled(
	const struct model *model, uint64_t space, uint64_t address)
{
	int i = model_find(model, space, address);
	unsigned page = page_in_block(address);

	if (i < 0 || !model->blocks[i].is_known)
		return TIER_SAMPLED_UNKNOWN;
	if (!model->blocks[i].resident[page])
		return TIER_SAMPLED_UNCOVERED;
	return model->blocks[i].tier[page] == 0 ? TIER_SAMPLED_FAST : TIER_SAMPLED_SLOW;
}

static void complete_page(struct model_block *block, unsigned page,
	const struct tier_move *move, enum tier_result result, uint64_t now_ns)
{
	bool refuses = result == TIER_RESULT_BUSY || result == TIER_RESULT_UNSUPPORTED;

	if (result == TIER_RESULT_DONE) {
		block->tier[page] = move->to;
		block->moved_ns[page] = now_ns;
	} else if (result == TIER_RESULT_GONE ||
		   (refuses && move->direction == TIER_DEMOTE)) {
		block->resident[page] = false;
	}
}

void model_complete(struct model *model, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns)
{
	struct model_block *block =
		&model->blocks[model_find(model, move->space, move->address)];

	model->result_pages[move->direction][result] += move->pages;
	for (unsigned i = 0; i < move->pages; i++)
		complete_page(
			block, page_in_block(move->address) + i, move, result, now_ns);
	block->huge &= block->resident[page_in_block(move->address)];
}

uint64_t model_tier_pages(const struct model *model, unsigned tier)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < model->history->n_blocks; i++)
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
			pages += model->blocks[i].is_known &&
				 model->blocks[i].resident[page] &&
				 model->blocks[i].tier[page] == tier;
	return pages;
}
