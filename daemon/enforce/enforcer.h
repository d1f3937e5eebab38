/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that is written to cgroups goes through here. A setting is one attribute of one
 * cgroup that tierd holds for a while: it has a value from before, which is put back in
 * the end, and values that are wanted, of which the latest counts. Each write is on
 * record in the journal first and is carried out by one of two writers, which take their
 * time (PID 1 and the kernel both may) while the loop goes on; a writer has one write
 * under way, and settings take turns.
 *
 * A value that is no longer ours is drift: it is reported, and ours written once more;
 * the third time the setting is left to whoever wants it otherwise.
 */
#ifndef TIERD_ENFORCE_ENFORCER_H
#define TIERD_ENFORCE_ENFORCER_H

#include <systemd/sd-event.h>

#include "enforce/journal.h"
#include "enforce/owner.h"

#define TIERD_DRIFTS_MAX 3

struct tierd_enforcer;
struct tierd_setting;

/* One way to write. `write` begins and returns at once; the end is told by
 * tierd_enforcer_written(), not before `write` has returned. */
struct tierd_writer_ops {
	int (*write)(void *writer, const struct tierd_held *held);
	uint64_t interval_ns; /* between two writes to one setting */
	unsigned rest;        /* it rests for so many times what a write took */
};

/* Somebody else changed what tierd had set; @path is the cgroup's. */
struct tierd_drift {
	const char *path;
	const char *attribute;
	const char *expected;
	const char *found;
};

struct tierd_enforcer_config {
	const struct tierd_root *root;
	int cgroup_fd;
	struct tierd_journal *journal;
	bool has_systemd;
	sd_event *event; /* NULL: somebody calls tierd_enforcer_dispatch() */
	struct {
		const struct tierd_writer_ops *ops;
		void *writer;
	} writers[TIERD_OWNER_NOBODY];       /* by owner */
	uint64_t (*clock)(void *clock_data); /* NULL: tierd_now_ns() */
	void *clock_data;
	tierd_is_delegated_t is_delegated;
	void *delegated_userdata;
	void (*on_drift)(void *userdata, const struct tierd_drift *drift); /* or NULL */
	void *drift_userdata;
};

int tierd_enforcer_new(
	const struct tierd_enforcer_config *config, struct tierd_enforcer **ret);

/* Frees the settings as well. What they hold stays as it is, and in the journal. */
struct tierd_enforcer *tierd_enforcer_free(struct tierd_enforcer *enforcer);
DEFINE_CLEANUP(struct tierd_enforcer *, tierd_enforcer_free)

/* No write begins any more: tierd ends, and the journal is played back. */
void tierd_enforcer_close(struct tierd_enforcer *enforcer);

/* Begins what is due. Returns when to call again, UINT64_MAX if nothing waits. */
uint64_t tierd_enforcer_dispatch(struct tierd_enforcer *enforcer, uint64_t now_ns);

/* From a writer: its write has ended, with 0 or a negative errno. */
void tierd_enforcer_written(
	struct tierd_enforcer *enforcer, enum tierd_owner owner, int r, uint64_t now_ns);

/* Looks for drift in all that is held. */
void tierd_enforcer_check(struct tierd_enforcer *enforcer, uint64_t now_ns);

struct tierd_enforcer_stats {
	size_t held;
	uint64_t writes;
	uint64_t failures;
	uint64_t drifts;
};

void tierd_enforcer_get_stats(
	const struct tierd_enforcer *enforcer, struct tierd_enforcer_stats *ret);

/* ---- Settings ------------------------------------------------------------------ */

/*
 * Nothing is written yet. Errors: -EPERM if it is nobody's to write, -E2BIG for a path
 * that is too long, -ENOENT, -ENOMEM.
 */
int tierd_setting_new(struct tierd_enforcer *enforcer, enum tierd_attribute attribute,
	const char *path, uint64_t id, struct tierd_setting **ret);

/* What it holds is let go of; what remains of the setting is the enforcer's. */
struct tierd_setting *tierd_setting_free(struct tierd_setting *setting);
DEFINE_CLEANUP(struct tierd_setting *, tierd_setting_free)

/* Wants @value; writes nothing if that is so already. */
void tierd_setting_want(struct tierd_setting *setting, const char *value);

/* Wants back what was there before tierd came. */
void tierd_setting_let_go(struct tierd_setting *setting);

/* Whether a value of ours is, or may be, in place. */
bool tierd_setting_is_held(const struct tierd_setting *setting);

/* Whether what is wanted is in place, and nothing under way. */
bool tierd_setting_is_done(const struct tierd_setting *setting);

/* Whether it was left to somebody else. */
bool tierd_setting_is_lost(const struct tierd_setting *setting);

uint64_t tierd_setting_drifts(const struct tierd_setting *setting);

/* The value in place, as far as we know, "" when we hold none. */
const char *tierd_setting_value(const struct tierd_setting *setting);

/* How long the writer makes one wait between two writes. */
uint64_t tierd_setting_interval_ns(const struct tierd_setting *setting);

#endif
