/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libsmartcols stays in here. */
#include <errno.h>
#include <libsmartcols.h>
#include <math.h>
#include <string.h>

#include "report.h"

#define SUMMARY_MAX (2 * SIM_TEXT_MAX + 4)
#define CELL_MAX    (3 * SUMMARY_MAX)

enum column {
	COLUMN_ENGINE,
	COLUMN_SEEDS,
	COLUMN_REACHED,
	COLUMN_MEAN,
	COLUMN_FINAL,
	COLUMN_MOVED,
	COLUMN_BACK,
	COLUMN_SPEED,
	COLUMN_TARGET,
	COLUMN_MAX,
};

static const struct {
	const char *name;
	int figure; /* -1: none */
} columns[COLUMN_MAX] = {
	[COLUMN_ENGINE] = { "ENGINE", -1 },
	[COLUMN_SEEDS] = { "SEEDS", -1 },
	[COLUMN_REACHED] = { "TO 95 %", SIM_REACHED_S },
	[COLUMN_MEAN] = { "MEAN SHARE", SIM_MEAN_SHARE },
	[COLUMN_FINAL] = { "FINAL SHARE", SIM_FINAL_SHARE },
	[COLUMN_MOVED] = { "GIB MOVED", SIM_MOVED_GIB },
	[COLUMN_BACK] = { "GIB BACK", SIM_BACK_GIB },
	[COLUMN_SPEED] = { "SPEED", SIM_SPEED },
	[COLUMN_TARGET] = { "TARGET", -1 },
};

static void free_table(struct libscols_table **table)
{
	scols_unref_table(*table);
}

static int new_table(bool colour, struct libscols_table **ret)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return -ENOMEM;
	scols_table_enable_colors(table, colour);
	for (unsigned i = 0; i < COLUMN_MAX; i++)
		if (!scols_table_new_column(table, columns[i].name, 0,
			    i == COLUMN_ENGINE || i == COLUMN_TARGET ? 0
								     : SCOLS_FL_RIGHT)) {
			scols_unref_table(table);
			return -ENOMEM;
		}
	*ret = table;
	return 0;
}

/* "median / worst", or one number where there is no other. */
static void format_summary(
	enum sim_figure figure, struct sim_summary summary, char buf[static SUMMARY_MAX])
{
	char median[SIM_TEXT_MAX], worst[SIM_TEXT_MAX];

	sim_format(figure, summary.median, median);
	sim_format(figure, summary.worst, worst);
	if (strcmp(median, worst) == 0)
		snprintf(buf, SUMMARY_MAX, "%s", median);
	else
		snprintf(buf, SUMMARY_MAX, "%s / %s", median, worst);
}

static bool has_column(enum sim_figure figure)
{
	for (unsigned i = 0; i < COLUMN_MAX; i++)
		if (columns[i].figure == (int)figure)
			return true;
	return false;
}

static void format_target(const struct sim_target *target,
	const struct sim_verdict *verdict, char buf[static CELL_MAX])
{
	bool is_high = sim_figure_should_be_high(target->figure);
	char limit[SUMMARY_MAX], found[SUMMARY_MAX] = "";

	format_summary(target->figure, verdict->limit, limit);
	if (!has_column(target->figure))
		format_summary(target->figure, verdict->found, found);
	snprintf(buf, CELL_MAX, "%s %s%s%s %s: %s", sim_figure_to_string(target->figure),
		found, *found ? " " : "", is_high ? ">=" : "<=", limit,
		verdict->met ? "met" : "MISSED");
}

static int fill_line(struct libscols_line *cells, const struct sim_line *line)
{
	char text[CELL_MAX];
	int r;

	r = scols_line_set_data(cells, COLUMN_ENGINE, line->ops->name);
	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%zu", line->n_seeds);
	r = scols_line_set_data(cells, COLUMN_SEEDS, text);
	for (unsigned i = 0; i < COLUMN_MAX && r >= 0; i++) {
		if (columns[i].figure < 0)
			continue;
		format_summary(columns[i].figure,
			sim_line_summary(line, columns[i].figure), text);
		r = scols_line_set_data(cells, i, text);
	}
	return r;
}

static int fill_target(struct libscols_line *cells, const struct sim_target *target,
	const struct sim_verdict *verdict)
{
	char text[CELL_MAX];
	int r;

	format_target(target, verdict, text);
	r = scols_line_set_data(cells, COLUMN_TARGET, text);
	if (r < 0)
		return r;
	return scols_cell_set_color(scols_line_get_cell(cells, COLUMN_TARGET),
		verdict->met ? "green" : "red");
}

/* A line of figures, and below it its targets from the second on. */
static int add_line(struct libscols_table *table, const struct sim_lines *lines,
	const struct sim_line *line, size_t counts[static 2])
{
	struct libscols_line *cells = scols_table_new_line(table, NULL);
	const struct sim_target *target;
	struct sim_verdict verdict;
	bool is_first = true;
	int r;

	if (!cells)
		return -ENOMEM;
	r = fill_line(cells, line);
	for (size_t i = 0; r >= 0 && (target = sim_row_target(line->row, i)); i++) {
		if (!sim_line_judge(lines, line, target, &verdict))
			continue;
		if (!is_first)
			cells = scols_table_new_line(table, NULL);
		if (!cells)
			return -ENOMEM;
		is_first = false;
		counts[verdict.met]++;
		r = fill_target(cells, target, &verdict);
	}
	return r;
}

static int print_row(
	const struct sim_lines *lines, size_t *i, bool colour, size_t counts[static 2])
{
	_cleanup_(free_table) struct libscols_table *table = NULL;
	const struct sim_row *row = lines->lines[*i].row;
	int r;

	r = new_table(colour, &table);
	if (r < 0)
		return r;
	for (; *i < lines->n && lines->lines[*i].row == row; (*i)++) {
		r = add_line(table, lines, &lines->lines[*i], counts);
		if (r < 0)
			return r;
	}
	printf("%s%s: %s, %.0f s", colour ? "\033[1m" : "", row->name, row->title,
		row->seconds);
	if (row->divisor > 1)
		printf(", sizes and rates divided by %u", row->divisor);
	printf("%s\n", colour ? "\033[0m" : "");
	r = scols_print_table(table);
	printf("\n");
	return r;
}

int sim_report_table(const struct sim_lines *lines, bool colour)
{
	size_t counts[2] = { 0 };

	for (size_t i = 0; i < lines->n;) {
		int r = print_row(lines, &i, colour, counts);

		if (r < 0)
			return r;
	}
	printf("%zu of %zu targets met, by the median and by the worst\n", counts[true],
		counts[false] + counts[true]);
	return 0;
}
