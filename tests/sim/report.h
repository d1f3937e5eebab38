/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found, for people, for programs, and in the words of the notes.
 */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "lines.h"

/* Each writes to stdout. Errors: -ENOMEM. */
int sim_report_table(const struct sim_lines *lines, bool colour);
int sim_report_json(const struct sim_lines *lines);

/* The notes' lines on one run. */
void sim_report_notes(const struct sim_row *row, const struct sim_policy_ops *ops,
	uint64_t seed, const double figures[static SIM_FIGURE_MAX],
	const struct sim_record *record);

#endif
