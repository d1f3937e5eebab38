/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "events.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>

#include "log.h"

#define FIELDS_MAX 8
#define LINES_MAX  (FIELDS_MAX + 6)
#define LINE_SIZE  (PATH_MAX + 64)

static const struct {
	int priority;
	const char *id;
} events[TIERD_EVENT_MAX] = {
	[TIERD_EVENT_STARTED] = { LOG_INFO, "86444ba6a57e4c23beb466e234ccff97" },
	[TIERD_EVENT_START_FAILED] = { LOG_ERR, "237903de13604ad78ef38bb25dbd74a8" },
	[TIERD_EVENT_STOPPED] = { LOG_INFO, "8ee2e37460d84decb525250e29e7de8e" },
	[TIERD_EVENT_RELOADED] = { LOG_INFO, "6cb381c530874e11bd56d673fa4c62b1" },
	[TIERD_EVENT_RELOAD_REFUSED] = { LOG_ERR, "3844b74c0c1c499c9d577d02bee0130e" },
	[TIERD_EVENT_PAUSED] = { LOG_NOTICE, "6a3488dd61c74af28cfe13975b3b24ee" },
	[TIERD_EVENT_RESUMED] = { LOG_NOTICE, "d81b879052044dbc9ed711e1400acda2" },
	[TIERD_EVENT_NODE] = { LOG_INFO, "b2fe9a440aa64d9b82cad6ba236fbc99" },
	[TIERD_EVENT_MANAGED] = { LOG_INFO, "10cc0399e00f4eef9579068ab5a12ee3" },
	[TIERD_EVENT_RELEASED] = { LOG_INFO, "096cf62719b644cc81df4f5d5b31e449" },
	[TIERD_EVENT_GUARANTEE_REFUSED] = { LOG_WARNING,
		"059e686c2f0f4495a9adb001a9b77a99" },
	[TIERD_EVENT_LIMITS_REFUSED] = { LOG_WARNING,
		"e73fc79164594b8b8df6ee33752cb105" },
	[TIERD_EVENT_PLACEMENT_REFUSED] = { LOG_WARNING,
		"0165fb7d7a0f4d67a0d0717c2429c668" },
	[TIERD_EVENT_QUOTA_EXCEEDED] = { LOG_NOTICE, "93868c1cc706446ca935fb43bf87a1cd" },
	[TIERD_EVENT_QUOTA_RESTORED] = { LOG_INFO, "47697a2fe9c54efea699b3c41533f25b" },
	[TIERD_EVENT_GATE_SUSPENDED] = { LOG_WARNING,
		"d12781addc634cfbbaadfe7d5820538f" },
	[TIERD_EVENT_DRIFT] = { LOG_WARNING, "069a6f9f72e243e18b34372b90a0b5d3" },
	[TIERD_EVENT_DRIFT_ACCEPTED] = { LOG_WARNING,
		"209bc759f8df4fbb9b864e6345e97048" },
	[TIERD_EVENT_SAMPLES_LOST] = { LOG_NOTICE, "54a19269f1954b57abb97adedb16a7e4" },
	[TIERD_EVENT_KERNEL_TIERING] = { LOG_WARNING,
		"a23be3dce30c409f84c788d798f56fd1" },
	[TIERD_EVENT_KERNEL_TIERING_OFF] = { LOG_NOTICE,
		"187d321fdd2f44db870920f6f603ad44" },
	[TIERD_EVENT_RESTORED] = { LOG_INFO, "d642c8d453994598a81aab12ab293762" },
	[TIERD_EVENT_RESTORE_FAILED] = { LOG_ERR, "a021e59b89894d83b8c5cef5e2507e84" },
};

/* An entry under way: its lines "KEY=value", and where each begins and ends. */
struct entry {
	char lines[LINES_MAX][LINE_SIZE];
	struct iovec parts[LINES_MAX];
	size_t n;
};

static void add(struct entry *entry, const char *format, ...) _printf_(2, 3);
static void add(struct entry *entry, const char *format, ...)
{
	char *line = entry->lines[entry->n];
	va_list args;

	va_start(args, format);
	vsnprintf(line, LINE_SIZE, format, args);
	va_end(args);
	entry->parts[entry->n++] = (struct iovec){ line, strlen(line) };
}

static void add_fields(struct entry *entry, const struct tierd_event_field *fields)
{
	for (size_t i = 0; fields && i < FIELDS_MAX && fields[i].key; i++) {
		if (fields[i].text)
			add(entry, "%s=%s", fields[i].key, fields[i].text);
		else
			add(entry, "%s=%" PRIu64, fields[i].key, fields[i].number);
	}
}

/* A program that ends at once is gone before the journal has found out whose it was. */
static void add_unit(struct entry *entry)
{
	_cleanup_(freep) char *unit = NULL;

	if (sd_pid_get_unit(0, &unit) >= 0)
		add(entry, "OBJECT_SYSTEMD_UNIT=%s", unit);
}

static int send_to_journal(enum tierd_event event, int error, const char *text,
	const struct tierd_event_field *fields)
{
	struct entry entry;

	entry.n = 0;
	if (error < 0)
		add(&entry, "MESSAGE=%s: %s", text, strerror(-error));
	else
		add(&entry, "MESSAGE=%s", text);
	add(&entry, "MESSAGE_ID=%s", events[event].id);
	add(&entry, "PRIORITY=%d", events[event].priority);
	add(&entry, "SYSLOG_IDENTIFIER=%s", program_invocation_short_name);
	if (error < 0)
		add(&entry, "ERRNO=%d", -error);
	add_unit(&entry);
	add_fields(&entry, fields);
	return sd_journal_sendv(entry.parts, (int)entry.n);
}

int tierd_log_event(enum tierd_event event, int error,
	const struct tierd_event_field *fields, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (tierd_log_is_read_by_journal() &&
		send_to_journal(event, error, text, fields) >= 0)
		return error;
	return tierd_log(events[event].priority, error, "%s", text);
}
