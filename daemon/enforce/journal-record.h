/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal as text, one record a line:
 *
 *     a1b2c3d4 hold high /system.slice/x.service x.service 4711 remove max 2097152
 * 1048576 5e6f7a8b done high /system.slice/x.service x.service 4711 remove max 1048576
 * 1048576
 *
 * a checksum of the rest, whether the thing is held or was put back, what it is, whose,
 * the cgroup's id, what becomes of the unit's drop-in ("remove", or "keep" where there
 * was one before), and the values before, in place and about to be written. Blanks, '%'
 * and control characters within a field are %XX, an empty field is "-". The last record
 * about a thing counts. A line that is incomplete or does not match its checksum is what
 * a writer left behind that died: it is skipped, because a value is only written once
 * its record is complete.
 */
#ifndef TIERD_ENFORCE_JOURNAL_RECORD_H
#define TIERD_ENFORCE_JOURNAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "enforce/held.h"

#define TIERD_JOURNAL_DIR       "/run/tierd"
#define TIERD_JOURNAL_PATH      "/run/tierd/restore.journal"
#define TIERD_JOURNAL_NEW_PATH  "/run/tierd/restore.journal.new"
#define TIERD_JOURNAL_LOCK_PATH "/run/tierd/restore.lock"

/* Things held at once, and bytes of the file before it is written anew. */
#define TIERD_JOURNAL_HELD_MAX  4096
#define TIERD_JOURNAL_MAX_BYTES (64 * 1024 * 1024)

/* A record with every byte escaped. */
#define TIERD_JOURNAL_LINE_SIZE 8192

struct tierd_held_list {
	struct tierd_held *items;
	size_t n_items;
	size_t n_allocated;
};

void tierd_held_list_done(struct tierd_held_list *list);

/* The entry about the same thing, or NULL. */
struct tierd_held *tierd_held_list_find(
	const struct tierd_held_list *list, const struct tierd_held *held);

/* Adds or replaces. Errors: -ENOMEM, -ENOBUFS when TIERD_JOURNAL_HELD_MAX are there. */
int tierd_held_list_put(struct tierd_held_list *list, const struct tierd_held *held);

/* The others stay in the order in which they came: things are put back in the opposite
 * one, and some cannot be otherwise. */
void tierd_held_list_remove(struct tierd_held_list *list, const struct tierd_held *held);

/* A line with its newline. Errors: -E2BIG. */
int tierd_journal_record_print(const struct tierd_held *held, bool is_done,
	char ret_line[static TIERD_JOURNAL_LINE_SIZE], size_t *ret_size);

/*
 * What is held according to a whole journal; *ret_skipped counts lines that were no good.
 * @text is cut to pieces. Errors: -ENOMEM, -ENOBUFS.
 */
int tierd_journal_parse(
	char *text, size_t size, struct tierd_held_list *ret, size_t *ret_skipped);

#endif
