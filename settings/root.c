/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening and reading below a root. The files of /proc and /sys do not tell their size,
 * so reading grows a buffer until the file ends or the caller's bound is passed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"
#include "settings/root.h"

#define FIRST_READ_BYTES 4096
#define LINE_MAX_BYTES   4096

int tierd_root_open(const char *path, struct tierd_root *ret)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ret->fd = fd;
	return 0;
}

void tierd_root_close(struct tierd_root *root)
{
	closep(&root->fd);
	root->fd = -EBADF;
}

int tierd_root_open_file(
	const struct tierd_root *root, const char *path, int flags, int *ret_fd)
{
	int fd;

	while (*path == '/')
		path++;
	fd = openat(root->fd, *path ? path : ".", flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int tierd_root_open_dir(const struct tierd_root *root, const char *path, DIR **ret)
{
	_cleanup_(closep) int fd = -EBADF;
	DIR *dir;
	int r;

	r = tierd_root_open_file(root, path, O_RDONLY | O_DIRECTORY, &fd);
	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	TAKE_FD(fd);
	*ret = dir;
	return 0;
}

/* Reads until size bytes or the end of the file; the number of bytes read. */
static ssize_t read_fully(int fd, char *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, buffer + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int tierd_read_fd(int fd, size_t max_bytes, char **ret_text, size_t *ret_size)
{
	_cleanup_(freep) char *text = NULL;
	size_t size = 0, room = TIER_MIN((size_t)FIRST_READ_BYTES, max_bytes + 1);

	for (;;) {
		char *grown = realloc(text, room + 1);
		ssize_t n;

		if (!grown)
			return -ENOMEM;
		text = grown;
		n = read_fully(fd, text + size, room - size);
		if (n < 0)
			return (int)n;
		size += (size_t)n;
		if (size > max_bytes)
			return -EFBIG;
		if (size < room)
			break;
		room = TIER_MIN(room * 2, max_bytes + 1);
	}
	text[size] = '\0';
	*ret_text = TAKE_PTR(text);
	if (ret_size)
		*ret_size = size;
	return 0;
}

int tierd_root_read_file(const struct tierd_root *root, const char *path,
	size_t max_bytes, char **ret_text, size_t *ret_size)
{
	_cleanup_(closep) int fd = -EBADF;
	int r;

	r = tierd_root_open_file(root, path, O_RDONLY, &fd);
	if (r < 0)
		return r;
	return tierd_read_fd(fd, max_bytes, ret_text, ret_size);
}

int tierd_root_read_line(const struct tierd_root *root, const char *path, char **ret)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	char *end;
	int r;

	r = tierd_root_read_file(root, path, LINE_MAX_BYTES, &text, &size);
	if (r < 0)
		return r;
	end = strchrnul(text, '\n');
	if (*end && end[1])
		return -EBADMSG;
	if (strlen(text) != size)
		return -EBADMSG;
	*end = '\0';
	*ret = TAKE_PTR(text);
	return 0;
}

int tierd_root_write_line(
	const struct tierd_root *root, const char *path, const char *line)
{
	_cleanup_(closep) int fd = -EBADF;
	int r = tierd_root_open_file(root, path, O_WRONLY | O_TRUNC, &fd);

	if (r < 0)
		return r;
	return dprintf(fd, "%s\n", line) < 0 ? -errno : 0;
}

int tierd_root_read_u64(const struct tierd_root *root, const char *path, uint64_t *ret)
{
	_cleanup_(freep) char *line = NULL;
	int r;

	r = tierd_root_read_line(root, path, &line);
	if (r < 0)
		return r;
	return tier_parse_u64(line, ret);
}
