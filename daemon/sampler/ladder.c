/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source that has failed rests for a while, twice as long each time, up to half a
 * minute; when it has worked for two minutes it is as good as new. One whose machine
 * has changed under it (a CPU came) is opened again at once, without being at fault.
 *
 * Silence is no error: a program may have nothing to sample. So a silent source only
 * gives way to one that can be opened, and is never left for nothing.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settings/errtext.h"
#include "sampler/ladder.h"
#include "sampler/registry.h"

#define RUNGS_MAX    8
#define NSEC         UINT64_C(1000000000)
#define REST_MIN_NS  (5 * NSEC)
#define REST_MAX_NS  (30 * NSEC)
#define PROBATION_NS (120 * NSEC)
#define SILENCE_NS   (15 * NSEC)
#define SILENCE_USEC UINT64_C(5000000)

struct rung {
	const struct tierd_sampler_ops *ops;
	char *reason; /* why it could not be opened, or was given up; NULL: nothing is
			 known against it */
	int error;
	uint64_t rest_ns;  /* how long it rests the next time */
	uint64_t until_ns; /* rests until then */
};

struct tierd_ladder {
	struct tierd_ladder_config config;
	struct rung rungs[RUNGS_MAX];
	size_t n_rungs;
	size_t active; /* n_rungs: none */
	struct tierd_sampler *sampler;
	uint64_t since_ns; /* in use */

	/* When it was last seen to deliver. */
	uint64_t delivered;
	uint64_t heard_ns;
	uint64_t heard_usec;
};

const char *tierd_rung_state_to_string(int state)
{
	static const char *const names[TIERD_RUNG_MAX] = {
		[TIERD_RUNG_UNTRIED] = "untried",
		[TIERD_RUNG_ACTIVE] = "active",
		[TIERD_RUNG_UNAVAILABLE] = "unavailable",
	};

	return state >= 0 && state < TIERD_RUNG_MAX ? names[state] : NULL;
}

/* ---- Opening ------------------------------------------------------------------- */

static void blame(struct rung *rung, int error, char *reason, uint64_t now_ns)
{
	free(rung->reason);
	rung->reason = reason ? reason : strdup(strerror(-error));
	rung->error = error;
	rung->until_ns = now_ns + rung->rest_ns;
	rung->rest_ns = TIER_MIN(2 * rung->rest_ns, REST_MAX_NS);
}

static void absolve(struct rung *rung)
{
	free(rung->reason);
	rung->reason = NULL;
	rung->error = 0;
}

static int open_rung(struct tierd_ladder *ladder, size_t i, uint64_t now_ns,
	struct tierd_sampler **ret)
{
	struct rung *rung = &ladder->rungs[i];
	char *reason = NULL;
	int r = rung->ops->open(&ladder->config.sampler, ret, &reason);

	if (r < 0)
		blame(rung, r, reason, now_ns);
	else
		absolve(rung);
	return r;
}

/* The first of [from, to) that is due and opens; n_rungs if there is none. */
static size_t open_first(struct tierd_ladder *ladder, size_t from, size_t to,
	uint64_t now_ns, struct tierd_sampler **ret)
{
	for (size_t i = from; i < to; i++)
		if (now_ns >= ladder->rungs[i].until_ns &&
			open_rung(ladder, i, now_ns, ret) >= 0)
			return i;
	return ladder->n_rungs;
}

static uint64_t deliveries(const struct tierd_sampler_stats *stats)
{
	return stats->samples + stats->lost + stats->outside_user + stats->unattributed;
}

static void hear(struct tierd_ladder *ladder, uint64_t delivered, uint64_t now_ns,
	uint64_t busy_usec)
{
	ladder->delivered = delivered;
	ladder->heard_ns = now_ns;
	ladder->heard_usec = busy_usec;
}

/* Takes @sampler, which goes on counting where the former one ended, or NULL. */
static int adopt(struct tierd_ladder *ladder, size_t i, struct tierd_sampler *sampler,
	uint64_t now_ns, uint64_t busy_usec)
{
	struct tierd_sampler_stats stats = { 0 };

	if (!sampler) {
		int r = tierd_sampler_none_ops.open(
			&ladder->config.sampler, &sampler, NULL);

		if (r < 0)
			return r;
	}
	if (ladder->sampler) {
		tierd_sampler_get_stats(ladder->sampler, &stats);
		ladder->config.on_leave(ladder->config.userdata);
		tierd_sampler_free(ladder->sampler);
	}
	sampler->before = stats;
	ladder->sampler = sampler;
	ladder->active = i;
	ladder->since_ns = now_ns;
	hear(ladder, deliveries(&stats), now_ns, busy_usec);
	return 1;
}

/* ---- Beginning ----------------------------------------------------------------- */

/* Why the first of them failed, in a sentence each. */
static char *list_reasons(const struct tierd_ladder *ladder, size_t n_tried)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; i < n_tried; i++) {
		const struct rung *rung = &ladder->rungs[i];

		fprintf(out, "%s%s: %s", i > 0 ? "; " : "", rung->ops->name,
			rung->reason ? rung->reason : "out of memory");
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int fail(const struct tierd_ladder *ladder, size_t n_tried, char **ret_error)
{
	_cleanup_(freep) char *reasons = NULL;

	if (ladder->n_rungs == 0)
		return tierd_error(ret_error, -ENOENT, "there is no source '%s'",
			ladder->config.sampler.source);
	reasons = list_reasons(ladder, n_tried);
	return tierd_error(ret_error, ladder->rungs[0].error,
		"no memory accesses can be sampled: %s",
		reasons ? reasons : strerror(-ladder->rungs[0].error));
}

/* What was asked for does not exist: no reason to use something else. */
static bool is_misconfigured(const struct tierd_ladder *ladder, int error)
{
	const char *event = ladder->config.sampler.event;

	return event && *event && (error == -ENOENT || error == -EINVAL);
}

int tierd_ladder_new(const struct tierd_ladder_config *config, struct tierd_ladder **ret,
	char **ret_error)
{
	_cleanup_(tierd_ladder_freep) struct tierd_ladder *ladder =
		calloc(1, sizeof(*ladder));
	struct tierd_sampler *sampler;
	size_t first;
	int r;

	if (!ladder)
		return -ENOMEM;
	ladder->config = *config;
	for (size_t i = 0; config->registry[i]; i++) {
		if (!tierd_sampler_is_allowed(
			    config->registry[i], config->sampler.source))
			continue;
		assert(ladder->n_rungs < RUNGS_MAX);
		ladder->rungs[ladder->n_rungs++] = (struct rung){
			.ops = config->registry[i],
			.rest_ns = REST_MIN_NS,
		};
	}
	for (first = 0; first < ladder->n_rungs; first++) {
		r = open_rung(ladder, first, 0, &sampler);
		if (r >= 0)
			break;
		if (is_misconfigured(ladder, r))
			return fail(ladder, first + 1, ret_error);
	}
	if (first == ladder->n_rungs)
		return fail(ladder, first, ret_error);
	r = adopt(ladder, first, sampler, 0, 0);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(ladder);
	return 0;
}

struct tierd_ladder *tierd_ladder_free(struct tierd_ladder *ladder)
{
	if (!ladder)
		return NULL;
	tierd_sampler_free(ladder->sampler);
	for (size_t i = 0; i < ladder->n_rungs; i++)
		free(ladder->rungs[i].reason);
	free(ladder);
	return NULL;
}

struct tierd_sampler *tierd_ladder_sampler(struct tierd_ladder *ladder)
{
	return ladder->sampler;
}

/* ---- Switching ----------------------------------------------------------------- */

/* What there is only one of may be in the way of its own successor: the failed one goes
 * first. */
static int replace_failed(struct tierd_ladder *ladder, int error, char *reason,
	uint64_t now_ns, uint64_t busy_usec)
{
	struct tierd_sampler *sampler = NULL;
	size_t failed = ladder->active, next;
	int r;

	if (error == -ESTALE)
		free(reason);
	else
		blame(&ladder->rungs[failed], error, reason, now_ns);
	r = adopt(ladder, ladder->n_rungs, NULL, now_ns, busy_usec);
	if (r < 0)
		return r;
	next = open_first(ladder, 0, ladder->n_rungs, now_ns, &sampler);
	return next == ladder->n_rungs ? 1
				       : adopt(ladder, next, sampler, now_ns, busy_usec);
}

static int look_above(struct tierd_ladder *ladder, uint64_t now_ns, uint64_t busy_usec)
{
	struct tierd_sampler *sampler;
	size_t better = open_first(ladder, 0, ladder->active, now_ns, &sampler);

	return better == ladder->n_rungs
		       ? 0
		       : adopt(ladder, better, sampler, now_ns, busy_usec);
}

static bool is_silent(struct tierd_ladder *ladder, uint64_t now_ns, uint64_t busy_usec)
{
	struct tierd_sampler_stats stats;

	tierd_sampler_get_stats(ladder->sampler, &stats);
	if (deliveries(&stats) != ladder->delivered || busy_usec < ladder->heard_usec)
		hear(ladder, deliveries(&stats), now_ns, busy_usec);
	return now_ns - ladder->heard_ns >= SILENCE_NS &&
	       busy_usec - ladder->heard_usec >= SILENCE_USEC;
}

static int replace_silent(
	struct tierd_ladder *ladder, uint64_t now_ns, uint64_t busy_usec)
{
	struct rung *silent = &ladder->rungs[ladder->active];
	struct tierd_sampler *sampler;
	char *reason = NULL;
	size_t next;

	tierd_error(&reason, 0,
		"it delivered nothing in %u s, in which programs used %u s of CPU time: "
		"something else may hold the PMU, or the event does not count their "
		"accesses",
		(unsigned)((now_ns - ladder->heard_ns) / NSEC),
		(unsigned)((busy_usec - ladder->heard_usec) / 1000000));
	hear(ladder, ladder->delivered, now_ns, busy_usec);
	next = open_first(ladder, ladder->active + 1, ladder->n_rungs, now_ns, &sampler);
	if (next == ladder->n_rungs) {
		free(reason);
		return 0;
	}
	blame(silent, -ENODATA, reason, now_ns);
	return adopt(ladder, next, sampler, now_ns, busy_usec);
}

int tierd_ladder_step(struct tierd_ladder *ladder, uint64_t now_ns, uint64_t busy_usec)
{
	char *reason = NULL;
	int r;

	if (ladder->since_ns == 0) { /* opened before there was a time */
		ladder->since_ns = now_ns;
		hear(ladder, ladder->delivered, now_ns, busy_usec);
	}
	if (ladder->active < ladder->n_rungs) {
		r = tierd_sampler_check(ladder->sampler, &reason);
		if (r < 0)
			return replace_failed(ladder, r, reason, now_ns, busy_usec);
		if (now_ns - ladder->since_ns >= PROBATION_NS)
			ladder->rungs[ladder->active].rest_ns = REST_MIN_NS;
	}
	r = look_above(ladder, now_ns, busy_usec);
	if (r != 0 || ladder->active == ladder->n_rungs)
		return r;
	return is_silent(ladder, now_ns, busy_usec)
		       ? replace_silent(ladder, now_ns, busy_usec)
		       : 0;
}

/* ---- Seeing -------------------------------------------------------------------- */

size_t tierd_ladder_n_rungs(const struct tierd_ladder *ladder)
{
	return ladder->n_rungs;
}

void tierd_ladder_get_rung(
	const struct tierd_ladder *ladder, size_t i, struct tierd_rung *ret)
{
	const struct rung *rung = &ladder->rungs[i];

	*ret = (struct tierd_rung){
		.source = rung->ops->name,
		.state = i == ladder->active ? TIERD_RUNG_ACTIVE
			 : rung->error < 0   ? TIERD_RUNG_UNAVAILABLE
					     : TIERD_RUNG_UNTRIED,
		.reason = rung->reason ? rung->reason : "",
	};
}
