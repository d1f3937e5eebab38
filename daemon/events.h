/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the log others may rely on: events that keep their MESSAGE_ID, with fields that
 * say in machine words whom and how much they are about. The catalog (conf/tierd.catalog)
 * explains them to people, tierd(8) lists them. All else in the log is prose.
 */
#ifndef TIERD_EVENTS_H
#define TIERD_EVENTS_H

#include <stdint.h>

#include "base/util.h"

enum tierd_event {
	TIERD_EVENT_STARTED,
	TIERD_EVENT_START_FAILED,
	TIERD_EVENT_STOPPED,
	TIERD_EVENT_RELOADED,
	TIERD_EVENT_RELOAD_REFUSED,
	TIERD_EVENT_PAUSED,
	TIERD_EVENT_RESUMED,
	TIERD_EVENT_NODE,
	TIERD_EVENT_MANAGED,
	TIERD_EVENT_RELEASED,
	TIERD_EVENT_GUARANTEE_REFUSED,
	TIERD_EVENT_LIMITS_REFUSED,
	TIERD_EVENT_PLACEMENT_REFUSED,
	TIERD_EVENT_QUOTA_EXCEEDED,
	TIERD_EVENT_QUOTA_RESTORED,
	TIERD_EVENT_GATE_SUSPENDED,
	TIERD_EVENT_DRIFT,
	TIERD_EVENT_DRIFT_ACCEPTED,
	TIERD_EVENT_SAMPLES_LOST,
	TIERD_EVENT_KERNEL_TIERING,
	TIERD_EVENT_KERNEL_TIERING_OFF,
	TIERD_EVENT_RESTORED,
	TIERD_EVENT_RESTORE_FAILED,
	TIERD_EVENT_MAX,
};

/* A number if there is no text. */
struct tierd_event_field {
	const char *key;
	const char *text;
	uint64_t number;
};

/* The fields of an event, as its last argument but the message. */
#define TIERD_FIELDS(...) ((const struct tierd_event_field[]){ __VA_ARGS__, { 0 } })

/*
 * Logs that it happened, with its priority; @error and what is returned are as with
 * tierd_log(). @fields go to the journal only, eight of them at most; NULL: none.
 */
int tierd_log_event(enum tierd_event event, int error,
	const struct tierd_event_field *fields, const char *format, ...) _printf_(4, 5);

#endif
