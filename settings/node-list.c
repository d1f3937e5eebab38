/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of nodes as text, to masks (node-list.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "base/util.h"
#include "settings/node-list.h"

/* "3" or "3-5" as a mask. */
static int parse_range(const char *text, uint64_t *ret_mask)
{
	char first_text[24];
	uint64_t first, last;
	const char *dash = strchrnul(text, '-');
	size_t length = (size_t)(dash - text);
	int r;

	if (length >= sizeof(first_text))
		return -EINVAL;
	memcpy(first_text, text, length);
	first_text[length] = '\0';
	r = tier_parse_u64(first_text, &first);
	if (r < 0)
		return r;
	last = first;
	if (*dash) {
		r = tier_parse_u64(dash + 1, &last);
		if (r < 0)
			return r;
	}
	if (last < first)
		return -EINVAL;
	if (last >= TIERD_NODES_MAX)
		return -ERANGE;
	*ret_mask = (last == 63 ? UINT64_MAX : (UINT64_C(1) << (last + 1)) - 1) &
		    ~((UINT64_C(1) << first) - 1);
	return 0;
}

/* Consumes text. */
static int parse_list(char *text, uint64_t *ret_mask)
{
	uint64_t mask = 0;
	char *part;

	while ((part = strsep(&text, ","))) {
		uint64_t range;
		int r;

		r = parse_range(part, &range);
		if (r < 0)
			return r;
		if (mask & range)
			return -EINVAL;
		mask |= range;
	}
	*ret_mask = mask;
	return 0;
}

int tierd_tiers_parse(const char *text, uint64_t *ret_masks, unsigned *ret_n)
{
	_cleanup_(freep) char *copy = NULL;
	uint64_t masks[TIERD_TIERS_MAX], all = 0;
	unsigned n = 0;
	char *rest, *part;

	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	rest = *copy ? copy : NULL;
	while ((part = strsep(&rest, ";"))) {
		int r;

		if (n == TIERD_TIERS_MAX)
			return -ERANGE;
		r = parse_list(part, &masks[n]);
		if (r < 0)
			return r;
		if (all & masks[n])
			return -EINVAL;
		all |= masks[n++];
	}
	memcpy(ret_masks, masks, n * sizeof(masks[0]));
	*ret_n = n;
	return 0;
}

int tierd_node_list_parse(const char *text, uint64_t *ret_mask)
{
	_cleanup_(freep) char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	return parse_list(copy, ret_mask);
}
