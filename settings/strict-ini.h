/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict INI, on top of inih, whose own header is called ini.h. The library forgives a
 * lot: it cuts long section names, splits long lines, joins indented ones, takes ':' for
 * '=' and lets the last of two values win. Here each of these is an error with file and
 * line, as is a section or key that the caller's table does not list. Comments are whole
 * lines that begin with '#' or
 * ';', or begin with either after a blank.
 */
#ifndef TIERD_STRICT_INI_H
#define TIERD_STRICT_INI_H

#include <stddef.h>

#define TIERD_INI_LINE_MAX    199
#define TIERD_INI_SECTION_MAX 49

/* Room for any value, with its NUL. */
#define TIERD_INI_VALUE_SIZE (TIERD_INI_LINE_MAX + 1)

struct tierd_ini_key {
	const char *section;
	const char *key;
	int (*parse)(const char *value, void *field); /* negative errno: not acceptable */
	size_t offset;                                /* of the field in the target */
	const char *expected; /* what would be right, to follow "expected " */
};

/*
 * Parses text and fills the target's fields; name is what errors call the file. On
 * failure the target may be half filled: parse into a copy. Fields without a line keep
 * what they held.
 */
int tierd_ini_parse(const char *name, const char *text, size_t size,
	const struct tierd_ini_key *keys, size_t n_keys, void *target, char **ret_error);

#endif
