/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl's short forms for people: sizes, shares, times, bars and shortened paths. */
#include "unit.h"

#include <locale.h>
#include <math.h>
#include <string.h>

#include "style.h"

static const struct tierctl_style ascii = { .columns = 80 };
static const struct tierctl_style utf8 = { .utf8 = true, .columns = 80 };
static const struct tierctl_style colourful = { .colour = true, .columns = 80 };

#define SEC UINT64_C(1000000)

static void test_durations(_unused_ void **state)
{
	static const struct {
		uint64_t usec;
		const char *text;
	} rows[] = {
		{ 0, "0.0s" },
		{ 1540000, "1.5s" },
		{ 9 * SEC, "9.0s" },
		{ 10 * SEC, "10s" },
		{ 59 * SEC, "59s" },
		{ 60 * SEC, "1min 0s" },
		{ 3599 * SEC, "59min 59s" },
		{ 3600 * SEC, "1h 0min" },
		{ 11520 * SEC, "3h 12min" },
		{ 90000 * SEC, "1d 1h" },
		{ UINT64_MAX, "213503982d 8h" },
	};
	char buf[TIERCTL_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(
			tierctl_format_duration(rows[i].usec, buf), rows[i].text);
}

static void test_numbers(_unused_ void **state)
{
	char buf[TIERCTL_TEXT_MAX];

	assert_string_equal(tierctl_format_size(UINT64_C(700) << 20, buf), "700M");
	assert_string_equal(tierctl_format_limit(0, buf), "0");
	assert_string_equal(tierctl_format_limit(UINT64_MAX, buf), "infinity");
	assert_string_equal(tierctl_format_share(0.9375, buf), "93.8%");
	assert_string_equal(tierctl_format_share(1, buf), "100.0%");
	assert_string_equal(tierctl_format_share(NAN, buf), "-");
	assert_string_equal(tierctl_format_rate(12.5, buf), "12.5/s");
	assert_string_equal(tierctl_format_rate(0, buf), "0/s");
	assert_string_equal(tierctl_format_rate(NAN, buf), "-");
	assert_string_equal(tierctl_format_rate(INFINITY, buf), "-");
	assert_true(tierctl_share(1, 4) == 0.25);
	assert_true(tierctl_share(1, 0) == 0);
}

static void test_bars(_unused_ void **state)
{
	static const struct {
		const struct tierctl_style *style;
		double share;
		unsigned cells;
		const char *bar;
	} rows[] = {
		{ &ascii, 0, 4, "    " },
		{ &ascii, 0.5, 4, "##  " },
		{ &ascii, 0.001, 4, "#   " },
		{ &ascii, 1, 4, "####" },
		{ &ascii, 7, 4, "####" },
		{ &ascii, -1, 4, "    " },
		{ &ascii, NAN, 4, "    " },
		{ &ascii, 1, 0, "" },
		{ &utf8, 0.5, 4, "██  " },
		{ &utf8, 0.53125, 4, "██▏ " },
		{ &utf8, 0.0001, 2, "▏ " },
		{ &utf8, 1, 2, "██" },
	};
	char buf[TIERCTL_BAR_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(
			tierctl_bar(rows[i].style, rows[i].share, rows[i].cells, buf),
			rows[i].bar);
	assert_int_equal(strlen(tierctl_bar(&utf8, 1, 1000, buf)), TIERCTL_BAR_SIZE - 1);
}

static void test_printable(_unused_ void **state)
{
	static const struct {
		const struct tierctl_style *style;
		const char *text;
		const char *printable;
	} rows[] = {
		{ &ascii, "/a\\x2db c", "/a\\x2db c" },
		{ &ascii, "k\303\244se", "k??se" },
		{ &utf8, "k\303\244se", "k\303\244se" },
		{ &utf8, "\033[31m\n\177", "?[31m??" },
		{ &utf8, "\302\233x", "??x" }, /* CSI as one character */
		{ &utf8, "\302", "\302" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *text = NULL;

		assert_int_equal(
			tierctl_printable(rows[i].style, rows[i].text, &text), 0);
		assert_string_equal(text, rows[i].printable);
	}
}

static void test_ellipsize(_unused_ void **state)
{
	static const struct {
		const struct tierctl_style *style;
		const char *text;
		size_t width;
		const char *shortened;
	} rows[] = {
		{ &utf8, "/a/bc", 5, "/a/bc" },
		{ &utf8, "/a/bc", 4, "…/bc" },
		{ &utf8, "/a/bc", 1, "…" },
		{ &utf8, "/a/bc", 0, "…" },
		{ &utf8, "/\303\244\303\266\303\274", 3, "…\303\266\303\274" },
		{ &utf8, "\346\274\242\345\255\227x", 4, "…\345\255\227x" }, /* wide */
		{ &utf8, "\346\274\242\345\255\227x", 3, "…x" },
		{ &ascii, "/system.slice/x", 8, "...ice/x" },
		{ &ascii, "", 0, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *text = NULL;

		assert_int_equal(tierctl_ellipsize(rows[i].style, rows[i].text,
					 rows[i].width, &text),
			0);
		assert_string_equal(text, rows[i].shortened);
	}
}

static void test_colours(_unused_ void **state)
{
	for (int colour = 0; colour < TIERCTL_COLOUR_MAX; colour++) {
		assert_string_equal(tierctl_colour(&utf8, colour), "");
		assert_int_equal(tierctl_colour(&colourful, colour)[0], '\033');
	}
	assert_string_equal(tierctl_dot(&ascii), "*");
	assert_string_equal(tierctl_dot(&utf8), "●");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_ellipsize),
		cmocka_unit_test(test_colours),
	};

	if (!setlocale(LC_ALL, "C.UTF-8"))
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
