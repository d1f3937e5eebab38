/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settings/policy-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "settings/errtext.h"

/* From the least to the most important. */
static const char *const policy_dirs[] = {
	"/usr/lib/tierd/policies.d",
	"/run/tierd/policies.d",
	"/etc/tierd/policies.d",
};

static const char *name_of(const struct tierd_policy_file *file)
{
	return strrchr(file->path, '/') + 1;
}

/* Names that editors and package managers leave behind begin with '.' or end otherwise.
 */
static bool is_policy_name(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 && !strcmp(name + length - 5, ".conf");
}

static int append_file(struct tierd_policy_files *files, unsigned dir, const char *name)
{
	struct tierd_policy_file *file;

	if (files->n_items == files->n_allocated) {
		size_t n = files->n_allocated ? files->n_allocated * 2 : 16;

		file = reallocarray(files->items, n, sizeof(*file));
		if (!file)
			return -ENOMEM;
		files->items = file;
		files->n_allocated = n;
	}
	file = &files->items[files->n_items++];
	snprintf(file->path, sizeof(file->path), "%s/%s", policy_dirs[dir], name);
	file->importance = dir;
	return 0;
}

static int list_dir(const struct tierd_root *root, unsigned dir_index,
	struct tierd_policy_files *files, char **ret_error)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	const char *path = policy_dirs[dir_index];
	size_t n = 0;
	struct dirent *entry;
	int r;

	r = tierd_root_open_dir(root, path, &dir);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return tierd_error(ret_error, r, "%s: %s", path, strerror(-r));
	while ((errno = 0, entry = readdir(dir))) {
		if (!is_policy_name(entry->d_name))
			continue;
		if (++n > TIERD_POLICIES_MAX)
			return tierd_error(ret_error, -E2BIG,
				"%s: more than %d policies in this directory", path,
				TIERD_POLICIES_MAX);
		r = append_file(files, dir_index, entry->d_name);
		if (r < 0)
			return r;
	}
	if (errno)
		return tierd_error(ret_error, -errno, "%s: %s", path, strerror(errno));
	return 0;
}

/* By name, and of one name the most important directory first. */
static int compare_files(const void *a, const void *b)
{
	const struct tierd_policy_file *x = a, *y = b;
	int r = strcmp(name_of(x), name_of(y));

	return r ? r : (x->importance < y->importance) - (x->importance > y->importance);
}

/* Only the first of each name. */
static void hide_others(struct tierd_policy_files *files)
{
	size_t n = 0;

	for (size_t i = 0; i < files->n_items; i++)
		if (n == 0 || strcmp(name_of(&files->items[n - 1]),
				      name_of(&files->items[i])) != 0)
			files->items[n++] = files->items[i];
	files->n_items = n;
}

int tierd_policy_files_list(
	const struct tierd_root *root, struct tierd_policy_files *ret, char **ret_error)
{
	_cleanup_(tierd_policy_files_done) struct tierd_policy_files files = { 0 };

	for (unsigned i = 0; i < ARRAY_SIZE(policy_dirs); i++) {
		int r = list_dir(root, i, &files, ret_error);

		if (r < 0)
			return r;
	}
	if (files.n_items > 0)
		qsort(files.items, files.n_items, sizeof(files.items[0]), compare_files);
	hide_others(&files);
	if (files.n_items > TIERD_POLICIES_MAX)
		return tierd_error(ret_error, -E2BIG,
			"%s and its kin: more than %d policies altogether",
			policy_dirs[ARRAY_SIZE(policy_dirs) - 1], TIERD_POLICIES_MAX);
	*ret = files;
	files = (struct tierd_policy_files){ 0 };
	return 0;
}

void tierd_policy_files_done(struct tierd_policy_files *files)
{
	free(files->items);
}

/* Systemd's idea of a masked file; 1 when it is one. */
static int is_masked(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISCHR(st.st_mode))
		return 1;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return st.st_size == 0;
}

int tierd_policy_file_open(
	const struct tierd_root *root, const char *path, int *ret_fd, char **ret_error)
{
	_cleanup_(closep) int fd = -EBADF;
	int r;

	r = tierd_root_open_file(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd);
	if (r < 0)
		return tierd_error(ret_error, r, "%s: %s", path, strerror(-r));
	r = is_masked(fd);
	if (r < 0)
		return tierd_error(ret_error, r, "%s: not a regular file", path);
	if (r > 0)
		return 0;
	*ret_fd = TAKE_FD(fd);
	return 1;
}
