/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A job is a plan on its way: a copy of its moves, whom they belong to, what became of
 * each, and the room its promotions may take. It knows nothing of threads; the migrator
 * guards what is marked as shared.
 */
#ifndef TIER_MIGRATE_JOB_H
#define TIER_MIGRATE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libtier.h"

struct tier_job {
	struct tier_job *next; /* in the migrator's list of finished jobs; shared */
	void *userdata;
	size_t n_moves;
	struct tier_move *moves;
	uint32_t *target_of; /* of each move, an index of targets */
	uint8_t *results;
	struct tier_target *targets;
	size_t n_targets;
	int nodes[TIER_DIRECTION_MAX]; /* where each direction goes */
	uint64_t bandwidth_max;
	uint64_t busy_ns[TIER_DIRECTION_MAX];
	uint64_t moved_pages[TIER_DIRECTION_MAX];
	int64_t room_pages;  /* may be negative while demotions are owed; shared */
	bool demotions_done; /* no more room will come; shared */
	unsigned n_parts;    /* directions not yet carried out; shared */
};

/* Errors: -ENOMEM, -EINVAL for a move without a target. */
int tier_job_new(const struct tier_job_config *config, struct tier_job **ret);

#endif
