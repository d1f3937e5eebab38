/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How text looks to a person: colours, bars and the short forms of sizes, shares and
 * times. Colours appear on a terminal only, and not if NO_COLOR or TERM=dumb asks
 * otherwise; block characters only where the locale is UTF-8.
 */
#ifndef TIERCTL_STYLE_H
#define TIERCTL_STYLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

struct tierctl_style {
	bool colour;
	bool utf8;
	bool terminal;    /* stdout is one */
	unsigned columns; /* of the terminal, 80 when there is none */
};

enum tierctl_colour {
	TIERCTL_PLAIN,
	TIERCTL_BOLD,
	TIERCTL_DIM,
	TIERCTL_GOOD,
	TIERCTL_WARNING,
	TIERCTL_BAD,
	TIERCTL_DRAM, /* what lies in DRAM … */
	TIERCTL_SLOW, /* … and what does not */
	TIERCTL_COLOUR_MAX,
};

/* Needs setlocale() to have been called. */
void tierctl_style_init(struct tierctl_style *ret);

/* The escape sequence that begins a colour, TIERCTL_PLAIN ending it; "" without colours.
 */
const char *tierctl_colour(const struct tierctl_style *style, enum tierctl_colour colour);

/* The mark in front of a heading. */
const char *tierctl_dot(const struct tierctl_style *style);

#define TIERCTL_TEXT_MAX 48

/* Each returns buf. */
const char *tierctl_format_size(uint64_t bytes, char buf[static TIERCTL_TEXT_MAX]);
const char *tierctl_format_limit(uint64_t bytes, char buf[static TIERCTL_TEXT_MAX]);
const char *tierctl_format_share(double share, char buf[static TIERCTL_TEXT_MAX]);
const char *tierctl_format_rate(double per_second, char buf[static TIERCTL_TEXT_MAX]);
const char *tierctl_format_duration(uint64_t usec, char buf[static TIERCTL_TEXT_MAX]);

/* part of whole; 0 when there is no whole. */
double tierctl_share(uint64_t part, uint64_t whole);

#define TIERCTL_BAR_CELLS_MAX 64
#define TIERCTL_BAR_SIZE      (TIERCTL_BAR_CELLS_MAX * 3 + 1)

/*
 * A bar of cells terminal columns, filled by share of 1 and blank from there on. What is
 * more than nothing shows. Returns buf.
 */
const char *tierctl_bar(const struct tierctl_style *style, double share, unsigned cells,
	char buf[static TIERCTL_BAR_SIZE]);

/*
 * text with everything a terminal could take for a command replaced by '?': names of
 * cgroups come from whoever made them. The caller frees *ret. Errors: -ENOMEM.
 */
int tierctl_printable(const struct tierctl_style *style, const char *text, char **ret);

/* The columns text takes on a terminal. */
size_t tierctl_width(const char *text);

/*
 * text, or as much of its end as fits into width columns after an ellipsis: the end of a
 * cgroup's path tells more than its beginning. The caller frees *ret. Errors: -ENOMEM.
 */
int tierctl_ellipsize(
	const struct tierctl_style *style, const char *text, size_t width, char **ret);

#endif
