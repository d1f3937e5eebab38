/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A setting of the kernel's (a file of one line below /proc/sys or /sys) that tierd holds
 * while it needs another value there: by the journal, so that tierd-restore can put it
 * back.
 */
#ifndef TIERD_ENFORCE_SYSCTL_H
#define TIERD_ENFORCE_SYSCTL_H

#include "enforce/journal.h"

/*
 * Makes @value the setting's. One that is held already keeps what is on record as its
 * value before; one that has @value as it is becomes held as well. Errors: -EBUSY if it
 * is held and somebody else has changed it since, which is left to them; those of the
 * journal, of reading and of writing.
 */
int tierd_sysctl_hold(const struct tierd_root *root, struct tierd_journal *journal,
	const char *path, const char *value);

/* Puts a setting back, unless somebody else has changed it. It need not be held. */
int tierd_sysctl_release(
	const struct tierd_root *root, struct tierd_journal *journal, const char *path);

/* Whether @value, as found in the file, is what tierd holds it at. */
bool tierd_sysctl_is_held(
	const struct tierd_journal *journal, const char *path, const char *value);

#endif
