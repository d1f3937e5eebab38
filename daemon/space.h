/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process's address space as a managed group sees it: who it is, where it has
 * memory, and a cursor that walks that memory and tells the group's heat what is resident
 * where. A pass covers every mapping once; mappings are read anew before each. Of what it
 * shares with other spaces it looks at what it has (objects.h), and knows of the rest
 * where to ask.
 */
#ifndef TIERD_SPACE_H
#define TIERD_SPACE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "libtier.h"
#include "numa-policy.h"
#include "objects.h"
#include "pagemap.h"
#include "process.h"
#include "settings/root.h"

struct tierd_space {
	pid_t pid;
	uint64_t id; /* as libtier knows it; new after each exec */
	int pidfd;
	bool is_claimed; /* scratch for whoever compares spaces with a list of processes
			  */
	bool is_known;   /* libtier may hold blocks of it */

	struct tierd_mapping *mappings;
	size_t n_mappings;
	struct tierd_objects *objects; /* NULL: shared memory is left alone */
	struct tierd_shared *shared;   /* by address */
	size_t n_shared;
	bool skips_policy; /* memory under a policy is looked for, and marked so */
	struct tierd_numa_policy *policies; /* by address */
	size_t n_policies;
	uint64_t claims; /* times that mappings were read */
	size_t cursor_mapping;
	uint64_t cursor;     /* the next block to look at */
	uint64_t blocks;     /* that the last whole pass looked at */
	uint64_t blocks_now; /* that this pass has looked at */
	uint64_t passes;
};

/* @objects outlives the space. Errors: -ESRCH when the process is gone, -ENOMEM, -EMFILE.
 */
int tierd_space_new(const struct tierd_root *root, pid_t pid,
	struct tierd_objects *objects, struct tierd_space **ret);

/* Tells @heat to forget the space, and frees it. What it had of shared memory is free. */
struct tierd_space *tierd_space_free(struct tierd_space *space, struct tier_group *heat);

/* The process runs another program now: everything known is void. */
void tierd_space_restart(struct tierd_space *space, struct tier_group *heat);

/*
 * Looks at up to @max_blocks blocks from the cursor on. Returns 1 at the end of a pass,
 * else 0. Errors: -ESRCH when the process is gone, -EPERM and -EACCES without the
 * privileges that /proc/PID/pagemap wants, -ENOMEM.
 */
int tierd_space_sweep(struct tierd_space *space, const struct tierd_root *root,
	struct tierd_pagemap_reader *reader, struct tier_group *heat, size_t max_blocks);

/* Looks at the block that holds @address now. Errors as above. */
int tierd_space_look(struct tierd_space *space, const struct tierd_root *root,
	struct tierd_pagemap_reader *reader, struct tier_group *heat, uint64_t address);

/* Whether to look for memory that the program has placed by a policy of its own. A change
 * begins a new pass. */
void tierd_space_set_skips_policy(struct tierd_space *space, bool skips_policy);

/* Bytes that the program has placed by a policy of its own; 0 unless skips_policy. */
uint64_t tierd_space_policy_bytes(const struct tierd_space *space);

/* Whether it has shared memory that others may have as well. */
bool tierd_space_has_objects(const struct tierd_space *space);

/* The next sweep begins a pass, and claims what nobody has any more. */
void tierd_space_begin_again(struct tierd_space *space);

/*
 * Whose memory @address is: the space itself, or the one that has the object which is
 * mapped there, with *ret_address in it. NULL if nobody has it.
 */
struct tierd_space *tierd_space_resolve(
	struct tierd_space *space, uint64_t address, uint64_t *ret_address);

#endif
