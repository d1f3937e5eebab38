/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sentence that goes with a negative errno when a person has to act on it: which
 * file, which line, what stands there, what would be right. Modules hand it up through
 * `char **ret_error`; nobody below the daemon's main loop prints.
 */
#ifndef TIERD_ERRTEXT_H
#define TIERD_ERRTEXT_H

#include "base/util.h"

/*
 * Sets *ret_error (which may be NULL when nobody asks) to the formatted text, to be freed
 * by the caller, or to NULL when there is no memory for it. Returns error as it came, so
 * that failing is one statement.
 */
int tierd_error(char **ret_error, int error, const char *format, ...) _printf_(3, 4);

#endif
