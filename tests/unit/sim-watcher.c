/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim-watcher.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sim_policy watch;

static int watch_new(const struct sim_policy_ops *ops _unused_,
	const struct sim_policy_config *config _unused_, struct sim_policy **ret)
{
	watch = (struct sim_policy){ .skewed_from = INFINITY };
	*ret = &watch;
	return 0;
}

static struct sim_policy *watch_free(struct sim_policy *policy _unused_)
{
	return NULL;
}

static int watch_set_residency(struct sim_policy *policy _unused_,
	uint64_t first _unused_, const struct tier_residency *residency _unused_)
{
	return 0;
}

static void watch_feed(
	struct sim_policy *policy, const struct tier_sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t page = (samples[i].address - SIM_BASE) / TIER_PAGE_SIZE;

		assert_true(page < PAGES);
		policy->samples++;
		policy->skewed += page >= policy->skewed_from;
		policy->per_page[page]++;
		policy->early += samples[i].time_ns < policy->now_ns;
	}
}

static void watch_advance(struct sim_policy *policy, uint64_t now_ns, double exposure)
{
	policy->exposure += exposure;
	policy->now_ns = now_ns;
}

static void add_moves(const struct sim_policy *policy, struct sim_plan *plan,
	uint64_t first, uint64_t n, enum tier_direction direction)
{
	uint32_t pages = TIER_MAX(policy->move_pages, 1U);

	for (uint64_t i = 0; i < n; i++)
		plan->moves[plan->n++] = (struct tier_move){
			.space = SIM_SPACE,
			.address = SIM_BASE + (first + i * pages) * TIER_PAGE_SIZE,
			.pages = pages,
			.direction = direction,
			.from = direction == TIER_PROMOTE,
			.to = direction == TIER_DEMOTE,
		};
}

static int watch_plan(
	struct sim_policy *policy, const struct tier_limits *limits, struct sim_plan *ret)
{
	struct sim_plan plan = {
		.moves = calloc(
			policy->promote_n + policy->demote_n + 1, sizeof(*plan.moves)),
		.owed = { policy->owed },
		.is_cut_short = policy->is_cut_short,
	};

	assert_non_null(plan.moves);
	memcpy(plan.room, limits->room_pages, sizeof(plan.room));
	policy->plans++;
	policy->limits = *limits;
	add_moves(policy, &plan, policy->promote_first, policy->promote_n, TIER_PROMOTE);
	add_moves(policy, &plan, policy->demote_first, policy->demote_n, TIER_DEMOTE);
	policy->promote_n = policy->demote_n = 0;
	plan.list = plan.moves;
	*ret = plan;
	return 0;
}

static void watch_complete(struct sim_policy *policy,
	const struct tier_move *move _unused_, enum tier_result result, uint64_t now_ns)
{
	policy->completed[result]++;
	policy->completed_ns = now_ns;
}

const struct sim_policy_ops watcher = {
	.name = "watcher",
	.engine = TIER_ENGINE_INVALID,
	.new = watch_new,
	.free = watch_free,
	.set_residency = watch_set_residency,
	.feed = watch_feed,
	.advance = watch_advance,
	.plan = watch_plan,
	.complete = watch_complete,
};

struct sim_config small_machine(void)
{
	return (struct sim_config){
		.n_tiers = 2,
		.tiers = { { PAGES / 2, 0, 80, 1e12 }, { 2 * PAGES, 0, 300, 1e12 } },
		.n_tenants = 1,
		.tenants = { {
			.quota_pages = PAGES / 2,
			.world = {
				.kind = GUPS_KIND_HOTSET,
				.pages = PAGES,
				.hot_share = 0.1,
				.hot_probability = 0.9,
				.accesses_per_s = 1e6,
				.reverse = true,
			},
		} },
		.sampler = { .samples_per_s = 10000 },
		.hint = { .pages_per_s = 4096 },
		.move_pages_per_s = 4096,
		.tick_s = 0.5,
		.seed = 1,
	};
}

static struct sim_zipf_cache cache;

struct sim *new_sim(const struct sim_config *config, const struct sim_policy_ops *ops)
{
	struct sim *sim;

	assert_int_equal(sim_new(config, ops, &cache, &sim), 0);
	return sim;
}

void pass(struct sim *sim, double seconds)
{
	for (double until_s = sim_now_s(sim) + seconds; sim_now_s(sim) < until_s;)
		assert_int_equal(sim_tick(sim), 0);
}

int sim_watcher_done(void **state _unused_)
{
	sim_zipf_cache_done(&cache);
	return 0;
}
