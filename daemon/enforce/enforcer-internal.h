/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of settings and of the enforcer, for the two files that share it: setting.c
 * knows what one setting holds, and what becomes of it; enforcer.c whose turn it is, and
 * when.
 */
#ifndef TIERD_ENFORCE_ENFORCER_INTERNAL_H
#define TIERD_ENFORCE_ENFORCER_INTERNAL_H

#include "clock.h"
#include "enforce/enforcer.h"

struct tierd_enforcer_writer {
	const struct tierd_writer_ops *ops;
	void *writer;
	bool is_busy;
	struct tierd_setting *setting; /* being written */
	uint64_t began_ns;
	uint64_t rests_until_ns;
};

struct tierd_enforcer {
	struct tierd_enforcer_config config;
	struct tierd_enforcer_writer writers[TIERD_OWNER_NOBODY];
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

/* ---- setting.c ----------------------------------------------------------------- */

/*
 * Puts what is to be written on record. Returns 1 if there is something to write, 0 if
 * not, any more.
 */
int tierd_setting_prepare(struct tierd_setting *setting);

/* Takes the end of its write: 0 or a negative errno. */
void tierd_setting_take_result(struct tierd_setting *setting, int r, uint64_t now_ns);

/* A write failed, or could not begin: the setting waits for a while. */
void tierd_setting_fail(struct tierd_setting *setting, int r, uint64_t now_ns);

/* Whether it holds a value that is no longer ours. */
bool tierd_setting_has_drifted(const struct tierd_setting *setting);

/* Whether another setting of the same attribute is let go of first: of a unit that was
 * made again, say. */
bool tierd_setting_must_wait(const struct tierd_setting *setting);

/* ---- enforcer.c ---------------------------------------------------------------- */

struct tierd_enforcer_writer *tierd_enforcer_writer_of(
	const struct tierd_setting *setting);

/* Begins what is due, and sets the timer for the rest. */
void tierd_enforcer_schedule(struct tierd_enforcer *enforcer);

#endif
