/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's log: lines to standard error, with the priority prefixes of sd-daemon(3)
 * when the journal reads them. An error is logged once, where it is handled.
 */
#ifndef TIERD_LOG_H
#define TIERD_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "base/util.h"

/*
 * @error is 0 or a negative errno, whose text follows the message. Returns @error, so
 * that a caller can log and return at once.
 */
int tierd_log(int priority, int error, const char *format, ...) _printf_(3, 4);

/* The same for what a tick may run into again and again: every ten seconds, with a count
 * of what was left out. */
int tierd_log_in_loop(int error, const char *format, ...) _printf_(2, 3);

/* Whether standard error leads to the journal. */
bool tierd_log_is_read_by_journal(void);

#define log_error(...)            tierd_log(LOG_ERR, 0, __VA_ARGS__)
#define log_error_errno(r, ...)   tierd_log(LOG_ERR, r, __VA_ARGS__)
#define log_warning(...)          tierd_log(LOG_WARNING, 0, __VA_ARGS__)
#define log_warning_errno(r, ...) tierd_log(LOG_WARNING, r, __VA_ARGS__)
#define log_notice(...)           tierd_log(LOG_NOTICE, 0, __VA_ARGS__)
#define log_info(...)             tierd_log(LOG_INFO, 0, __VA_ARGS__)

#endif
