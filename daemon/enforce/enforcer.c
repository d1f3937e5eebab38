/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "enforce/enforcer-internal.h"
#include "log.h"

static uint64_t now(const struct tierd_enforcer *enforcer)
{
	return enforcer->config.clock
		       ? enforcer->config.clock(enforcer->config.clock_data)
		       : tierd_now_ns();
}

struct tierd_enforcer_writer *tierd_enforcer_writer_of(
	const struct tierd_setting *setting)
{
	return &setting->enforcer->writers[setting->owner];
}

/* ---- Turns --------------------------------------------------------------------- */

static void start(struct tierd_setting *setting, uint64_t now_ns)
{
	struct tierd_enforcer_writer *writer = tierd_enforcer_writer_of(setting);
	int r = tierd_setting_prepare(setting);

	if (r > 0)
		r = writer->ops->write(writer->writer, &setting->held);
	else if (r == 0)
		return;
	if (r < 0) {
		tierd_setting_fail(setting, r, now_ns);
		return;
	}
	setting->enforcer->stats.writes++;
	setting->is_pending = false;
	setting->is_writing = true;
	setting->not_before_ns = now_ns + writer->ops->interval_ns;
	writer->is_busy = true;
	writer->setting = setting;
	writer->began_ns = now_ns;
}

static void free_orphans(struct tierd_enforcer *enforcer)
{
	size_t kept = 0;

	for (size_t i = 0; i < enforcer->n_settings; i++) {
		struct tierd_setting *setting = enforcer->settings[i];

		if (setting->is_orphan && !setting->is_pending && !setting->is_writing)
			free(setting);
		else
			enforcer->settings[kept++] = setting;
	}
	enforcer->n_settings = kept;
	if (enforcer->turn >= kept)
		enforcer->turn = 0;
}

uint64_t tierd_enforcer_dispatch(struct tierd_enforcer *enforcer, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;
	size_t n = enforcer->n_settings, first = enforcer->turn;

	if (enforcer->is_closed)
		return UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		struct tierd_setting *setting = enforcer->settings[(first + i) % n];
		const struct tierd_enforcer_writer *writer =
			tierd_enforcer_writer_of(setting);
		uint64_t due_ns =
			TIER_MAX(setting->not_before_ns, writer->rests_until_ns);

		/* A writer that is busy calls here again when it has done. */
		if (!setting->is_pending || writer->is_busy ||
			tierd_setting_must_wait(setting))
			continue;
		if (due_ns <= now_ns) {
			start(setting, now_ns);
			enforcer->turn = (first + i + 1) % n;
			due_ns =
				setting->is_pending ? setting->not_before_ns : UINT64_MAX;
		}
		next_ns = TIER_MIN(next_ns, due_ns);
	}
	free_orphans(enforcer);
	return next_ns;
}

static void schedule(struct tierd_enforcer *enforcer, uint64_t now_ns)
{
	uint64_t next_ns = tierd_enforcer_dispatch(enforcer, now_ns);
	int r;

	if (!enforcer->config.event || next_ns == UINT64_MAX)
		return;
	r = sd_event_source_set_time(enforcer->timer, next_ns / 1000 + 1);
	if (r >= 0)
		r = sd_event_source_set_enabled(enforcer->timer, SD_EVENT_ONESHOT);
	if (r < 0)
		tierd_log_in_loop(r, "cannot set the writers' timer");
}

void tierd_enforcer_schedule(struct tierd_enforcer *enforcer)
{
	schedule(enforcer, now(enforcer));
}

void tierd_enforcer_written(
	struct tierd_enforcer *enforcer, enum tierd_owner owner, int r, uint64_t now_ns)
{
	struct tierd_enforcer_writer *writer = &enforcer->writers[owner];
	struct tierd_setting *setting = writer->setting;
	uint64_t took_ns = now_ns - writer->began_ns;

	writer->is_busy = false;
	writer->setting = NULL;
	writer->rests_until_ns = now_ns + took_ns * writer->ops->rest;
	tierd_setting_take_result(setting, r, now_ns);
	schedule(enforcer, now_ns);
}

void tierd_enforcer_check(struct tierd_enforcer *enforcer, uint64_t now_ns)
{
	for (size_t i = 0; i < enforcer->n_settings; i++) {
		struct tierd_setting *setting = enforcer->settings[i];

		if (!tierd_setting_has_drifted(setting))
			continue;
		setting->is_pending = true; /* counted when it is written again */
		setting->not_before_ns = now_ns;
	}
	schedule(enforcer, now_ns);
}

/* ---- The enforcer -------------------------------------------------------------- */

static int on_timer(
	_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	tierd_enforcer_schedule(userdata);
	return 0;
}

static int add_timer(struct tierd_enforcer *enforcer)
{
	int r = sd_event_add_time(enforcer->config.event, &enforcer->timer,
		CLOCK_MONOTONIC, UINT64_MAX, 1000, on_timer, enforcer);

	return r < 0 ? r : sd_event_source_set_enabled(enforcer->timer, SD_EVENT_OFF);
}

int tierd_enforcer_new(
	const struct tierd_enforcer_config *config, struct tierd_enforcer **ret)
{
	_cleanup_(tierd_enforcer_freep) struct tierd_enforcer *enforcer =
		calloc(1, sizeof(*enforcer));
	int r;

	if (!enforcer)
		return -ENOMEM;
	enforcer->config = *config;
	for (size_t i = 0; i < ARRAY_SIZE(enforcer->writers); i++) {
		enforcer->writers[i].ops = config->writers[i].ops;
		enforcer->writers[i].writer = config->writers[i].writer;
	}
	r = config->event ? add_timer(enforcer) : 0;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(enforcer);
	return 0;
}

struct tierd_enforcer *tierd_enforcer_free(struct tierd_enforcer *enforcer)
{
	if (!enforcer)
		return NULL;
	sd_event_source_disable_unref(enforcer->timer);
	for (size_t i = 0; i < enforcer->n_settings; i++)
		free(enforcer->settings[i]);
	free(enforcer->settings);
	free(enforcer);
	return NULL;
}

void tierd_enforcer_close(struct tierd_enforcer *enforcer)
{
	enforcer->is_closed = true;
}

void tierd_enforcer_get_stats(
	const struct tierd_enforcer *enforcer, struct tierd_enforcer_stats *ret)
{
	*ret = enforcer->stats;
	ret->held = tierd_journal_n_held(enforcer->config.journal);
}
