/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table's rows, a sixteenth of their size, with bounds that have room: that each
 * engine shows there what it is known for. How well exactly is for tests/sim/tables to
 * say. And how runs become verdicts.
 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "lines.h"

#define DIVISOR 16
#define SEEDS   2

struct bound {
	const char *row;
	const char *policy;
	enum sim_figure figure;
	double limit;
};

static const struct bound bounds[] = {
	{ "hotset", "oracle", SIM_REACHED_S, 2.5 },
	{ "hotset", "oracle", SIM_FINAL_SHARE, 0.9999 },
	{ "zipf", "oracle", SIM_REACHED_S, 3.5 },
	{ "hotset-phase", "oracle", SIM_REACHED_S, 2.5 },
	{ "tenants", "oracle", SIM_FINAL_SHARE, 0.9999 },
	{ "three-tiers", "oracle", SIM_SPEED, 0.999 },
	{ "heap", "oracle", SIM_MEAN_SHARE, 0.97 },
	{ "uniform", "oracle", SIM_MOVED_GIB, 0 },

	{ "hotset-scattered", "count", SIM_FINAL_SHARE, 0.8 },
	{ "zipf-scattered", "count", SIM_FINAL_SHARE, 0.84 },

	{ "hotset", "rank", SIM_REACHED_S, 5 },
	{ "hotset", "rank", SIM_FINAL_SHARE, 0.98 },
	{ "hotset", "rank", SIM_OVER_MIB, 0 },
	{ "zipf", "rank", SIM_FINAL_SHARE, 0.95 },
	{ "zipf", "rank", SIM_OVER_MIB, 0 },
	{ "random-7g", "rank", SIM_REACHED_S, 9 },
	{ "uniform", "rank", SIM_MOVED_GIB, 0.02 },
	{ "hotset-scattered", "rank", SIM_FINAL_SHARE, 0.8 },
	{ "hotset-scattered", "rank", SIM_MOVED_GIB, 0.25 },
	{ "zipf-scattered", "rank", SIM_FINAL_SHARE, 0.84 },
	{ "hotset-phase", "rank", SIM_REACHED_S, 10 },
	{ "scan", "rank", SIM_SCAN_COST, 0.05 },
	{ "heap", "rank", SIM_MEAN_SHARE, 0.85 },
	{ "tenants", "rank", SIM_FINAL_SHARE, 0.95 },
	{ "tenants", "rank", SIM_OVER_MIB, 0 },
	{ "three-tiers", "rank", SIM_FINAL_SHARE, 0.93 },
	{ "skewed", "rank", SIM_FINAL_SHARE, 0.95 },
	{ "uniform-8", "rank", SIM_MOVED_GIB, 0.001 },
	{ "uniform-16", "rank", SIM_MOVED_GIB, 0.001 },
	{ "uniform-64", "rank", SIM_MOVED_GIB, 0.001 },
	{ "hotset-8", "rank", SIM_REACHED_S, 4 },

	{ "hotset", "memtis", SIM_PORTION_CHANGE, 0.1 },
	{ "hotset", "memtis", SIM_NOMEM_SHARE, 0.95 },
	{ "hotset", "memtis", SIM_WARM_SHARE, 0.95 },
	{ "random-7g", "memtis", SIM_DRAM_PORTION, 0.7 },
	{ "random-7g", "tpp", SIM_DRAM_PORTION, 0.7 },
	{ "random-7g-blind", "tpp", SIM_PROMOTED_GIB, 0 },
};

static void choose(struct sim_row *rows, struct sim_lines *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		const struct sim_policy_ops *ops = sim_policy_find(bounds[i].policy);
		const struct sim_row *row = sim_row_find(bounds[i].row);
		bool is_there = false;

		assert_true(row && ops);
		for (size_t k = 0; k < lines->n; k++)
			is_there |= strcmp(lines->lines[k].row->name, row->name) == 0 &&
				    lines->lines[k].ops == ops;
		if (is_there || !sim_policy_exists(ops))
			continue;
		sim_row_scale(row, DIVISOR, &rows[n]);
		assert_int_equal(sim_lines_add(lines, &rows[n++], ops, SEEDS), 0);
	}
}

static void engines_show_what_they_are_known_for(void **state _unused_)
{
	static struct sim_row rows[ARRAY_SIZE(bounds)];
	static struct sim_lines lines;
	unsigned missed = 0;

	choose(rows, &lines);
	assert_int_equal(sim_lines_fill(&lines, 2, false), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
		const struct bound *bound = &bounds[i];
		const struct sim_target target = { bound->policy, bound->figure,
			bound->limit };

		for (size_t k = 0; k < lines.n; k++) {
			struct sim_verdict verdict;

			if (strcmp(lines.lines[k].row->name, bound->row) != 0 ||
				!sim_line_judge(
					&lines, &lines.lines[k], &target, &verdict) ||
				verdict.met)
				continue;
			print_error("%s, %s: %s is %g, %g at worst, not %g\n", bound->row,
				bound->policy, sim_figure_to_string(bound->figure),
				verdict.found.median, verdict.found.worst, bound->limit);
			missed++;
		}
	}
	sim_lines_done(&lines);
	assert_int_equal(missed, 0);
}

static void figures_do_not_depend_on_processes(void **state _unused_)
{
	static struct sim_lines lines[2];
	struct sim_row row;

	sim_row_scale(sim_row_find("zipf-scattered"), 64, &row);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sim_lines_add(&lines[i], &row, &sim_policy_rank, 3), 0);
		assert_int_equal(sim_lines_add(&lines[i], &row, &sim_policy_count, 3), 0);
		assert_int_equal(sim_lines_fill(&lines[i], 1 + 2 * i, false), 0);
	}
	for (int k = 0; k < 2; k++)
		assert_memory_equal(lines[0].lines[k].figures, lines[1].lines[k].figures,
			3 * SIM_FIGURE_MAX * sizeof(double));
	sim_lines_done(&lines[0]);
	sim_lines_done(&lines[1]);
}

/* What the oracle placed stays there, whatever is scanned. */
static void a_scan_costs_what_is_lost_by_it(void **state _unused_)
{
	struct sim_zipf_cache cache = { 0 };
	double figures[SIM_FIGURE_MAX];
	struct sim_row row;

	sim_row_scale(sim_row_find("scan"), DIVISOR, &row);
	assert_int_equal(sim_run(&row, &sim_policy_oracle, 1, &cache, figures, NULL), 0);
	assert_true(fabs(figures[SIM_SCAN_COST]) < 1e-6);
	sim_zipf_cache_done(&cache);
}

/* ---- From runs to verdicts --------------------------------------------------------- */

static void median_and_worst(void **state _unused_)
{
	static const double values[] = { 3, 9, 1, 9, 2, 9, 10, 9 };
	struct sim_summary low = sim_summarize(SIM_MOVED_GIB, values, 4, 2);
	struct sim_summary high = sim_summarize(SIM_MEAN_SHARE, values, 3, 2);

	assert_true(low.median == 2.5 && low.worst == 10);
	assert_true(high.median == 2 && high.worst == 1);
}

static void what_means_nothing_once_means_nothing(void **state _unused_)
{
	static const double values[] = { 3, NAN };
	struct sim_summary summary = sim_summarize(SIM_SCAN_COST, values, 2, 1);

	assert_true(isnan(summary.median) && isnan(summary.worst));
}

static void a_target_is_met_by_the_worst_too(void **state _unused_)
{
	static const struct {
		double limit;
		enum sim_figure figure;
		bool met;
	} cases[] = {
		{ 5, SIM_REACHED_S, false },
		{ 6, SIM_REACHED_S, true },
		{ 4, SIM_MEAN_SHARE, true },
		{ 4.5, SIM_MEAN_SHARE, false },
	};
	double figures[2 * SIM_FIGURE_MAX] = { 0 };
	struct sim_lines lines = { .n = 1 };

	lines.lines[0] =
		(struct sim_line){ sim_row_get(0), &sim_policy_rank, 2, figures };
	figures[SIM_REACHED_S] = figures[SIM_MEAN_SHARE] = 4;
	figures[SIM_FIGURE_MAX + SIM_REACHED_S] = 6;
	figures[SIM_FIGURE_MAX + SIM_MEAN_SHARE] = 6;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_target target = { "rank", cases[i].figure, cases[i].limit };
		struct sim_verdict verdict;

		assert_true(sim_line_judge(&lines, &lines.lines[0], &target, &verdict));
		assert_int_equal(verdict.met, cases[i].met);
	}
}

static void nor_by_the_worst_alone(void **state _unused_)
{
	const struct sim_target target = { "rank", SIM_MEAN_SHARE, 1, "count" };
	static const double rank[] = { 0.8, 0.8, 0.8 }, count[] = { 0.9, 0.9, 0.1 };
	double figures[6 * SIM_FIGURE_MAX] = { 0 };
	struct sim_lines lines = { .n = 2 };
	struct sim_verdict verdict;

	for (unsigned i = 0; i < 3; i++) {
		figures[i * SIM_FIGURE_MAX + SIM_MEAN_SHARE] = rank[i];
		figures[(3 + i) * SIM_FIGURE_MAX + SIM_MEAN_SHARE] = count[i];
	}
	lines.lines[0] =
		(struct sim_line){ sim_row_get(0), &sim_policy_rank, 3, figures };
	lines.lines[1] = (struct sim_line){ sim_row_get(0), &sim_policy_count, 3,
		&figures[3 * SIM_FIGURE_MAX] };
	assert_true(sim_line_judge(&lines, &lines.lines[0], &target, &verdict));
	assert_false(verdict.met);
}

static void others_are_a_measure_only_where_they_are(void **state _unused_)
{
	const struct sim_target target = { "rank", SIM_MEAN_SHARE, 1, "memtis", "tpp",
		-0.05 };
	double figures[2 * SIM_FIGURE_MAX] = { [SIM_MEAN_SHARE] = 0.8,
		[SIM_FIGURE_MAX + SIM_MEAN_SHARE] = 0.9 };
	struct sim_lines lines = { .n = 1 };
	struct sim_verdict verdict;

	lines.lines[0] =
		(struct sim_line){ sim_row_get(0), &sim_policy_rank, 1, figures };
	lines.lines[1] = (struct sim_line){ sim_row_get(0), &sim_policy_tpp, 1,
		&figures[SIM_FIGURE_MAX] };
	assert_false(sim_line_judge(&lines, &lines.lines[0], &target, &verdict));
	lines.n = 2;
	assert_false(sim_line_judge(&lines, &lines.lines[1], &target, &verdict));
	assert_true(sim_line_judge(&lines, &lines.lines[0], &target, &verdict));
	assert_true(fabs(verdict.limit.median - 0.85) < 1e-9);
	assert_false(verdict.met);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engines_show_what_they_are_known_for),
		cmocka_unit_test(figures_do_not_depend_on_processes),
		cmocka_unit_test(a_scan_costs_what_is_lost_by_it),
		cmocka_unit_test(median_and_worst),
		cmocka_unit_test(what_means_nothing_once_means_nothing),
		cmocka_unit_test(a_target_is_met_by_the_worst_too),
		cmocka_unit_test(nor_by_the_worst_alone),
		cmocka_unit_test(others_are_a_measure_only_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
