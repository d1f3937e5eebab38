/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory that stands for "/". All files the daemon reads from /proc, /sys, /etc
 * and their kin are named by absolute paths and opened below one descriptor, so that a
 * test can put a tree of its own in their place. Symbolic links are followed as the
 * kernel does it: this is an aid to testing, not a jail.
 */
#ifndef TIERD_ROOT_H
#define TIERD_ROOT_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

struct tierd_root {
	int fd;
};

int tierd_root_open(const char *path, struct tierd_root *ret);
void tierd_root_close(struct tierd_root *root);

/* Like open(2) with O_CLOEXEC, below the root. */
int tierd_root_open_file(
	const struct tierd_root *root, const char *path, int flags, int *ret_fd);
int tierd_root_open_dir(const struct tierd_root *root, const char *path, DIR **ret);

/*
 * A whole file of at most max_bytes, NUL-terminated (the NUL is not counted); -EFBIG when
 * it is longer. ret_size may be NULL.
 */
int tierd_root_read_file(const struct tierd_root *root, const char *path,
	size_t max_bytes, char **ret_text, size_t *ret_size);
int tierd_read_fd(int fd, size_t max_bytes, char **ret_text, size_t *ret_size);

/* A file that holds one decimal number and a newline. */
int tierd_root_read_u64(const struct tierd_root *root, const char *path, uint64_t *ret);

/* A file that holds one line: without the newline. */
int tierd_root_read_line(const struct tierd_root *root, const char *path, char **ret);

/* Writes such a file, which is there already: a setting of the kernel's. */
int tierd_root_write_line(
	const struct tierd_root *root, const char *path, const char *line);

static inline void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#endif
