/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inih is handed the text line by line. Each line is checked on its way in, which is also
 * how the line's number is known when the library calls back with a key; after an error
 * the text simply ends.
 */
#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "settings/errtext.h"
#include "settings/strict-ini.h"

#define KEYS_MAX  64
#define QUOTE_MAX 40

struct parser {
	const char *name;
	const char *rest, *end; /* of the text */
	unsigned line;
	const struct tierd_ini_key *keys;
	size_t n_keys;
	unsigned lines[KEYS_MAX]; /* where each key was set, 0: nowhere yet */
	void *target;
	int error;
	char **ret_error;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* "A, B and C" of the table's sections, or of the keys of one section. */
static void list_words(
	const struct parser *p, const char *section, char *buffer, size_t size)
{
	size_t used = 0;

	buffer[0] = '\0';
	for (size_t i = 0; i < p->n_keys; i++) {
		const struct tierd_ini_key *key = &p->keys[i];
		bool is_new = i == 0 || strcmp(key->section, p->keys[i - 1].section) != 0;
		int n;

		if (section ? strcmp(key->section, section) != 0 : !is_new)
			continue;
		n = snprintf(buffer + used, size - used, section ? "%s%s" : "%s[%s]",
			used ? ", " : "", section ? key->key : key->section);
		if (n < 0 || (size_t)n >= size - used)
			return;
		used += (size_t)n;
	}
}

/* Cuts a comment and the blanks before it. */
static void strip_line(char *line)
{
	size_t length = strlen(line);

	for (size_t i = 0; i < length; i++) {
		bool begins = i == 0 || is_blank(line[i - 1]);

		if (begins && (line[i] == '#' || line[i] == ';'))
			length = i;
	}
	while (length > 0 && is_blank(line[length - 1]))
		length--;
	line[length] = '\0';
}

static bool is_known_section(const struct parser *p, const char *section)
{
	for (size_t i = 0; i < p->n_keys; i++)
		if (!strcmp(p->keys[i].section, section))
			return true;
	return false;
}

static int check_section(struct parser *p, const char *line)
{
	size_t length = strlen(line);
	char section[TIERD_INI_LINE_MAX + 1], known[512];

	if (length < 3 || strchr(line, ']') != line + length - 1)
		return tierd_error(p->ret_error, -EINVAL,
			"%s:%u: %s: expected a section as in \"[Name]\"", p->name,
			p->line, line);
	memcpy(section, line + 1, length - 2);
	section[length - 2] = '\0';
	if (length - 2 > TIERD_INI_SECTION_MAX)
		return tierd_error(p->ret_error, -EINVAL,
			"%s:%u: [%s]: the section's name has %zu characters, at most %d are allowed",
			p->name, p->line, section, length - 2, TIERD_INI_SECTION_MAX);
	if (is_known_section(p, section))
		return 0;
	list_words(p, NULL, known, sizeof(known));
	return tierd_error(p->ret_error, -EINVAL,
		"%s:%u: unknown section [%s], expected one of %s", p->name, p->line,
		section, known);
}

/* A line as it came, without its newline and comment. */
static int check_line(struct parser *p, const char *line)
{
	size_t equals;

	if (!*line)
		return 0;
	if (is_blank(*line))
		return tierd_error(p->ret_error, -EINVAL,
			"%s:%u: the line begins with a blank: keys and sections begin in the "
			"first column, and values do not go on over several lines",
			p->name, p->line);
	if (*line == '[')
		return check_section(p, line);
	equals = strcspn(line, "=:");
	if (line[equals] != '=' || equals == 0)
		return tierd_error(p->ret_error, -EINVAL,
			"%s:%u: %s: expected \"Key=value\" or \"[Section]\"", p->name,
			p->line, line);
	return 0;
}

/* How much of an over-long line to quote: its key, or what there is in place of one. */
static int key_length(const char *line)
{
	const char *equals = memchr(line, '=', QUOTE_MAX);

	return equals ? (int)(equals - line) : QUOTE_MAX;
}

/* The next line, stripped, in buffer, which has room for TIERD_INI_LINE_MAX and a NUL. */
static int take_line(struct parser *p, char *buffer)
{
	const char *newline = memchr(p->rest, '\n', (size_t)(p->end - p->rest));
	const char *end = newline ? newline : p->end;
	size_t length = (size_t)(end - p->rest);

	p->line++;
	if (length > TIERD_INI_LINE_MAX)
		return tierd_error(p->ret_error, -EINVAL,
			"%s:%u: %.*s…: the line has %zu bytes, at most %d are allowed",
			p->name, p->line, key_length(p->rest), p->rest, length,
			TIERD_INI_LINE_MAX);
	if (memchr(p->rest, '\0', length))
		return tierd_error(p->ret_error, -EINVAL,
			"%s:%u: the line holds a NUL byte, expected text", p->name,
			p->line);
	memcpy(buffer, p->rest, length);
	buffer[length] = '\0';
	p->rest = newline ? newline + 1 : p->end;
	strip_line(buffer);
	return check_line(p, buffer);
}

/* inih's fgets(). */
static char *read_line(char *buffer, int size, void *userdata)
{
	struct parser *p = userdata;
	char line[TIERD_INI_LINE_MAX + 1];

	if (p->error < 0 || p->rest == p->end)
		return NULL;
	p->error = take_line(p, line);
	if (p->error >= 0 && strlen(line) >= (size_t)size)
		p->error = -EOVERFLOW; /* an inih built for shorter lines */
	if (p->error < 0)
		return NULL;
	memcpy(buffer, line, strlen(line) + 1);
	return buffer;
}

static int unknown_key(const struct parser *p, const char *section, const char *key)
{
	char known[512];

	if (!*section)
		return tierd_error(p->ret_error, -EINVAL,
			"%s:%u: %s= stands before the first section", p->name, p->line,
			key);
	list_words(p, section, known, sizeof(known));
	return tierd_error(p->ret_error, -EINVAL,
		"%s:%u: unknown key %s= in section [%s], expected one of %s", p->name,
		p->line, key, section, known);
}

static int set_key(
	struct parser *p, const char *section, const char *name, const char *value)
{
	for (size_t i = 0; i < p->n_keys; i++) {
		const struct tierd_ini_key *key = &p->keys[i];
		int r;

		if (strcmp(key->section, section) != 0 || strcmp(key->key, name) != 0)
			continue;
		if (p->lines[i])
			return tierd_error(p->ret_error, -EINVAL,
				"%s:%u: %s= in section [%s] was already set in line %u",
				p->name, p->line, name, section, p->lines[i]);
		p->lines[i] = p->line;
		r = key->parse(value, (char *)p->target + key->offset);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			return tierd_error(p->ret_error, r,
				"%s:%u: %s=%s in section [%s]: expected %s", p->name,
				p->line, name, value, section, key->expected);
		return 0;
	}
	return unknown_key(p, section, name);
}

/* inih's handler: 1 is success. */
static int handle_key(
	void *userdata, const char *section, const char *name, const char *value)
{
	struct parser *p = userdata;

	if (p->error >= 0)
		p->error = set_key(p, section, name, value);
	return p->error >= 0;
}

int tierd_ini_parse(const char *name, const char *text, size_t size,
	const struct tierd_ini_key *keys, size_t n_keys, void *target, char **ret_error)
{
	struct parser p = {
		.name = name,
		.rest = text,
		.end = text + size,
		.keys = keys,
		.n_keys = n_keys,
		.target = target,
		.ret_error = ret_error,
	};
	int r;

	assert(n_keys <= KEYS_MAX);
	r = ini_parse_stream(read_line, &p, handle_key, &p);
	if (p.error < 0)
		return p.error;
	if (r < 0)
		return -ENOMEM;
	if (r > 0)
		return tierd_error(
			ret_error, -EINVAL, "%s:%d: not a line of an INI file", name, r);
	return 0;
}
