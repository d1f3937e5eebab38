/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run in the words of the notes: the portion of each GiB that is in DRAM before and
 * after, speed, and the counters by the names that MEMTIS and TPP give them. All memory
 * here is anonymous, so counters of files are left out.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "report.h"

static void print_portions(const double *portions, size_t n)
{
	printf("dram portion per gb: [");
	for (size_t i = 0; i < n; i++)
		printf("%s%.4f", i > 0 ? ", " : "", portions[i]);
	printf("]\n");
}

static void counter(const char *name, uint64_t value)
{
	printf("%s %" PRIu64 "\n", name, value);
}

static void print_direction(
	const struct tier_group_stats *stats, enum tier_direction direction)
{
	const char *noun = direction == TIER_PROMOTE ? "promotion" : "demotion";
	const uint64_t *results = stats->result_pages[direction];
	uint64_t tried = stats->tried_pages[direction];
	char name[64];

#define COUNTER(text, value)                                            \
	do {                                                            \
		snprintf(name, sizeof(name), "htmm_nr_%s_" text, noun); \
		counter(name, value);                                   \
	} while (0)
	COUNTER("scanned", stats->scanned_pages[direction]);
	if (direction == TIER_DEMOTE) {
		COUNTER("scanned_filtered",
			stats->filtered_warm_pages + stats->filtered_cooling_pages);
		COUNTER("scanned_filtered_warm", stats->filtered_warm_pages);
	}
	COUNTER("tried", tried);
	COUNTER("tried_failure", tried - results[TIER_RESULT_DONE]);
	COUNTER("tried_failure_nomem",
		results[TIER_RESULT_NOMEM] + results[TIER_RESULT_NOROOM]);
#undef COUNTER
	counter(direction == TIER_PROMOTE ? "htmm_nr_promoted" : "htmm_nr_demoted",
		results[TIER_RESULT_DONE]);
}

static void print_vmstat(const struct tier_group_stats *stats)
{
	const uint64_t *up = stats->result_pages[TIER_PROMOTE];
	const uint64_t *down = stats->result_pages[TIER_DEMOTE];
	uint64_t samples = 0;

	for (unsigned i = 0; i < TIER_SAMPLED_MAX; i++)
		samples += stats->samples[i];
	counter("numa_hint_faults", samples);
	counter("numa_pages_migrated", up[TIER_RESULT_DONE]);
	counter("pgpromote_candidate", stats->tried_pages[TIER_PROMOTE]);
	counter("pgpromote_anon", up[TIER_RESULT_DONE]);
	counter("pgmigrate_success", up[TIER_RESULT_DONE] + down[TIER_RESULT_DONE]);
	counter("pgmigrate_fail_dst_node_full",
		up[TIER_RESULT_NOMEM] + up[TIER_RESULT_NOROOM]);
	counter("pgdemote_anon", down[TIER_RESULT_DONE]);
	counter("pgdemote_failed",
		stats->tried_pages[TIER_DEMOTE] - down[TIER_RESULT_DONE]);
}

static void print_histogram(const struct tier_histogram *histogram)
{
	uint64_t sum = 0;

	printf("hotness_hg:");
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
		printf(" %" PRIu64,
			histogram->fast_pages[bin] + histogram->slow_pages[bin]);
	printf("\naccumulated hotness_hg:");
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		sum += histogram->fast_pages[bin] + histogram->slow_pages[bin];
		printf(" %" PRIu64, sum);
	}
	printf("\n");
}

void sim_report_notes(const struct sim_row *row, const struct sim_policy_ops *ops,
	uint64_t seed, const double figures[static SIM_FIGURE_MAX],
	const struct sim_record *record)
{
	const struct tier_group_stats *stats = &record->stats;
	char text[SIM_TEXT_MAX];

	printf("# %s: %s, engine %s, seed %" PRIu64 "\n# initial\n", row->name,
		row->title, ops->name, seed);
	print_portions(record->portions_before, record->n_portions_before);
	printf("hit ratio: %.4f\n# final\n", record->hit_before);
	print_portions(record->portions_after, record->n_portions_after);
	printf("hit ratio: %.4f\n", record->hit_after);
	printf("GUPS: final %.6f elapsed %.1fs\n", record->accesses / row->seconds / 1e9,
		row->seconds);
	if (record->has_group) {
		if (ops->wants_hints) {
			print_vmstat(stats);
		} else {
			print_direction(stats, TIER_PROMOTE);
			print_direction(stats, TIER_DEMOTE);
			counter("coolings", stats->coolings);
		}
		printf("cut: %.6f accesses a second and page; hot %" PRIu64
		       ", warm %" PRIu64 ", cold %" PRIu64 ", unknown %" PRIu64 "\n",
			stats->cut_rate, stats->classes.hot_pages,
			stats->classes.warm_pages, stats->classes.cold_pages,
			stats->classes.unknown_pages);
		print_histogram(&record->histogram);
	}
	for (int figure = 0; figure < SIM_FIGURE_MAX; figure++)
		if (!isnan(figures[figure]))
			printf("%s: %s\n", sim_figure_to_string(figure),
				sim_format(figure, figures[figure], text));
	printf("\n");
}
