/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "book-checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "plan-checks.h"

/* ---- Pages --------------------------------------------------------------------- */

static bool block_is_true(const struct model *model, unsigned i,
	const struct tier_group *group, char ret_why[static PROPERTY_WHY_MAX])
{
	const struct model_block *known = &model->blocks[i];
	const struct history_block *place = &model->history->blocks[i];
	const struct tier_slot *slot = tier_blockmap_find(
		&group->map, place->space, place->address >> TIER_BLOCK_SHIFT);
	const struct tier_block *block;

	HOLD(known->is_known == (slot != NULL), "block %u is there or not", i);
	if (!slot)
		return true;
	block = tier_blockmap_at(&group->map, slot->index);
	HOLD(block->huge == known->huge, "block %u is huge or not", i);
	HOLD(slot->epoch == block->epoch && slot->changed == block->listed,
		"the slot of block %u is behind it", i);
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		HOLD(tier_block_has(block, page) == known->resident[page],
			"page %u of block %u is there or not", page, i);
		HOLD(!known->resident[page] ||
				tier_block_tier(block, page) == known->tier[page],
			"page %u of block %u is not in tier %u", page, i,
			known->tier[page]);
		HOLD(known->resident[page] || block->count[page] == 0,
			"page %u of block %u is gone and has a count", page, i);
	}
	return true;
}

static bool sums_are_true(const struct model *model, const struct tier_group *group,
	char ret_why[static PROPERTY_WHY_MAX])
{
	struct tier_group_stats stats;
	uint64_t blocks = 0, huge_blocks = 0;

	tier_group_get_stats(group, &stats);
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		HOLD(stats.tier_pages[tier] == model_tier_pages(model, tier),
			"tier %u has %zu pages, not %zu", tier,
			(size_t)model_tier_pages(model, tier),
			(size_t)stats.tier_pages[tier]);
	for (unsigned i = 0; i < model->history->n_blocks; i++) {
		blocks += model->blocks[i].is_known;
		huge_blocks += model->blocks[i].is_known && model->blocks[i].huge;
	}
	HOLD(stats.blocks == blocks && stats.huge_blocks == huge_blocks,
		"%zu blocks, %zu huge", (size_t)stats.blocks, (size_t)stats.huge_blocks);
	HOLD(memcmp(stats.result_pages, model->result_pages,
		     sizeof(stats.result_pages)) == 0,
		"results are counted wrong");
	return true;
}

/* ---- The census ---------------------------------------------------------------- */

/* Takes the block's pages into a map of its own. */
static bool copy_block(struct tier_blockmap *fresh, const struct tier_block *block)
{
	struct tier_slot *slot;
	struct tier_block *copy;

	if (tier_blockmap_add(fresh, block->space, block->number, block->epoch, &slot) <
		0)
		return false;
	copy = tier_blockmap_at(fresh, slot->index);
	copy->born = block->born;
	copy->huge = block->huge;
	copy->has_policy = block->has_policy;
	memcpy(copy->words, block->words, sizeof(copy->words));
	memcpy(copy->count, block->count, sizeof(copy->count));
	return true;
}

/* Ages are binned by what they were when the block last changed. */
static struct tier_cohort_key ageless(const struct tier_block *block)
{
	struct tier_cohort_key key = block->cohort->key;

	key.born = 0;
	key.born_step = 0;
	return key;
}

static bool block_is_counted(const struct tier_block *block,
	const struct tier_blockmap *fresh, char ret_why[static PROPERTY_WHY_MAX])
{
	const struct tier_block *copy = tier_blockmap_at(
		fresh, tier_blockmap_find(fresh, block->space, block->number)->index);
	struct tier_cohort_key key, fresh_key;

	HOLD(block->cohort != NULL, "a block is in no cohort");
	HOLD(block->sum == copy->sum && block->pairs == copy->pairs &&
			block->resident_pages == copy->resident_pages &&
			memcmp(block->tier_pages, copy->tier_pages,
				sizeof(block->tier_pages)) == 0 &&
			memcmp(block->classes, copy->classes, sizeof(block->classes)) ==
				0 &&
			memcmp(block->large, copy->large, sizeof(block->large)) == 0,
		"the stock of block 0x%zx is old", (size_t)block->number);
	key = ageless(block);
	fresh_key = ageless(copy);
	HOLD(memcmp(&key, &fresh_key, sizeof(key)) == 0,
		"block 0x%zx is in the wrong cohort", (size_t)block->number);
	return true;
}

static bool cohort_is_true(const struct tier_cohort *cohort,
	const struct tier_blockmap *map, char ret_why[static PROPERTY_WHY_MAX])
{
	uint64_t sum = 0, pairs = 0, resident = 0, n = 0;
	uint32_t pages[TIER_TIERS_MAX][TIER_HISTOGRAM_BINS] = { 0 };

	for (uint32_t i = cohort->first; i != TIER_BLOCK_NONE;
		i = tier_blockmap_at(map, i)->next) {
		const struct tier_block *block = tier_blockmap_at(map, i);

		HOLD(block->in_use && block->cohort == cohort,
			"a cohort has a block that is not its own");
		n++;
		sum += block->sum;
		pairs += block->pairs;
		resident += block->resident_pages;
		for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
			for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
				pages[tier][bin] +=
					tier_block_class_pages(block, tier, bin);
	}
	HOLD(n > 0 && n == cohort->n_blocks && sum == cohort->sum &&
			pairs == cohort->pairs && resident == cohort->resident_pages,
		"a cohort's sums are not its blocks'");
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
			HOLD(pages[tier][bin] == cohort->cells[tier][bin].pages,
				"a cohort's cells are not its blocks'");
	return true;
}

static bool compare_census(const struct tier_group *group,
	const struct tier_blockmap *fresh, char ret_why[static PROPERTY_WHY_MAX])
{
	size_t n = 0;

	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);

		if (block->in_use && !block_is_counted(block, fresh, ret_why))
			return false;
	}
	for (const struct tier_cohort *c = group->census.cohorts; c; c = c->hh.next) {
		if (!cohort_is_true(c, &group->map, ret_why))
			return false;
		n += c->n_blocks;
	}
	HOLD(n == group->map.n_blocks, "%zu blocks are counted", n);
	return true;
}

static bool census_is_true(
	const struct tier_group *group, char ret_why[static PROPERTY_WHY_MAX])
{
	struct tier_blockmap fresh;
	struct tier_census census = { 0 };
	bool is_true = true;

	tier_blockmap_init(&fresh);
	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);

		is_true &= !block->in_use || copy_block(&fresh, block);
	}
	is_true = is_true &&
		  tier_census_update(&census, &fresh, group->rates.exposure,
			  group->rates.epoch) == 0 &&
		  compare_census(group, &fresh, ret_why);
	tier_census_done(&census);
	tier_blockmap_done(&fresh);
	return is_true;
}

/* ---- What is shown ------------------------------------------------------------- */

/* Pages by count, straight from the counts; all must have been cooled. */
static void count_bins(const struct tier_group *group,
	uint64_t ret_pages[static 2 * TIER_HISTOGRAM_BINS])
{
	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);
		unsigned sum = 0;

		if (!block->in_use)
			continue;
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
			sum += block->count[page];
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
			unsigned count = block->huge ? (sum + TIER_BLOCK_PAGES - 1) /
							       TIER_BLOCK_PAGES
						     : block->count[page];
			bool slow = tier_block_tier(block, page) > 0;

			if (tier_block_has(block, page))
				ret_pages[slow * TIER_HISTOGRAM_BINS +
					  tier_count_bin(count)]++;
		}
	}
}

static bool all_is_cooled(const struct tier_group *group)
{
	for (uint32_t i = 0; i < tier_blockmap_end(&group->map); i++) {
		const struct tier_block *block = tier_blockmap_at(&group->map, i);

		if (block->in_use && block->epoch != group->rates.epoch)
			return false;
	}
	return true;
}

static bool histogram_is_true(const struct tier_group *group,
	const struct tier_histogram *histogram, char ret_why[static PROPERTY_WHY_MAX])
{
	uint64_t pages[2 * TIER_HISTOGRAM_BINS] = { 0 }, fast = 0, all = 0;

	count_bins(group, pages);
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		fast += histogram->fast_pages[bin];
		all += histogram->fast_pages[bin] + histogram->slow_pages[bin];
		HOLD(!all_is_cooled(group) ||
				(histogram->fast_pages[bin] == pages[bin] &&
					histogram->slow_pages[bin] ==
						pages[TIER_HISTOGRAM_BINS + bin]),
			"bin %u of the histogram is wrong", bin);
	}
	HOLD(fast == group->tier_pages[0] && all == tier_group_resident_pages(group),
		"the histogram sums to %zu fast and %zu pages", (size_t)fast,
		(size_t)all);
	return true;
}

static bool curve_rises(
	const struct tier_group *group, char ret_why[static PROPERTY_WHY_MAX])
{
	struct tier_curve curve;

	tier_group_get_curve(group, &curve);
	for (unsigned i = 0; i < TIER_CURVE_POINTS; i++)
		HOLD(curve.samples == 0
				? isnan(curve.share[i])
				: curve.share[i] >= 0 && curve.share[i] <= 1 &&
					  (i == 0 ||
						  (curve.share[i] >= curve.share[i - 1] &&
							  curve.pages[i] >=
								  curve.pages[i - 1])),
			"point %u of the curve is %g", i, curve.share[i]);
	return true;
}

static bool list_is_true(
	const struct tier_group *group, char ret_why[static PROPERTY_WHY_MAX])
{
	_cleanup_(freep) struct tier_block_info *blocks = NULL;
	uint64_t fast = 0, resident = 0;
	size_t n;

	HOLD(tier_group_list_blocks(group, &blocks, &n) == 0, "no list");
	HOLD(n == group->map.n_blocks, "%zu blocks are listed", n);
	for (size_t i = 0; i < n; i++) {
		fast += blocks[i].fast_pages;
		resident += blocks[i].resident_pages;
		HOLD(i == 0 || blocks[i - 1].space < blocks[i].space ||
				(blocks[i - 1].space == blocks[i].space &&
					blocks[i - 1].address < blocks[i].address),
			"the list is not sorted");
	}
	HOLD(fast == group->tier_pages[0] && resident == tier_group_resident_pages(group),
		"the list sums to %zu fast and %zu pages", (size_t)fast,
		(size_t)resident);
	return true;
}

bool books_are_true(const struct model *model, struct tier_group *group,
	char ret_why[static PROPERTY_WHY_MAX])
{
	struct tier_histogram histogram;

	for (unsigned i = 0; i < model->history->n_blocks; i++)
		if (!block_is_true(model, i, group, ret_why))
			return false;
	HOLD(tier_group_get_histogram(group, &histogram) == 0, "no histogram");
	return sums_are_true(model, group, ret_why) && census_is_true(group, ret_why) &&
	       histogram_is_true(group, &histogram, ret_why) &&
	       curve_rises(group, ret_why) && list_is_true(group, ret_why);
}

bool classes_are_whole(
	const struct tier_group *group, char ret_why[static PROPERTY_WHY_MAX])
{
	struct tier_group_stats stats;
	struct tier_classes *classes = &stats.classes;

	tier_group_get_stats(group, &stats);
	HOLD(classes->hot_pages + classes->warm_pages + classes->cold_pages +
				classes->unknown_pages ==
			stats.resident_pages,
		"classes do not sum to the resident pages");
	return true;
}
