/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/util.h"
#include "openmetrics.h"

enum type {
	TYPE_NONE,
	TYPE_GAUGE,
	TYPE_COUNTER,
};

/* The family being read. */
struct reader {
	struct openmetrics *metrics;
	unsigned line;
	char family[OPENMETRICS_NAME_MAX];
	enum type type;
	char unit[OPENMETRICS_NAME_MAX];
	bool has_help;
	bool has_samples;
};

static bool wrong(struct reader *reader, const char *what)
{
	snprintf(reader->metrics->error, sizeof(reader->metrics->error), "line %u: %s",
		reader->line, what);
	return false;
}

/* ---- Words --------------------------------------------------------------------- */

static bool is_name_char(char c, bool is_first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!is_first && c >= '0' && c <= '9');
}

/* Takes a name off the text; false if there is none, or it is too long. */
static bool take_name(const char **text, char name[static OPENMETRICS_NAME_MAX])
{
	size_t n = 0;

	while (is_name_char((*text)[n], n == 0)) {
		if (n == OPENMETRICS_NAME_MAX - 1)
			return false;
		name[n] = (*text)[n];
		n++;
	}
	name[n] = '\0';
	*text += n;
	return n > 0;
}

static bool take(const char **text, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*text, word, n) != 0)
		return false;
	*text += n;
	return true;
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

static bool is_utf8(const char *text, size_t size)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + size;

	while (p < end) {
		unsigned n = *p < 0x80                 ? 0
			     : *p >= 0xc2 && *p < 0xe0 ? 1
			     : *p >= 0xe0 && *p < 0xf0 ? 2
			     : *p >= 0xf0 && *p < 0xf5 ? 3
						       : 9;

		if (n == 9 || p + n >= end)
			return false;
		for (unsigned i = 1; i <= n; i++)
			if (p[i] < 0x80 || p[i] > 0xbf)
				return false;
		p += n + 1;
	}
	return true;
}

/* ---- Families ------------------------------------------------------------------ */

static bool end_family(struct reader *reader)
{
	if (*reader->family && (reader->type == TYPE_NONE || !reader->has_help))
		return wrong(reader, "the family before has no type, or no help");
	return true;
}

static bool begin_family(struct reader *reader, const char *name)
{
	struct openmetrics *metrics = reader->metrics;

	if (!end_family(reader))
		return false;
	for (size_t i = 0; i < metrics->n_families; i++)
		if (strcmp(metrics->families[i], name) == 0)
			return wrong(reader, "the family was there before");
	if (metrics->n_families == OPENMETRICS_FAMILIES_MAX)
		return wrong(reader, "too many families");
	if (ends_in(name, "_total") || ends_in(name, "_created") ||
		ends_in(name, "_info") || ends_in(name, "_bucket") ||
		ends_in(name, "_count") || ends_in(name, "_sum"))
		return wrong(reader, "a family's name has a suffix of samples");
	strcpy(metrics->families[metrics->n_families++], name);
	strcpy(reader->family, name);
	reader->type = TYPE_NONE;
	reader->unit[0] = '\0';
	reader->has_help = reader->has_samples = false;
	return true;
}

static bool read_type(struct reader *reader, const char *text)
{
	if (reader->type != TYPE_NONE)
		return wrong(reader, "a second type");
	reader->type = strcmp(text, "gauge") == 0     ? TYPE_GAUGE
		       : strcmp(text, "counter") == 0 ? TYPE_COUNTER
						      : TYPE_NONE;
	return reader->type != TYPE_NONE || wrong(reader, "a type that is none of ours");
}

static bool read_unit(struct reader *reader, const char *text)
{
	char end[OPENMETRICS_NAME_MAX + 1];

	if (*reader->unit)
		return wrong(reader, "a second unit");
	if (!take_name(&text, reader->unit) || *text)
		return wrong(reader, "no unit");
	snprintf(end, sizeof(end), "_%s", reader->unit);
	return ends_in(reader->family, end) ||
	       wrong(reader, "the family's name does not end in its unit");
}

static bool read_help(struct reader *reader, const char *text)
{
	if (reader->has_help)
		return wrong(reader, "a second help");
	reader->has_help = true;
	if (!*text)
		return wrong(reader, "an empty help");
	for (; *text; text++) {
		if (*text == '"')
			return wrong(reader, "a quote in a help is to be escaped");
		if (*text == '\\' && !strchr("\\\"n", *++text))
			return wrong(reader, "a bad escape in a help");
	}
	return true;
}

/* After "# ". */
static bool read_descriptor(struct reader *reader, const char *text)
{
	static const struct {
		const char *word;
		bool (*read)(struct reader *reader, const char *text);
	} descriptors[] = { { "TYPE ", read_type }, { "UNIT ", read_unit },
		{ "HELP ", read_help } };
	char name[OPENMETRICS_NAME_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++) {
		if (!take(&text, descriptors[i].word))
			continue;
		if (!take_name(&text, name) || !take(&text, " "))
			return wrong(reader, "no name after # WORD");
		if (strcmp(name, reader->family) != 0 && !begin_family(reader, name))
			return false;
		if (reader->has_samples)
			return wrong(reader, "it comes after the family's samples");
		return descriptors[i].read(reader, text);
	}
	return wrong(reader, "not TYPE, UNIT or HELP");
}

/* ---- Samples ------------------------------------------------------------------- */

static bool take_label_value(const char **text)
{
	if (!take(text, "\""))
		return false;
	for (; **text && **text != '"'; (*text)++)
		if (**text == '\\' && (*++*text == '\0' || !strchr("\\\"n", **text)))
			return false;
	return take(text, "\"");
}

/* No label twice, and none that is reserved. */
static bool take_labels(const char **text)
{
	char names[8][OPENMETRICS_NAME_MAX];
	size_t n = 0;

	if (!take(text, "{"))
		return true;
	do {
		if (n == ARRAY_SIZE(names) || !take_name(text, names[n]) ||
			strncmp(names[n], "__", 2) == 0 || !take(text, "=") ||
			!take_label_value(text))
			return false;
		for (size_t i = 0; i < n; i++)
			if (strcmp(names[i], names[n]) == 0)
				return false;
		n++;
	} while (take(text, ","));
	return take(text, "}");
}

static bool read_value(const char *text, double *ret)
{
	static const char digits[] = "0123456789+-.e";
	char *end;

	if (strcmp(text, "NaN") == 0 || strcmp(text, "+Inf") == 0 ||
		strcmp(text, "-Inf") == 0) {
		*ret = *text == 'N' ? NAN : *text == '+' ? INFINITY : -INFINITY;
		return true;
	}
	*ret = strtod(text, &end);
	return *text && !*end && text[strspn(text, digits)] == '\0';
}

static bool name_is_of_family(const struct reader *reader, const char *name)
{
	char expected[OPENMETRICS_NAME_MAX + sizeof("_total")];

	snprintf(expected, sizeof(expected), "%s%s", reader->family,
		reader->type == TYPE_COUNTER ? "_total" : "");
	return strcmp(name, expected) == 0;
}

static bool read_sample(struct reader *reader, const char *text)
{
	struct openmetrics *metrics = reader->metrics;
	struct openmetrics_series *series = &metrics->series[metrics->n_series];
	const char *begin = text;
	char name[OPENMETRICS_NAME_MAX];

	if (metrics->n_series == OPENMETRICS_SERIES_MAX)
		return wrong(reader, "too many series");
	if (!take_name(&text, name) || !name_is_of_family(reader, name))
		return wrong(reader, "not a sample of the family it stands in");
	if (!take_labels(&text))
		return wrong(reader, "bad labels");
	if ((size_t)(text - begin) >= sizeof(series->text))
		return wrong(reader, "labels of such a length");
	memcpy(series->text, begin, text - begin);
	series->text[text - begin] = '\0';
	if (!take(&text, " ") || !read_value(text, &series->value))
		return wrong(reader, "no value, or more than one");
	if (reader->type == TYPE_COUNTER && !(series->value >= 0))
		return wrong(reader, "a counter that is negative, or no number");
	metrics->n_series++;
	reader->has_samples = true;
	return true;
}

/* ---- All of it ----------------------------------------------------------------- */

static int compare_series(const void *a, const void *b)
{
	const struct openmetrics_series *x = a, *y = b;

	return strcmp(x->text, y->text);
}

/* Labels are always written in one order, so that text can be compared. */
static bool sort_series(struct reader *reader)
{
	struct openmetrics *metrics = reader->metrics;

	qsort(metrics->series, metrics->n_series, sizeof(*metrics->series),
		compare_series);
	for (size_t i = 1; i < metrics->n_series; i++)
		if (compare_series(&metrics->series[i - 1], &metrics->series[i]) == 0)
			return wrong(reader, metrics->series[i].text);
	return true;
}

static bool read_lines(struct reader *reader, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *rest = line;

		reader->line++;
		if (!*line && !text)
			break;
		if (strcmp(line, "# EOF") == 0)
			return text && !*text ? end_family(reader)
					      : wrong(reader, "something follows");
		if (take(&rest, "# ") ? !read_descriptor(reader, rest)
				      : !read_sample(reader, rest))
			return false;
	}
	return wrong(reader, "no # EOF");
}

bool openmetrics_parse(struct openmetrics *metrics, const char *text, size_t size)
{
	_cleanup_(freep) char *copy = malloc(size + 1);
	struct reader reader = { .metrics = metrics };

	*metrics = (struct openmetrics){};
	metrics->series = calloc(OPENMETRICS_SERIES_MAX + 1, sizeof(*metrics->series));
	assert_non_null(copy);
	assert_non_null(metrics->series);
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (strlen(copy) != size || !is_utf8(copy, size))
		return wrong(&reader, "not UTF-8");
	return read_lines(&reader, copy) && sort_series(&reader);
}

void openmetrics_done(struct openmetrics *metrics)
{
	free(metrics->series);
	metrics->series = NULL;
}

const struct openmetrics_series *openmetrics_find(
	const struct openmetrics *metrics, const char *text)
{
	for (size_t i = 0; i < metrics->n_series; i++)
		if (strcmp(metrics->series[i].text, text) == 0)
			return &metrics->series[i];
	return NULL;
}

bool openmetrics_has_name(const struct openmetrics *metrics, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < metrics->n_series; i++) {
		const char *text = metrics->series[i].text;

		if (strncmp(text, name, n) == 0 && (!text[n] || text[n] == '{'))
			return true;
	}
	return false;
}
