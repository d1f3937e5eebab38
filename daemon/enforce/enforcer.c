/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "enforce/beneath.h"
#include "enforce/enforcer.h"
#include "enforce/restore.h"
#include "enforce/unit-property.h"
#include "log.h"

/* After a write that failed the same setting waits so long. */
#define RETRY_NS TIERD_NSEC

struct writer {
	const struct tierd_writer_ops *ops;
	void *writer;
	bool is_busy;
	struct tierd_setting *setting; /* being written */
	uint64_t began_ns;
	uint64_t rests_until_ns;
};

struct tierd_enforcer {
	struct tierd_enforcer_config config;
	struct writer writers[TIERD_OWNER_NOBODY];
	sd_event_source *timer;
	struct tierd_setting **settings;
	size_t n_settings;
	size_t turn; /* whose it is to be looked at first */
	bool is_closed;
	struct tierd_enforcer_stats stats;
};

struct tierd_setting {
	struct tierd_enforcer *enforcer;
	enum tierd_owner owner;
	struct tierd_held held;
	bool is_held; /* the journal knows of it */
	bool is_letting_go;
	bool is_orphan;  /* nobody wants it any more: it goes once it is let go of */
	bool is_pending; /* `next`, or what was before, is to be written */
	bool is_writing;
	bool is_lost;
	char next[TIERD_VALUE_SIZE];
	uint64_t not_before_ns;
	unsigned drifts;
};

static uint64_t now(const struct tierd_enforcer *enforcer)
{
	return enforcer->config.clock
		       ? enforcer->config.clock(enforcer->config.clock_data)
		       : tierd_now_ns();
}

static struct writer *writer_of(const struct tierd_setting *setting)
{
	return &setting->enforcer->writers[setting->owner];
}

/* ---- Values -------------------------------------------------------------------- */

/* What the kernel has now. Without the controller systemd turns it on when asked to. */
static int read_value(const struct tierd_setting *setting, char *ret_value)
{
	const struct tierd_held *held = &setting->held;
	_cleanup_(closep) int fd = -EBADF;
	int r = tierd_cgroup_open_beneath(
		setting->enforcer->config.cgroup_fd, held->path, held->id, &fd);

	if (r < 0)
		return r == -ESTALE ? -ENODEV : r == -ENOENT ? -ENODEV : r;
	r = tierd_attribute_read(fd, tierd_attribute_file(held->attribute), ret_value);
	if (r == -ENOENT && *held->unit &&
		held->attribute == TIERD_ATTRIBUTE_CPUSET_MEMS) {
		*ret_value = '\0';
		return 0;
	}
	return r;
}

/* Ours is out of it, whether it was put back or the cgroup is gone. */
static void forget(struct tierd_setting *setting)
{
	int r;

	if (setting->is_held) {
		r = tierd_journal_done(setting->enforcer->config.journal, &setting->held);
		if (r < 0)
			tierd_log_in_loop(r, "cannot write the journal");
	}
	setting->is_held = setting->is_letting_go = setting->is_pending = false;
	setting->held.held[0] = setting->held.wanted[0] = '\0';
}

/* A unit's drop-in, and what systemd does not write. */
static int finish(struct tierd_setting *setting)
{
	const struct tierd_enforcer_config *config = &setting->enforcer->config;

	if (!*setting->held.unit)
		return 0;
	return tierd_restore_finish_unit(config->root, config->cgroup_fd, &setting->held);
}

static void let_go_for_good(struct tierd_setting *setting)
{
	int r = finish(setting);

	if (r < 0)
		/* It stays in the journal: tierd-restore tries again. */
		tierd_log_in_loop(r, "%s: cannot remove systemd's drop-in for %s",
			setting->held.path,
			tierd_attribute_property(setting->held.attribute));
	else
		forget(setting);
	setting->is_pending = setting->is_letting_go = false;
}

static void lose(struct tierd_setting *setting)
{
	log_warning("%s: %s is left to whoever changes it", setting->held.path,
		tierd_attribute_file(setting->held.attribute));
	setting->is_lost = true;
	let_go_for_good(setting);
}

/* Their value is what there will be after us. False if it is left to them. */
static bool drift(struct tierd_setting *setting, const char *value)
{
	struct tierd_held *held = &setting->held;

	setting->drifts++;
	setting->enforcer->stats.drifts++;
	log_warning("%s: %s is %s, which is not what tierd wrote (%s)", held->path,
		tierd_attribute_file(held->attribute), *value ? value : "empty",
		*held->held ? held->held : held->wanted);
	memcpy(held->before, value, TIERD_VALUE_SIZE);
	held->keeps_drop_in = false;
	if (setting->drifts < TIERD_DRIFTS_MAX && !setting->is_letting_go)
		return true;
	if (!setting->is_letting_go)
		lose(setting);
	else
		let_go_for_good(setting);
	return false;
}

/* ---- Writing ------------------------------------------------------------------- */

static int begin_hold(struct tierd_setting *setting, const char *value)
{
	struct tierd_held *held = &setting->held;
	struct tierd_held as_before = *held;
	int r;

	memcpy(held->before, value, TIERD_VALUE_SIZE);
	held->held[0] = held->wanted[0] = '\0';
	memcpy(as_before.held, value, TIERD_VALUE_SIZE);
	memcpy(as_before.wanted, value, TIERD_VALUE_SIZE);
	r = *held->unit ? tierd_unit_drop_in_is_ours(
				  setting->enforcer->config.root, &as_before)
			: 0;
	if (r < 0)
		return r;
	held->keeps_drop_in = r > 0;
	return 0;
}

/* 1 if a write is on record and may begin. */
static int record(struct tierd_setting *setting)
{
	struct tierd_held *held = &setting->held;
	int r;

	memcpy(held->wanted, setting->is_letting_go ? held->before : setting->next,
		TIERD_VALUE_SIZE);
	r = tierd_journal_hold(setting->enforcer->config.journal, held);
	if (r < 0)
		return r;
	setting->is_held = true;
	return 1;
}

/* systemd remembers what it was told for a unit that has stopped. */
static int prepare_gone(struct tierd_setting *setting)
{
	if (!setting->is_held || !*setting->held.unit) {
		forget(setting);
		return 0;
	}
	setting->is_letting_go = true;
	return record(setting);
}

/* 1 if there is something to write, 0 if not, any more. */
static int prepare(struct tierd_setting *setting)
{
	struct tierd_held *held = &setting->held;
	char value[TIERD_VALUE_SIZE];
	int r = read_value(setting, value);

	if (r == -ENODEV)
		return prepare_gone(setting);
	if (r < 0)
		return r;
	if (!setting->is_held) {
		r = begin_hold(setting, value);
		if (r < 0)
			return r;
	} else if (!tierd_held_is_ours(held, value) &&
		   (*held->held || strcmp(value, held->before) != 0) &&
		   !drift(setting, value)) {
		return 0;
	}
	return record(setting);
}

static void fail(struct tierd_setting *setting, int r, uint64_t now_ns)
{
	setting->enforcer->stats.failures++;
	setting->not_before_ns = now_ns + RETRY_NS;
	tierd_log_in_loop(r, "%s: cannot write %s", setting->held.path,
		tierd_attribute_file(setting->held.attribute));
}

static void start(struct tierd_setting *setting, uint64_t now_ns)
{
	struct writer *writer = writer_of(setting);
	int r = prepare(setting);

	if (r > 0)
		r = writer->ops->write(writer->writer, &setting->held);
	else if (r == 0)
		return;
	if (r < 0) {
		fail(setting, r, now_ns);
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

/* Of one unit that was made again the old setting is let go of first. */
static bool must_wait(const struct tierd_setting *setting)
{
	return !setting->is_held &&
	       tierd_journal_find(setting->enforcer->config.journal, &setting->held);
}

uint64_t tierd_enforcer_dispatch(struct tierd_enforcer *enforcer, uint64_t now_ns)
{
	uint64_t next_ns = UINT64_MAX;
	size_t n = enforcer->n_settings, first = enforcer->turn;

	if (enforcer->is_closed)
		return UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		struct tierd_setting *setting = enforcer->settings[(first + i) % n];
		const struct writer *writer = writer_of(setting);
		uint64_t due_ns =
			TIER_MAX(setting->not_before_ns, writer->rests_until_ns);

		/* A writer that is busy calls here again when it has done. */
		if (!setting->is_pending || writer->is_busy || must_wait(setting))
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

static void take_result(struct tierd_setting *setting, int r, uint64_t now_ns)
{
	struct tierd_held *held = &setting->held;

	setting->is_writing = false;
	if (r == -ENOENT || r == -ENODEV || r == -ESTALE) {
		(void)finish(setting);
		forget(setting);
		return;
	}
	if (r < 0) {
		fail(setting, r, now_ns);
		setting->is_pending = true;
		return;
	}
	/* What was before is not ours; and of nodes systemd may have left ours in place.
	 */
	if (strcmp(held->wanted, held->before) != 0)
		memcpy(held->held, held->wanted, TIERD_VALUE_SIZE);
	if (setting->is_letting_go && !setting->is_pending)
		let_go_for_good(setting);
}

void tierd_enforcer_written(
	struct tierd_enforcer *enforcer, enum tierd_owner owner, int r, uint64_t now_ns)
{
	struct writer *writer = &enforcer->writers[owner];
	struct tierd_setting *setting = writer->setting;
	uint64_t took_ns = now_ns - writer->began_ns;

	writer->is_busy = false;
	writer->setting = NULL;
	writer->rests_until_ns = now_ns + took_ns * writer->ops->rest;
	take_result(setting, r, now_ns);
	schedule(enforcer, now_ns);
}

void tierd_enforcer_check(struct tierd_enforcer *enforcer, uint64_t now_ns)
{
	for (size_t i = 0; i < enforcer->n_settings; i++) {
		struct tierd_setting *setting = enforcer->settings[i];
		char value[TIERD_VALUE_SIZE];

		if (!setting->is_held || setting->is_writing || setting->is_pending ||
			setting->is_lost || read_value(setting, value) < 0 ||
			tierd_held_is_ours(&setting->held, value))
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
	schedule(userdata, now(userdata));
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

/* ---- Settings ------------------------------------------------------------------ */

static int describe(struct tierd_setting *setting, enum tierd_attribute attribute,
	const char *path, uint64_t id)
{
	const struct tierd_enforcer_config *config = &setting->enforcer->config;
	int owner;

	if (strlen(path) >= sizeof(setting->held.path))
		return -E2BIG;
	strcpy(setting->held.path, path);
	setting->held.attribute = attribute;
	setting->held.id = id;
	owner = tierd_owner_find(path, config->has_systemd, config->is_delegated,
		config->delegated_userdata, setting->held.unit);
	if (owner < 0)
		return owner;
	if (owner == TIERD_OWNER_NOBODY)
		return -EPERM;
	setting->owner = owner;
	return 0;
}

int tierd_setting_new(struct tierd_enforcer *enforcer, enum tierd_attribute attribute,
	const char *path, uint64_t id, struct tierd_setting **ret)
{
	_cleanup_(freep) struct tierd_setting *setting = calloc(1, sizeof(*setting));
	struct tierd_setting **settings;
	int r;

	if (!setting)
		return -ENOMEM;
	setting->enforcer = enforcer;
	r = describe(setting, attribute, path, id);
	if (r < 0)
		return r;
	settings = reallocarray(
		enforcer->settings, enforcer->n_settings + 1, sizeof(*settings));
	if (!settings)
		return -ENOMEM;
	enforcer->settings = settings;
	settings[enforcer->n_settings++] = setting;
	*ret = TAKE_PTR(setting);
	return 0;
}

struct tierd_setting *tierd_setting_free(struct tierd_setting *setting)
{
	if (!setting)
		return NULL;
	setting->is_orphan = true;
	if (!setting->is_held)
		setting->is_pending = false;
	tierd_setting_let_go(setting);
	return NULL;
}

void tierd_setting_want(struct tierd_setting *setting, const char *value)
{
	const char *coming =
		setting->is_writing ? setting->held.wanted : setting->held.held;

	if (setting->is_lost || strlen(value) >= TIERD_VALUE_SIZE)
		return;
	setting->is_letting_go = false;
	strcpy(setting->next, value);
	setting->is_pending = !setting->is_held || strcmp(coming, value) != 0;
	schedule(setting->enforcer, now(setting->enforcer));
}

void tierd_setting_let_go(struct tierd_setting *setting)
{
	if (!setting->is_letting_go) {
		setting->is_pending = setting->is_held;
		setting->is_letting_go = setting->is_held;
	}
	schedule(setting->enforcer, now(setting->enforcer));
}

bool tierd_setting_is_held(const struct tierd_setting *setting)
{
	return setting->is_held;
}

bool tierd_setting_is_done(const struct tierd_setting *setting)
{
	return !setting->is_pending && !setting->is_writing;
}

bool tierd_setting_is_lost(const struct tierd_setting *setting)
{
	return setting->is_lost;
}

uint64_t tierd_setting_drifts(const struct tierd_setting *setting)
{
	return setting->drifts;
}

const char *tierd_setting_value(const struct tierd_setting *setting)
{
	return setting->is_held ? setting->held.held : "";
}

uint64_t tierd_setting_interval_ns(const struct tierd_setting *setting)
{
	return writer_of(setting)->ops->interval_ns;
}
