/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting back what the journal says is held: a value that is still ours becomes what it
 * was before, one that somebody else has changed stays. It can be done twice, and be cut
 * short anywhere: what was not put back stays in the journal.
 */
#ifndef TIERD_ENFORCE_RESTORE_H
#define TIERD_ENFORCE_RESTORE_H

#include <stddef.h>

#include "enforce/held.h"
#include "settings/root.h"

struct tierd_restore_ops {
	/* Sets a property of a unit. Errors: -ENOENT when systemd knows no such unit. */
	int (*set_property)(void *userdata, const char *unit,
		enum tierd_attribute attribute, const char *value);
	/* Says what was done or went wrong; @error is 0 or a negative errno. */
	void (*say)(void *userdata, const struct tierd_held *held, int error,
		const char *what);
};

struct tierd_restore_counts {
	size_t restored;
	size_t left; /* they are not ours any more, or are gone */
	size_t failed;
	size_t skipped_lines;
};

/*
 * @cgroup_fd is the root of the cgroup hierarchy, or negative when there is none. Errors:
 * -EBUSY while a tierd lives, -EIO when something could not be put back, others.
 */
int tierd_restore(const struct tierd_root *root, int cgroup_fd,
	const struct tierd_restore_ops *ops, void *userdata,
	struct tierd_restore_counts *ret);

/*
 * The same for one thing, at any time: what the daemon does when it lets go of it while
 * it lives. Returns 1 if something was put back, 0 if there was nothing of ours.
 */
int tierd_restore_one(const struct tierd_root *root, int cgroup_fd,
	const struct tierd_held *held, const struct tierd_restore_ops *ops,
	void *userdata);

/* The last step of letting go of a unit's property, once it has its old value. */
int tierd_restore_finish_unit(
	const struct tierd_root *root, int cgroup_fd, const struct tierd_held *held);

#endif
