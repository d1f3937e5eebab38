/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of the table, and what each engine has to show in them.
 */
#ifndef SIM_ROWS_H
#define SIM_ROWS_H

#include "figures.h"
#include "sim.h"

/* Bounds are data and never enforced here: the table prints whether they are met. */
struct sim_target {
	const char *engine; /* whose */
	enum sim_figure figure;
	double limit; /* at least, where more is better; at most, where less is */
	/* Relative ones: limit × what this engine has there, or the better one of two,
	 * plus. */
	const char *than;
	const char *or_than;
	double plus;
};

#define SIM_TARGETS_MAX 5

struct sim_row {
	const char *name;
	const char *title;
	double seconds;
	unsigned seeds;   /* of rank, unless told otherwise */
	const char *only; /* the one policy that has a line there; NULL: all */
	struct sim_config config;
	struct sim_target targets[SIM_TARGETS_MAX]; /* up to one without an engine */
	unsigned divisor; /* what it has been scaled by; 0: not at all */
};

/* NULL past the end: first the row's own targets, then those of all rows. */
const struct sim_target *sim_row_target(const struct sim_row *row, size_t i);

/* NULL past the end. */
const struct sim_row *sim_row_get(size_t i);
const struct sim_row *sim_row_find(const char *name);

/* The row with all that counts pages or accesses divided by @divisor, so that a page is
 * accessed, and sampled, as often as before; rows of a few blocks are left as they are.
 */
void sim_row_scale(const struct sim_row *row, unsigned divisor, struct sim_row *ret);

#endif
