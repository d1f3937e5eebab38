/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json-c stays in here. A container is handed to its parent as soon as it is opened, so
 * the root owns all there is and freeing it frees the document, finished or not.
 */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "json.h"

#define DEPTH_MAX 8

struct tierctl_json {
	json_object *root;
	json_object *open[DEPTH_MAX]; /* from the root down */
	unsigned depth;
	int error;
};

enum tierctl_json_mode tierctl_json_mode_from_string(const char *text)
{
	static const char *const names[TIERCTL_JSON_MODE_MAX] = {
		[TIERCTL_JSON_OFF] = "off",
		[TIERCTL_JSON_SHORT] = "short",
		[TIERCTL_JSON_PRETTY] = "pretty",
	};

	for (int i = 0; i < TIERCTL_JSON_MODE_MAX; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return TIERCTL_JSON_MODE_INVALID;
}

int tierctl_json_new(struct tierctl_json **ret)
{
	struct tierctl_json *json = calloc(1, sizeof(*json));

	if (!json)
		return -ENOMEM;
	*ret = json;
	return 0;
}

struct tierctl_json *tierctl_json_free(struct tierctl_json *json)
{
	if (!json)
		return NULL;
	json_object_put(json->root);
	free(json);
	return NULL;
}

/* Puts value where the document has come to; it belongs to the document even on error. */
static int attach(struct tierctl_json *json, const char *key, json_object *value)
{
	json_object *parent = json->depth > 0 ? json->open[json->depth - 1] : NULL;

	if (!parent) {
		if (json->root || key)
			return -EINVAL;
		json->root = value;
		return 0;
	}
	if (json_object_is_type(parent, json_type_object) != !!key)
		return -EINVAL;
	if (key && json_object_object_add(parent, key, value) < 0)
		return -ENOMEM;
	if (!key && json_object_array_add(parent, value) < 0)
		return -ENOMEM;
	return 0;
}

static void put(struct tierctl_json *json, const char *key, json_object *value)
{
	int r;

	if (json->error < 0) {
		json_object_put(value);
		return;
	}
	r = attach(json, key, value);
	if (r < 0) {
		json->error = r;
		json_object_put(value);
	}
}

/* A value json-c could not allocate is NULL, which would read as null. */
static void put_checked(struct tierctl_json *json, const char *key, json_object *value)
{
	if (!value && json->error >= 0)
		json->error = -ENOMEM;
	put(json, key, value);
}

static void open_container(
	struct tierctl_json *json, const char *key, json_object *container)
{
	if (json->depth == DEPTH_MAX && json->error >= 0)
		json->error = -EINVAL;
	put_checked(json, key, container);
	if (json->error >= 0)
		json->open[json->depth++] = container;
}

void tierctl_json_open_object(struct tierctl_json *json, const char *key)
{
	open_container(json, key, json_object_new_object());
}

void tierctl_json_open_array(struct tierctl_json *json, const char *key)
{
	open_container(json, key, json_object_new_array());
}

void tierctl_json_close(struct tierctl_json *json)
{
	if (json->error < 0)
		return;
	if (json->depth == 0)
		json->error = -EINVAL;
	else
		json->depth--;
}

void tierctl_json_string(struct tierctl_json *json, const char *key, const char *value)
{
	put_checked(json, key, json_object_new_string(value));
}

void tierctl_json_u64(struct tierctl_json *json, const char *key, uint64_t value)
{
	put_checked(json, key, json_object_new_uint64(value));
}

void tierctl_json_bool(struct tierctl_json *json, const char *key, bool value)
{
	put_checked(json, key, json_object_new_boolean(value));
}

/* The shortest decimal that reads back as the same number: json-c itself prints 0.1 as
 * 0.10000000000000001. */
static json_object *new_double(double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	if (!strpbrk(text, ".e"))
		strcat(text, ".0");
	return json_object_new_double_s(value, text);
}

void tierctl_json_double(struct tierctl_json *json, const char *key, double value)
{
	if (isfinite(value))
		put_checked(json, key, new_double(value));
	else
		put(json, key, NULL);
}

void tierctl_json_limit(struct tierctl_json *json, const char *key, uint64_t value)
{
	if (value != UINT64_MAX)
		tierctl_json_u64(json, key, value);
	else
		put(json, key, NULL);
}

int tierctl_json_print(struct tierctl_json *json, enum tierctl_json_mode mode, FILE *f)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;

	if (json->error < 0)
		return json->error;
	if (!json->root || json->depth > 0)
		return -EINVAL;
	if (mode == TIERCTL_JSON_PRETTY)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	text = json_object_to_json_string_ext(json->root, flags);
	if (!text)
		return -ENOMEM;
	return fprintf(f, "%s\n", text) < 0 ? -EIO : 0;
}
