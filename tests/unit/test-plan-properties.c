/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for every group and plan, tried on random histories (history.h). Two groups
 * live through each: one gets its samples all at once and the other one by one, and both
 * have to agree to the byte. After each step their books are held against a model, and
 * each plan against what plans promise.
 *
 *     test-plan-properties [--worlds N] [--seed S]
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/util.h"
#include "book-checks.h"
#include "core/hash.h"
#include "plan-checks.h"

#define START_NS    (UINT64_C(100) * 1000 * 1000 * 1000)
#define SAMPLES_MAX (2 * HISTORY_BLOCKS_MAX * TIER_BLOCK_PAGES)

static struct property_options options = { .seed = 1, .worlds = 2000 };

struct life {
	const struct history *history;
	struct tier_group_config config;
	struct tier_group *groups[2];
	struct model model;
	uint64_t now_ns;
	struct tier_sample samples[SAMPLES_MAX];
	uint8_t sampled[SAMPLES_MAX];
};

/* ---- Samples ------------------------------------------------------------------- */

/* Low numbers are likelier. */
static unsigned skewed(struct tier_random *random, unsigned n)
{
	uint64_t x = tier_random_next(random) % 4096;

	return x * x * n / (4096 * 4096);
}

static struct tier_sample draw_sample(const struct life *life,
	const struct history_step *step, struct tier_random *random)
{
	unsigned n = life->history->n_blocks, i = skewed(random, n);
	const struct history_block *block =
		&life->history->blocks[step->reversed ? n - 1 - i : i];

	return (struct tier_sample){
		/* Now and then from somewhere else. */
		.space = block->space + (tier_random_next(random) % 32 == 0),
		.address = block->address +
			   skewed(random, TIER_BLOCK_PAGES) * TIER_PAGE_SIZE +
			   tier_random_next(random) % TIER_PAGE_SIZE,
		.time_ns = tier_random_next(random) % 2 ? life->now_ns : 0,
		.is_store = tier_random_next(random) % 4 == 0,
	};
}

static size_t sample_evenly(struct life *life)
{
	size_t n = 0;

	for (unsigned i = 0; i < life->history->n_blocks; i++)
		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
			life->samples[n++] = (struct tier_sample){
				.space = life->history->blocks[i].space,
				.address = life->history->blocks[i].address +
					   page * TIER_PAGE_SIZE,
			};
	return n;
}

static size_t draw_samples(struct life *life, const struct history_step *step)
{
	struct tier_random random = { step->seed };

	if (step->even)
		return sample_evenly(life);
	for (size_t i = 0; i < step->samples; i++)
		life->samples[i] = draw_sample(life, step, &random);
	return step->samples;
}

static bool feed(struct life *life, const struct history_step *step,
	char ret_why[static PROPERTY_WHY_MAX])
{
	size_t n = draw_samples(life, step);

	tier_group_feed(life->groups[0], life->samples, n, life->sampled);
	for (size_t i = 0; i < n; i++)
		tier_group_feed(life->groups[1], &life->samples[i], 1, NULL);
	for (size_t i = 0; i < n; i++)
		HOLD(life->sampled[i] == model_sampled(&life->model,
						 life->samples[i].space,
						 life->samples[i].address),
			"sample %zu counts as %u", i, life->sampled[i]);
	return true;
}

/* ---- Events -------------------------------------------------------------------- */

static bool sweep(struct life *life, unsigned i, uint64_t seed,
	char ret_why[static PROPERTY_WHY_MAX])
{
	const struct history_block *block = &life->history->blocks[i];
	struct tier_residency residency;

	model_draw_residency(life->history, i, seed, &residency);
	for (unsigned k = 0; k < 2; k++)
		HOLD(tier_group_set_residency(life->groups[k], block->space,
			     block->address, &residency) == 0,
			"residency is refused");
	model_set_residency(&life->model, i, &residency);
	return true;
}

static void forget(struct life *life, uint64_t space)
{
	for (unsigned k = 0; k < 2; k++)
		tier_group_forget_space(life->groups[k], space);
	for (unsigned i = 0; i < life->history->n_blocks; i++)
		if (life->history->blocks[i].space == space)
			model_drop(&life->model, i);
}

/* Keeps of one space every other block, by its last byte or its first. */
static void keep(struct life *life, uint64_t space)
{
	struct tier_range ranges[HISTORY_BLOCKS_MAX];
	size_t n = 0;

	for (unsigned i = 0; i < life->history->n_blocks; i++) {
		const struct history_block *block = &life->history->blocks[i];
		uint64_t byte = i % 4 ? TIER_BLOCK_SIZE - 1 : 0;

		if (block->space != space)
			continue;
		if (block->address / TIER_BLOCK_SIZE % 2)
			model_drop(&life->model, i);
		else
			ranges[n++] = (struct tier_range){ block->address + byte,
				block->address + byte + 1 };
	}
	for (unsigned k = 0; k < 2; k++)
		tier_group_keep_ranges(life->groups[k], space, ranges, n);
}

static bool happen(struct life *life, const struct history_step *step,
	char ret_why[static PROPERTY_WHY_MAX])
{
	uint64_t chance = tier_hash(step->seed);

	switch (step->event) {
	case HISTORY_FORGET:
		forget(life, chance % 3);
		return true;
	case HISTORY_KEEP:
		keep(life, chance % 3);
		return true;
	case HISTORY_SWEEP:
		for (unsigned i = 0; i < life->history->n_blocks; i++)
			if ((chance >> i & 1) && !sweep(life, i, chance + i, ret_why))
				return false;
		return true;
	case HISTORY_DECREE:
		for (unsigned k = 0; k < 2; k++)
			tier_group_expect_change(life->groups[k]);
		return true;
	default:
		return true;
	}
}

/* ---- Plans --------------------------------------------------------------------- */

static enum tier_result draw_result(
	const struct history_step *step, struct tier_random *random)
{
	uint64_t chance = tier_random_next(random);

	if (chance % 100 >= step->failing_percent)
		return TIER_RESULT_DONE;
	return (chance >> 32) % TIER_RESULT_MAX;
}

static void complete(
	struct life *life, const struct tier_move *move, enum tier_result result)
{
	for (unsigned k = 0; k < 2; k++)
		tier_group_complete(life->groups[k], move, result, life->now_ns);
	model_complete(&life->model, move, result, life->now_ns);
}

/* The next move of a direction from @i on. */
static size_t next_of(
	const struct tier_move *moves, size_t n, size_t i, enum tier_direction direction)
{
	while (i < n && moves[i].direction != direction)
		i++;
	return i;
}

/*
 * Carries the plan out as a migrator may: both directions at once, at any pace; a
 * promotion once there is room for it, or never.
 */
static bool carry_out(struct life *life, const struct history_step *step,
	const struct tier_limits *limits, const struct tier_plan *plan,
	char ret_why[static PROPERTY_WHY_MAX])
{
	struct tier_random random = { ~step->seed };
	int64_t room = (int64_t)TIER_MIN(tier_plan_room_pages(plan), UINT64_C(1) << 40) -
		       (int64_t)tier_plan_owed_pages(plan);
	int64_t held = limits->fast_pages,
		most = TIER_MAX(limits->fast_pages,
			TIER_MIN(limits->quota_pages, UINT64_C(1) << 40));
	unsigned upper, lower;
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);
	size_t up = next_of(moves, n, 0, TIER_PROMOTE);
	size_t down = next_of(moves, n, 0, TIER_DEMOTE);

	tier_plan_get_tiers(plan, &upper, &lower);
	life->now_ns += step->carrying_out_ns;
	while (up < n || down < n) {
		bool can_rise = up < n && room >= (int64_t)moves[up].pages;
		bool falls = down < n && (!can_rise || tier_random_next(&random) % 2);
		const struct tier_move *move = &moves[falls ? down : up];
		enum tier_result result = draw_result(step, &random);
		int64_t pages = move->pages;

		if (!falls && !can_rise)
			result = TIER_RESULT_NOROOM;
		complete(life, move, result);
		if (falls)
			down = next_of(moves, n, down + 1, TIER_DEMOTE);
		else
			up = next_of(moves, n, up + 1, TIER_PROMOTE);
		if (result != TIER_RESULT_DONE)
			continue;
		room += falls ? pages : -pages;
		held += upper > 0 ? 0 : falls ? -pages : pages;
		HOLD(held <= most, "%zu pages held of %zu while moving", (size_t)held,
			(size_t)most);
	}
	return true;
}

static bool plans_agree(
	struct tier_plan *const plans[static 2], char ret_why[static PROPERTY_WHY_MAX])
{
	size_t n[2];
	const struct tier_move *moves[2];

	for (unsigned k = 0; k < 2; k++)
		moves[k] = tier_plan_moves(plans[k], &n[k]);
	HOLD(n[0] == n[1] && memcmp(moves[0], moves[1], n[0] * sizeof(*moves[0])) == 0,
		"the same history gives two plans, of %zu and %zu moves", n[0], n[1]);
	return true;
}

static bool nothing_is_exchanged(
	const struct tier_plan *plan, char ret_why[static PROPERTY_WHY_MAX])
{
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);

	for (size_t i = 0; i < n; i++)
		HOLD(moves[i].reason != TIER_REASON_EXCHANGE,
			"pages that are all alike are exchanged");
	return true;
}

static bool plan_and_carry_out(struct life *life, const struct history_step *step,
	char ret_why[static PROPERTY_WHY_MAX])
{
	struct tier_limits limits = {
		.now_ns = life->now_ns,
		.fast_pages = model_tier_pages(&life->model, 0) + step->uncovered_pages,
		.quota_pages = step->quota_pages,
		.owed_pages = step->owed_pages,
		.budget_pages = step->budget_pages,
	};
	struct tier_plan *plans[2] = { NULL, NULL };
	bool is_rank = life->config.engine == TIER_ENGINE_RANK, holds;

	memcpy(limits.room_pages, step->room_pages, sizeof(limits.room_pages));
	for (unsigned k = 0; k < 2; k++)
		HOLD(tier_group_plan(life->groups[k], &limits, &plans[k]) == 0,
			"there is no plan");
	holds = plans_agree(plans, ret_why) &&
		(!is_rank || classes_are_whole(life->groups[0], ret_why)) &&
		plan_is_sound(&life->model, &life->config, &limits, plans[0], ret_why) &&
		(!is_rank || !step->even || nothing_is_exchanged(plans[0], ret_why)) &&
		carry_out(life, step, &limits, plans[0], ret_why);
	for (unsigned k = 0; k < 2; k++)
		tier_plan_free(plans[k]);
	return holds;
}

/* ---- Lives --------------------------------------------------------------------- */

/* Looking brings the census up to date, so both are looked at equally often. */
static bool all_books_are_true(struct life *life, char ret_why[static PROPERTY_WHY_MAX])
{
	struct tier_histogram histogram;

	HOLD(tier_group_get_histogram(life->groups[1], &histogram) == 0, "no histogram");
	return books_are_true(&life->model, life->groups[0], ret_why);
}

static bool live(struct life *life, const struct history_step *step,
	char ret_why[static PROPERTY_WHY_MAX])
{
	if (!happen(life, step, ret_why) || !feed(life, step, ret_why))
		return false;
	life->now_ns += step->pass_ns;
	for (unsigned k = 0; k < 2 && !step->skips_advance; k++)
		tier_group_advance(life->groups[k], life->now_ns, step->exposure);
	if (!all_books_are_true(life, ret_why))
		return false;
	return plan_and_carry_out(life, step, ret_why) &&
	       all_books_are_true(life, ret_why);
}

static bool begin(struct life *life, char ret_why[static PROPERTY_WHY_MAX])
{
	const struct history *history = life->history;

	tier_group_config_default(&life->config);
	life->config.engine = history->engine;
	life->config.n_tiers = history->n_tiers;
	life->config.cool_down_ns = history->cool_down_ns;
	life->config.half_life_ns = history->half_life_ns;
	life->config.margin = history->margin;
	life->config.store_weight = history->store_weight;
	life->config.seed = history->seed;
	life->now_ns = START_NS;
	for (unsigned k = 0; k < 2; k++) {
		HOLD(tier_group_new(&life->config, &life->groups[k]) == 0, "no group");
		tier_group_advance(life->groups[k], life->now_ns, 0);
	}
	for (unsigned i = 0; i < history->n_blocks; i++)
		if (!sweep(life, i, history->blocks[i].seed, ret_why))
			return false;
	return true;
}

static bool history_holds(const void *tried, char ret_why[static PROPERTY_WHY_MAX])
{
	struct life *life = calloc(1, sizeof(*life));
	bool holds;

	HOLD(life != NULL, "no memory");
	life->history = tried;
	life->model.history = tried;
	holds = begin(life, ret_why);
	for (unsigned i = 0; i < life->history->n_steps && holds; i++)
		holds = live(life, &life->history->steps[i], ret_why);
	for (unsigned k = 0; k < 2; k++)
		tier_group_free(life->groups[k]);
	free(life);
	return holds;
}

static const struct property whole_lives = {
	.size = sizeof(struct history),
	.generate = history_generate,
	.holds = history_holds,
	.simplify = history_simplify,
	.print = history_print,
};

static void all_histories_hold(void **state)
{
	(void)state;
	assert_true(property_check(&whole_lives, &options));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_histories_hold),
	};

	if (!property_parse(&options, argc, argv)) {
		fprintf(stderr, "usage: %s [--worlds N] [--seed S]\n", argv[0]);
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
