/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "base/util.h"
#include "enforce/journal-record.h"

#define CHECKSUM_DIGITS 8

enum field {
	FIELD_CHECKSUM,
	FIELD_VERB,
	FIELD_ATTRIBUTE,
	FIELD_PATH,
	FIELD_UNIT,
	FIELD_ID,
	FIELD_DROP_IN,
	FIELD_BEFORE,
	FIELD_HELD,
	FIELD_WANTED,
	FIELD_MAX,
};

/* ---- The list ------------------------------------------------------------------ */

void tierd_held_list_done(struct tierd_held_list *list)
{
	free(list->items);
	*list = (struct tierd_held_list){ 0 };
}

struct tierd_held *tierd_held_list_find(
	const struct tierd_held_list *list, const struct tierd_held *held)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (tierd_held_is_same(&list->items[i], held))
			return &list->items[i];
	return NULL;
}

static int grow(struct tierd_held_list *list)
{
	size_t n = list->n_allocated ? list->n_allocated * 2 : 8;
	struct tierd_held *items;

	if (list->n_items >= TIERD_JOURNAL_HELD_MAX)
		return -ENOBUFS;
	items = reallocarray(list->items, n, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	list->n_allocated = n;
	return 0;
}

int tierd_held_list_put(struct tierd_held_list *list, const struct tierd_held *held)
{
	struct tierd_held *entry = tierd_held_list_find(list, held);

	if (!entry) {
		int r = list->n_items == list->n_allocated ? grow(list) : 0;

		if (r < 0)
			return r;
		entry = &list->items[list->n_items++];
	}
	*entry = *held;
	return 0;
}

void tierd_held_list_remove(struct tierd_held_list *list, const struct tierd_held *held)
{
	struct tierd_held *entry = tierd_held_list_find(list, held);
	struct tierd_held *end = list->items + list->n_items;

	if (!entry)
		return;
	memmove(entry, entry + 1, (char *)end - (char *)(entry + 1));
	list->n_items--;
}

/* ---- Printing ------------------------------------------------------------------ */

/* FNV-1a: against torn writes, not against forgers, who would need root. */
static uint32_t checksum(const char *text, size_t size)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ (unsigned char)text[i]) * 16777619u;
	return sum;
}

static void print_escaped(FILE *out, const char *text)
{
	fputc(' ', out);
	if (!*text)
		fputc('-', out);
	for (const char *p = text; *p; p++) {
		unsigned char c = *p;

		if (c <= ' ' || c == '%' || c == 0x7f || (c == '-' && !text[1]))
			fprintf(out, "%%%02X", c);
		else
			fputc(c, out);
	}
}

int tierd_journal_record_print(const struct tierd_held *held, bool is_done,
	char ret_line[static TIERD_JOURNAL_LINE_SIZE], size_t *ret_size)
{
	_cleanup_(fclosep) FILE *out = fmemopen(ret_line, TIERD_JOURNAL_LINE_SIZE, "w");
	char sum[CHECKSUM_DIGITS + 1];
	long size;

	if (!out)
		return -ENOMEM;
	fprintf(out, "%0*d %s", CHECKSUM_DIGITS, 0, is_done ? "done" : "hold");
	print_escaped(out, tierd_attribute_to_string(held->attribute));
	print_escaped(out, held->path);
	print_escaped(out, held->unit);
	fprintf(out, " %" PRIu64 " %s", held->id,
		held->keeps_drop_in ? "keep" : "remove");
	print_escaped(out, held->before);
	print_escaped(out, held->held);
	print_escaped(out, held->wanted);
	fputc('\n', out);
	if (fflush(out) != 0 || (size = ftell(out)) < 0)
		return -E2BIG;
	snprintf(sum, sizeof(sum), "%08" PRIx32,
		checksum(ret_line + CHECKSUM_DIGITS, size - CHECKSUM_DIGITS));
	memcpy(ret_line, sum, CHECKSUM_DIGITS);
	*ret_size = size;
	return 0;
}

/* ---- Parsing ------------------------------------------------------------------- */

static int unescape(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	if (strcmp(text, "-") == 0)
		text = "";
	for (const char *p = text; *p; p++) {
		char c = *p;

		if (c == '%') {
			char digits[3] = { p[1], p[1] ? p[2] : '\0', '\0' };
			uint64_t value;

			if (strlen(digits) != 2 || tier_parse_hex(digits, &value) < 0)
				return -EBADMSG;
			c = (char)value;
			p += 2;
		}
		if (n + 1 >= size)
			return -E2BIG;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return 0;
}

static int parse_fields(char *const *fields, struct tierd_held *ret, bool *ret_is_done)
{
	int r;

	*ret_is_done = strcmp(fields[FIELD_VERB], "done") == 0;
	if (!*ret_is_done && strcmp(fields[FIELD_VERB], "hold") != 0)
		return -EBADMSG;
	ret->keeps_drop_in = strcmp(fields[FIELD_DROP_IN], "keep") == 0;
	if (!ret->keeps_drop_in && strcmp(fields[FIELD_DROP_IN], "remove") != 0)
		return -EBADMSG;
	if ((r = tierd_attribute_from_string(fields[FIELD_ATTRIBUTE], &ret->attribute)) <
			0 ||
		(r = unescape(fields[FIELD_PATH], ret->path, sizeof(ret->path))) < 0 ||
		(r = unescape(fields[FIELD_UNIT], ret->unit, sizeof(ret->unit))) < 0 ||
		(r = tier_parse_u64(fields[FIELD_ID], &ret->id)) < 0 ||
		(r = unescape(fields[FIELD_BEFORE], ret->before, TIERD_VALUE_SIZE)) < 0 ||
		(r = unescape(fields[FIELD_HELD], ret->held, TIERD_VALUE_SIZE)) < 0 ||
		(r = unescape(fields[FIELD_WANTED], ret->wanted, TIERD_VALUE_SIZE)) < 0)
		return r;
	return 0;
}

/* @line has its newline still, which belongs to what the checksum is of. */
static int parse_line(char *line, size_t size, struct tierd_held *ret, bool *ret_is_done)
{
	char *fields[FIELD_MAX], *rest = line;
	uint64_t sum;

	if (size <= CHECKSUM_DIGITS + 1 || line[CHECKSUM_DIGITS] != ' ')
		return -EBADMSG;
	line[size - 1] = '\n';
	line[CHECKSUM_DIGITS] = '\0';
	if (tier_parse_hex(line, &sum) < 0)
		return -EBADMSG;
	line[CHECKSUM_DIGITS] = ' ';
	if (sum != checksum(line + CHECKSUM_DIGITS, size - CHECKSUM_DIGITS))
		return -EBADMSG;
	line[size - 1] = '\0';
	for (int i = 0; i < FIELD_MAX; i++)
		if (!(fields[i] = strsep(&rest, " ")))
			return -EBADMSG;
	return rest ? -EBADMSG : parse_fields(fields, ret, ret_is_done);
}

static int take_line(char *line, size_t size, struct tierd_held_list *list)
{
	struct tierd_held held = { 0 };
	bool is_done;
	int r = parse_line(line, size, &held, &is_done);

	if (r < 0)
		return -EBADMSG;
	if (!is_done)
		return tierd_held_list_put(list, &held);
	tierd_held_list_remove(list, &held);
	return 0;
}

int tierd_journal_parse(
	char *text, size_t size, struct tierd_held_list *ret, size_t *ret_skipped)
{
	_cleanup_(tierd_held_list_done) struct tierd_held_list list = { 0 };
	size_t skipped = 0;
	char *end;

	for (char *line = text; line < text + size; line = end + 1) {
		int r;

		end = memchr(line, '\n', text + size - line);
		if (!end) {
			skipped++;
			break;
		}
		r = take_line(line, end + 1 - line, &list);
		if (r == -EBADMSG)
			skipped++;
		else if (r < 0)
			return r;
	}
	*ret = list;
	list = (struct tierd_held_list){ 0 };
	*ret_skipped = skipped;
	return 0;
}
