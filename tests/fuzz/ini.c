/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strict INI reader by itself: NULs, long lines and no bound on the whole. */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "fuzz.h"
#include "settings/strict-ini.h"

struct target {
	char text[TIERD_INI_VALUE_SIZE];
	char other[TIERD_INI_VALUE_SIZE];
	int number;
};

static int parse_text(const char *value, void *field)
{
	FUZZ_CHECK(strlen(value) < TIERD_INI_VALUE_SIZE);
	strcpy(field, value);
	return 0;
}

static int parse_number(const char *value, void *field)
{
	if (!*value || value[strspn(value, "0123456789")])
		return -EINVAL;
	*(int *)field = value[0] - '0';
	return 0;
}

static const struct tierd_ini_key keys[] = {
	{ "A", "Text", parse_text, offsetof(struct target, text), "anything" },
	{ "A", "Number", parse_number, offsetof(struct target, number), "a number" },
	{ "B", "Text", parse_text, offsetof(struct target, other), "anything" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target target = {};
	char *error = NULL;
	int r = tierd_ini_parse("fuzz.conf", (const char *)data, size, keys,
		ARRAY_SIZE(keys), &target, &error);

	FUZZ_CHECK(r == 0 || error);
	fuzz_check_error(r, error);
	return 0;
}
