/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables for people: columns as wide as they need, the first one shortened to its end
 * when the terminal is too narrow, nothing cut when the output goes to a file. The
 * library behind it is not to be seen.
 */
#ifndef TIERCTL_TABLE_H
#define TIERCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"
#include "style.h"

struct tierctl_column {
	const char *name;
	bool is_number; /* right-aligned */
};

struct tierctl_cell {
	const char *text; /* copied */
	enum tierctl_colour colour;
};

#define TIERCTL_COLUMNS_MAX 16

struct tierctl_table;

/* style and columns have to outlive the table. Errors: -ENOMEM. */
int tierctl_table_new(const struct tierctl_style *style,
	const struct tierctl_column *columns, size_t n_columns, bool legend,
	struct tierctl_table **ret);
struct tierctl_table *tierctl_table_free(struct tierctl_table *table);
DEFINE_CLEANUP(struct tierctl_table *, tierctl_table_free)

/* One cell for each column. Errors: -ENOMEM. */
int tierctl_table_add(struct tierctl_table *table, const struct tierctl_cell *cells);

/* To stdout. Errors: -ENOMEM. */
int tierctl_table_print(struct tierctl_table *table);

#endif
