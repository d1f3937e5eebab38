/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_REPORT_H
#define GUPS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "options.h"
#include "place.h"
#include "residency.h"
#include "verify.h"

#define GUPS_INTERVALS_MAX 1000000

struct gups_interval {
	double t; /* seconds since the start, at the interval's end */
	double updates_per_s;
	struct gups_estimate estimate;
};

/* What a run found out; the strings and the options stay the caller's. */
struct gups_report {
	const struct gups_options *options;
	struct gups_distribution_config distribution;
	struct gups_nodes dram_nodes;
	struct gups_placement placement;
	struct gups_portions initial;
	struct gups_portions final;
	double phase_changed_at; /* 0: never */
	uint64_t updates;
	uint64_t elapsed_ns;
	struct gups_verdict verdict;
	struct gups_interval *intervals;
	size_t n_intervals;
	size_t n_intervals_allocated;
	uint64_t intervals_dropped; /* past GUPS_INTERVALS_MAX */
};

void gups_report_done(struct gups_report *report);

/* Remembers an interval. */
int gups_report_add(struct gups_report *report, const struct gups_interval *interval);

void gups_print_portions(FILE *f, const struct gups_portions *portions);
void gups_print_interval(FILE *f, const struct gups_interval *interval);
void gups_print_final(FILE *f, const struct gups_report *report);
void gups_print_verdict(FILE *f, const struct gups_verdict *verdict);

int gups_report_write_json(const struct gups_report *report, const char *path);

#endif
