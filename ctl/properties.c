/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk through a{sv}, and a reader for each basic type. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "properties.h"

static const struct tierctl_property *find(
	const struct tierctl_property *properties, size_t n_properties, const char *name)
{
	for (size_t i = 0; i < n_properties; i++)
		if (strcmp(properties[i].name, name) == 0)
			return &properties[i];
	return NULL;
}

static int read_entry(sd_bus_message *message, const struct tierctl_property *properties,
	size_t n_properties, void *target)
{
	const struct tierctl_property *property;
	const char *name;
	int r;

	r = sd_bus_message_read(message, "s", &name);
	if (r < 0)
		return r;
	property = find(properties, n_properties, name);
	if (!property)
		return sd_bus_message_skip(message, "v");
	r = sd_bus_message_enter_container(message, 'v', property->signature);
	if (r < 0)
		return r;
	r = property->read(message, (char *)target + property->offset);
	if (r < 0)
		return r;
	return sd_bus_message_exit_container(message);
}

int tierctl_read_properties(sd_bus_message *message,
	const struct tierctl_property *properties, size_t n_properties, void *target)
{
	int r;

	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	if (r < 0)
		return r;
	for (;;) {
		r = sd_bus_message_enter_container(message, 'e', "sv");
		if (r < 0)
			return r;
		if (r == 0)
			break;
		r = read_entry(message, properties, n_properties, target);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return sd_bus_message_exit_container(message);
}

int tierctl_read_string(sd_bus_message *message, void *field)
{
	char **string = field, *copy;
	const char *text;
	int r;

	r = sd_bus_message_read(message, "s", &text);
	if (r < 0)
		return r;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

int tierctl_read_bool(sd_bus_message *message, void *field)
{
	int value, r;

	r = sd_bus_message_read_basic(message, 'b', &value);
	if (r < 0)
		return r;
	*(bool *)field = value;
	return 0;
}

int tierctl_read_u32(sd_bus_message *message, void *field)
{
	return sd_bus_message_read_basic(message, 'u', field);
}

int tierctl_read_u64(sd_bus_message *message, void *field)
{
	return sd_bus_message_read_basic(message, 't', field);
}

int tierctl_read_double(sd_bus_message *message, void *field)
{
	return sd_bus_message_read_basic(message, 'd', field);
}

/* Doubles: there is room left unless n is 0 or a power of two. */
void *tierctl_grow(void *items, size_t n, size_t size)
{
	if ((n & (n - 1)) == 0) {
		items = reallocarray(items, n > 0 ? 2 * n : 1, size);
		if (!items)
			return NULL;
	}
	memset((char *)items + n * size, 0, size);
	return items;
}
