/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tracepoint's format, and behind a line "%%" a record's raw data. */
#include "fuzz.h"
#include "sampler/damon-record.h"

static void check_field(const struct tierd_damon_field *field)
{
	FUZZ_CHECK(field->size == 1 || field->size == 2 || field->size == 4 ||
		   field->size == 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_part rest = { data, size };
	char *text = fuzz_text(fuzz_next_part(&rest));
	struct fuzz_part raw = fuzz_next_part(&rest);
	struct tierd_damon_format format;
	struct tierd_damon_region region;

	if (tierd_damon_format_parse(text, &format) < 0) {
		free(text);
		return 0;
	}
	free(text);
	check_field(&format.target);
	check_field(&format.start);
	check_field(&format.end);
	check_field(&format.accesses);
	if (tierd_damon_record_decode(&format, raw.data, raw.size, &region) == 0)
		FUZZ_CHECK(region.start < region.end);
	return 0;
}
