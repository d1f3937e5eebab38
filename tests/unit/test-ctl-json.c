/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl's JSON: what values look like, and that a botched document is never printed. */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "json.h"

/* What is printed, or NULL and the error in *ret. */
static char *print(struct tierctl_json *json, enum tierctl_json_mode mode, int *ret)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	*ret = tierctl_json_print(json, mode, f);
	fclose(f);
	if (*ret >= 0)
		return text;
	assert_int_equal(size, 0);
	free(text);
	return NULL;
}

static struct tierctl_json *new (void)
{
	struct tierctl_json *json = NULL;

	assert_int_equal(tierctl_json_new(&json), 0);
	return json;
}

static void test_document(_unused_ void **state)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = new ();
	_cleanup_(freep) char *text = NULL;
	int r;

	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "s", "a/\"b\"\n\303\244");
	tierctl_json_open_array(json, "list");
	tierctl_json_u64(json, NULL, UINT64_MAX);
	tierctl_json_limit(json, NULL, UINT64_MAX);
	tierctl_json_limit(json, NULL, 0);
	tierctl_json_open_object(json, NULL);
	tierctl_json_bool(json, "yes", true);
	tierctl_json_close(json);
	tierctl_json_close(json);
	tierctl_json_open_array(json, "empty");
	tierctl_json_close(json);
	tierctl_json_close(json);
	text = print(json, TIERCTL_JSON_SHORT, &r);
	assert_string_equal(text,
		"{\"s\":\"a/\\\"b\\\"\\n\303\244\",\"list\":[18446744073709551615,null,"
		"0,{\"yes\":true}],\"empty\":[]}\n");
}

static void test_pretty(_unused_ void **state)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = new ();
	_cleanup_(freep) char *text = NULL;
	int r;

	tierctl_json_open_object(json, NULL);
	tierctl_json_u64(json, "a", 1);
	tierctl_json_close(json);
	text = print(json, TIERCTL_JSON_PRETTY, &r);
	assert_string_equal(text, "{\n  \"a\": 1\n}\n");
}

static void test_doubles(_unused_ void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0, "[0.0]\n" },
		{ 50, "[50.0]\n" },
		{ 0.1, "[0.1]\n" },
		{ 0.9375, "[0.9375]\n" },
		{ 1.0 / 3, "[0.3333333333333333]\n" },
		{ 1e300, "[1e+300]\n" },
		{ -2.5, "[-2.5]\n" },
		{ NAN, "[null]\n" },
		{ INFINITY, "[null]\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tierctl_json_freep) struct tierctl_json *json = new ();
		_cleanup_(freep) char *text = NULL;
		int r;

		tierctl_json_open_array(json, NULL);
		tierctl_json_double(json, NULL, rows[i].value);
		tierctl_json_close(json);
		text = print(json, TIERCTL_JSON_SHORT, &r);
		assert_string_equal(text, rows[i].text);
	}
}

static void empty(_unused_ struct tierctl_json *json)
{
}

static void unfinished(struct tierctl_json *json)
{
	tierctl_json_open_array(json, NULL);
}

static void closed_twice(struct tierctl_json *json)
{
	tierctl_json_open_array(json, NULL);
	tierctl_json_close(json);
	tierctl_json_close(json);
}

static void two_roots(struct tierctl_json *json)
{
	tierctl_json_open_array(json, NULL);
	tierctl_json_close(json);
	tierctl_json_open_array(json, NULL);
	tierctl_json_close(json);
}

static void key_in_array(struct tierctl_json *json)
{
	tierctl_json_open_array(json, NULL);
	tierctl_json_u64(json, "a", 1);
	tierctl_json_close(json);
}

static void no_key_in_object(struct tierctl_json *json)
{
	tierctl_json_open_object(json, NULL);
	tierctl_json_u64(json, NULL, 1);
	tierctl_json_close(json);
}

static void too_deep(struct tierctl_json *json)
{
	for (int i = 0; i < 100; i++)
		tierctl_json_open_array(json, NULL);
	for (int i = 0; i < 100; i++)
		tierctl_json_close(json);
}

static void test_botched(_unused_ void **state)
{
	static void (*const rows[])(struct tierctl_json * json) = { empty, unfinished,
		closed_twice, two_roots, key_in_array, no_key_in_object, too_deep };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(tierctl_json_freep) struct tierctl_json *json = new ();
		int r;

		rows[i](json);
		assert_null(print(json, TIERCTL_JSON_SHORT, &r));
		assert_int_equal(r, -EINVAL);
	}
}

static void test_modes(_unused_ void **state)
{
	assert_int_equal(tierctl_json_mode_from_string("off"), TIERCTL_JSON_OFF);
	assert_int_equal(tierctl_json_mode_from_string("short"), TIERCTL_JSON_SHORT);
	assert_int_equal(tierctl_json_mode_from_string("pretty"), TIERCTL_JSON_PRETTY);
	assert_int_equal(tierctl_json_mode_from_string(""), TIERCTL_JSON_MODE_INVALID);
	assert_int_equal(tierctl_json_mode_from_string("Off"), TIERCTL_JSON_MODE_INVALID);
	assert_null(tierctl_json_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_botched),
		cmocka_unit_test(test_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
