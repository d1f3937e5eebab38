/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a group's pages are where they are. What plans decide libtier answers for; here is
 * what stands between a page and a plan, or a plan and its being carried out: the
 * kernel's view of the page, the job under way, and what holds up the whole group.
 */
#include <errno.h>

#include "base/util.h"
#include "group-internal.h"

static const struct tierd_reason moving = { "moving",
	"It is being moved just now, or waits for its turn in the migrator's queue." };
static const struct tierd_reason paused = { "paused",
	"It is to be moved, but tierd is paused (tierctl resume)." };
static const struct tierd_reason advise = { "advise-only",
	"It is to be moved, but Enforcement=advise moves nothing." };
static const struct tierd_reason gathering = { "gathering",
	"It is to be moved, but so little else is that it waits for others: for up to 10 "
	"seconds, as every job interrupts all CPUs." };
static const struct tierd_reason unmapped = { "unmapped",
	"There is no page at this address: nothing is mapped, or nothing was accessed." };
static const struct tierd_reason swapped = { "swapped",
	"It is swapped out, in no tier at all." };
static const struct tierd_reason shared = { "shared",
	"More than one process maps it: such pages are not moved." };
static const struct tierd_reason unswept = { "not-yet-swept",
	"The group's memory is still being looked at for the first time." };

static const struct tierd_reason poor_coverage = { "poor-coverage",
	"Most of its pages were not watched long enough to be judged: what is decided now "
	"rests on little." };

static struct tierd_reason reason_of(enum tier_why why)
{
	return (struct tierd_reason){ tier_why_to_string(why),
		tier_why_to_sentence(why) };
}

static const struct tierd_space *find_space(const struct tierd_group *group, pid_t pid)
{
	for (size_t i = 0; i < group->n_spaces; i++)
		if (group->spaces[i]->pid == pid)
			return group->spaces[i];
	return NULL;
}

/* Whether the job under way moves the page; collapses do not count. */
static bool is_in_job(const struct tierd_group *group, uint64_t space, uint64_t address)
{
	const struct tier_move *moves;
	size_t n;

	if (!group->job)
		return false;
	moves = tier_plan_moves(group->job, &n);
	for (size_t i = 0; i < n; i++)
		if (moves[i].space == space && moves[i].direction != TIER_COLLAPSE &&
			address >= moves[i].address &&
			address - moves[i].address < moves[i].pages * TIER_PAGE_SIZE)
			return true;
	return false;
}

/* What holds up moves that are due. */
static const struct tierd_reason *hold_of(const struct tierd_group *group)
{
	if (group->context->is_paused)
		return &paused;
	if (!tierd_group_moves_pages(group))
		return &advise;
	return NULL;
}

static struct tierd_reason explain_covered(const struct tierd_group *group,
	const struct tierd_space *space, uint64_t address, enum tier_why why)
{
	const struct tierd_reason *hold = hold_of(group);

	if (is_in_job(group, space->id, address))
		return moving;
	if (why == TIER_WHY_UNCOVERED && !group->is_swept)
		return unswept;
	if (tier_why_is_to_move(why) && hold)
		return *hold;
	if (group->is_gathering && (why == TIER_WHY_DUE || why == TIER_WHY_BUDGET))
		return gathering;
	if (why == TIER_WHY_DUE && tierd_now_ns() < group->paused_until_ns)
		return reason_of(TIER_WHY_BUDGET);
	return reason_of(why);
}

static int read_state(const struct tierd_group *group, pid_t pid, uint64_t address,
	enum tierd_page_state *ret)
{
	_cleanup_(closep) int fd = -EBADF;
	int r;

	r = tierd_pagemap_open(group->context->root, pid, &fd);
	if (r < 0)
		return r;
	return tierd_pagemap_read_page(fd, address, ret);
}

int tierd_group_explain_page(const struct tierd_group *group, pid_t pid, uint64_t address,
	struct tierd_page_explanation *ret)
{
	const struct tierd_space *space = find_space(group, pid);
	struct tierd_page_explanation explanation;
	enum tierd_page_state state;
	int r;

	if (!space)
		return -ESRCH;
	r = read_state(group, pid, address, &state);
	if (r < 0)
		return r;
	tier_group_explain(group->heat, space->id, address, &explanation.heat);
	switch (state) {
	case TIERD_PAGE_ABSENT:
		explanation.reason = unmapped;
		break;
	case TIERD_PAGE_SWAPPED:
		explanation.reason = swapped;
		break;
	case TIERD_PAGE_SHARED:
		explanation.reason = shared;
		break;
	default:
		explanation.reason =
			explain_covered(group, space, address, explanation.heat.why);
		break;
	}
	*ret = explanation;
	return 0;
}

/* ---- All of it ----------------------------------------------------------------- */

static void hold(struct tierd_group_explanation *ret, struct tierd_reason reason)
{
	ret->holds[ret->n_holds++] = reason;
}

static bool is_poorly_covered(const struct tierd_group *group)
{
	struct tier_group_stats stats;

	tier_group_get_stats(group->heat, &stats);
	return stats.resident_pages > 0 && stats.coverage < TIERD_COVERAGE_LEAST;
}

static void list_holds(
	const struct tierd_group *group, struct tierd_group_explanation *ret)
{
	const struct tierd_reason *held = hold_of(group);

	if (!group->is_swept)
		hold(ret, unswept);
	if (is_poorly_covered(group))
		hold(ret, poor_coverage);
	if (held)
		hold(ret, *held);
	if (tierd_group_plan_quota(group) == 0)
		hold(ret, reason_of(TIER_WHY_QUOTA_ZERO));
	if (group->job)
		hold(ret, moving);
	else if (group->is_gathering)
		hold(ret, gathering);
	else if (tierd_now_ns() < group->paused_until_ns)
		hold(ret, reason_of(TIER_WHY_BUDGET));
}

int tierd_group_explain(struct tierd_group *group, struct tierd_group_explanation *ret)
{
	struct tierd_group_explanation explanation = { 0 };
	struct tier_whys whys;
	int r;

	r = tier_group_count_whys(group->heat, &whys);
	if (r < 0)
		return r;
	list_holds(group, &explanation);
	for (int why = 0; why < TIER_WHY_MAX; why++) {
		size_t i = explanation.n_pages;

		if (whys.fast_pages[why] + whys.slow_pages[why] == 0)
			continue;
		explanation.pages[i].reason = reason_of(why);
		explanation.pages[i].dram_bytes = whys.fast_pages[why] * TIER_PAGE_SIZE;
		explanation.pages[i].slow_bytes = whys.slow_pages[why] * TIER_PAGE_SIZE;
		explanation.n_pages++;
	}
	*ret = explanation;
	return 0;
}
