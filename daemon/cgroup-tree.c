/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the cgroup v2 hierarchy is mounted, and the walk over its directories. The walk
 * holds one descriptor per level, never follows a path twice, and stops at the bounds:
 * users can make cgroups, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "cgroup-tree.h"
#include "settings/errtext.h"

#define MOUNTINFO_PATH      "/proc/self/mountinfo"
#define MOUNTINFO_MAX_BYTES (4 * 1024 * 1024)

/* Blanks and backslashes in mount points are written "\040". */
static void unescape_octal(char *text)
{
	char *out = text;

	for (char *in = text; *in; out++) {
		if (in[0] == '\\' && strspn(in + 1, "01234567") >= 3) {
			*out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 |
				      (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

/* "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw": the mount point, or NULL. */
static char *cgroup2_mount_point(char *line)
{
	char *type = strstr(line, " - ");
	char *field = NULL;

	if (!type || strncmp(type, " - cgroup2 ", strlen(" - cgroup2 ")) != 0)
		return NULL;
	for (int i = 0; i < 5 && line; i++)
		field = strsep(&line, " ");
	if (!line || *field != '/')
		return NULL;
	unescape_octal(field);
	return field;
}

static int find_mount_point(const struct tierd_root *root, char **ret, char **ret_error)
{
	_cleanup_(freep) char *text = NULL;
	char *rest, *line, *copy;
	int r;

	r = tierd_root_read_file(root, MOUNTINFO_PATH, MOUNTINFO_MAX_BYTES, &text, NULL);
	if (r < 0)
		return tierd_error(ret_error, r, "%s: %s", MOUNTINFO_PATH, strerror(-r));
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		const char *mount_point = cgroup2_mount_point(line);

		if (!mount_point)
			continue;
		copy = strdup(mount_point);
		if (!copy)
			return -ENOMEM;
		*ret = copy;
		return 0;
	}
	return tierd_error(ret_error, -ENODEV,
		"No cgroup2 file system is mounted (%s): boot with "
		"systemd.unified_cgroup_hierarchy=1",
		MOUNTINFO_PATH);
}

static int check_memory_controller(int fd, const char *mount_point, char **ret_error)
{
	struct tierd_root below = { fd };
	_cleanup_(freep) char *line = NULL;
	char *rest, *word;
	int r;

	r = tierd_root_read_line(&below, "cgroup.controllers", &line);
	if (r < 0)
		return tierd_error(ret_error, r, "%s/cgroup.controllers: %s", mount_point,
			strerror(-r));
	rest = line;
	while ((word = strsep(&rest, " ")))
		if (!strcmp(word, "memory"))
			return 0;
	return tierd_error(ret_error, -EOPNOTSUPP,
		"%s/cgroup.controllers: the memory controller is missing; it may be in use "
		"by cgroup v1 (boot with systemd.unified_cgroup_hierarchy=1) or disabled "
		"(cgroup_disable=memory)",
		mount_point);
}

int tierd_cgroup_root_open(
	const struct tierd_root *root, struct tierd_cgroup_root *ret, char **ret_error)
{
	_cleanup_(freep) char *mount_point = NULL;
	_cleanup_(closep) int fd = -EBADF;
	int r;

	r = find_mount_point(root, &mount_point, ret_error);
	if (r < 0)
		return r;
	r = tierd_root_open_file(root, mount_point, O_PATH | O_DIRECTORY, &fd);
	if (r < 0)
		return tierd_error(ret_error, r, "%s: %s", mount_point, strerror(-r));
	r = check_memory_controller(fd, mount_point, ret_error);
	if (r < 0)
		return r;
	ret->fd = TAKE_FD(fd);
	return 0;
}

void tierd_cgroup_root_close(struct tierd_cgroup_root *cgroups)
{
	closep(&cgroups->fd);
	cgroups->fd = -EBADF;
}

struct walk {
	tierd_cgroup_tree_visit_t visit;
	void *userdata;
	char path[PATH_MAX];
	size_t n_visited;
	bool is_cut;
};

static bool is_directory(int dir_fd, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_name[0] == '.' &&
		(!entry->d_name[1] || (entry->d_name[1] == '.' && !entry->d_name[2])))
		return false;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

static int visit_tree(struct walk *walk, int parent_fd, const char *name, unsigned depth);

/* Appends "/name" to the path for the time of the visit. */
static int visit_child(struct walk *walk, int fd, const char *name, unsigned depth)
{
	size_t length = strlen(walk->path);
	int r;

	if (depth > TIERD_CGROUP_DEPTH_MAX || walk->n_visited >= TIERD_CGROUPS_MAX ||
		length + strlen(name) + 2 > sizeof(walk->path)) {
		walk->is_cut = true;
		return 0;
	}
	walk->path[length] = '/';
	memcpy(walk->path + length + 1, name, strlen(name) + 1);
	r = visit_tree(walk, fd, name, depth);
	walk->path[length] = '\0';
	return r;
}

static int visit_tree(struct walk *walk, int parent_fd, const char *name, unsigned depth)
{
	_cleanup_(closep) int fd = -EBADF;
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r, dir_fd;

	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	dir_fd = TAKE_FD(fd);
	walk->n_visited++;
	r = walk->visit(dir_fd, walk->path, walk->userdata);
	if (r != 0)
		return r;
	while ((errno = 0, entry = readdir(dir))) {
		if (!is_directory(dir_fd, entry))
			continue;
		r = visit_child(walk, dir_fd, entry->d_name, depth + 1);
		if (r != 0)
			return r;
	}
	return errno == ENOENT ? 0 : -errno;
}

int tierd_cgroup_tree_visit(int fd, tierd_cgroup_tree_visit_t visit, void *userdata)
{
	struct walk walk = { .visit = visit, .userdata = userdata };
	int r;

	r = visit_tree(&walk, fd, ".", 0);
	if (r != 0)
		return r;
	return walk.is_cut;
}

struct path_visitor {
	tierd_cgroup_visit_t visit;
	void *userdata;
};

static int visit_path(_unused_ int fd, const char *path, void *userdata)
{
	const struct path_visitor *visitor = userdata;

	return *path ? visitor->visit(path, visitor->userdata) : 0;
}

int tierd_cgroup_walk(const struct tierd_cgroup_root *cgroups, tierd_cgroup_visit_t visit,
	void *userdata)
{
	struct path_visitor visitor = { visit, userdata };

	return tierd_cgroup_tree_visit(cgroups->fd, visit_path, &visitor);
}
