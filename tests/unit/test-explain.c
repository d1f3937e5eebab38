/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why pages stay where they are. Each reason is staged once, in a group of some fast and
 * some slow blocks; then, in random groups, explanations are held against the plans that
 * they are about.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/util.h"
#include "core/group.h"
#include "core/hash.h"

#define SPACE     UINT64_C(9)
#define BASE      UINT64_C(0x5500000000)
#define SECOND_NS (UINT64_C(1000) * 1000 * 1000)
#define NOW_NS    (100 * SECOND_NS)
#define BLOCKS    8U
#define FAST      4U /* of them */
#define EXPOSURE  0.01

#define PAGES(blocks) ((blocks) * (uint64_t)TIER_BLOCK_PAGES)

/* Samples of a block. */
#define HOT    4096
#define MIDDLE 512
#define COLD   64

static uint64_t address_of(unsigned block)
{
	return BASE + block * TIER_BLOCK_SIZE;
}

static void set_residency(struct tier_group *group, unsigned block, unsigned tier)
{
	struct tier_residency residency = { .has_policy = true };

	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
		tier_residency_add(&residency, page, tier);
	assert_int_equal(
		tier_group_set_residency(group, SPACE, address_of(block), &residency), 0);
}

static void feed(struct tier_group *group, unsigned block, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tier_group_feed(group,
			&(struct tier_sample){
				.space = SPACE,
				.address = address_of(block) +
					   i % TIER_BLOCK_PAGES * TIER_PAGE_SIZE,
			},
			1, NULL);
}

/* Beside the fast and the slow blocks, if these differ, a slow one in between: the quota
 * ends with it. */
static struct tier_group *new_group(const struct tier_group_config *config,
	unsigned fast_samples, unsigned slow_samples)
{
	struct tier_group *group;

	assert_int_equal(tier_group_new(config, &group), 0);
	tier_group_advance(group, NOW_NS - SECOND_NS, 0);
	for (unsigned block = 0; block < BLOCKS; block++) {
		set_residency(group, block, block >= FAST);
		feed(group, block, block < FAST ? fast_samples : slow_samples);
	}
	if (fast_samples != slow_samples) {
		set_residency(group, BLOCKS, 1);
		feed(group, BLOCKS, MIDDLE);
	}
	tier_group_advance(group, NOW_NS, EXPOSURE);
	return group;
}

static struct tier_limits usual_limits(void)
{
	return (struct tier_limits){
		.now_ns = NOW_NS,
		.fast_pages = PAGES(FAST),
		.quota_pages = PAGES(FAST),
		.room_pages = { PAGES(BLOCKS), PAGES(BLOCKS) },
		.budget_pages = PAGES(BLOCKS),
	};
}

static struct tier_plan *make_plan(
	struct tier_group *group, const struct tier_limits *limits)
{
	struct tier_plan *plan;

	assert_int_equal(tier_group_plan(group, limits, &plan), 0);
	return plan;
}

static enum tier_why why_at(const struct tier_group *group, uint64_t address)
{
	struct tier_explanation explanation;

	tier_group_explain(group, SPACE, address, &explanation);
	return explanation.why;
}

static enum tier_why why(const struct tier_group *group, unsigned block)
{
	return why_at(group, address_of(block));
}

static void assert_why(const struct tier_group *group, unsigned block, enum tier_why want)
{
	assert_string_equal(
		tier_why_to_string(why(group, block)), tier_why_to_string(want));
}

/* ---- What a plan decides ------------------------------------------------------- */

enum machine {
	USUAL,
	NO_BUDGET,
	NODE_FULL, /* no quota, and no room */
	QUOTA_ZERO,
	COPIES_DEAR,
	NO_PLAN,
};

static const struct {
	const char *name;
	enum tier_engine engine;
	unsigned fast_samples, slow_samples; /* of each block */
	enum machine machine;
	enum tier_why fast, slow;
	enum tier_class fast_class, slow_class;
} rows[] = {
	{ "in its place", TIER_ENGINE_RANK, HOT, COLD, USUAL, TIER_WHY_HOT, TIER_WHY_COLD,
		TIER_CLASS_HOT, TIER_CLASS_COLD },
	{ "to be exchanged", TIER_ENGINE_RANK, COLD, HOT, USUAL, TIER_WHY_DUE,
		TIER_WHY_DUE, TIER_CLASS_COLD, TIER_CLASS_HOT },
	{ "when others have been", TIER_ENGINE_RANK, COLD, HOT, NO_BUDGET,
		TIER_WHY_BUDGET, TIER_WHY_BUDGET, TIER_CLASS_COLD, TIER_CLASS_HOT },
	{ "all alike", TIER_ENGINE_RANK, HOT, HOT, USUAL, TIER_WHY_WARM, TIER_WHY_WARM,
		TIER_CLASS_WARM, TIER_CLASS_WARM },
	{ "never sampled", TIER_ENGINE_RANK, 0, 0, USUAL, TIER_WHY_UNKNOWN,
		TIER_WHY_UNKNOWN, TIER_CLASS_UNKNOWN, TIER_CLASS_UNKNOWN },
	{ "never planned", TIER_ENGINE_RANK, COLD, HOT, NO_PLAN, TIER_WHY_UNKNOWN,
		TIER_WHY_UNKNOWN, TIER_CLASS_UNKNOWN, TIER_CLASS_UNKNOWN },
	{ "no room", TIER_ENGINE_RANK, HOT, HOT, NODE_FULL, TIER_WHY_HOT,
		TIER_WHY_NO_ROOM, TIER_CLASS_HOT, TIER_CLASS_HOT },
	{ "quota 0", TIER_ENGINE_RANK, COLD, HOT, QUOTA_ZERO, TIER_WHY_DUE,
		TIER_WHY_QUOTA_ZERO, TIER_CLASS_COLD, TIER_CLASS_WARM },
	{ "copies that do not pay", TIER_ENGINE_RANK, COLD, HOT, COPIES_DEAR,
		TIER_WHY_SPARE, TIER_WHY_NO_ROOM, TIER_CLASS_COLD, TIER_CLASS_HOT },
	{ "memtis: active", TIER_ENGINE_MEMTIS, HOT, HOT, USUAL, TIER_WHY_HOT,
		TIER_WHY_DUE, TIER_CLASS_HOT, TIER_CLASS_HOT },
	{ "memtis: no budget", TIER_ENGINE_MEMTIS, HOT, HOT, NO_BUDGET, TIER_WHY_HOT,
		TIER_WHY_BUDGET, TIER_CLASS_HOT, TIER_CLASS_HOT },
	{ "tpp: blind", TIER_ENGINE_TPP, HOT, HOT, USUAL, TIER_WHY_WARM, TIER_WHY_POLICY,
		TIER_CLASS_WARM, TIER_CLASS_WARM },
	{ "tpp: never touched", TIER_ENGINE_TPP, 0, 0, USUAL, TIER_WHY_SPARE,
		TIER_WHY_POLICY, TIER_CLASS_COLD, TIER_CLASS_COLD },
};

static struct tier_limits limits_of(enum machine machine)
{
	struct tier_limits limits = usual_limits();

	if (machine == NO_BUDGET)
		limits.budget_pages = 0;
	if (machine == NODE_FULL)
		limits.quota_pages = TIER_UNLIMITED_PAGES;
	if (machine == NODE_FULL)
		limits.room_pages[0] = 0;
	if (machine == QUOTA_ZERO)
		limits.quota_pages = 0;
	return limits;
}

static void check_row(size_t i)
{
	struct tier_group_config config;
	struct tier_limits limits = limits_of(rows[i].machine);
	struct tier_explanation fast, slow;
	struct tier_group *group;

	tier_group_config_default(&config);
	config.engine = rows[i].engine;
	config.tpp_skips_policy = true;
	if (rows[i].machine == COPIES_DEAR)
		config.copy_cost_ns = UINT64_MAX / 4;
	group = new_group(&config, rows[i].fast_samples, rows[i].slow_samples);
	if (rows[i].machine != NO_PLAN)
		tier_plan_free(make_plan(group, &limits));
	tier_group_explain(group, SPACE, address_of(0), &fast);
	tier_group_explain(group, SPACE, address_of(FAST), &slow);
	if (fast.why != rows[i].fast || slow.why != rows[i].slow ||
		fast.heat_class != rows[i].fast_class ||
		slow.heat_class != rows[i].slow_class)
		fail_msg("%s: fast %s (%s), slow %s (%s)", rows[i].name,
			tier_why_to_string(fast.why),
			tier_class_to_string(fast.heat_class),
			tier_why_to_string(slow.why),
			tier_class_to_string(slow.heat_class));
	assert_int_equal(fast.tier, 0);
	assert_int_equal(slow.tier, 1);
	tier_group_free(group);
}

static void test_decisions(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(i);
}

static void test_numbers(_unused_ void **state)
{
	struct tier_limits limits = usual_limits();
	struct tier_group_config config;
	struct tier_explanation page;
	struct tier_group *group;

	tier_group_config_default(&config);
	group = new_group(&config, HOT, COLD);
	tier_plan_free(make_plan(group, &limits));
	tier_group_explain(group, SPACE, address_of(0) + 5 * TIER_PAGE_SIZE + 7, &page);
	assert_int_equal(page.samples, HOT / TIER_BLOCK_PAGES);
	assert_int_equal(page.block_samples, HOT);
	assert_true(page.exposure == EXPOSURE);
	assert_true(fabs(page.rate / (page.samples / EXPOSURE) - 1) < 0.1);
	assert_true(page.rate_low <= page.rate && page.rate <= page.rate_high);
	assert_true(page.cut_rate > 0 && page.cut_rate <= page.rate);
	assert_false(page.huge);
	assert_int_equal(page.moved_ns, 0);
	tier_group_free(group);
}

static void test_names(_unused_ void **state)
{
	for (int why = 0; why < TIER_WHY_MAX; why++) {
		assert_non_null(tier_why_to_string(why));
		assert_non_null(tier_why_to_sentence(why));
		for (int other = 0; other < why; other++)
			assert_string_not_equal(
				tier_why_to_string(why), tier_why_to_string(other));
	}
	assert_null(tier_why_to_string(TIER_WHY_MAX));
	assert_null(tier_why_to_sentence(-1));
	assert_null(tier_class_to_string(TIER_CLASS_MAX));
}

/* ---- What moves came to -------------------------------------------------------- */

static void complete_all(
	struct tier_group *group, struct tier_plan *plan, enum tier_result result)
{
	const struct tier_move *moves;
	size_t n;

	moves = tier_plan_moves(plan, &n);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++)
		tier_group_complete(group, &moves[i], result, NOW_NS);
	tier_plan_free(plan);
}

static void test_results(_unused_ void **state)
{
	static const struct {
		enum tier_result result;
		enum tier_why fast, slow;
	} results[] = {
		{ TIER_RESULT_BUSY, TIER_WHY_PINNED, TIER_WHY_PINNED },
		{ TIER_RESULT_UNSUPPORTED, TIER_WHY_UNSUPPORTED, TIER_WHY_UNSUPPORTED },
		{ TIER_RESULT_NOMEM, TIER_WHY_NO_ROOM, TIER_WHY_NO_ROOM },
		{ TIER_RESULT_NOROOM, TIER_WHY_NO_ROOM, TIER_WHY_NO_ROOM },
		{ TIER_RESULT_GONE, TIER_WHY_UNCOVERED, TIER_WHY_UNCOVERED },
		{ TIER_RESULT_CANCELLED, TIER_WHY_DUE, TIER_WHY_DUE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		struct tier_limits limits = usual_limits();
		struct tier_group_config config;
		struct tier_explanation page;
		struct tier_group *group;

		tier_group_config_default(&config);
		group = new_group(&config, COLD, HOT);
		complete_all(group, make_plan(group, &limits), results[i].result);
		assert_why(group, 0, results[i].fast);
		assert_why(group, FAST, results[i].slow);
		tier_group_explain(group, SPACE, address_of(FAST), &page);
		assert_int_equal(page.moved_ns, NOW_NS);
		assert_int_equal(page.moved_direction, TIER_PROMOTE);
		assert_int_equal(page.moved_reason, TIER_REASON_EXCHANGE);
		assert_int_equal(page.moved_to, 0);
		assert_int_equal(page.moved_result, results[i].result);
		tier_group_free(group);
	}
}

/* Hot pages that had to go, and could come back at once. */
static void test_cooling_down(_unused_ void **state)
{
	struct tier_limits limits = usual_limits();
	struct tier_group_config config;
	struct tier_group *group;
	struct tier_whys whys;

	tier_group_config_default(&config);
	group = new_group(&config, HOT, COLD);
	limits.quota_pages = 0;
	complete_all(group, make_plan(group, &limits), TIER_RESULT_DONE);
	limits.fast_pages = 0;
	limits.quota_pages = PAGES(FAST);
	tier_plan_free(make_plan(group, &limits));
	assert_why(group, 0, TIER_WHY_COOLING_DOWN);
	assert_int_equal(tier_group_count_whys(group, &whys), 0);
	assert_int_equal(whys.slow_pages[TIER_WHY_COOLING_DOWN], PAGES(FAST));

	limits.now_ns += config.cool_down_ns;
	tier_group_advance(group, limits.now_ns, 0);
	tier_plan_free(make_plan(group, &limits));
	assert_why(group, 0, TIER_WHY_DUE);
	tier_group_free(group);
}

static void test_uncovered(_unused_ void **state)
{
	struct tier_limits limits = usual_limits();
	struct tier_group_config config;
	struct tier_group *group;

	tier_group_config_default(&config);
	group = new_group(&config, HOT, COLD);
	assert_why(group, BLOCKS + 1, TIER_WHY_UNCOVERED);
	tier_plan_free(make_plan(group, &limits));
	assert_why(group, BLOCKS + 1, TIER_WHY_UNCOVERED);
	tier_group_free(group);
}

/* ---- Explanations and plans ---------------------------------------------------- */

#define WORLDS       200
#define WORLD_BLOCKS 16U

static struct tier_group *random_group(enum tier_engine engine, uint64_t seed)
{
	struct tier_random random = { seed };
	struct tier_group_config config;
	struct tier_group *group;
	size_t n_samples = tier_random_next(&random) % 20000;

	tier_group_config_default(&config);
	config.engine = engine;
	config.n_tiers = 2 + seed % 2;
	assert_int_equal(tier_group_new(&config, &group), 0);
	tier_group_advance(group, NOW_NS - SECOND_NS, 0);
	for (unsigned block = 0; block < WORLD_BLOCKS; block++) {
		struct tier_residency residency = {
			.huge = seed % 4 == 0 && tier_random_next(&random) % 4 == 0,
		};
		unsigned tier = tier_random_next(&random) % config.n_tiers;

		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
			tier_residency_add(&residency, page,
				residency.huge
					? tier
					: tier_random_next(&random) % config.n_tiers);
		assert_int_equal(tier_group_set_residency(
					 group, SPACE, address_of(block), &residency),
			0);
	}
	for (size_t i = 0; i < n_samples; i++) {
		uint64_t page = tier_random_next(&random) % PAGES(WORLD_BLOCKS);

		page = page * page / PAGES(WORLD_BLOCKS);
		feed(group, page / TIER_BLOCK_PAGES, 1 + (page % 2) * page % 5);
	}
	tier_group_advance(group, NOW_NS, EXPOSURE);
	return group;
}

static struct tier_limits random_limits(uint64_t seed)
{
	struct tier_random random = { ~seed };
	uint64_t pages = PAGES(WORLD_BLOCKS);

	return (struct tier_limits){
		.now_ns = NOW_NS,
		.fast_pages = tier_random_next(&random) % pages,
		.quota_pages = tier_random_next(&random) % pages,
		.room_pages = { tier_random_next(&random) % pages, pages, pages },
		.owed_pages = tier_random_next(&random) % 4 ? 0 : 100,
		.budget_pages = tier_random_next(&random) % pages,
	};
}

static void assert_sums_agree(struct tier_group *group)
{
	struct tier_whys sums, want = { 0 };
	struct tier_group_stats stats;
	uint64_t all = 0;

	assert_int_equal(tier_group_count_whys(group, &sums), 0);
	for (uint64_t page = 0; page < PAGES(WORLD_BLOCKS); page++) {
		struct tier_explanation explanation;

		tier_group_explain(
			group, SPACE, BASE + page * TIER_PAGE_SIZE, &explanation);
		if (explanation.tier == 0)
			want.fast_pages[explanation.why]++;
		else
			want.slow_pages[explanation.why]++;
	}
	assert_memory_equal(&sums, &want, sizeof(sums));
	for (int i = 0; i < TIER_WHY_MAX; i++)
		all += sums.fast_pages[i] + sums.slow_pages[i];
	tier_group_get_stats(group, &stats);
	assert_int_equal(all, stats.resident_pages);
}

static bool is_in(const struct tier_move *moves, size_t n, uint64_t address)
{
	for (size_t i = 0; i < n; i++)
		if (address >= moves[i].address &&
			address - moves[i].address < moves[i].pages * TIER_PAGE_SIZE)
			return true;
	return false;
}

/* A plan moves what is said to be moved, and what is said to be due it does move, but for
 * exchanges whose partner is more than a page. */
static void check_world(uint64_t seed, unsigned *n_due)
{
	struct tier_limits limits = random_limits(seed);
	struct tier_group *group = random_group(TIER_ENGINE_RANK, seed);
	struct tier_plan *plan = make_plan(group, &limits);
	const struct tier_move *moves;
	size_t n;

	moves = tier_plan_moves(plan, &n);
	for (size_t i = 0; i < n; i++)
		assert_true(tier_why_is_to_move(why_at(group, moves[i].address)));
	for (unsigned block = 0; block < WORLD_BLOCKS; block++) {
		uint64_t address = address_of(block);

		if (why_at(group, address) != TIER_WHY_DUE)
			continue;
		(*n_due)++;
		assert_true(group->huge_blocks > 0 || is_in(moves, n, address));
	}
	assert_sums_agree(group);
	tier_plan_free(plan);
	tier_group_free(group);
}

static void test_plans(_unused_ void **state)
{
	unsigned n_due = 0;

	for (uint64_t seed = 1; seed <= WORLDS; seed++)
		check_world(seed, &n_due);
	assert_true(n_due > WORLDS);
}

static void test_references(_unused_ void **state)
{
	for (uint64_t seed = 1; seed <= WORLDS / 8; seed++)
		for (int engine = TIER_ENGINE_MEMTIS; engine < TIER_ENGINE_MAX;
			engine++) {
			struct tier_limits limits = random_limits(seed);
			struct tier_group *group = random_group(engine, 2 * seed);

			tier_plan_free(make_plan(group, &limits));
			assert_sums_agree(group);
			tier_group_free(group);
		}
}

/* Memory that no sample can come from is not cold for having none; what is owed is taken
 * from it all the same. */
static void test_policy_skipped(_unused_ void **state)
{
	struct tier_limits limits = usual_limits();
	struct tier_group_config config;
	struct tier_group *group;
	struct tier_plan *plan;
	size_t n;

	tier_group_config_default(&config);
	group = new_group(&config, COLD, HOT);
	tier_group_set_skips_policy(group, true);
	plan = make_plan(group, &limits);
	tier_plan_moves(plan, &n);
	assert_int_equal(n, 0);
	assert_why(group, 0, TIER_WHY_UNKNOWN);
	assert_why(group, FAST, TIER_WHY_UNKNOWN);
	tier_plan_free(plan);

	limits.owed_pages = PAGES(1);
	plan = make_plan(group, &limits);
	tier_plan_moves(plan, &n);
	assert_int_equal(n, TIER_BLOCK_PAGES);
	tier_plan_free(plan);
	tier_group_free(group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_cooling_down),
		cmocka_unit_test(test_uncovered),
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_policy_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
