/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>

#include "base/util.h"
#include "replay.h"

DEFINE_CLEANUP(struct tier_group *, tier_group_free)
DEFINE_CLEANUP(struct tier_plan *, tier_plan_free)
DEFINE_CLEANUP(struct tier_trace_reader *, tier_trace_reader_free)

struct replay {
	struct tier_group *group;
	int64_t arrived[TIER_TIERS_MAX]; /* pages, by moves made here */
	FILE *out;
};

static uint64_t room_left(uint64_t room, int64_t taken)
{
	if (room == TIER_UNLIMITED_PAGES)
		return room;
	return taken > (int64_t)room ? 0 : room - (uint64_t)taken;
}

static void carry_out(
	struct replay *replay, const struct tier_move *move, uint64_t now_ns)
{
	fprintf(replay->out, "%s %u %u 0x%" PRIx64 " %u %s %.3g\n",
		tier_direction_to_string(move->direction), move->from, move->to,
		move->address, move->pages, tier_reason_to_string(move->reason),
		(double)move->rate);
	replay->arrived[move->from] -= move->pages;
	replay->arrived[move->to] += move->pages;
	tier_group_complete(replay->group, move, TIER_RESULT_DONE, now_ns);
}

static int plan(struct replay *replay, const struct tier_limits *recorded)
{
	_cleanup_(tier_plan_freep) struct tier_plan *plan = NULL;
	struct tier_limits limits = *recorded;
	const struct tier_move *moves;
	size_t n;
	int r;

	limits.fast_pages += (uint64_t)replay->arrived[0];
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		limits.room_pages[tier] =
			room_left(limits.room_pages[tier], replay->arrived[tier]);
	r = tier_group_plan(replay->group, &limits, &plan);
	if (r < 0)
		return r;
	moves = tier_plan_moves(plan, &n);
	fprintf(replay->out, "# at %.2f s: %zu moves, %" PRIu64 " pages owed%s\n",
		(double)limits.now_ns / 1e9, n, tier_plan_owed_pages(plan),
		tier_plan_is_cut_short(plan) ? ", cut short" : "");
	for (size_t i = 0; i < n; i++)
		carry_out(replay, &moves[i], limits.now_ns);
	return 0;
}

static int make_group(struct tier_trace_reader *reader, enum tier_engine engine,
	struct tier_group **ret)
{
	struct tier_group_config config;
	struct tier_trace_meta meta;
	int r;

	r = tier_trace_reader_get_meta(reader, &meta);
	if (r != 0)
		return r < 0 ? r : -EPIPE;
	tier_group_config_default(&config);
	config.engine = engine;
	config.n_tiers = meta.n_tiers;
	for (unsigned tier = 0; tier < meta.n_tiers; tier++)
		config.latency_ns[tier] = meta.latency_ns[tier];
	return tier_group_new(&config, ret);
}

int golden_replay(int fd, enum tier_engine engine, FILE *out)
{
	_cleanup_(tier_trace_reader_freep) struct tier_trace_reader *reader = NULL;
	_cleanup_(tier_group_freep) struct tier_group *group = NULL;
	struct replay replay = { .out = out };
	struct tier_trace_record record;
	int r;

	r = tier_trace_reader_new_fd(fd, &reader);
	if (r < 0)
		return r;
	r = make_group(reader, engine, &group);
	if (r < 0)
		return r;
	replay.group = group;
	while ((r = tier_trace_reader_next(reader, &record)) == TIER_TRACE_RECORD) {
		r = tier_trace_apply(&record, group);
		if (r > 0)
			r = plan(&replay, &record.limits);
		if (r < 0)
			return r;
	}
	return r == TIER_TRACE_CUT ? -EPIPE : r;
}
