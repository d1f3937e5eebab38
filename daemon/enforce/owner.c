/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/util.h"
#include "enforce/beneath.h"
#include "enforce/owner.h"

static bool ends_in(const char *name, size_t length, const char *suffix)
{
	size_t n = strlen(suffix);

	return length > n && memcmp(name + length - n, suffix, n) == 0;
}

static bool is_slice(const char *name, size_t length)
{
	return ends_in(name, length, ".slice");
}

/* Units in which processes are; no other unit has a cgroup below one of them. */
static bool is_leaf_unit(const char *name, size_t length)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount",
		".swap" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (ends_in(name, length, suffixes[i]))
			return true;
	return false;
}

/* Names that would collide with the kernel's files carry a '_' in front. */
static int copy_unit(const char *name, size_t length, char *ret_unit)
{
	if (*name == '_') {
		name++;
		length--;
	}
	if (length >= TIERD_UNIT_NAME_SIZE)
		return -E2BIG;
	memcpy(ret_unit, name, length);
	ret_unit[length] = '\0';
	return TIERD_OWNER_SYSTEMD;
}

static int owner_below(const char *path, size_t length, tierd_is_delegated_t is_delegated,
	void *userdata)
{
	char unit_path[TIERD_HELD_PATH_SIZE];
	int r;

	if (length >= sizeof(unit_path))
		return -E2BIG;
	memcpy(unit_path, path, length);
	unit_path[length] = '\0';
	r = is_delegated(userdata, unit_path);
	return r < 0 ? r : r ? TIERD_OWNER_CGROUPFS : TIERD_OWNER_NOBODY;
}

/* Down through slices to the first unit that is none, or something without a name. */
int tierd_owner_find(const char *path, bool has_systemd,
	tierd_is_delegated_t is_delegated, void *userdata,
	char ret_unit[static TIERD_UNIT_NAME_SIZE])
{
	*ret_unit = '\0';
	if (!has_systemd)
		return TIERD_OWNER_CGROUPFS;
	for (const char *name = path; *name == '/';) {
		size_t length = strcspn(++name, "/");
		bool is_last = name[length] == '\0';

		if (is_leaf_unit(name, length) || (is_slice(name, length) && is_last))
			return is_last ? copy_unit(name, length, ret_unit)
				       : owner_below(path, name + length - path,
						 is_delegated, userdata);
		if (!is_slice(name, length))
			break;
		name += length;
	}
	return TIERD_OWNER_CGROUPFS;
}

static bool is_marked(int fd, const char *attribute)
{
	char value[2];

	return fgetxattr(fd, attribute, value, sizeof(value)) == 1 && value[0] == '1';
}

int tierd_owner_is_delegated(void *userdata, const char *path)
{
	const int *cgroup_fd = userdata;
	_cleanup_(closep) int fd = -EBADF;
	int r = tierd_open_beneath(*cgroup_fd, path, O_RDONLY | O_DIRECTORY, &fd);

	if (r < 0)
		return r;
	return is_marked(fd, "trusted.delegate") || is_marked(fd, "user.delegate");
}
