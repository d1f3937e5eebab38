/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/util.h"
#include "objects.h"

struct object {
	struct tierd_object_key key;
	struct tierd_space *space;
	uint64_t pass;
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

int tierd_objects_claim(struct tierd_objects *objects, struct tierd_space *space,
	uint64_t pass, const struct tierd_mapping *mapping)
{
	struct object *object = find(objects, &mapping->key);

	if (object && (object->space != space || object->pass == pass))
		return false;
	if (!object) {
		object = calloc(1, sizeof(*object));
		if (!object)
			return -ENOMEM;
		object->key = mapping->key;
		object->space = space;
		HASH_ADD(hh, objects->by_key, key, sizeof(object->key), object);
	}
	object->pass = pass;
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
