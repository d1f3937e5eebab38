/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared memory: an object of the kernel (a file, shmem, a segment), told by device and
 * inode, is looked at, counted and moved through one mapping of one process, whoever else
 * maps it. The first to come has it for as long as it maps it. Processes are spaces here,
 * of which nothing is known but that they differ.
 */
#ifndef TIERD_OBJECTS_H
#define TIERD_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

struct tierd_objects;
struct tierd_space;

/* A mapping of an object that its space has, or another does. */
struct tierd_shared {
	uint64_t start;
	uint64_t end; /* exclusive */
	uint64_t offset;
	struct tierd_object_key key;
	bool is_owned;
};

int tierd_objects_new(struct tierd_objects **ret);
struct tierd_objects *tierd_objects_free(struct tierd_objects *objects);

/*
 * Says whether @space has the object of @mapping by this very mapping, and gives it the
 * object if nobody has it. @pass tells one look at a space's mappings from the next.
 * Errors: -ENOMEM.
 */
int tierd_objects_claim(struct tierd_objects *objects, struct tierd_space *space,
	uint64_t pass, const struct tierd_mapping *mapping);

/* What the space did not claim in @pass is free for others. */
void tierd_objects_end_pass(
	struct tierd_objects *objects, const struct tierd_space *space, uint64_t pass);

/* The space goes: all it has is free. True if that was anything. */
bool tierd_objects_release(
	struct tierd_objects *objects, const struct tierd_space *space);

/* Whose the object is, and where it has it; NULL if nobody does. */
struct tierd_space *tierd_objects_find(const struct tierd_objects *objects,
	const struct tierd_object_key *key, uint64_t offset, uint64_t *ret_address);

#endif
