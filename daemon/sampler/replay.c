/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sampler that plays a trace back, as tierctl record makes them: its samples, at the
 * distances in time at which they were recorded, of the processes whose pids it has. What
 * else is in the trace, residency and limits, is for simulators: here the machine itself
 * says so. How long a sample stands for follows from the exposure the trace has for each
 * tick. After the end there are no more samples, and nothing is exposed to any.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "libtier.h"
#include "sampler/registry.h"
#include "settings/errtext.h"
#include "settings/root.h"

struct replay_sampler {
	struct tierd_sampler sampler;
	char *path;
	int fd;
	struct tier_trace_reader *reader;
	struct tier_trace_record record; /* the next one, */
	bool has_record;                 /* if it was read */
	bool is_over;
	uint64_t began_ns; /* when the first one was due, here, */
	uint64_t first_ns; /* and in the trace */
	uint64_t ticked_ns;
	uint64_t period;

	uint64_t samples;
	uint64_t unattributed;
	uint64_t other_records;
	uint64_t wakeups;
};

static struct replay_sampler *replay_sampler(struct tierd_sampler *sampler)
{
	assert(sampler->ops == &tierd_sampler_replay_ops);
	return (struct replay_sampler *)sampler;
}

/* ---- Opening --------------------------------------------------------------------- */

static void replay_free(struct tierd_sampler *sampler)
{
	struct replay_sampler *replay = replay_sampler(sampler);

	tier_trace_reader_free(replay->reader);
	closep(&replay->fd);
	free(replay->path);
	free(replay);
}

static int set_up(struct replay_sampler *replay,
	const struct tierd_sampler_config *config, char **ret_error)
{
	struct tier_trace_meta meta;
	int r;

	if (!config->replay || !*config->replay)
		return tierd_error(ret_error, -EINVAL,
			"Source=replay wants a trace: name one by Replay= in tierd.conf");
	replay->path = strdup(config->replay);
	if (!replay->path)
		return -ENOMEM;
	r = tierd_root_open_file(config->root, replay->path, O_RDONLY, &replay->fd);
	if (r < 0)
		return tierd_error(ret_error, r, "cannot open the trace %s: %s",
			replay->path, strerror(-r));
	r = tier_trace_reader_new_fd(replay->fd, &replay->reader);
	if (r < 0)
		return r;
	r = tier_trace_reader_get_meta(replay->reader, &meta);
	if (r != 0)
		return tierd_error(ret_error, r < 0 ? r : -EBADMSG,
			"%s is no trace, or one that is cut short at its very beginning: "
			"tierctl record makes them",
			replay->path);
	replay->period = meta.period ? meta.period : 1;
	return 0;
}

static int replay_open(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	struct replay_sampler *replay = calloc(1, sizeof(*replay));
	int r;

	if (!replay)
		return -ENOMEM;
	replay->sampler.ops = &tierd_sampler_replay_ops;
	replay->fd = -EBADF;
	r = set_up(replay, config, ret_error);
	if (r < 0) {
		replay_free(&replay->sampler);
		return r;
	}
	*ret = &replay->sampler;
	return 0;
}

/* ---- Playing --------------------------------------------------------------------- */

/* Samples carry the time of the tick before them, unless they have one of their own. */
static uint64_t time_of(const struct replay_sampler *replay)
{
	const struct tier_trace_record *record = &replay->record;

	if (record->type == TIER_TRACE_ADVANCE)
		return record->advance.now_ns;
	if (record->type == TIER_TRACE_SAMPLE && record->sample.access.time_ns > 0)
		return record->sample.access.time_ns;
	return replay->ticked_ns;
}

static bool is_due(struct replay_sampler *replay, uint64_t now_ns)
{
	uint64_t time_ns = time_of(replay);

	if (replay->first_ns == 0 && time_ns > 0) {
		replay->first_ns = time_ns;
		replay->began_ns = now_ns;
	}
	return tier_saturating_sub(time_ns, replay->first_ns) <=
	       tier_saturating_sub(now_ns, replay->began_ns);
}

static void deliver(struct replay_sampler *replay, const struct tierd_sampler_sink *sink)
{
	const struct tier_trace_sample *sample = &replay->record.sample;

	if (sample->access.space == 0 || sample->access.space > INT32_MAX) {
		replay->unattributed++;
		return;
	}
	replay->samples++;
	if (sink->on_sample)
		sink->on_sample(
			sink->userdata, &(struct tierd_access){
						.time_ns = time_of(replay),
						.address = sample->access.address,
						.period = replay->period,
						.pid = (uint32_t)sample->access.space,
						.tid = (uint32_t)sample->access.space,
						.latency = sample->latency,
						.is_store = sample->access.is_store,
					});
}

static void pass_time(struct replay_sampler *replay)
{
	const struct tier_trace_advance *advance = &replay->record.advance;
	uint64_t passed_ns = tier_saturating_sub(advance->now_ns, replay->ticked_ns);
	double period = (double)passed_ns / TIERD_NSEC / advance->exposure;

	if (replay->ticked_ns > 0 && advance->exposure > 0 && period < (double)INT64_MAX)
		replay->period = TIER_MAX((uint64_t)(period + 0.5), UINT64_C(1));
	replay->ticked_ns = TIER_MAX(replay->ticked_ns, advance->now_ns);
}

static void play(struct replay_sampler *replay, const struct tierd_sampler_sink *sink)
{
	if (replay->record.type == TIER_TRACE_SAMPLE)
		deliver(replay, sink);
	else if (replay->record.type == TIER_TRACE_ADVANCE)
		pass_time(replay);
	else
		replay->other_records++;
	replay->has_record = false;
}

/* Returns 1 with a record, 0 at the end. */
static int read_record(struct replay_sampler *replay)
{
	int r;

	if (replay->has_record)
		return 1;
	r = tier_trace_reader_next(replay->reader, &replay->record);
	if (r != TIER_TRACE_RECORD) {
		replay->is_over = true;
		return r < 0 ? r : 0;
	}
	replay->has_record = true;
	return 1;
}

static int replay_drain(struct tierd_sampler *sampler, unsigned max_records,
	const struct tierd_sampler_sink *sink)
{
	struct replay_sampler *replay = replay_sampler(sampler);
	uint64_t now_ns = tierd_now_ns();

	replay->wakeups++;
	for (unsigned n = 0; n < max_records && !replay->is_over; n++) {
		int r = read_record(replay);

		if (r <= 0 || !is_due(replay, now_ns))
			return TIER_MIN(r, 0);
		play(replay, sink);
	}
	return !replay->is_over;
}

/* ---- What there is not to steer -------------------------------------------------- */

static void replay_get_fds(
	_unused_ struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n)
{
	*ret_fds = NULL;
	*ret_n = 0;
}

static int replay_set_period(
	_unused_ struct tierd_sampler *sampler, _unused_ uint64_t period)
{
	return 0;
}

static int replay_set_rate(_unused_ struct tierd_sampler *sampler,
	_unused_ uint64_t target_per_s, _unused_ uint64_t interval_ns)
{
	return 0;
}

static void replay_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	const struct replay_sampler *replay = (const struct replay_sampler *)sampler;

	*ret = (struct tierd_sampler_stats){
		.source = sampler->ops->name,
		.event = replay->path,
		.period = replay->is_over ? 0 : replay->period,
		.coverage = 1,
		.samples = replay->samples,
		.unattributed = replay->unattributed,
		.other_records = replay->other_records,
		.wakeups = replay->wakeups,
	};
}

const struct tierd_sampler_ops tierd_sampler_replay_ops = {
	.name = "replay",
	.is_only_named = true,
	.open = replay_open,
	.get_fds = replay_get_fds,
	.drain = replay_drain,
	.set_period = replay_set_period,
	.set_rate = replay_set_rate,
	.stats = replay_stats,
	.free = replay_free,
};
