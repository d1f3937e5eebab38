/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libsmartcols stays in here. By itself it would escape backslashes, which units with a
 * dash in their slice's name have, and cut a path's end, which tells most: so its
 * escaping is off, and cells come to it harmless and as short as they have to be.
 */
#include <assert.h>
#include <errno.h>
#include <libsmartcols.h>

#include "table.h"

struct tierctl_table {
	struct libscols_table *scols;
	const struct tierctl_style *style;
	size_t n_columns;
	size_t widths[TIERCTL_COLUMNS_MAX];
};

static int set_up(
	struct tierctl_table *table, const struct tierctl_column *columns, bool legend)
{
	int r;

	r = scols_table_enable_colors(table->scols, table->style->colour);
	if (r < 0)
		return r;
	r = scols_table_enable_noencoding(table->scols, true);
	if (r < 0)
		return r;
	r = scols_table_enable_noheadings(table->scols, !legend);
	if (r < 0)
		return r;
	for (size_t i = 0; i < table->n_columns; i++) {
		int flags = columns[i].is_number ? SCOLS_FL_RIGHT : 0;
		struct libscols_column *column;

		if (i == 0)
			flags |= SCOLS_FL_TRUNC;
		table->widths[i] = tierctl_width(columns[i].name);
		column = scols_table_new_column(table->scols, columns[i].name, 0, flags);
		if (!column)
			return -ENOMEM;
		r = scols_cell_set_color(scols_column_get_header(column),
			table->style->colour ? "\033[1m" : NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

int tierctl_table_new(const struct tierctl_style *style,
	const struct tierctl_column *columns, size_t n_columns, bool legend,
	struct tierctl_table **ret)
{
	_cleanup_(tierctl_table_freep) struct tierctl_table *table = NULL;
	int r;

	assert(n_columns <= TIERCTL_COLUMNS_MAX);
	table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->style = style;
	table->n_columns = n_columns;
	table->scols = scols_new_table();
	if (!table->scols)
		return -ENOMEM;
	r = set_up(table, columns, legend);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(table);
	return 0;
}

struct tierctl_table *tierctl_table_free(struct tierctl_table *table)
{
	if (!table)
		return NULL;
	scols_unref_table(table->scols);
	free(table);
	return NULL;
}

static int set_cell(struct tierctl_table *table, struct libscols_line *line, size_t i,
	const struct tierctl_cell *cell)
{
	_cleanup_(freep) char *text = NULL;
	size_t width;
	int r;

	r = tierctl_printable(table->style, cell->text, &text);
	if (r < 0)
		return r;
	width = tierctl_width(text);
	table->widths[i] = TIER_MAX(table->widths[i], width);
	r = scols_line_refer_data(line, i, TAKE_PTR(text));
	if (r < 0 || cell->colour == TIERCTL_PLAIN)
		return r;
	return scols_cell_set_color(
		scols_line_get_cell(line, i), tierctl_colour(table->style, cell->colour));
}

int tierctl_table_add(struct tierctl_table *table, const struct tierctl_cell *cells)
{
	struct libscols_line *line = scols_table_new_line(table->scols, NULL);
	int r;

	if (!line)
		return -ENOMEM;
	for (size_t i = 0; i < table->n_columns; i++) {
		r = set_cell(table, line, i, &cells[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What the terminal leaves for the first column, a blank being between any two. */
static size_t room_for_first(const struct tierctl_table *table)
{
	size_t others = 0;

	for (size_t i = 1; i < table->n_columns; i++)
		others += table->widths[i] + 1;
	return table->style->columns - TIER_MIN(table->style->columns, others);
}

static int shorten_first(struct tierctl_table *table)
{
	size_t room = room_for_first(table);

	if (table->widths[0] <= room)
		return 0;
	for (size_t i = 0; i < scols_table_get_nlines(table->scols); i++) {
		struct libscols_line *line = scols_table_get_line(table->scols, i);
		const char *text = scols_cell_get_data(scols_line_get_cell(line, 0));
		char *shortened;
		int r;

		r = tierctl_ellipsize(table->style, text, room, &shortened);
		if (r < 0)
			return r;
		r = scols_line_refer_data(line, 0, shortened);
		if (r < 0)
			return r;
	}
	return 0;
}

int tierctl_table_print(struct tierctl_table *table)
{
	int r;

	if (table->style->terminal) {
		r = shorten_first(table);
		if (r < 0)
			return r;
	}
	return scols_print_table(table->scols);
}
