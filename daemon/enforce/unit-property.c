/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "base/util.h"
#include "enforce/unit-property.h"
#include "settings/node-list.h"

#define DROP_IN_MAX_BYTES 4096

/* Where systemd keeps runtime drop-ins: of units that have a file, and of those that
 * systemd-run made. */
static const char *const drop_in_dirs[] = {
	"/run/systemd/system.control",
	"/run/systemd/transient",
};

/* ---- The call ------------------------------------------------------------------ */

static int append_bytes(sd_bus_message *message, const char *value)
{
	uint64_t bytes = UINT64_MAX;
	int r = strcmp(value, "max") == 0 ? 0 : tier_parse_u64(value, &bytes);

	if (r < 0)
		return -EINVAL;
	return sd_bus_message_append(message, "v", "t", bytes);
}

/* A bit mask by bytes, the lowest node first; none at all says: not set. */
static int append_nodes(sd_bus_message *message, const char *value)
{
	uint8_t bytes[sizeof(uint64_t)];
	uint64_t mask = 0;
	int r = *value ? tierd_node_list_parse(value, &mask) : 0;

	if (r < 0)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = mask >> (8 * i);
	r = sd_bus_message_open_container(message, 'v', "ay");
	if (r < 0)
		return r;
	r = sd_bus_message_append_array(message, 'y', bytes, mask ? sizeof(bytes) : 0);
	if (r < 0)
		return r;
	return sd_bus_message_close_container(message);
}

static int append_property(
	sd_bus_message *message, enum tierd_attribute attribute, const char *value)
{
	int r = sd_bus_message_append(message, "s", tierd_attribute_property(attribute));

	if (r < 0)
		return r;
	return attribute == TIERD_ATTRIBUTE_CPUSET_MEMS ? append_nodes(message, value)
							: append_bytes(message, value);
}

static int append_properties(
	sd_bus_message *message, enum tierd_attribute attribute, const char *value)
{
	int r;

	if ((r = sd_bus_message_open_container(message, 'a', "(sv)")) < 0 ||
		(r = sd_bus_message_open_container(message, 'r', "sv")) < 0 ||
		(r = append_property(message, attribute, value)) < 0 ||
		(r = sd_bus_message_close_container(message)) < 0)
		return r;
	return sd_bus_message_close_container(message);
}

int tierd_unit_property_message(sd_bus *bus, const char *unit,
	enum tierd_attribute attribute, const char *value, sd_bus_message **ret)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	int r;

	r = sd_bus_message_new_method_call(bus, &message, "org.freedesktop.systemd1",
		"/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
		"SetUnitProperties");
	if (r < 0)
		return r;
	r = sd_bus_message_append(message, "sb", unit, 1);
	if (r < 0)
		return r;
	r = append_properties(message, attribute, value);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(message);
	return 0;
}

/* ---- The drop-in --------------------------------------------------------------- */

/* The last assignment counts. */
static int read_drop_in(const struct tierd_root *root, const char *path,
	const char *property, char ret_value[static TIERD_VALUE_SIZE])
{
	_cleanup_(freep) char *text = NULL;
	char *rest, *line, *last = NULL;
	size_t length = strlen(property);
	int r;

	r = tierd_root_read_file(root, path, DROP_IN_MAX_BYTES, &text, NULL);
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, property, length) == 0 && line[length] == '=')
			last = line + length + 1;
	if (!last || strlen(last) >= TIERD_VALUE_SIZE)
		return -EBADMSG;
	strcpy(ret_value, last);
	return 0;
}

/* Whether a drop-in's words mean what the kernel's file calls @value. */
static bool means(enum tierd_attribute attribute, const char *words, const char *value)
{
	uint64_t mask_a = 0, mask_b = 0;

	if (attribute != TIERD_ATTRIBUTE_CPUSET_MEMS)
		return strcmp(words, strcmp(value, "max") == 0 ? "infinity" : value) == 0;
	if ((*words && tierd_node_list_parse(words, &mask_a) < 0) ||
		(*value && tierd_node_list_parse(value, &mask_b) < 0))
		return false;
	return mask_a == mask_b;
}

/* What systemd writes of several nodes is separated by blanks. */
static void normalise(enum tierd_attribute attribute, char *words)
{
	for (char *p = words; attribute == TIERD_ATTRIBUTE_CPUSET_MEMS && *p; p++)
		if (*p == ' ')
			*p = ',';
}

static bool is_of(const struct tierd_held *held, const char *words, bool or_before)
{
	return means(held->attribute, words, held->held) ||
	       means(held->attribute, words, held->wanted) ||
	       (or_before && means(held->attribute, words, held->before));
}

static int drop_in_path(size_t dir, const struct tierd_held *held, char *ret)
{
	int n = snprintf(ret, PATH_MAX, "%s/%s.d/50-%s.conf", drop_in_dirs[dir],
		held->unit, tierd_attribute_property(held->attribute));

	return n < PATH_MAX && !strchr(held->unit, '/') ? 0 : -E2BIG;
}

/* 1 if it is ours. */
static int look_at(const struct tierd_root *root, size_t dir,
	const struct tierd_held *held, bool or_before, char *ret_path)
{
	char words[TIERD_VALUE_SIZE];
	int r = drop_in_path(dir, held, ret_path);

	if (r < 0)
		return r;
	r = read_drop_in(
		root, ret_path, tierd_attribute_property(held->attribute), words);
	if (r == -ENOENT || r == -EBADMSG)
		return 0;
	if (r < 0)
		return r;
	normalise(held->attribute, words);
	return is_of(held, words, or_before);
}

int tierd_unit_drop_in_is_ours(
	const struct tierd_root *root, const struct tierd_held *held)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(drop_in_dirs); i++) {
		int r = look_at(root, i, held, false, path);

		if (r != 0)
			return r;
	}
	return 0;
}

int tierd_unit_drop_in_remove(
	const struct tierd_root *root, const struct tierd_held *held)
{
	int removed = 0;

	if (held->keeps_drop_in)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(drop_in_dirs); i++) {
		char path[PATH_MAX];
		int r = look_at(root, i, held, true, path);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (unlinkat(root->fd, path + 1, 0) < 0)
			return -errno;
		removed = 1;
		*strrchr(path, '/') = '\0';
		(void)unlinkat(root->fd, path + 1, AT_REMOVEDIR);
	}
	return removed;
}
