/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's side of the journal: what it is about to change outside itself is on
 * record before it is changed, so that tierd-restore can put it back whatever becomes of
 * tierd. The file lies in /run, which outlives tierd and not the machine: as long as what
 * it speaks of. It is bounded; when it has grown past what is held it is written anew.
 */
#ifndef TIERD_ENFORCE_JOURNAL_H
#define TIERD_ENFORCE_JOURNAL_H

#include "base/util.h"
#include "enforce/held.h"
#include "settings/root.h"

struct tierd_journal;

/*
 * Makes the directory if need be, and an empty journal. Nobody else may have it open.
 * Errors: -EBUSY if a tierd or tierd-restore has, -EEXIST if a journal is there whose
 * entries were never put back (run tierd-restore), others of the file system.
 */
int tierd_journal_open(const struct tierd_root *root, struct tierd_journal **ret);

/* Lets go of the file; removes it if nothing is held any more. */
struct tierd_journal *tierd_journal_close(struct tierd_journal *journal);
DEFINE_CLEANUP(struct tierd_journal *, tierd_journal_close)

/*
 * Puts on record that held->wanted is about to be written. When this fails, it must not
 * be. Errors: -ENOBUFS when too much is held, -E2BIG, those of the file system.
 */
int tierd_journal_hold(struct tierd_journal *journal, const struct tierd_held *held);

/* Puts on record that the thing was put back, or is gone. */
int tierd_journal_done(struct tierd_journal *journal, const struct tierd_held *held);

/* What is on record about the same thing, or NULL; good until the next change. */
const struct tierd_held *tierd_journal_find(
	const struct tierd_journal *journal, const struct tierd_held *held);

size_t tierd_journal_n_held(const struct tierd_journal *journal);

#endif
