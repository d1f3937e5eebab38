/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <math.h>

#define REACHED_SHARE 0.95

struct course {
	double from_s; /* when what is measured begins */
	double reached_s;
	double sum;
	double before_scan, lowest_since;
	uint64_t ticks;
};

static double share_of(const struct sim_moment *moment)
{
	return moment->hit_ratio / moment->best_ratio;
}

static double gib(uint64_t pages)
{
	return (double)pages / SIM_GIB_PAGES;
}

static void follow(struct course *course, const struct sim_row *row, double now_s,
	const struct sim_moment *moment)
{
	double share = share_of(moment);
	double scan_at_s = row->config.tenants[0].world.scan_at_s;

	if (now_s > course->from_s || row->seconds <= course->from_s) {
		if (isinf(course->reached_s) && share >= REACHED_SHARE)
			course->reached_s = now_s - course->from_s;
		course->sum += share;
		course->ticks++;
	}
	if (scan_at_s <= 0)
		return;
	if (now_s <= scan_at_s)
		course->before_scan = share;
	else
		course->lowest_since = TIER_MIN(course->lowest_since, share);
}

static double ratio_of(uint64_t part, uint64_t whole)
{
	return whole > 0 ? (double)part / whole : NAN;
}

/* All tenants' groups together. */
static void figures_of_groups(
	const struct sim *sim, unsigned n_tenants, double figures[static SIM_FIGURE_MAX])
{
	uint64_t tried = 0, nomem = 0, scanned = 0, warm = 0, coolings = 0, phases = 0;

	for (unsigned i = 0; i < n_tenants; i++) {
		struct tier_group_stats stats;
		const uint64_t *promoted = stats.result_pages[TIER_PROMOTE];

		if (!sim_group(sim, i))
			return;
		tier_group_get_stats(sim_group(sim, i), &stats);
		tried += stats.tried_pages[TIER_PROMOTE];
		nomem += promoted[TIER_RESULT_NOMEM] + promoted[TIER_RESULT_NOROOM];
		scanned += stats.scanned_pages[TIER_DEMOTE];
		warm += stats.filtered_warm_pages;
		coolings += stats.coolings;
		phases += stats.phase_changes;
	}
	figures[SIM_NOMEM_SHARE] = ratio_of(nomem, tried);
	figures[SIM_WARM_SHARE] = ratio_of(warm, scanned);
	figures[SIM_COOLINGS] = coolings;
	figures[SIM_PHASE_CHANGES] = phases;
}

static void figures_of_portions(const struct sim *sim, const struct sim_record *record,
	double figures[static SIM_FIGURE_MAX])
{
	double after[SIM_PORTIONS_MAX], sum = 0, change = 0;
	size_t n = sim_portions(sim, 0, after);

	for (size_t i = 0; i < n; i++) {
		sum += after[i];
		if (i < record->n_portions_before)
			change += fabs(after[i] - record->portions_before[i]);
	}
	figures[SIM_DRAM_PORTION] = sum / n;
	figures[SIM_PORTION_CHANGE] = change / n;
}

static void figures_of_course(const struct course *course,
	const struct sim_moment *moment, double figures[static SIM_FIGURE_MAX])
{
	figures[SIM_REACHED_S] = course->reached_s;
	figures[SIM_MEAN_SHARE] = course->sum / course->ticks;
	figures[SIM_FINAL_SHARE] = share_of(moment);
	figures[SIM_MOVED_GIB] =
		gib(moment->moved_pages[TIER_PROMOTE] + moment->moved_pages[TIER_DEMOTE]);
	figures[SIM_PROMOTED_GIB] = gib(moment->moved_pages[TIER_PROMOTE]);
	figures[SIM_DEMOTED_GIB] = gib(moment->moved_pages[TIER_DEMOTE]);
	figures[SIM_BACK_GIB] = gib(moment->back_pages);
	figures[SIM_OVER_MIB] = moment->over_pages / 256.0;
	figures[SIM_SPEED] = moment->best_latency_ns / moment->latency_ns;
	figures[SIM_SCAN_COST] = isinf(course->lowest_since)
					 ? NAN
					 : course->before_scan - course->lowest_since;
}

static void record_end(const struct sim *sim, struct sim_record *record)
{
	struct tier_group *group = sim_group(sim, 0);
	struct sim_moment moment;

	sim_look(sim, &moment);
	record->hit_after = moment.hit_ratio;
	record->n_portions_after = sim_portions(sim, 0, record->portions_after);
	record->has_group = group;
	if (!group)
		return;
	tier_group_get_stats(group, &record->stats);
	tier_group_get_histogram(group, &record->histogram);
}

int sim_run(const struct sim_row *row, const struct sim_policy_ops *ops, uint64_t seed,
	struct sim_zipf_cache *cache, double ret[static SIM_FIGURE_MAX],
	struct sim_record *ret_record)
{
	_cleanup_(sim_freep) struct sim *sim = NULL;
	struct sim_config config = row->config;
	struct course course = {
		.from_s = config.tenants[0].world.phase_at_s,
		.reached_s = INFINITY,
		.lowest_since = INFINITY,
	};
	struct sim_record record = { 0 };
	struct sim_moment moment;
	int r;

	config.seed = seed;
	r = sim_new(&config, ops, cache, &sim);
	if (r < 0)
		return r;
	record.n_portions_before = sim_portions(sim, 0, record.portions_before);
	sim_look(sim, &moment);
	record.hit_before = moment.hit_ratio;
	while (sim_now_s(sim) < row->seconds) {
		r = sim_tick(sim);
		if (r < 0)
			return r;
		sim_look(sim, &moment);
		follow(&course, row, sim_now_s(sim), &moment);
		record.accesses += moment.accesses_per_s * config.tick_s;
	}
	for (int i = 0; i < SIM_FIGURE_MAX; i++)
		ret[i] = NAN;
	figures_of_course(&course, &moment, ret);
	figures_of_portions(sim, &record, ret);
	figures_of_groups(sim, config.n_tenants, ret);
	record_end(sim, &record);
	if (ret_record)
		*ret_record = record;
	return 0;
}
