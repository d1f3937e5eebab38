/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "enforce/beneath.h"
#include "enforce/journal-record.h"
#include "enforce/restore.h"
#include "enforce/unit-property.h"

/* ---- One thing ----------------------------------------------------------------- */

/* 0 if it is gone, or a new one of the same name: then nothing of ours is left. */
static int open_held(int cgroup_fd, const struct tierd_held *held, int *ret_fd)
{
	int r = cgroup_fd < 0 ? -ENOENT
			      : tierd_cgroup_open_beneath(cgroup_fd, held->path,
					*held->unit ? 0 : held->id, ret_fd);

	return r == -ENOENT || r == -ENODEV || r == -ESTALE ? 0 : r < 0 ? r : 1;
}

/* Writes what was before into a file that still holds our value; 1 if so. */
static int restore_file(
	int root_fd, int dir_fd, const char *file, const struct tierd_held *held)
{
	char value[TIERD_VALUE_SIZE];
	int r = tierd_attribute_read(dir_fd, file, value);

	if (r == -ENOENT || r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	if (!tierd_held_is_ours(held, value) || strcmp(value, held->before) == 0)
		return 0;
	r = tierd_attribute_put(root_fd, dir_fd, file, held->before);
	return r < 0 ? r : 1;
}

static int restore_sysctl(const struct tierd_root *root, const struct tierd_held *held)
{
	/* Below /proc and /sys, which are file systems of their own. */
	_cleanup_(freep) char *value = NULL;
	int r = tierd_root_read_line(root, held->path, &value);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (!tierd_held_is_ours(held, value) || strcmp(value, held->before) == 0)
		return 0;
	r = tierd_root_write_line(root, held->path, held->before);
	return r < 0 ? r : 1;
}

static int restore_cgroup(int cgroup_fd, const struct tierd_held *held)
{
	_cleanup_(closep) int fd = -EBADF;
	int r = open_held(cgroup_fd, held, &fd);

	if (r <= 0)
		return r;
	return restore_file(cgroup_fd, fd, tierd_attribute_file(held->attribute), held);
}

enum found {
	FOUND_FOREIGN,
	FOUND_OURS,
	FOUND_GONE,
};

/* What the kernel has for a unit: one of enum found. */
static int look_at_unit(int cgroup_fd, const struct tierd_held *held)
{
	_cleanup_(closep) int fd = -EBADF;
	char value[TIERD_VALUE_SIZE];
	int r = open_held(cgroup_fd, held, &fd);

	if (r < 0)
		return r;
	if (r == 0)
		return FOUND_GONE;
	r = tierd_attribute_read(fd, tierd_attribute_file(held->attribute), value);
	if (r == -ENOENT || r == -ENODEV)
		return FOUND_GONE;
	if (r < 0)
		return r;
	return tierd_held_is_ours(held, value) ? FOUND_OURS : FOUND_FOREIGN;
}

/*
 * systemd takes "no nodes" for "not set", and then leaves the file as it was; it is the
 * one value that has to be written past it.
 */
int tierd_restore_finish_unit(
	const struct tierd_root *root, int cgroup_fd, const struct tierd_held *held)
{
	int r = tierd_unit_drop_in_remove(root, held), written = 0;

	if (r < 0)
		return r;
	if (held->attribute == TIERD_ATTRIBUTE_CPUSET_MEMS && !*held->before)
		written = restore_cgroup(cgroup_fd, held);
	return written < 0 ? written : r || written;
}

/*
 * A unit that stopped still has our value where systemd remembers it. Where somebody has
 * written past systemd, their value stays, and only our drop-in goes.
 */
static int restore_unit(const struct tierd_root *root, int cgroup_fd,
	const struct tierd_held *held, const struct tierd_restore_ops *ops,
	void *userdata)
{
	int found = look_at_unit(cgroup_fd, held);
	int on_disk = tierd_unit_drop_in_is_ours(root, held);
	bool is_set = found == FOUND_OURS || (found == FOUND_GONE && on_disk > 0);
	int r;

	if (found < 0 || on_disk < 0)
		return found < 0 ? found : on_disk;
	if (is_set) {
		r = ops->set_property(
			userdata, held->unit, held->attribute, held->before);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	r = tierd_restore_finish_unit(root, cgroup_fd, held);
	return r < 0 ? r : is_set || r;
}

int tierd_restore_one(const struct tierd_root *root, int cgroup_fd,
	const struct tierd_held *held, const struct tierd_restore_ops *ops,
	void *userdata)
{
	if (held->attribute == TIERD_ATTRIBUTE_SYSCTL)
		return restore_sysctl(root, held);
	if (*held->unit)
		return restore_unit(root, cgroup_fd, held, ops, userdata);
	return restore_cgroup(cgroup_fd, held);
}

/* ---- The whole journal --------------------------------------------------------- */

static int read_journal(
	const struct tierd_root *root, struct tierd_held_list *ret, size_t *ret_skipped)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	int r = tierd_root_read_file(
		root, TIERD_JOURNAL_PATH, TIERD_JOURNAL_MAX_BYTES, &text, &size);

	if (r < 0)
		return r;
	return tierd_journal_parse(text, size, ret, ret_skipped);
}

/* Writes what could not be put back, in place of the old journal. */
static int rewrite(const struct tierd_root *root, const struct tierd_held_list *list)
{
	_cleanup_(fclosep) FILE *file = NULL;
	char line[TIERD_JOURNAL_LINE_SIZE];
	int fd = openat(root->fd, TIERD_JOURNAL_NEW_PATH + 1,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t size;

	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return -errno;
	for (size_t i = 0; i < list->n_items; i++)
		if (tierd_journal_record_print(&list->items[i], false, line, &size) >= 0)
			fwrite(line, 1, size, file);
	if (fflush(file) != 0 || fsync(fd) < 0)
		return -errno;
	if (renameat(root->fd, TIERD_JOURNAL_NEW_PATH + 1, root->fd,
		    TIERD_JOURNAL_PATH + 1) < 0)
		return -errno;
	return 0;
}

/* Programs held up by a limit come first. */
static void restore_all(const struct tierd_root *root, int cgroup_fd,
	struct tierd_held_list *list, const struct tierd_restore_ops *ops, void *userdata,
	struct tierd_restore_counts *counts)
{
	for (int attribute = 0; attribute < TIERD_ATTRIBUTE_MAX; attribute++)
		for (size_t i = list->n_items; i-- > 0;) {
			const struct tierd_held held = list->items[i];
			int r;

			if (held.attribute != (enum tierd_attribute)attribute)
				continue;
			r = tierd_restore_one(root, cgroup_fd, &held, ops, userdata);
			if (r < 0) {
				counts->failed++;
				ops->say(userdata, &held, r, "cannot be put back");
				continue;
			}
			counts->restored += r > 0;
			counts->left += r == 0;
			ops->say(userdata, &held, 0,
				r > 0 ? "put back"
				      : "is as it was, or somebody else's by now");
			tierd_held_list_remove(list, &held);
		}
}

static int lock(const struct tierd_root *root, int *ret_fd)
{
	_cleanup_(closep) int fd = openat(root->fd, TIERD_JOURNAL_LOCK_PATH + 1,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int tierd_restore(const struct tierd_root *root, int cgroup_fd,
	const struct tierd_restore_ops *ops, void *userdata,
	struct tierd_restore_counts *ret)
{
	_cleanup_(tierd_held_list_done) struct tierd_held_list list = { 0 };
	_cleanup_(closep) int lock_fd = -EBADF;
	struct tierd_restore_counts counts = { 0 };
	int r;

	r = lock(root, &lock_fd);
	if (r >= 0)
		r = read_journal(root, &list, &counts.skipped_lines);
	if (r == -ENOENT) { /* not even a directory, or no journal in it */
		*ret = counts;
		return 0;
	}
	if (r < 0)
		return r;
	restore_all(root, cgroup_fd, &list, ops, userdata, &counts);
	*ret = counts;
	if (list.n_items > 0) {
		r = rewrite(root, &list);
		return r < 0 ? r : -EIO;
	}
	if (unlinkat(root->fd, TIERD_JOURNAL_PATH + 1, 0) < 0)
		return -errno;
	return 0;
}
