/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared memory: an object of the kernel (a file, shmem, a segment), told by device and
 * inode, is looked at, counted and moved through one mapping of one process, whoever else
 * maps it. The first to come has it for as long as it maps it, or until another comes
 * that has touched a good deal more: only what a process has touched can be moved through
 * it.
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

/* Who asks: @pass tells one look at a space's mappings from the next, and @touched_pages
 * is how much memory of files and segments it has touched. */
struct tierd_claimant {
	struct tierd_space *space;
	uint64_t pass;
	uint64_t touched_pages;
};

/*
 * Says whether the claimant has the object of @mapping by this very mapping, and gives it
 * the object if nobody has a better claim. Who had it before is in *ret_loser then, else
 * NULL. Errors: -ENOMEM.
 */
int tierd_objects_claim(struct tierd_objects *objects,
	const struct tierd_claimant *claimant, const struct tierd_mapping *mapping,
	struct tierd_space **ret_loser);

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
