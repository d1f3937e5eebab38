/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of the table is a row with a policy: some runs, each with a seed of its own.
 * Lines are filled by several processes; what comes out does not depend on how many.
 */
#ifndef SIM_LINES_H
#define SIM_LINES_H

#include "run.h"

struct sim_line {
	const struct sim_row *row;
	const struct sim_policy_ops *ops;
	size_t n_seeds;
	const double *figures; /* SIM_FIGURE_MAX of each seed, from 1 on */
};

#define SIM_LINES_MAX 256

struct sim_lines {
	struct sim_line lines[SIM_LINES_MAX];
	size_t n;
	void *tasks; /* shared with those who fill it */
	size_t tasks_bytes;
};

/* Errors: -ENOSPC. */
int sim_lines_add(struct sim_lines *lines, const struct sim_row *row,
	const struct sim_policy_ops *ops, size_t n_seeds);

/* Runs all of it, in @n_processes. Errors: -ENOMEM, -EAGAIN (no process to be had),
 * -ECHILD (one died), whatever a run failed with. Progress goes to standard error. */
int sim_lines_fill(struct sim_lines *lines, unsigned n_processes, bool show_progress);
void sim_lines_done(struct sim_lines *lines);

struct sim_summary sim_line_summary(const struct sim_line *line, enum sim_figure figure);

struct sim_verdict {
	struct sim_summary found;
	struct sim_summary limit; /* both the same, unless relative to another line's */
	bool met;                 /* by the median, and by the worst */
};

/* False if the target is not this line's, or what it is relative to is not there. */
bool sim_line_judge(const struct sim_lines *lines, const struct sim_line *line,
	const struct sim_target *target, struct sim_verdict *ret);

#endif
