/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file's name is the cgroup's path as systemd escapes paths, between a beginning that
 * sorts late and ".conf".
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "persist.h"
#include "settings/errtext.h"
#include "settings/policy.h"

#define PREFIX    "99-tierctl-"
#define TEMPORARY ".tierctl.new"

/* ---- What to write ------------------------------------------------------------- */

/* "/system.slice/a-b.service" is "system.slice-a\x2db.service". */
static int escape_path(const char *cgroup, char **ret)
{
	char *escaped, *to;

	escaped = to = malloc(4 * strlen(cgroup) + 1);
	if (!escaped)
		return -ENOMEM;
	for (const char *from = cgroup + 1; *from; from++) {
		bool is_plain = (*from >= 'a' && *from <= 'z') ||
				(*from >= 'A' && *from <= 'Z') ||
				(*from >= '0' && *from <= '9') || *from == ':' ||
				*from == '_' || *from == '.';

		if (*from == '/')
			*to++ = '-';
		else if (is_plain)
			*to++ = *from;
		else
			to += sprintf(to, "\\x%02x", (unsigned char)*from);
	}
	*to = '\0';
	*ret = escaped;
	return 0;
}

static int file_name(const char *cgroup, char **ret)
{
	_cleanup_(freep) char *escaped = NULL;
	int r;

	r = escape_path(cgroup, &escaped);
	if (r < 0)
		return r;
	if (strlen(escaped) + strlen(PREFIX ".conf") > NAME_MAX)
		return -ENAMETOOLONG;
	return asprintf(ret, PREFIX "%s.conf", escaped) < 0 ? -ENOMEM : 0;
}

static void print_limit(FILE *f, const char *key, uint64_t bytes)
{
	if (bytes == UINT64_MAX)
		fprintf(f, "%s=infinity\n", key);
	else
		fprintf(f, "%s=%" PRIu64 "\n", key, bytes);
}

static int compose(const struct tierctl_group *group, uint64_t quota_bytes, char **ret,
	size_t *ret_size)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_size);

	if (!f)
		return -ENOMEM;
	fputs("# Written by tierctl set-quota --persist; remove it to undo that.\n\n", f);
	fprintf(f, "[Match]\nCGroup=%s\n\n[Memory]\n", group->cgroup);
	print_limit(f, "DRAMQuota", quota_bytes);
	print_limit(f, "DRAMMin", group->dram_min_bytes);
	fprintf(f, "Placement=%s\nEnforcement=%s\n\n[Migration]\nEngine=%s\n",
		group->placement, group->enforcement, group->engine);
	print_limit(f, "BandwidthMax", group->bandwidth_max);
	if (fclose(f) == EOF) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	return 0;
}

/* On the bus, bytes that are not UTF-8 are escaped; in the object's path all are. */
static bool is_exact(const struct tierctl_group *group)
{
	_cleanup_(freep) char *cgroup = NULL;

	return sd_bus_path_decode(group->path, "/org/tierd/Tierd1/group", &cgroup) > 0 &&
	       strcmp(cgroup, group->cgroup) == 0;
}

/* That it says what it should, and of nobody else. */
static int check_text(const char *path, const char *text, size_t size,
	const struct tierctl_group *group, char **ret_error)
{
	struct tierd_policy policy;
	int r;

	r = tierd_policy_parse(path, text, size, &policy, ret_error);
	if (r < 0)
		return r;
	if (is_exact(group) && tierd_policy_is_literal(&policy) &&
		strcmp(policy.cgroup, group->cgroup) == 0)
		return 0;
	return tierd_error(ret_error, -EINVAL,
		"the group's path has characters that cannot stand in a policy");
}

/* ---- Writing it ---------------------------------------------------------------- */

static int write_all(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		size -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int replace_file(int dir_fd, const char *name, const char *text, size_t size)
{
	_cleanup_(closep) int fd = -EBADF;
	int r;

	if (unlinkat(dir_fd, TEMPORARY, 0) < 0 && errno != ENOENT)
		return -errno;
	fd = openat(dir_fd, TEMPORARY,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0644) < 0 ? -errno : write_all(fd, text, size);
	if (r >= 0 && renameat(dir_fd, TEMPORARY, dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dir_fd, TEMPORARY, 0);
		return r;
	}
	return fsync(dir_fd) < 0 ? -errno : 0;
}

int tierctl_persist_quota(const struct tierd_root *root,
	const struct tierctl_group *group, uint64_t quota_bytes, char **ret_path,
	char **ret_error)
{
	_cleanup_(freep) char *text = NULL, *name = NULL, *path = NULL;
	_cleanup_(closep) int dir_fd = -EBADF;
	size_t size;
	int r;

	r = file_name(group->cgroup, &name);
	if (r < 0)
		return r;
	if (asprintf(&path, TIERCTL_POLICY_DIR "/%s", name) < 0)
		return -ENOMEM;
	r = compose(group, quota_bytes, &text, &size);
	if (r < 0)
		return r;
	r = check_text(path, text, size, group, ret_error);
	if (r < 0)
		return r;
	r = tierd_root_open_file(
		root, TIERCTL_POLICY_DIR, O_RDONLY | O_DIRECTORY, &dir_fd);
	if (r < 0)
		return tierd_error(
			ret_error, r, "%s: %s", TIERCTL_POLICY_DIR, strerror(-r));
	r = replace_file(dir_fd, name, text, size);
	if (r < 0)
		return tierd_error(ret_error, r, "%s: %s", path, strerror(-r));
	*ret_path = TAKE_PTR(path);
	return 0;
}

int tierctl_persist_check(const struct tierd_root *root,
	const struct tierctl_group *group, const char *path, char **ret_other,
	char **ret_error)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	const struct tierd_policy *policy;
	char *other = NULL;
	int r;

	r = tierd_policies_load(root, &policies, ret_error);
	if (r < 0)
		return r;
	policy = tierd_policies_find(policies, group->cgroup);
	if (policy && strcmp(policy->path, path) != 0) {
		other = strdup(policy->path);
		if (!other)
			return -ENOMEM;
	}
	*ret_other = other;
	return 0;
}
