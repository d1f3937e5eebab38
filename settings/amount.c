/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Amounts of memory and bandwidth as text (amount.h). */
#include <errno.h>
#include <string.h>

#include "settings/amount.h"
#include "base/size.h"
#include "base/util.h"

#define PPM_PER_ONE     1000000
#define PPM_PER_PERCENT 10000

/* "12.5%" without its last character. */
static int parse_share(const char *text, size_t length, struct tierd_amount *ret)
{
	char number[32];
	uint64_t ppm;
	int r;

	if (length >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, length);
	number[length] = '\0';
	r = tier_parse_scaled(number, PPM_PER_PERCENT, &ppm);
	if (r < 0)
		return r;
	if (ppm > PPM_PER_ONE)
		return -ERANGE;
	*ret = (struct tierd_amount){ TIERD_AMOUNT_SHARE, ppm };
	return 0;
}

int tierd_amount_parse(const char *text, struct tierd_amount *ret)
{
	size_t length = strlen(text);
	uint64_t bytes;
	int r;

	if (!strcmp(text, "infinity")) {
		*ret = (struct tierd_amount){ TIERD_AMOUNT_INFINITY, 0 };
		return 0;
	}
	if (length > 0 && text[length - 1] == '%')
		return parse_share(text, length - 1, ret);
	r = tier_parse_size(text, &bytes);
	if (r < 0)
		return r;
	*ret = (struct tierd_amount){ TIERD_AMOUNT_BYTES, bytes };
	return 0;
}

uint64_t tierd_amount_resolve(struct tierd_amount amount, uint64_t dram_total_bytes)
{
	switch (amount.kind) {
	case TIERD_AMOUNT_BYTES:
		return amount.value;
	case TIERD_AMOUNT_SHARE:
		return (uint64_t)((unsigned __int128)dram_total_bytes * amount.value /
				  PPM_PER_ONE);
	case TIERD_AMOUNT_INFINITY:
		break;
	}
	return TIERD_BYTES_INFINITY;
}

int tierd_bandwidth_parse(const char *text, uint64_t *ret_bytes_per_second)
{
	uint64_t bytes;
	int r;

	if (!strcmp(text, "infinity")) {
		*ret_bytes_per_second = TIERD_BYTES_INFINITY;
		return 0;
	}
	r = tier_parse_size(text, &bytes);
	if (r < 0)
		return r;
	if (bytes == 0)
		return -ERANGE;
	*ret_bytes_per_second = bytes;
	return 0;
}

int tierd_amount_parse_field(const char *value, void *field)
{
	return tierd_amount_parse(value, field);
}

int tierd_amount_parse_finite_field(const char *value, void *field)
{
	struct tierd_amount amount;
	int r;

	r = tierd_amount_parse(value, &amount);
	if (r < 0)
		return r;
	if (amount.kind == TIERD_AMOUNT_INFINITY)
		return -ERANGE;
	*(struct tierd_amount *)field = amount;
	return 0;
}

int tierd_bandwidth_parse_field(const char *value, void *field)
{
	return tierd_bandwidth_parse(value, field);
}
