/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes and amounts: every accepted form, and that nothing else is accepted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "settings/amount.h"
#include "base/size.h"
#include "base/util.h"

#define UNTOUCHED UINT64_C(0x5eed)

struct parse_case {
	const char *text;
	int r;
	uint64_t value;
};

static void check_parser(int (*parse)(const char *, uint64_t *),
	const struct parse_case *cases, size_t n_cases)
{
	for (size_t i = 0; i < n_cases; i++) {
		uint64_t value = UNTOUCHED;
		int r = parse(cases[i].text, &value);

		if (r != cases[i].r || value != (r < 0 ? UNTOUCHED : cases[i].value))
			fail_msg("\"%s\": %d, %ju", cases[i].text, r, (uintmax_t)value);
	}
}

static void test_parse_u64(_unused_ void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1\n", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	check_parser(tier_parse_u64, cases, ARRAY_SIZE(cases));
}

static void test_parse_hex(_unused_ void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "8000000", 0, 0x8000000 },
		{ "fF", 0, 255 },
		{ "ffffffffffffffff", 0, UINT64_MAX },
		{ "10000000000000000", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "0x1", -EINVAL, 0 },
		{ "1g", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
	};

	check_parser(tier_parse_hex, cases, ARRAY_SIZE(cases));
}

static void test_parse_size(_unused_ void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "1K", 0, 1024 },
		{ "1.5G", 0, UINT64_C(1610612736) },
		{ "0.1M", 0, 104857 },
		{ "700M", 0, UINT64_C(734003200) },
		{ "2T", 0, UINT64_C(2) << 40 },
		{ "16777215.999999999T", 0, UINT64_C(18446744073709550516) },
		{ "16777216T", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "-1G", -EINVAL, 0 },
		{ ".5G", -EINVAL, 0 },
		{ "5.G", -EINVAL, 0 },
		{ "1.0000000001G", -EINVAL, 0 },
		{ "1..5G", -EINVAL, 0 },
		{ "1,5G", -EINVAL, 0 },
		{ "1GG", -EINVAL, 0 },
		{ "1GM", -EINVAL, 0 },
		{ "1g", -EINVAL, 0 },
		{ "1 G", -EINVAL, 0 },
		{ "G", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "1GiB", -EINVAL, 0 },
		{ "infinity", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
	};

	check_parser(tier_parse_size, cases, ARRAY_SIZE(cases));
}

static void test_parse_scaled(_unused_ void **state)
{
	uint64_t value = UNTOUCHED;

	assert_int_equal(tier_parse_scaled("0.25", 1000000000, &value), 0);
	assert_int_equal(value, 250000000);
	assert_int_equal(tier_parse_scaled("0.000000001", 1000000000, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(tier_parse_scaled("3", 1000000000, &value), 0);
	assert_int_equal(value, UINT64_C(3000000000));
	assert_int_equal(tier_parse_scaled("18446744074", 1000000000, &value), -ERANGE);
	assert_int_equal(tier_parse_scaled("1s", 1000000000, &value), -EINVAL);
	assert_int_equal(value, UINT64_C(3000000000));
}

static void test_format_size(_unused_ void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1024, "1K" },
		{ 1536, "1.5K" },
		{ UINT64_C(700) << 20, "700M" },
		{ UINT64_C(1610612736), "1.5G" },
		{ (UINT64_C(1) << 30) - 1, "1G" },
		{ (UINT64_C(1) << 20) - 1, "1M" },
		{ UINT64_C(5) << 40, "5T" },
		{ UINT64_MAX, "16777216T" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[TIER_SIZE_TEXT_MAX];

		assert_string_equal(tier_format_size(cases[i].bytes, buf), cases[i].text);
	}
}

static void test_amount(_unused_ void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t resolved; /* of 1,000,000,000 bytes of DRAM */
	} cases[] = {
		{ "4096", 0, 4096 },
		{ "1G", 0, UINT64_C(1) << 30 },
		{ "25%", 0, 250000000 },
		{ "12.5%", 0, 125000000 },
		{ "0.0001%", 0, 1000 },
		{ "0%", 0, 0 },
		{ "100%", 0, 1000000000 },
		{ "infinity", 0, TIERD_BYTES_INFINITY },
		{ "100.0001%", -ERANGE, 0 },
		{ "101%", -ERANGE, 0 },
		{ "%", -EINVAL, 0 },
		{ "-1%", -EINVAL, 0 },
		{ "1G%", -EINVAL, 0 },
		{ "1%%", -EINVAL, 0 },
		{ "0000000000000000000000000000000001%", -EINVAL, 0 },
		{ "Infinity", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_amount amount = { TIERD_AMOUNT_BYTES, UNTOUCHED };
		int r = tierd_amount_parse(cases[i].text, &amount);
		uint64_t resolved = tierd_amount_resolve(amount, 1000000000);

		if (r != cases[i].r ||
			resolved != (r < 0 ? UNTOUCHED : cases[i].resolved))
			fail_msg(
				"\"%s\": %d, %ju", cases[i].text, r, (uintmax_t)resolved);
	}
}

static void test_share_of_much_memory(_unused_ void **state)
{
	struct tierd_amount half = { TIERD_AMOUNT_SHARE, 500000 };

	assert_int_equal(
		tierd_amount_resolve(half, UINT64_C(1) << 60), UINT64_C(1) << 59);
}

static void test_bandwidth(_unused_ void **state)
{
	static const struct parse_case cases[] = {
		{ "400M", 0, UINT64_C(419430400) },
		{ "infinity", 0, TIERD_BYTES_INFINITY },
		{ "0", -ERANGE, 0 },
		{ "0K", -ERANGE, 0 },
		{ "10%", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
	};

	check_parser(tierd_bandwidth_parse, cases, ARRAY_SIZE(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_u64),
		cmocka_unit_test(test_parse_hex),
		cmocka_unit_test(test_parse_size),
		cmocka_unit_test(test_parse_scaled),
		cmocka_unit_test(test_format_size),
		cmocka_unit_test(test_amount),
		cmocka_unit_test(test_share_of_much_memory),
		cmocka_unit_test(test_bandwidth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
