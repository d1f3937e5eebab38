/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is measured of a run, and how many runs become a median and a worst. Each figure
 * is one number; NAN says that it means nothing for this run, INFINITY that what it
 * waits for never came.
 */
#ifndef SIM_FIGURES_H
#define SIM_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

/* A share is a hit ratio over that of the best placement, or 1 for as good as the oracle.
 */
enum sim_figure {
	SIM_REACHED_S,   /* from the start, or a change of phase, to a share of 0.95 */
	SIM_MEAN_SHARE,  /* from the same time on, to the end */
	SIM_FINAL_SHARE, /* in the last tick */
	SIM_MOVED_GIB,   /* in both directions */
	SIM_BACK_GIB,    /* of these, within a minute of having moved the other way */
	SIM_SPEED,     /* of accesses in the last tick, over that of the best placement */
	SIM_SCAN_COST, /* share before the scan, less the lowest since */
	SIM_OVER_MIB,  /* beyond the quota, at most */
	SIM_DRAM_PORTION,   /* of all pages, in the end */
	SIM_PORTION_CHANGE, /* of a GiB's portion, from first to last, on average */
	SIM_NOMEM_SHARE,    /* of tried promotions: failed for lack of memory */
	SIM_WARM_SHARE,     /* of pages scanned for demotion: passed over as warm */
	SIM_PROMOTED_GIB,
	SIM_DEMOTED_GIB,
	SIM_COOLINGS,
	SIM_PHASE_CHANGES, /* detected */
	SIM_FIGURE_MAX,
};

enum sim_unit {
	SIM_UNIT_SECONDS,
	SIM_UNIT_SHARE,
	SIM_UNIT_GIB,
	SIM_UNIT_MIB,
	SIM_UNIT_COUNT,
};

/* Stable lower-case names; NULL for values out of range. */
const char *sim_figure_to_string(int figure);
enum sim_unit sim_figure_unit(enum sim_figure figure);

/* True if more is better. */
bool sim_figure_should_be_high(enum sim_figure figure);

#define SIM_TEXT_MAX 32

/* As people read it: "2.5 s", "0.952", "never", "-". Returns buf. */
const char *sim_format(
	enum sim_figure figure, double value, char buf[static SIM_TEXT_MAX]);

struct sim_summary {
	double median;
	double worst;
};

/* values[i × stride] for i < n; n >= 1. */
struct sim_summary sim_summarize(
	enum sim_figure figure, const double *values, size_t n, size_t stride);

#endif
