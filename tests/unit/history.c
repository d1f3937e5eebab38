/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "history.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "core/hash.h"

#define MS_NS       UINT64_C(1000000)
#define SPACES      3
#define SAMPLES_MAX 6000

/* ---- Making one ---------------------------------------------------------------- */

static uint64_t below(struct tier_random *random, uint64_t n)
{
	return tier_random_next(random) % n;
}

static bool one_in(struct tier_random *random, uint64_t n)
{
	return below(random, n) == 0;
}

static void generate_block(struct tier_random *random, unsigned n_tiers, unsigned i,
	struct history_block *ret)
{
	static const enum history_kind kinds[] = { HISTORY_WHOLE, HISTORY_WHOLE,
		HISTORY_PARTIAL, HISTORY_HUGE };

	*ret = (struct history_block){
		.seed = tier_random_next(random),
		.space = below(random, SPACES),
		.address = HISTORY_BASE + i * TIER_BLOCK_SIZE,
		.kind = kinds[below(random, ARRAY_SIZE(kinds))],
		.tiers = below(random, n_tiers + 1),
	};
}

static uint64_t some_pages(struct tier_random *random, uint64_t pages)
{
	switch (below(random, 4)) {
	case 0:
		return TIER_UNLIMITED_PAGES;
	case 1:
		return below(random, 600);
	default:
		return below(random, pages + 1);
	}
}

static void generate_step(
	struct tier_random *random, uint64_t pages, struct history_step *ret)
{
	static const uint64_t passes_ms[] = { 0, 1, 250, 250, 1000, 6000, 40000 };

	*ret = (struct history_step){
		.seed = tier_random_next(random),
		.event = one_in(random, 2) ? below(random, HISTORY_EVENT_MAX)
					   : HISTORY_NOTHING,
		.pass_ns = passes_ms[below(random, ARRAY_SIZE(passes_ms))] * MS_NS,
		.skips_advance = one_in(random, 8),
		.samples = one_in(random, 4) ? 0 : below(random, SAMPLES_MAX),
		.reversed = one_in(random, 4),
		.exposure = below(random, 100) / 1000.0,
		.quota_pages = some_pages(random, pages),
		.owed_pages = one_in(random, 4) ? below(random, pages / 8 + 1) : 0,
		.budget_pages = some_pages(random, pages),
		.uncovered_pages = one_in(random, 3) ? below(random, 1000) : 0,
		.failing_percent = one_in(random, 2) ? below(random, 101) : 0,
		.carrying_out_ns = below(random, 1000) * MS_NS,
	};
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		ret->room_pages[tier] = some_pages(random, pages);
}

/* Nothing tells one page from another: none comes later, or comes back without its count.
 */
static void make_even(struct history_step *step)
{
	step->even = true;
	step->event = HISTORY_NOTHING;
	step->failing_percent = 0;
}

/* In some histories all pages are alike from beginning to end. */
void history_generate(void *ret_history, uint64_t seed)
{
	struct history *history = ret_history;
	struct tier_random random = { tier_hash(seed) };
	bool even = one_in(&random, 8);

	memset(history, 0, sizeof(*history));
	history->seed = seed;
	history->engine =
		one_in(&random, 2) ? below(&random, TIER_ENGINE_MAX) : TIER_ENGINE_RANK;
	history->n_tiers = 2 + below(&random, TIER_TIERS_MAX - 1);
	history->cool_down_ns = below(&random, 8000) * MS_NS;
	history->half_life_ns = (1 + below(&random, 60000)) * MS_NS;
	history->margin = 1 + below(&random, 100) / 100.0;
	history->store_weight = one_in(&random, 2) ? 1 : 0.25;
	history->n_blocks = 1 + below(&random, 1 + below(&random, HISTORY_BLOCKS_MAX));
	for (unsigned i = 0; i < history->n_blocks; i++)
		generate_block(&random, history->n_tiers, i, &history->blocks[i]);
	history->n_steps = 1 + below(&random, HISTORY_STEPS_MAX);
	for (unsigned i = 0; i < history->n_steps; i++) {
		generate_step(&random, history->n_blocks * TIER_BLOCK_PAGES,
			&history->steps[i]);
		if (even)
			make_even(&history->steps[i]);
	}
}

/* ---- Making it simpler --------------------------------------------------------- */

#define SIMPLER(field, value)                                \
	({                                                   \
		bool _differs = (field) != (value);          \
		(field) = (value);                           \
		_differs ? PROPERTY_SIMPLER : PROPERTY_SAME; \
	})

static enum property_simplified simplify_all(struct history *history, unsigned way)
{
	switch (way) {
	case 0:
		if (history->n_steps < 2)
			return PROPERTY_SAME;
		history->n_steps /= 2;
		return PROPERTY_SIMPLER;
	case 1:
		if (history->n_blocks < 2)
			return PROPERTY_SAME;
		history->n_blocks /= 2;
		return PROPERTY_SIMPLER;
	case 2:
		if (history->n_tiers > 2)
			for (unsigned i = 0; i < history->n_blocks; i++)
				history->blocks[i].tiers =
					TIER_MIN(history->blocks[i].tiers, 2U);
		return SIMPLER(history->n_tiers, 2U);
	case 3:
		return SIMPLER(history->store_weight, 1.0);
	case 4:
		return SIMPLER(history->margin, 1.0);
	case 5:
		return SIMPLER(history->half_life_ns, 300000 * MS_NS);
	case 6:
		return SIMPLER(history->cool_down_ns, 5000 * MS_NS);
	case 7:
		return SIMPLER(history->engine, TIER_ENGINE_RANK);
	default:
		return PROPERTY_END;
	}
}

static enum property_simplified simplify_block(
	struct history *history, unsigned i, unsigned way)
{
	struct history_block *block = &history->blocks[i];

	switch (way) {
	case 0:
		if (history->n_blocks < 2)
			return PROPERTY_SAME;
		history->n_blocks--;
		memmove(block, block + 1, (history->n_blocks - i) * sizeof(*block));
		return PROPERTY_SIMPLER;
	case 1:
		return SIMPLER(block->space, 0U);
	case 2:
		return SIMPLER(block->kind, HISTORY_WHOLE);
	case 3:
		return block->tiers == 0 ? PROPERTY_SAME : SIMPLER(block->tiers, 1U);
	default:
		return PROPERTY_END;
	}
}

static enum property_simplified simplify_room(struct history_step *step)
{
	enum property_simplified simplified = PROPERTY_SAME;

	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++) {
		if (step->room_pages[tier] != TIER_UNLIMITED_PAGES)
			simplified = PROPERTY_SIMPLER;
		step->room_pages[tier] = TIER_UNLIMITED_PAGES;
	}
	return simplified;
}

static enum property_simplified simplify_limits(struct history_step *step, unsigned way)
{
	switch (way) {
	case 0:
		return SIMPLER(step->quota_pages, TIER_UNLIMITED_PAGES);
	case 1:
		return simplify_room(step);
	case 2:
		return SIMPLER(step->owed_pages, 0U);
	case 3:
		return SIMPLER(step->budget_pages, TIER_UNLIMITED_PAGES);
	case 4:
		return SIMPLER(step->uncovered_pages, 0U);
	case 5:
		return SIMPLER(step->failing_percent, 0U);
	case 6:
		return SIMPLER(step->carrying_out_ns, 0U);
	default:
		return PROPERTY_END;
	}
}

static enum property_simplified simplify_step(
	struct history *history, unsigned i, unsigned way)
{
	struct history_step *step = &history->steps[i];

	switch (way) {
	case 0:
		if (history->n_steps < 2)
			return PROPERTY_SAME;
		history->n_steps--;
		memmove(step, step + 1, (history->n_steps - i) * sizeof(*step));
		return PROPERTY_SIMPLER;
	case 1:
		return SIMPLER(step->event, HISTORY_NOTHING);
	case 2:
		return SIMPLER(step->samples, 0U);
	case 3:
		return step->samples == 0 ? PROPERTY_SAME
					  : SIMPLER(step->samples, step->samples / 2);
	case 4:
		return SIMPLER(step->reversed, false);
	case 5:
		return SIMPLER(step->skips_advance, false);
	case 6:
		return SIMPLER(step->pass_ns, 0U);
	default:
		return simplify_limits(step, way - 7);
	}
}

/* Ways are numbered: those of the whole, of each block, of each step. */
#define WAYS_MAX 16

enum property_simplified history_simplify(void *tried, unsigned way)
{
	struct history *history = tried;
	unsigned part = way / WAYS_MAX, i = way % WAYS_MAX;
	enum property_simplified simplified;

	if (part == 0)
		simplified = simplify_all(history, i);
	else if (part <= HISTORY_STEPS_MAX)
		simplified = part - 1 < history->n_steps
				     ? simplify_step(history, part - 1, i)
				     : PROPERTY_END;
	else if (part <= HISTORY_STEPS_MAX + HISTORY_BLOCKS_MAX)
		simplified =
			part - 1 - HISTORY_STEPS_MAX < history->n_blocks
				? simplify_block(history, part - 1 - HISTORY_STEPS_MAX, i)
				: PROPERTY_END;
	else
		return PROPERTY_END;
	return simplified == PROPERTY_END ? PROPERTY_SAME : simplified;
}

/* ---- Showing it ---------------------------------------------------------------- */

static const char *const kinds[HISTORY_KIND_MAX] = { "whole", "partial", "huge" };

static const char *const events[HISTORY_EVENT_MAX] = {
	[HISTORY_NOTHING] = "nothing happens",
	[HISTORY_FORGET] = "a space is forgotten",
	[HISTORY_KEEP] = "ranges are unmapped",
	[HISTORY_SWEEP] = "residency has changed",
	[HISTORY_DECREE] = "a change is announced",
};

static void print_pages(FILE *f, const char *name, uint64_t pages)
{
	if (pages == TIER_UNLIMITED_PAGES)
		fprintf(f, ", %s unlimited", name);
	else
		fprintf(f, ", %s %" PRIu64, name, pages);
}

static void print_step(const struct history_step *step, FILE *f)
{
	fprintf(f, "  step: %s, %" PRIu64 " ms pass%s, ", events[step->event],
		step->pass_ns / MS_NS, step->skips_advance ? " untold" : "");
	if (step->even)
		fprintf(f, "each page is sampled alike");
	else
		fprintf(f, "%" PRIu32 " samples%s", step->samples,
			step->reversed ? ", hot and cold reversed" : "");
	fprintf(f, ", exposure %g;\n        plan", step->exposure);
	print_pages(f, "quota", step->quota_pages);
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		print_pages(f, "room", step->room_pages[tier]);
	print_pages(f, "owed", step->owed_pages);
	print_pages(f, "budget", step->budget_pages);
	print_pages(f, "uncovered", step->uncovered_pages);
	fprintf(f, "; carried out in %" PRIu64 " ms, %u %% fail\n",
		step->carrying_out_ns / MS_NS, step->failing_percent);
}

void history_print(const void *tried, FILE *f)
{
	const struct history *history = tried;

	fprintf(f,
		"  engine %s, %u tiers, cool-down %" PRIu64 " ms, half-life %" PRIu64
		" ms, margin %g, store weight %g\n",
		tier_engine_to_string(history->engine), history->n_tiers,
		history->cool_down_ns / MS_NS, history->half_life_ns / MS_NS,
		history->margin, history->store_weight);
	for (unsigned i = 0; i < history->n_blocks; i++)
		fprintf(f,
			"  block 0x%" PRIx64 " of space %" PRIu64 ": %s, %s %u tiers\n",
			history->blocks[i].address, history->blocks[i].space,
			kinds[history->blocks[i].kind],
			history->blocks[i].tiers ? "spread over" : "in the last of",
			history->blocks[i].tiers ? history->blocks[i].tiers
						 : history->n_tiers);
	for (unsigned i = 0; i < history->n_steps; i++)
		print_step(&history->steps[i], f);
}
