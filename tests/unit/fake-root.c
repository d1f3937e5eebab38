/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees below a mkdtemp() directory, removed with everything in them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake-root.h"

static void full_path(const struct fake_root *fake, const char *path, char *ret)
{
	assert_true(snprintf(ret, PATH_MAX, "%s%s", fake->path, path) < PATH_MAX);
}

static void make_dirs(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
}

void fake_root_init(struct fake_root *fake)
{
	snprintf(fake->path, sizeof(fake->path), "/tmp/tierd-test-XXXXXX");
	assert_non_null(mkdtemp(fake->path));
	assert_return_code(tierd_root_open(fake->path, &fake->root), 0);
}

static int remove_entry(const char *path, _unused_ const struct stat *st,
	_unused_ int flag, _unused_ struct FTW *ftw)
{
	return remove(path);
}

void fake_root_done(struct fake_root *fake)
{
	tierd_root_close(&fake->root);
	assert_int_equal(nftw(fake->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int open_for_writing(struct fake_root *fake, const char *path, int flags)
{
	char full[PATH_MAX];
	int fd;

	full_path(fake, path, full);
	make_dirs(full);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	assert_return_code(fd, errno);
	return fd;
}

void fake_root_write_bytes(
	struct fake_root *fake, const char *path, const void *bytes, size_t size)
{
	_cleanup_(closep) int fd = open_for_writing(fake, path, O_TRUNC);

	assert_int_equal(write(fd, bytes, size), size);
}

void fake_root_write(struct fake_root *fake, const char *path, const char *text)
{
	fake_root_write_bytes(fake, path, text, strlen(text));
}

void fake_root_write_at(struct fake_root *fake, const char *path, off_t offset,
	const void *bytes, size_t size)
{
	_cleanup_(closep) int fd = open_for_writing(fake, path, 0);

	assert_int_equal(pwrite(fd, bytes, size, offset), size);
}

void fake_root_mkdir(struct fake_root *fake, const char *path)
{
	char full[PATH_MAX];

	full_path(fake, path, full);
	make_dirs(full);
	assert_true(mkdir(full, 0755) == 0 || errno == EEXIST);
}

void fake_root_link(struct fake_root *fake, const char *path, const char *target)
{
	char full[PATH_MAX];

	full_path(fake, path, full);
	make_dirs(full);
	assert_return_code(symlink(target, full), errno);
}

void fake_root_remove(struct fake_root *fake, const char *path)
{
	char full[PATH_MAX];

	full_path(fake, path, full);
	assert_int_equal(nftw(full, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void assert_error_contains(char **error, const char *part)
{
	if (!*error)
		fail_msg("no error text, expected \"%s\"", part);
	if (!strstr(*error, part))
		fail_msg("\"%s\" does not contain \"%s\"", *error, part);
	free(*error);
	*error = NULL;
}
