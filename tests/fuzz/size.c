/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, sizes, amounts and bandwidths; what is formatted can be parsed again. */
#include <errno.h>
#include <string.h>

#include "settings/amount.h"
#include "base/size.h"
#include "fuzz.h"

static void check_size(const char *text)
{
	char again[TIER_SIZE_TEXT_MAX];
	uint64_t bytes, back;
	int r;

	if (tier_parse_size(text, &bytes) < 0)
		return;
	FUZZ_CHECK(tier_format_size(bytes, again) == again);
	FUZZ_CHECK(memchr(again, '\0', sizeof(again)));
	r = tier_parse_size(again, &back);
	/* Rounded up to 16777216T, which is one too many. */
	if (r == -ERANGE && bytes > UINT64_MAX - (UINT64_C(1) << 40))
		return;
	FUZZ_CHECK(r == 0);
	FUZZ_CHECK(back - back / 10 <= bytes && bytes - bytes / 10 <= back);
}

static void check_amount(const char *text)
{
	struct tierd_amount amount;

	if (tierd_amount_parse(text, &amount) < 0)
		return;
	FUZZ_CHECK(amount.kind != TIERD_AMOUNT_SHARE || amount.value <= 1000000);
	FUZZ_CHECK(amount.kind != TIERD_AMOUNT_SHARE ||
		   tierd_amount_resolve(amount, UINT64_MAX - 1) < UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text((struct fuzz_part){ data, size });
	uint64_t value;

	if (tier_parse_u64(text, &value) == 0)
		FUZZ_CHECK(strspn(text, "0123456789") == strlen(text));
	if (tier_parse_hex(text, &value) == 0)
		FUZZ_CHECK(strspn(text, "0123456789abcdefABCDEF") == strlen(text));
	if (tierd_bandwidth_parse(text, &value) == 0)
		FUZZ_CHECK(value > 0);
	tier_parse_scaled(text, 1000000000, &value);
	check_size(text);
	check_amount(text);
	free(text);
	return 0;
}
