/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run: a row, a policy, a seed, and the figures that come of it.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "figures.h"
#include "policy.h"
#include "rows.h"

/* What a run leaves behind beyond figures, for those who want to see. */
struct sim_record {
	size_t n_portions_before, n_portions_after; /* they differ if memory grows */
	double portions_before[SIM_PORTIONS_MAX];
	double portions_after[SIM_PORTIONS_MAX];
	double hit_before, hit_after;
	double accesses; /* during the run, in all */
	struct tier_group_stats stats;
	struct tier_histogram histogram;
	bool has_group;
};

/* @ret_record may be NULL. Errors: -ENOMEM, -EINVAL (the engine does not exist). */
int sim_run(const struct sim_row *row, const struct sim_policy_ops *ops, uint64_t seed,
	struct sim_zipf_cache *cache, double ret[static SIM_FIGURE_MAX],
	struct sim_record *ret_record);

#endif
