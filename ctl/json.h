/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing JSON from typed values. The document grows from the top: open a container, put
 * values, close it. Errors stick and are reported when the document is printed, so that
 * what builds one reads like the document. The library behind it is not to be seen.
 */
#ifndef TIERCTL_JSON_H
#define TIERCTL_JSON_H

#include <stdint.h>
#include <stdio.h>

#include "base/util.h"

enum tierctl_json_mode {
	TIERCTL_JSON_OFF,
	TIERCTL_JSON_SHORT,  /* one line */
	TIERCTL_JSON_PRETTY, /* indented */
	TIERCTL_JSON_MODE_MAX,
	TIERCTL_JSON_MODE_INVALID = -22,
};

/* TIERCTL_JSON_MODE_INVALID for anything but "off", "short" and "pretty". */
enum tierctl_json_mode tierctl_json_mode_from_string(const char *text);

struct tierctl_json;

/* Errors: -ENOMEM. */
int tierctl_json_new(struct tierctl_json **ret);
struct tierctl_json *tierctl_json_free(struct tierctl_json *json);
DEFINE_CLEANUP(struct tierctl_json *, tierctl_json_free)

/* key is NULL within an array and for the document itself, and must not be otherwise. */
void tierctl_json_open_object(struct tierctl_json *json, const char *key);
void tierctl_json_open_array(struct tierctl_json *json, const char *key);
void tierctl_json_close(struct tierctl_json *json);

void tierctl_json_string(struct tierctl_json *json, const char *key, const char *value);
void tierctl_json_u64(struct tierctl_json *json, const char *key, uint64_t value);
void tierctl_json_bool(struct tierctl_json *json, const char *key, bool value);
/* null for what JSON has no number for: NaN and the infinities. */
void tierctl_json_double(struct tierctl_json *json, const char *key, double value);
/* null for UINT64_MAX, which stands for no limit. */
void tierctl_json_limit(struct tierctl_json *json, const char *key, uint64_t value);

/*
 * Prints the document and a newline. Errors: -ENOMEM; -EINVAL when it was not put
 * together as above; -EIO when f does not take it.
 */
int tierctl_json_print(struct tierctl_json *json, enum tierctl_json_mode mode, FILE *f);

#endif
