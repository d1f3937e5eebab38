/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/util.h"

static uint64_t new_id(pid_t pid)
{
	static uint32_t generation;

	return (uint64_t)++generation << 32 | (uint32_t)pid;
}

int tierd_space_new(const struct tierd_root *root, pid_t pid,
	struct tierd_objects *objects, struct tierd_space **ret)
{
	_cleanup_(freep) struct tierd_space *space = calloc(1, sizeof(*space));
	struct tierd_process process;
	int r;

	if (!space)
		return -ENOMEM;
	space->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (space->pidfd < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	r = tierd_process_read(root, pid, &process);
	if (r < 0) {
		close(space->pidfd);
		return r;
	}
	space->objects = objects;
	space->pid = pid;
	space->id = new_id(pid);
	*ret = TAKE_PTR(space);
	return 0;
}

static void forget(struct tierd_space *space, struct tier_group *heat)
{
	if (space->is_known)
		tier_group_forget_space(heat, space->id);
	space->is_known = false;
	if (space->objects)
		tierd_objects_release(space->objects, space);
	free(TAKE_PTR(space->shared));
	space->n_shared = 0;
	free(TAKE_PTR(space->policies));
	space->n_policies = 0;
}

struct tierd_space *tierd_space_free(struct tierd_space *space, struct tier_group *heat)
{
	if (!space)
		return NULL;
	forget(space, heat);
	close(space->pidfd);
	free(space->mappings);
	free(space);
	return NULL;
}

void tierd_space_restart(struct tierd_space *space, struct tier_group *heat)
{
	forget(space, heat);
	space->id = new_id(space->pid);
	free(TAKE_PTR(space->mappings));
	space->n_mappings = space->cursor_mapping = 0;
	space->cursor = space->blocks = space->blocks_now = space->passes = 0;
}

/* What lies between mappings is mapped no more. */
static int forget_gaps(const struct tierd_space *space, struct tier_group *heat)
{
	_cleanup_(freep) struct tier_range *ranges =
		calloc(space->n_mappings + 1, sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < space->n_mappings; i++)
		ranges[i] = (struct tier_range){
			.start = space->mappings[i].start,
			.end = space->mappings[i].end,
		};
	tier_group_keep_ranges(heat, space->id, ranges, space->n_mappings);
	return 0;
}

/* ---- Shared memory ------------------------------------------------------------- */

static bool is_object(
	const struct tierd_space *space, const struct tierd_mapping *mapping)
{
	return space->objects && mapping->is_shared && mapping->is_file;
}

static size_t count_objects(const struct tierd_space *space)
{
	size_t n = 0;

	for (size_t i = 0; i < space->n_mappings; i++)
		n += is_object(space, &space->mappings[i]);
	return n;
}

/* Leaves in the list of mappings what is to be looked at by this space. */
static int claim_mappings(struct tierd_space *space,
	const struct tierd_claimant *claimant, struct tierd_shared *shared)
{
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < space->n_mappings; i++) {
		const struct tierd_mapping *mapping = &space->mappings[i];
		int r = 1;

		if (is_object(space, mapping)) {
			struct tierd_space *loser;

			r = tierd_objects_claim(
				space->objects, claimant, mapping, &loser);
			if (r < 0)
				return r;
			if (loser)
				tierd_space_begin_again(loser);
			shared[n++] = (struct tierd_shared){ mapping->start, mapping->end,
				mapping->offset, mapping->key, r > 0 };
		}
		if (r > 0)
			space->mappings[kept++] = *mapping;
	}
	space->n_mappings = kept;
	return 0;
}

static int claim_objects(struct tierd_space *space, const struct tierd_root *root)
{
	size_t n = count_objects(space);
	struct tierd_claimant claimant = { .space = space };
	struct tierd_shared *shared;
	int r;

	free(TAKE_PTR(space->shared));
	space->n_shared = 0;
	if (!space->objects)
		return 0;
	claimant.pass = ++space->claims;
	r = tierd_process_read_shared(root, space->pid, &claimant.touched_pages);
	if (r < 0)
		return r;
	shared = calloc(n + 1, sizeof(*shared));
	if (!shared)
		return -ENOMEM;
	r = claim_mappings(space, &claimant, shared);
	if (r < 0) {
		free(shared);
		return r;
	}
	tierd_objects_end_pass(space->objects, space, space->claims);
	space->shared = shared;
	space->n_shared = n;
	return 0;
}

/* The first that ends beyond the address. */
static const struct tierd_shared *find_shared(
	const struct tierd_space *space, uint64_t address)
{
	size_t from = 0, to = space->n_shared;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (space->shared[middle].end <= address)
			from = middle + 1;
		else
			to = middle;
	}
	return from < space->n_shared ? &space->shared[from] : NULL;
}

struct tierd_space *tierd_space_resolve(
	struct tierd_space *space, uint64_t address, uint64_t *ret_address)
{
	const struct tierd_shared *shared = find_shared(space, address);

	if (!shared || address < shared->start || shared->is_owned) {
		*ret_address = address;
		return space;
	}
	return tierd_objects_find(space->objects, &shared->key,
		shared->offset + (address - shared->start), ret_address);
}

bool tierd_space_has_objects(const struct tierd_space *space)
{
	for (size_t i = 0; i < space->n_shared; i++)
		if (space->shared[i].is_owned)
			return true;
	return false;
}

void tierd_space_begin_again(struct tierd_space *space)
{
	if (space->n_shared > 0)
		space->n_mappings = space->passes = 0;
}

/* Whether some of the block is an object that the space has. */
static bool has_object(const struct tierd_space *space, uint64_t block)
{
	const struct tierd_shared *shared = find_shared(space, block);

	for (; shared && shared < space->shared + space->n_shared; shared++)
		if (shared->start >= block + TIER_BLOCK_SIZE)
			return false;
		else if (shared->is_owned)
			return true;
	return false;
}

/* ---- Memory under a policy ------------------------------------------------------ */

static int read_policies(struct tierd_space *space, const struct tierd_root *root)
{
	struct tierd_numa_policy *policies = NULL;
	size_t n = 0;
	int r;

	if (space->skips_policy) {
		r = tierd_numa_policies_read(root, space->pid, &policies, &n);
		if (r < 0)
			return r;
	}
	free(space->policies);
	space->policies = policies;
	space->n_policies = n;
	return 0;
}

/* They are in order, and apart. */
static bool has_policy(const struct tierd_space *space, uint64_t block)
{
	size_t low = 0, high = space->n_policies;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->policies[middle].end <= block)
			low = middle + 1;
		else
			high = middle;
	}
	return low < space->n_policies &&
	       space->policies[low].start < block + TIER_BLOCK_SIZE;
}

void tierd_space_set_skips_policy(struct tierd_space *space, bool skips_policy)
{
	if (space->skips_policy == skips_policy)
		return;
	space->skips_policy = skips_policy;
	space->n_mappings = 0;
}

uint64_t tierd_space_policy_bytes(const struct tierd_space *space)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < space->n_policies; i++)
		bytes += space->policies[i].bytes;
	return bytes;
}

/* ---- Looking ------------------------------------------------------------------- */

static int begin_pass(
	struct tierd_space *space, const struct tierd_root *root, struct tier_group *heat)
{
	struct tierd_mapping *mappings;
	bool is_whole;
	size_t n;
	int r;

	r = tierd_process_read_mappings(root, space->pid, &mappings, &n);
	if (r < 0)
		return r;
	is_whole = r == 0;
	free(space->mappings);
	space->mappings = mappings;
	space->n_mappings = n;
	r = claim_objects(space, root);
	if (r >= 0)
		r = read_policies(space, root);
	if (r < 0) {
		space->n_mappings = 0;
		return r;
	}
	space->cursor_mapping = 0;
	space->cursor = 0;
	space->blocks_now = 0;
	/* A list that was cut short says nothing of what follows it. */
	return space->is_known && is_whole ? forget_gaps(space, heat) : 0;
}

static bool end_pass(struct tierd_space *space)
{
	space->blocks = space->blocks_now;
	space->passes++;
	space->n_mappings = 0;
	return true;
}

/* Advances the cursor to the next block that is mapped; false at the end. */
static bool next_blocks(struct tierd_space *space, size_t max_blocks,
	uint64_t *ret_address, size_t *ret_n)
{
	for (; space->cursor_mapping < space->n_mappings; space->cursor_mapping++) {
		const struct tierd_mapping *mapping =
			&space->mappings[space->cursor_mapping];
		uint64_t first = mapping->start & ~(TIER_BLOCK_SIZE - 1);

		first = TIER_MAX(first, space->cursor);
		if (first >= mapping->end)
			continue;
		*ret_address = first;
		*ret_n = TIER_MIN(
			(mapping->end - first + TIER_BLOCK_SIZE - 1) >> TIER_BLOCK_SHIFT,
			(uint64_t)max_blocks);
		space->cursor = first + *ret_n * TIER_BLOCK_SIZE;
		return true;
	}
	return false;
}

static int set_residency(struct tierd_space *space, struct tier_group *heat,
	uint64_t address, const struct tierd_block_residency *found)
{
	bool with_shared = has_object(space, address);
	struct tier_residency residency = {
		.huge = found->is_huge,
		.anonymous = found->is_anonymous,
		.has_policy = has_policy(space, address),
	};

	for (unsigned i = 0; i < TIERD_BLOCK_WORDS; i++) {
		uint64_t resident = found->present_movable[i] |
				    (with_shared ? found->present_shared[i] : 0);

		residency.resident[i] = resident;
		residency.tier[0][i] = found->tier[0][i] & resident;
		residency.tier[1][i] = found->tier[1][i] & resident;
	}
	space->is_known = true;
	return tier_group_set_residency(heat, space->id, address, &residency);
}

static int look_at(struct tierd_space *space, int pagemap,
	struct tierd_pagemap_reader *reader, struct tier_group *heat, uint64_t address,
	size_t n)
{
	struct tierd_block_residency found[TIERD_PAGEMAP_BATCH_MAX];
	int r;

	r = tierd_pagemap_read_blocks(reader, pagemap, address, n, found);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = set_residency(space, heat, address + i * TIER_BLOCK_SIZE, &found[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int tierd_space_sweep(struct tierd_space *space, const struct tierd_root *root,
	struct tierd_pagemap_reader *reader, struct tier_group *heat, size_t max_blocks)
{
	_cleanup_(closep) int pagemap = -EBADF;
	uint64_t address;
	size_t n;
	int r;

	if (space->n_mappings == 0) {
		r = begin_pass(space, root, heat);
		if (r < 0)
			return r;
	}
	r = tierd_pagemap_open(root, space->pid, &pagemap);
	if (r < 0)
		return r;
	while (max_blocks > 0) {
		if (!next_blocks(space,
			    TIER_MIN(max_blocks, (size_t)TIERD_PAGEMAP_BATCH_MAX),
			    &address, &n))
			return end_pass(space);
		r = look_at(space, pagemap, reader, heat, address, n);
		if (r < 0)
			return r;
		space->blocks_now += n;
		max_blocks -= n;
	}
	return 0;
}

int tierd_space_look(struct tierd_space *space, const struct tierd_root *root,
	struct tierd_pagemap_reader *reader, struct tier_group *heat, uint64_t address)
{
	_cleanup_(closep) int pagemap = -EBADF;
	int r;

	r = tierd_pagemap_open(root, space->pid, &pagemap);
	if (r < 0)
		return r;
	return look_at(space, pagemap, reader, heat, address & ~(TIER_BLOCK_SIZE - 1), 1);
}
