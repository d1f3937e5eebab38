/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "enforce/restore.h"
#include "enforce/sysctl.h"

static int describe(const char *path, struct tierd_held *ret)
{
	*ret = (struct tierd_held){ .attribute = TIERD_ATTRIBUTE_SYSCTL };
	if (snprintf(ret->path, sizeof(ret->path), "%s", path) >= (int)sizeof(ret->path))
		return -ENAMETOOLONG;
	return 0;
}

static int set_value(char field[static TIERD_VALUE_SIZE], const char *value)
{
	if (snprintf(field, TIERD_VALUE_SIZE, "%s", value) >= TIERD_VALUE_SIZE)
		return -E2BIG;
	return 0;
}

/* What is to go on record before @value is written over @now. */
static int prepare(const struct tierd_journal *journal, const char *path, const char *now,
	const char *value, struct tierd_held *ret)
{
	const struct tierd_held *entry;
	struct tierd_held held;
	int r = describe(path, &held);

	if (r < 0)
		return r;
	entry = tierd_journal_find(journal, &held);
	if (entry) {
		if (!tierd_held_is_ours(entry, now))
			return -EBUSY;
		held = *entry;
		r = set_value(held.held, now);
	} else {
		r = set_value(held.before, now);
	}
	if (r >= 0)
		r = set_value(held.wanted, value);
	if (r < 0)
		return r;
	*ret = held;
	return 0;
}

int tierd_sysctl_hold(const struct tierd_root *root, struct tierd_journal *journal,
	const char *path, const char *value)
{
	_cleanup_(freep) char *now = NULL;
	struct tierd_held held;
	bool was_held;
	int r = tierd_root_read_line(root, path, &now);

	if (r < 0)
		return r;
	r = prepare(journal, path, now, value, &held);
	if (r < 0)
		return r;
	was_held = tierd_journal_find(journal, &held);
	if (was_held && strcmp(now, value) == 0)
		return 0;
	r = tierd_journal_hold(journal, &held);
	if (r < 0 || strcmp(now, value) == 0)
		return r;
	r = tierd_root_write_line(root, path, value);
	if (r < 0 && !was_held)
		(void)tierd_journal_done(journal, &held);
	return r;
}

int tierd_sysctl_release(
	const struct tierd_root *root, struct tierd_journal *journal, const char *path)
{
	const struct tierd_held *entry;
	struct tierd_held held;
	int r = describe(path, &held);

	if (r < 0)
		return r;
	entry = tierd_journal_find(journal, &held);
	if (!entry)
		return 0;
	held = *entry;
	r = tierd_restore_one(root, -EBADF, &held, NULL, NULL);
	if (r < 0)
		return r;
	return tierd_journal_done(journal, &held);
}

bool tierd_sysctl_is_held(
	const struct tierd_journal *journal, const char *path, const char *value)
{
	const struct tierd_held *entry;
	struct tierd_held held;

	if (describe(path, &held) < 0)
		return false;
	entry = tierd_journal_find(journal, &held);
	return entry && tierd_held_is_ours(entry, value);
}
