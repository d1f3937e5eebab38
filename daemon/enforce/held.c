/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "enforce/held.h"

static const struct {
	const char *name;
	const char *file;
	const char *property;
} attributes[TIERD_ATTRIBUTE_MAX] = {
	[TIERD_ATTRIBUTE_MEMORY_HIGH] = { "high", "memory.high", "MemoryHigh" },
	[TIERD_ATTRIBUTE_MEMORY_SWAP_MAX] = { "swap-max", "memory.swap.max",
		"MemorySwapMax" },
	[TIERD_ATTRIBUTE_CPUSET_MEMS] = { "mems", "cpuset.mems", "AllowedMemoryNodes" },
	[TIERD_ATTRIBUTE_SYSCTL] = { "sysctl", NULL, NULL },
};

static bool is_valid(enum tierd_attribute attribute)
{
	return (int)attribute >= 0 && attribute < TIERD_ATTRIBUTE_MAX;
}

const char *tierd_attribute_file(enum tierd_attribute attribute)
{
	return is_valid(attribute) ? attributes[attribute].file : NULL;
}

const char *tierd_attribute_property(enum tierd_attribute attribute)
{
	return is_valid(attribute) ? attributes[attribute].property : NULL;
}

const char *tierd_attribute_to_string(enum tierd_attribute attribute)
{
	return is_valid(attribute) ? attributes[attribute].name : NULL;
}

int tierd_attribute_from_string(const char *text, enum tierd_attribute *ret)
{
	for (int i = 0; i < TIERD_ATTRIBUTE_MAX; i++)
		if (strcmp(attributes[i].name, text) == 0) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

/* A cgroup made again under an old name is another one, but a unit stays the same. */
bool tierd_held_is_same(const struct tierd_held *a, const struct tierd_held *b)
{
	return a->attribute == b->attribute && strcmp(a->path, b->path) == 0 &&
	       strcmp(a->unit, b->unit) == 0 && (*a->unit || a->id == b->id);
}

bool tierd_held_is_ours(const struct tierd_held *held, const char *value)
{
	return strcmp(held->held, value) == 0 || strcmp(held->wanted, value) == 0;
}
