/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "enforce/journal.h"
#include "enforce/journal-record.h"

/* Written anew at so many bytes, and at so many times what is held. */
#define COMPACT_BYTES_MIN (64 * 1024)
#define COMPACT_FACTOR    8

struct tierd_journal {
	struct tierd_root root; /* borrowed */
	int lock_fd;
	int fd;
	size_t size;
	size_t compact_size;
	struct tierd_held_list list;
};

static int write_all(int fd, const char *text, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, text + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += n;
	}
	return 0;
}

static const char *relative(const char *path)
{
	return path + strspn(path, "/");
}

static int create(struct tierd_journal *journal, const char *path, int flags, int *ret_fd)
{
	int fd = openat(journal->root.fd, relative(path),
		O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* The name of a file is on disk once its directory is. */
static int sync_directory(const struct tierd_journal *journal)
{
	_cleanup_(closep) int fd = openat(journal->root.fd, relative(TIERD_JOURNAL_DIR),
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

static int lock(struct tierd_journal *journal)
{
	int r;

	if (mkdirat(journal->root.fd, relative(TIERD_JOURNAL_DIR), 0755) < 0 &&
		errno != EEXIST)
		return -errno;
	r = create(journal, TIERD_JOURNAL_LOCK_PATH, 0, &journal->lock_fd);
	if (r < 0)
		return r;
	if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

int tierd_journal_open(const struct tierd_root *root, struct tierd_journal **ret)
{
	_cleanup_(tierd_journal_closep) struct tierd_journal *journal =
		calloc(1, sizeof(*journal));
	int r;

	if (!journal)
		return -ENOMEM;
	journal->root = *root;
	journal->lock_fd = journal->fd = -EBADF;
	journal->compact_size = COMPACT_BYTES_MIN;
	r = lock(journal);
	if (r < 0)
		return r;
	r = create(journal, TIERD_JOURNAL_PATH, O_EXCL | O_APPEND, &journal->fd);
	if (r < 0)
		return r;
	r = sync_directory(journal);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(journal);
	return 0;
}

struct tierd_journal *tierd_journal_close(struct tierd_journal *journal)
{
	if (!journal)
		return NULL;
	if (journal->fd >= 0 && journal->list.n_items == 0)
		(void)unlinkat(journal->root.fd, relative(TIERD_JOURNAL_PATH), 0);
	closep(&journal->fd);
	closep(&journal->lock_fd);
	tierd_held_list_done(&journal->list);
	free(journal);
	return NULL;
}

static int print_list(const struct tierd_journal *journal, int fd, size_t *ret_size)
{
	char line[TIERD_JOURNAL_LINE_SIZE];
	size_t total = 0;

	for (size_t i = 0; i < journal->list.n_items; i++) {
		size_t size;
		int r = tierd_journal_record_print(
			&journal->list.items[i], false, line, &size);

		if (r >= 0)
			r = write_all(fd, line, size);
		if (r < 0)
			return r;
		total += size;
	}
	*ret_size = total;
	return fsync(fd) < 0 ? -errno : 0;
}

/* At every moment one whole journal or the other bears the name. */
static int compact(struct tierd_journal *journal)
{
	_cleanup_(closep) int fd = -EBADF;
	size_t size;
	int r;

	r = create(journal, TIERD_JOURNAL_NEW_PATH, O_TRUNC | O_APPEND, &fd);
	if (r < 0)
		return r;
	r = print_list(journal, fd, &size);
	if (r < 0)
		return r;
	if (renameat(journal->root.fd, relative(TIERD_JOURNAL_NEW_PATH), journal->root.fd,
		    relative(TIERD_JOURNAL_PATH)) < 0)
		return -errno;
	closep(&journal->fd);
	journal->fd = TAKE_FD(fd);
	journal->size = size;
	journal->compact_size =
		TIER_MAX((size_t)COMPACT_BYTES_MIN, COMPACT_FACTOR * size);
	return sync_directory(journal);
}

/* What a failed write left behind is cut off: nothing may follow half a line. */
static int append(
	struct tierd_journal *journal, const struct tierd_held *held, bool is_done)
{
	char line[TIERD_JOURNAL_LINE_SIZE];
	size_t size;
	int r;

	if (journal->size >= journal->compact_size) {
		r = compact(journal);
		if (r < 0)
			return r;
	}
	r = tierd_journal_record_print(held, is_done, line, &size);
	if (r < 0)
		return r;
	r = write_all(journal->fd, line, size);
	if (r >= 0 && fdatasync(journal->fd) < 0)
		r = -errno;
	if (r < 0) {
		(void)ftruncate(journal->fd, journal->size);
		return r;
	}
	journal->size += size;
	return 0;
}

int tierd_journal_hold(struct tierd_journal *journal, const struct tierd_held *held)
{
	struct tierd_held *entry = tierd_held_list_find(&journal->list, held);
	struct tierd_held before = { 0 };
	int r;

	if (entry)
		before = *entry;
	r = tierd_held_list_put(&journal->list, held);
	if (r < 0)
		return r;
	r = append(journal, held, false);
	if (r >= 0)
		return 0;
	if (entry)
		(void)tierd_held_list_put(&journal->list, &before);
	else
		tierd_held_list_remove(&journal->list, held);
	return r;
}

int tierd_journal_done(struct tierd_journal *journal, const struct tierd_held *held)
{
	if (!tierd_held_list_find(&journal->list, held))
		return 0;
	tierd_held_list_remove(&journal->list, held);
	return append(journal, held, true);
}

const struct tierd_held *tierd_journal_find(
	const struct tierd_journal *journal, const struct tierd_held *held)
{
	return tierd_held_list_find(&journal->list, held);
}

size_t tierd_journal_n_held(const struct tierd_journal *journal)
{
	return journal->list.n_items;
}
