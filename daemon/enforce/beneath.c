/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "enforce/beneath.h"

int tierd_open_beneath(int dir_fd, const char *path, int flags, int *ret_fd)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	long fd;

	path += strspn(path, "/");
	fd = syscall(SYS_openat2, dir_fd, *path ? path : ".", &how, sizeof(how));
	if (fd < 0)
		return -errno;
	*ret_fd = (int)fd;
	return 0;
}

int tierd_cgroup_open_beneath(int root_fd, const char *path, uint64_t id, int *ret_fd)
{
	_cleanup_(closep) int fd = -EBADF;
	struct stat st;
	int r;

	r = tierd_open_beneath(root_fd, path, O_PATH | O_DIRECTORY, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (id != 0 && st.st_ino != id)
		return -ESTALE;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int tierd_attribute_read(
	int cgroup_fd, const char *file, char ret_value[static TIERD_VALUE_SIZE])
{
	_cleanup_(closep) int fd = -EBADF;
	char value[TIERD_VALUE_SIZE];
	ssize_t n;
	int r;

	r = tierd_open_beneath(cgroup_fd, file, O_RDONLY, &fd);
	if (r < 0)
		return r;
	n = read(fd, value, sizeof(value));
	if (n < 0)
		return -errno;
	if (n == sizeof(value))
		return -E2BIG;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	memcpy(ret_value, value, sizeof(value));
	return 0;
}

/* The newline makes an empty value a write of something. */
int tierd_attribute_write(int cgroup_fd, const char *file, const char *value)
{
	_cleanup_(closep) int fd = -EBADF;
	char text[TIERD_VALUE_SIZE + 1];
	size_t size = strlen(value);
	ssize_t n;
	int r;

	if (size >= TIERD_VALUE_SIZE)
		return -E2BIG;
	memcpy(text, value, size);
	text[size] = '\n';
	r = tierd_open_beneath(cgroup_fd, file, O_WRONLY | O_TRUNC, &fd);
	if (r < 0)
		return r;
	n = write(fd, text, size + 1);
	if (n < 0)
		return -errno;
	return n == (ssize_t)size + 1 ? 0 : -EIO;
}

int tierd_attribute_put(int root_fd, int cgroup_fd, const char *file, const char *value)
{
	char all[TIERD_VALUE_SIZE];
	int r = tierd_attribute_write(cgroup_fd, file, value);

	if (r != -ENOSPC || *value)
		return r;
	r = tierd_attribute_read(root_fd, "cpuset.mems.effective", all);
	return r < 0 ? r : tierd_attribute_write(cgroup_fd, file, all);
}
