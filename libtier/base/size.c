/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Digits by hand instead of strtoull() and strtod(): those skip blanks, take signs and
 * follow the locale, and a fraction of a byte size has to come out exactly.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "base/util.h"

#define FRACTION_DIGITS_MAX 9

struct suffix {
	char letter;
	uint64_t unit;
};

static const struct suffix suffixes[] = {
	{ 'K', UINT64_C(1) << 10 },
	{ 'M', UINT64_C(1) << 20 },
	{ 'G', UINT64_C(1) << 30 },
	{ 'T', UINT64_C(1) << 40 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

/* At least one digit; *ret_end is the first character that is none. */
static int parse_digits(const char *text, const char **ret_end, uint64_t *ret)
{
	uint64_t value = 0;

	if (!is_digit(*text))
		return -EINVAL;
	for (; is_digit(*text); text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	*ret_end = text;
	*ret = value;
	return 0;
}

/* What stands after the point, in units. */
static int parse_fraction(
	const char *text, uint64_t unit, const char **ret_end, uint64_t *ret)
{
	uint64_t digits, scale = 1;
	const char *end;
	int r;

	r = parse_digits(text, &end, &digits);
	if (r < 0)
		return r;
	if (end - text > FRACTION_DIGITS_MAX)
		return -EINVAL;
	for (const char *p = text; p < end; p++)
		scale *= 10;
	*ret_end = end;
	*ret = (uint64_t)((unsigned __int128)digits * unit / scale);
	return 0;
}

static int parse_decimal(
	const char *text, uint64_t unit, const char **ret_end, uint64_t *ret)
{
	uint64_t value, fraction = 0;
	const char *end;
	int r;

	r = parse_digits(text, &end, &value);
	if (r < 0)
		return r;
	if (*end == '.') {
		r = parse_fraction(end + 1, unit, &end, &fraction);
		if (r < 0)
			return r;
	}
	if (__builtin_mul_overflow(value, unit, &value) ||
		__builtin_add_overflow(value, fraction, &value))
		return -ERANGE;
	*ret_end = end;
	*ret = value;
	return 0;
}

int tier_parse_u64(const char *text, uint64_t *ret)
{
	uint64_t value;
	const char *end;
	int r;

	r = parse_digits(text, &end, &value);
	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	*ret = value;
	return 0;
}

int tier_parse_hex(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		int digit = hex_value(*text);

		if (digit < 0)
			return digit;
		if (value >> 60)
			return -ERANGE;
		value = value << 4 | (uint64_t)digit;
	}
	*ret = value;
	return 0;
}

int tier_parse_scaled(const char *text, uint64_t unit, uint64_t *ret)
{
	uint64_t value;
	const char *end;
	int r;

	r = parse_decimal(text, unit, &end, &value);
	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	*ret = value;
	return 0;
}

static const struct suffix *find_suffix(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; length > 0 && i < ARRAY_SIZE(suffixes); i++)
		if (suffixes[i].letter == text[length - 1])
			return &suffixes[i];
	return NULL;
}

int tier_parse_size(const char *text, uint64_t *ret_bytes)
{
	const struct suffix *suffix = find_suffix(text);
	uint64_t bytes;
	const char *end;
	int r;

	if (!suffix)
		return tier_parse_u64(text, ret_bytes);
	r = parse_decimal(text, suffix->unit, &end, &bytes);
	if (r < 0)
		return r;
	if (end[0] != suffix->letter || end[1])
		return -EINVAL;
	*ret_bytes = bytes;
	return 0;
}

static uint64_t tenths_of(uint64_t bytes, uint64_t unit)
{
	return bytes / unit * 10 + (bytes % unit * 10 + unit / 2) / unit;
}

const char *tier_format_size(uint64_t bytes, char buf[static TIER_SIZE_TEXT_MAX])
{
	const struct suffix *suffix = suffixes;
	uint64_t tenths;

	if (bytes < suffix->unit) {
		snprintf(buf, TIER_SIZE_TEXT_MAX, "%u", (unsigned)bytes);
		return buf;
	}
	tenths = tenths_of(bytes, suffix->unit);
	while (tenths >= 10240 && suffix < &suffixes[ARRAY_SIZE(suffixes) - 1])
		tenths = tenths_of(bytes, (++suffix)->unit);
	if (tenths % 10)
		snprintf(buf, TIER_SIZE_TEXT_MAX, "%ju.%ju%c", (uintmax_t)(tenths / 10),
			(uintmax_t)(tenths % 10), suffix->letter);
	else
		snprintf(buf, TIER_SIZE_TEXT_MAX, "%ju%c", (uintmax_t)(tenths / 10),
			suffix->letter);
	return buf;
}
