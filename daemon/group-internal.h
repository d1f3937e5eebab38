/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group's state, for the files that share it: group.c (what it is and holds),
 * group-watch.c (its processes, samples and residency), group-plan.c (its plans and
 * jobs), group-explain.c (why pages stay) and group-portions.c (the notes' view of it).
 */
#ifndef TIERD_GROUP_INTERNAL_H
#define TIERD_GROUP_INTERNAL_H

#include "clock.h"
#include "group.h"

/* Blocks that samples fell into and that want a look, a tick. */
#define TIERD_LOOKS_MAX 128

/* Samples that are counted together, which is cheaper. */
#define TIERD_SAMPLES_MAX 128

struct tierd_look {
	struct tierd_space *space;
	uint64_t address;
};

struct tierd_group {
	const struct tierd_group_context *context;
	struct tierd_cgroup *cgroup;
	struct tierd_policy policy;
	struct tier_group *heat;
	uint64_t quota_bytes;
	uint64_t min_bytes;
	uint64_t kept_ns; /* when the quota was last seen to be kept */
	bool is_exceeded; /* and said so */
	uint64_t dram_bytes;
	uint64_t slow_bytes;
	uint64_t uncovered_bytes;
	uint64_t born_ns;
	uint64_t cpu_usec_before; /* that it was managed */

	struct tierd_gate gate;
	struct tierd_setting *settings[TIERD_ATTRIBUTE_SYSCTL]; /* by attribute */
	bool settings_refused;
	bool is_dram_refused;
	uint64_t almost_there_ns; /* since when little is left to move for a placement */
	int watch;

	struct tierd_space **spaces; /* by pid */
	size_t n_spaces;
	size_t sweep_space;
	bool is_swept;
	bool is_behind; /* some of what was known has to be looked for again */
	struct tierd_look looks[TIERD_LOOKS_MAX];
	size_t n_looks;
	struct tier_sample samples[TIERD_SAMPLES_MAX]; /* not yet counted */
	struct tierd_space *sampled_spaces[TIERD_SAMPLES_MAX];
	size_t n_samples;

	struct tierd_heatmap heatmap;
	struct tierd_recording *recording; /* the last one, if there was any */

	struct tier_plan *job; /* what the job under way moves; NULL: there is none */
	bool has_backlog;      /* the last plan was cut short by its budget */
	uint64_t job_began_ns;
	uint64_t paused_until_ns; /* to stay within the bandwidth */
	uint64_t gather_until_ns; /* once it is settled */
	bool is_gathering;        /* the last plan left what was due for later */
	uint64_t budget_pages;    /* of a plan: what can be carried out in two ticks */
	double copy_cost_ns;
	uint64_t promoted_bytes;
	uint64_t demoted_bytes;
	uint64_t busy_since_ns; /* when moves last went beyond the settled share, or were
				   sure to */
	uint64_t window_ns;
	uint64_t window_pages;
};

/* group-enforce.c */
void tierd_group_free_settings(struct tierd_group *group);
uint64_t tierd_group_drifts(const struct tierd_group *group);

/* The quota that plans go by: none at all for a group whose place is slow memory. */
uint64_t tierd_group_plan_quota(const struct tierd_group *group);

#endif
