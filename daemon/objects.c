/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/util.h"
#include "objects.h"

/* A claim is better by so much more touched. */
#define BETTER_PAGES   1024
#define BETTER_DIVISOR 4

struct object {
	struct tierd_object_key key;
	struct tierd_space *space;
	uint64_t pass;
	uint64_t touched_pages;
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	UT_hash_handle hh;
};

struct tierd_objects {
	struct object *by_key; /* a uthash */
};

int tierd_objects_new(struct tierd_objects **ret)
{
	struct tierd_objects *objects = calloc(1, sizeof(*objects));

	if (!objects)
		return -ENOMEM;
	*ret = objects;
	return 0;
}

static void drop(struct tierd_objects *objects, struct object *object)
{
	HASH_DEL(objects->by_key, object);
	free(object);
}

struct tierd_objects *tierd_objects_free(struct tierd_objects *objects)
{
	struct object *object, *next;

	if (!objects)
		return NULL;
	HASH_ITER(hh, objects->by_key, object, next)
	{
		drop(objects, object);
	}
	free(objects);
	return NULL;
}

static struct object *find(
	const struct tierd_objects *objects, const struct tierd_object_key *key)
{
	struct object *object;

	HASH_FIND(hh, objects->by_key, key, sizeof(*key), object);
	return object;
}

static struct object *add(
	struct tierd_objects *objects, const struct tierd_object_key *key)
{
	struct object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->key = *key;
	HASH_ADD(hh, objects->by_key, key, sizeof(object->key), object);
	return object;
}

static bool is_better(const struct tierd_claimant *claimant, const struct object *object)
{
	return claimant->touched_pages > object->touched_pages +
						 object->touched_pages / BETTER_DIVISOR +
						 BETTER_PAGES;
}

int tierd_objects_claim(struct tierd_objects *objects,
	const struct tierd_claimant *claimant, const struct tierd_mapping *mapping,
	struct tierd_space **ret_loser)
{
	struct object *object = find(objects, &mapping->key);
	bool is_mine = object && object->space == claimant->space;

	*ret_loser = NULL;
	if (is_mine && object->pass == claimant->pass)
		return false;
	if (object && !is_mine && !is_better(claimant, object))
		return false;
	if (object && !is_mine)
		*ret_loser = object->space;
	if (!object)
		object = add(objects, &mapping->key);
	if (!object)
		return -ENOMEM;
	object->space = claimant->space;
	object->pass = claimant->pass;
	object->touched_pages = claimant->touched_pages;
	object->start = mapping->start;
	object->end = mapping->end;
	object->offset = mapping->offset;
	return true;
}

void tierd_objects_end_pass(
	struct tierd_objects *objects, const struct tierd_space *space, uint64_t pass)
{
	struct object *object, *next;

	HASH_ITER(hh, objects->by_key, object, next)
	{
		if (object->space == space && object->pass != pass)
			drop(objects, object);
	}
}

bool tierd_objects_release(struct tierd_objects *objects, const struct tierd_space *space)
{
	struct object *object, *next;
	bool has_any = false;

	HASH_ITER(hh, objects->by_key, object, next)
	{
		if (object->space != space)
			continue;
		drop(objects, object);
		has_any = true;
	}
	return has_any;
}

struct tierd_space *tierd_objects_find(const struct tierd_objects *objects,
	const struct tierd_object_key *key, uint64_t offset, uint64_t *ret_address)
{
	const struct object *object = find(objects, key);

	if (!object || offset < object->offset ||
		offset - object->offset >= object->end - object->start)
		return NULL;
	*ret_address = object->start + (offset - object->offset);
	return object->space;
}
