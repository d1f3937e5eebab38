/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of nodes, of tiers, and of ranges of anything. */
#include <string.h>

#include "fuzz.h"
#include "settings/node-list.h"
#include "sampler/range-list.h"

static void check_tiers(const char *text)
{
	uint64_t masks[TIERD_TIERS_MAX], all = 0;
	unsigned n;

	if (tierd_tiers_parse(text, masks, &n) < 0)
		return;
	FUZZ_CHECK(n <= TIERD_TIERS_MAX);
	for (unsigned i = 0; i < n; i++) {
		FUZZ_CHECK(masks[i] && !(all & masks[i]));
		all |= masks[i];
	}
}

static void check_ranges(const char *text)
{
	const char *rest = text, *before = text;
	unsigned first, last;
	int r;

	while ((r = tierd_range_list_next(&rest, &first, &last)) > 0) {
		FUZZ_CHECK(rest > before && rest <= text + strlen(text));
		FUZZ_CHECK(first <= last);
		before = rest;
	}
	FUZZ_CHECK(r < 0 ? rest == before : !*rest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text((struct fuzz_part){ data, size });
	uint64_t mask;

	if (tierd_node_list_parse(text, &mask) == 0)
		FUZZ_CHECK(mask);
	check_tiers(text);
	check_ranges(text);
	free(text);
	return 0;
}
