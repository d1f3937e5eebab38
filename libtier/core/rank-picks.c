/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/rank-picks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "core/layout.h"

bool tier_mark_fall(struct tier_mark *mark, const uint64_t *bins)
{
	while (tier_mark_left(mark, bins) == 0) {
		if (mark->bin == 0)
			return false;
		*mark = (struct tier_mark){ mark->bin - 1, 0, mark->pages };
	}
	return true;
}

bool tier_mark_rise(struct tier_mark *mark, const uint64_t *bins)
{
	while (tier_mark_left(mark, bins) == 0) {
		if (mark->bin == TIER_RATE_BINS - 1)
			return false;
		*mark = (struct tier_mark){ mark->bin + 1, 0, mark->pages };
	}
	return true;
}

int tier_picks_init(
	struct tier_picks *picks, const struct tier_mark *mark, bool hottest_first)
{
	picks->left = mark->pages;
	picks->left_in_bin = mark->taken;
	picks->mark_bin = mark->bin;
	picks->hottest_first = hottest_first;
	if (mark->pages == 0)
		return 0;
	picks->moves = calloc(mark->pages, sizeof(*picks->moves));
	picks->bins = calloc(mark->pages, sizeof(*picks->bins));
	return picks->moves && picks->bins ? 0 : -ENOMEM;
}

void tier_picks_done(struct tier_picks *picks)
{
	free(picks->moves);
	free(picks->bins);
}

void tier_picks_add(struct tier_picks *picks, const struct tier_block *block,
	unsigned page, const struct tier_pick *pick)
{
	uint64_t counted = TIER_MIN((uint64_t)pick->pages, picks->left);

	picks->bins[picks->n] = pick->bin;
	picks->moves[picks->n++] = (struct tier_move){
		.space = block->space,
		.address = tier_block_address(block, page),
		.pages = pick->pages,
		.direction = pick->direction,
		.from = pick->from,
		.to = pick->to,
		.rate = pick->rate,
	};
	picks->pages += pick->pages;
	picks->left -= counted;
	if (pick->bin == picks->mark_bin)
		picks->left_in_bin -= TIER_MIN(counted, picks->left_in_bin);
}

/* A stable counting sort. */
void tier_picks_sort(const struct tier_picks *picks, struct tier_move *out)
{
	size_t start[TIER_RATE_BINS + 1] = { 0 };
	unsigned flip = picks->hottest_first ? TIER_RATE_BINS - 1 : 0;

	for (size_t i = 0; i < picks->n; i++)
		start[(picks->bins[i] ^ flip) + 1]++;
	for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++)
		start[bin + 1] += start[bin];
	for (size_t i = 0; i < picks->n; i++)
		out[start[picks->bins[i] ^ flip]++] = picks->moves[i];
}
