/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "settings/errtext.h"
#include "sampler/damon-record.h"

#define EVENT        "/sys/kernel/tracing/events/damon/damon_aggregated"
#define FORMAT_BYTES 16384

/* Where a field's place is kept in a format. */
static const struct {
	const char *name;
	size_t place;
} fields[] = {
	{ "target_id", offsetof(struct tierd_damon_format, target) },
	{ "start", offsetof(struct tierd_damon_format, start) },
	{ "end", offsetof(struct tierd_damon_format, end) },
	{ "nr_accesses", offsetof(struct tierd_damon_format, accesses) },
};

/* ---- The format ---------------------------------------------------------------- */

static bool is_size(unsigned size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

/* "\tfield:unsigned long start;\toffset:24;\tsize:8;\tsigned:0;" */
static int parse_field(const char *text, const char *name, struct tierd_damon_field *ret)
{
	const size_t length = strlen(name);

	for (const char *line = text; (line = strstr(line, "field:"));
		line += strlen("field:")) {
		const char *end = strchr(line, ';');
		unsigned offset, size;

		if (!end)
			return -EBADMSG;
		if ((size_t)(end - line) <= length ||
			strncmp(end - length, name, length) != 0 ||
			end[-(ptrdiff_t)length - 1] != ' ')
			continue;
		if (sscanf(end, "; offset:%u; size:%u;", &offset, &size) != 2 ||
			offset > UINT16_MAX || !is_size(size))
			return -EBADMSG;
		*ret = (struct tierd_damon_field){ offset, size };
		return 0;
	}
	return -EBADMSG;
}

int tierd_damon_format_parse(const char *text, struct tierd_damon_format *ret)
{
	struct tierd_damon_format format = { 0 };
	const char *id = strstr(text, "ID: ");
	unsigned value;

	if (!id || sscanf(id, "ID: %u", &value) != 1)
		return -EBADMSG;
	format.id = value;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		struct tierd_damon_field field;
		int r = parse_field(text, fields[i].name, &field);

		if (r < 0)
			return r;
		memcpy((char *)&format + fields[i].place, &field, sizeof(field));
	}
	*ret = format;
	return 0;
}

int tierd_damon_format_read(
	const struct tierd_root *root, struct tierd_damon_format *ret, char **ret_error)
{
	_cleanup_(freep) char *text = NULL;
	int r = tierd_root_read_file(root, EVENT "/format", FORMAT_BYTES, &text, NULL);

	if (r == -ENOENT)
		return tierd_error(ret_error, -ENODEV,
			"%s is not there: mount tracefs on /sys/kernel/tracing, or use a "
			"kernel with CONFIG_DAMON",
			EVENT);
	if (r == -EACCES || r == -EPERM)
		return tierd_error(ret_error, r,
			"not allowed to read %s: run tierd as root, and without lockdown "
			"of tracefs",
			EVENT);
	if (r >= 0)
		r = tierd_damon_format_parse(text, ret);
	if (r < 0)
		return tierd_error(ret_error, r,
			"%s/format does not describe target_id, start, end and "
			"nr_accesses: %s",
			EVENT, strerror(-r));
	return 0;
}

/* ---- Records ------------------------------------------------------------------- */

static int read_field(const struct tierd_damon_field *field, const uint8_t *data,
	size_t size, uint64_t *ret)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} value;

	if ((size_t)field->offset + field->size > size)
		return -EBADMSG;
	memcpy(&value, data + field->offset, field->size);
	*ret = field->size == 8   ? value.u64
	       : field->size == 4 ? value.u32
	       : field->size == 2 ? value.u16
				  : value.u8;
	return 0;
}

int tierd_damon_record_decode(const struct tierd_damon_format *format,
	const uint8_t *data, size_t size, struct tierd_damon_region *ret)
{
	struct tierd_damon_region region;

	if (read_field(&format->target, data, size, &region.target) < 0 ||
		read_field(&format->start, data, size, &region.start) < 0 ||
		read_field(&format->end, data, size, &region.end) < 0 ||
		read_field(&format->accesses, data, size, &region.accesses) < 0)
		return -EBADMSG;
	if (region.start >= region.end || (int64_t)region.end <= 0 ||
		region.accesses > UINT32_MAX)
		return -EBADMSG;
	*ret = region;
	return 0;
}
