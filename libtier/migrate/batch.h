/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Some moves of one process to one node, handed to the kernel in one call, and what the
 * call's statuses mean. It knows what move_pages(2) leaves unsaid: when a page cannot be
 * migrated the call stops there, and the statuses of what follows are never written.
 */
#ifndef TIER_MIGRATE_BATCH_H
#define TIER_MIGRATE_BATCH_H

#include <stddef.h>
#include <sys/types.h>

#include "libtier.h"

/*
 * Each call of move_pages(2) drains the page lists of all CPUs, which costs as much as
 * migrating some hundred pages; a batch is much longer than that.
 */
#define TIER_BATCH_MOVES 1024
#define TIER_BATCH_PAGES 1024

struct tier_batch {
	pid_t pid;
	int pidfd;
	int node;
	size_t n;
	void *pages[TIER_BATCH_MOVES];
	enum tier_result results[TIER_BATCH_MOVES];
};

/*
 * Makes one huge page of the block at @address. There are no batches of them: each takes
 * as long as copying 2 MiB, and one that finds no huge page should be the last.
 */
enum tier_result tier_batch_collapse(
	int pidfd, uint64_t address, const struct tier_migrator_ops *ops, void *userdata);

/* Carries the batch out and sets its results. */
void tier_batch_run(
	struct tier_batch *batch, const struct tier_migrator_ops *ops, void *userdata);

#endif
