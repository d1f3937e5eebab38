/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What decides for a group. The group keeps the books that all engines share: blocks,
 * residency, counts, time, results. An engine makes plans of them, and may keep books of
 * its own beside; for these it is told of what happens. Any of its functions but plan()
 * may be NULL.
 */
#ifndef TIER_CORE_ENGINE_H
#define TIER_CORE_ENGINE_H

#include "core/block.h"
#include "core/plan.h"

struct tier_engine_ops {
	/* Counts of its own are cooled by itself: stats.coolings are those. */
	bool cools_itself;

	/* Sets group->engine_state, if there is any. Errors: -ENOMEM. */
	int (*init)(struct tier_group *group);
	void (*done)(struct tier_group *group);

	/* A block was added; nothing is resident in it yet. Errors: -ENOMEM. */
	int (*added)(struct tier_group *group, struct tier_block *block);

	/* A sample on a resident page. */
	void (*sampled)(struct tier_group *group, struct tier_block *block, unsigned page,
		uint64_t time_ns);

	/* Time has passed: group->now_ns. */
	void (*advanced)(struct tier_group *group);

	/* The block is about to be removed. */
	void (*removed)(struct tier_group *group, struct tier_block *block);

	/* Memory that the engine's own books take. */
	size_t (*bytes)(const struct tier_group *group);

	/* Sets why, class and rates of a resident page that a plan has been made about.
	 */
	void (*explain)(const struct tier_group *group, const struct tier_block *block,
		unsigned page, struct tier_explanation *ret);

	/* Adds up all pages' why, without asking page by page. Stock has been taken. */
	void (*count_whys)(const struct tier_group *group, struct tier_whys *ret);

	/* As tier_group_plan(); stock has been taken of all blocks. */
	int (*plan)(struct tier_group *group, const struct tier_limits *limits,
		struct tier_plan **ret);
};

extern const struct tier_engine_ops tier_engine_rank;
extern const struct tier_engine_ops tier_engine_memtis;
extern const struct tier_engine_ops tier_engine_tpp;

#endif
