/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a group learns by watching: which processes it has, where their memory is, and
 * what of it is accessed. A first sweep of residency goes as fast as it may; later ones
 * only keep the picture fresh, helped by samples that fall where nothing is known.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/util.h"
#include "group-internal.h"
#include "log.h"

/* Later passes of the sweep take about so long. */
#define SWEEP_PASS_NS     (60 * TIERD_NSEC)
#define SWEEP_STEP_BLOCKS 64

/* DRAM of a group over its quota that is not known yet, to hurry for, if what is known is
 * less than such a part of it. */
#define MISSED_BYTES_MIN (UINT64_C(4) << 20)
#define KNOWN_DIVISOR    2

/* ---- Processes ----------------------------------------------------------------- */

size_t tierd_group_n_spaces(const struct tierd_group *group)
{
	return group->n_spaces;
}

struct tierd_space *tierd_group_space(const struct tierd_group *group, size_t i)
{
	return group->spaces[i];
}

static struct tierd_space *take_space(
	struct tierd_space **spaces, size_t n, size_t *cursor, pid_t pid)
{
	while (*cursor < n && spaces[*cursor]->pid < pid)
		(*cursor)++;
	if (*cursor == n || spaces[*cursor]->pid != pid)
		return NULL;
	spaces[*cursor]->is_claimed = true;
	return spaces[*cursor];
}

/* A pidfd is readable once its process is gone, whoever has the number by then. */
static bool is_same_process(const struct tierd_space *space)
{
	struct pollfd exited = { .fd = space->pidfd, .events = POLLIN };

	return poll(&exited, 1, 0) == 0;
}

/* What processes share is without one that has it: another is found at once. */
static void claim_again(struct tierd_group *group)
{
	for (size_t i = 0; i < group->n_spaces; i++)
		tierd_space_begin_again(group->spaces[i]);
	group->is_behind = true;
}

/* True if one of them had what others share with it. */
static bool free_unclaimed(struct tierd_group *group)
{
	bool had_objects = false;

	for (size_t i = 0; i < group->n_spaces; i++) {
		struct tierd_space *space = group->spaces[i];

		if (space->is_claimed)
			continue;
		had_objects |= tierd_space_has_objects(space);
		tierd_space_free(space, group->heat);
	}
	return had_objects;
}

int tierd_group_set_processes(struct tierd_group *group, const pid_t *pids, size_t n)
{
	struct tierd_space **spaces = calloc(n + 1, sizeof(*spaces));
	size_t n_spaces = 0, cursor = 0;
	bool had_objects;
	int r;

	if (!spaces)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_spaces; i++)
		group->spaces[i]->is_claimed = false;
	for (size_t i = 0; i < n; i++) {
		struct tierd_space *space =
			take_space(group->spaces, group->n_spaces, &cursor, pids[i]);

		if (space && !is_same_process(space)) {
			space->is_claimed = false;
			space = NULL;
		}
		if (!space) {
			r = tierd_space_new(group->context->root, pids[i],
				group->context->objects, &space);
			if (r < 0 && r != -ESRCH)
				tierd_log_in_loop(r, "%s: cannot follow process %d",
					tierd_group_path(group), (int)pids[i]);
			if (r < 0)
				continue;
		}
		if (space->passes == 0)
			group->sweep_space = n_spaces; /* the new one comes first */
		spaces[n_spaces++] = space;
	}
	had_objects = free_unclaimed(group);
	free(group->spaces);
	group->spaces = spaces;
	group->n_spaces = n_spaces;
	if (had_objects)
		claim_again(group);
	group->n_looks = 0;
	return 0;
}

/* ---- Samples and residency ----------------------------------------------------- */

static void remember_look(
	struct tierd_group *group, struct tierd_space *space, uint64_t address)
{
	address &= ~(TIER_BLOCK_SIZE - 1);
	if (group->n_looks == TIERD_LOOKS_MAX)
		return;
	for (size_t i = 0; i < group->n_looks; i++)
		if (group->looks[i].address == address && group->looks[i].space == space)
			return;
	group->looks[group->n_looks++] = (struct tierd_look){ space, address };
}

void tierd_group_sample(struct tierd_group *group, struct tierd_space *space,
	uint64_t address, bool is_store)
{
	group->sampled_spaces[group->n_samples] = space;
	group->samples[group->n_samples++] = (struct tier_sample){
		.space = space->id,
		.address = address,
		.is_store = is_store,
	};
	if (group->n_samples == TIERD_SAMPLES_MAX)
		tierd_group_feed(group);
}

void tierd_group_feed(struct tierd_group *group)
{
	uint8_t sampled[TIERD_SAMPLES_MAX];

	tier_group_feed(group->heat, group->samples, group->n_samples, sampled);
	for (size_t i = 0; i < group->n_samples; i++)
		tierd_heatmap_count(&group->heatmap, group->samples[i].space,
			group->samples[i].address);
	for (size_t i = 0; i < group->n_samples; i++)
		if (sampled[i] == TIER_SAMPLED_UNKNOWN ||
			sampled[i] == TIER_SAMPLED_UNCOVERED)
			remember_look(group, group->sampled_spaces[i],
				group->samples[i].address);
	group->n_samples = 0;
}

int tierd_group_advance(struct tierd_group *group, uint64_t now_ns, double exposure)
{
	int changed;

	tierd_heatmap_advance(&group->heatmap, now_ns, exposure);
	tier_group_set_skips_policy(group->heat, group->context->skips_policy);
	changed = tier_group_advance(group->heat, now_ns, exposure);
	if (changed > 0)
		group->busy_since_ns = now_ns;
	return changed;
}

/* What there is no time for is forgotten: samples will ask again. */
static void do_looks(struct tierd_group *group, uint64_t until_ns)
{
	for (size_t i = 0; i < group->n_looks && tierd_now_ns() < until_ns; i++)
		(void)tierd_space_look(group->looks[i].space, group->context->root,
			group->context->reader, group->heat, group->looks[i].address);
	group->n_looks = 0;
}

/*
 * Over its quota, and most of it by memory that no sweep has seen yet. As long as there
 * is enough to demote the migrators are not kept waiting for a sweep: while a group
 * grows, what is missed grows with it.
 */
static bool misses_excess(const struct tierd_group *group)
{
	struct tier_group_stats stats;
	uint64_t known_bytes;

	if (group->dram_bytes <= tierd_group_plan_quota(group))
		return false;
	tier_group_get_stats(group->heat, &stats);
	known_bytes = stats.tier_pages[0] * TIER_PAGE_SIZE;
	return known_bytes + MISSED_BYTES_MIN < group->dram_bytes &&
	       known_bytes < group->dram_bytes / KNOWN_DIVISOR;
}

bool tierd_group_wants_sweep(const struct tierd_group *group)
{
	return !group->is_swept || group->is_behind || misses_excess(group);
}

/* How many blocks a tick may look at so that a pass takes as long as it should. */
static size_t sweep_quantum(const struct tierd_group *group)
{
	uint64_t blocks = 0;

	if (tierd_group_wants_sweep(group))
		return SIZE_MAX;
	for (size_t i = 0; i < group->n_spaces; i++)
		blocks += group->spaces[i]->blocks;
	return blocks * group->context->tick_ns / SWEEP_PASS_NS + 1;
}

static bool every_space_was_passed(const struct tierd_group *group)
{
	for (size_t i = 0; i < group->n_spaces; i++)
		if (group->spaces[i]->passes == 0)
			return false;
	return true;
}

/* Once swept a group stays so: a new process is only part of it. */
static void next_space(struct tierd_group *group)
{
	if (++group->sweep_space >= group->n_spaces) {
		group->sweep_space = 0;
		group->is_behind &= !every_space_was_passed(group);
		group->is_swept |= every_space_was_passed(group);
	}
}

void tierd_group_sweep(struct tierd_group *group, uint64_t budget_ns)
{
	uint64_t until_ns = tierd_now_ns() + budget_ns;
	size_t quantum = sweep_quantum(group), passes = 0;

	do_looks(group, tierd_now_ns() + budget_ns / 2);
	/* One step is always taken, or a small budget would never get anywhere. */
	for (bool is_first = true; quantum > 0 && passes < group->n_spaces &&
				   (is_first || tierd_now_ns() < until_ns);
		is_first = false) {
		size_t step = TIER_MIN(quantum, (size_t)SWEEP_STEP_BLOCKS);
		struct tierd_space *space;
		int r;

		if (group->sweep_space >= group->n_spaces)
			group->sweep_space = 0;
		space = group->spaces[group->sweep_space];
		tierd_space_set_skips_policy(space, group->context->skips_policy);
		r = tierd_space_sweep(space, group->context->root, group->context->reader,
			group->heat, step);
		if (r < 0)
			space->passes++; /* unreadable: nothing to wait for */
		if (r != 0) {
			next_space(group);
			passes++;
		}
		quantum -= step;
	}
	if (group->n_spaces == 0)
		group->is_swept = true;
}

bool tierd_group_is_swept(const struct tierd_group *group)
{
	return group->is_swept;
}
