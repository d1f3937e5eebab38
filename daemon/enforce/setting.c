/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/beneath.h"
#include "enforce/enforcer-internal.h"
#include "enforce/restore.h"
#include "enforce/unit-property.h"
#include "events.h"
#include "log.h"

/* After a write that failed the same setting waits so long. */
#define RETRY_NS TIERD_NSEC

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
	const char *path = setting->held.path;
	const char *file = tierd_attribute_file(setting->held.attribute);

	tierd_log_event(TIERD_EVENT_DRIFT_ACCEPTED, 0,
		TIERD_FIELDS({ "TIERD_CGROUP", path }, { "TIERD_ATTRIBUTE", file }),
		"%s: %s is left to whoever changes it", path, file);
	setting->is_lost = true;
	let_go_for_good(setting);
}

static void report_drift(const struct tierd_setting *setting, const char *value)
{
	const struct tierd_enforcer_config *config = &setting->enforcer->config;
	const struct tierd_held *held = &setting->held;
	const struct tierd_drift drift = {
		.path = held->path,
		.attribute = tierd_attribute_file(held->attribute),
		.expected = *held->held ? held->held : held->wanted,
		.found = value,
	};

	tierd_log_event(TIERD_EVENT_DRIFT, 0,
		TIERD_FIELDS({ "TIERD_CGROUP", drift.path },
			{ "TIERD_ATTRIBUTE", drift.attribute },
			{ "TIERD_EXPECTED", drift.expected }, { "TIERD_FOUND", value }),
		"%s: %s is %s, which is not what tierd wrote (%s)", drift.path,
		drift.attribute, *value ? value : "empty", drift.expected);
	if (config->on_drift)
		config->on_drift(config->drift_userdata, &drift);
}

/* Their value is what there will be after us. False if it is left to them. */
static bool drift(struct tierd_setting *setting, const char *value)
{
	struct tierd_held *held = &setting->held;

	setting->drifts++;
	setting->enforcer->stats.drifts++;
	report_drift(setting, value);
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
int tierd_setting_prepare(struct tierd_setting *setting)
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

void tierd_setting_fail(struct tierd_setting *setting, int r, uint64_t now_ns)
{
	setting->enforcer->stats.failures++;
	setting->not_before_ns = now_ns + RETRY_NS;
	tierd_log_in_loop(r, "%s: cannot write %s", setting->held.path,
		tierd_attribute_file(setting->held.attribute));
}

void tierd_setting_take_result(struct tierd_setting *setting, int r, uint64_t now_ns)
{
	struct tierd_held *held = &setting->held;

	setting->is_writing = false;
	if (r == -ENOENT || r == -ENODEV || r == -ESTALE) {
		(void)finish(setting);
		forget(setting);
		return;
	}
	if (r < 0) {
		tierd_setting_fail(setting, r, now_ns);
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

bool tierd_setting_has_drifted(const struct tierd_setting *setting)
{
	char value[TIERD_VALUE_SIZE];

	return setting->is_held && !setting->is_writing && !setting->is_pending &&
	       !setting->is_lost && read_value(setting, value) >= 0 &&
	       !tierd_held_is_ours(&setting->held, value);
}

bool tierd_setting_must_wait(const struct tierd_setting *setting)
{
	return !setting->is_held &&
	       tierd_journal_find(setting->enforcer->config.journal, &setting->held);
}

/* ---- Coming and going ---------------------------------------------------------- */

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
	tierd_enforcer_schedule(setting->enforcer);
}

void tierd_setting_let_go(struct tierd_setting *setting)
{
	if (!setting->is_letting_go) {
		setting->is_pending = setting->is_held;
		setting->is_letting_go = setting->is_held;
	}
	tierd_enforcer_schedule(setting->enforcer);
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
	return tierd_enforcer_writer_of(setting)->ops->interval_ns;
}
