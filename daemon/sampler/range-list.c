/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strict: digits, one dash, one comma; nothing empty and nothing backwards. What a number
 * may stand for is the caller's to check.
 */
#include <errno.h>

#include "sampler/range-list.h"

#define NUMBER_MAX 1000000

static int parse_number(const char **p, unsigned *ret)
{
	unsigned value = 0;

	if (**p < '0' || **p > '9')
		return -EINVAL;
	for (; **p >= '0' && **p <= '9'; ++*p) {
		value = value * 10 + (unsigned)(**p - '0');
		if (value > NUMBER_MAX)
			return -EINVAL;
	}
	*ret = value;
	return 0;
}

int tierd_range_list_next(const char **list, unsigned *ret_first, unsigned *ret_last)
{
	const char *p = *list;
	unsigned first, last;

	if (!*p)
		return 0;
	if (parse_number(&p, &first) < 0)
		return -EINVAL;
	last = first;
	if (*p == '-') {
		p++;
		if (parse_number(&p, &last) < 0 || last < first)
			return -EINVAL;
	}
	if (*p == ',' && p[1])
		p++;
	else if (*p)
		return -EINVAL;

	*list = p;
	*ret_first = first;
	*ret_last = last;
	return 1;
}
