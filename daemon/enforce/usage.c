/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/size.h"
#include "enforce/usage.h"

#define STAT_MAX_BYTES  (64 * 1024)
#define SWAPS_MAX_BYTES (64 * 1024)
#define PAGE_BYTES      4096

int tierd_usage_read_current(int cgroup_fd, uint64_t *ret_bytes)
{
	struct tierd_root below = { cgroup_fd };

	return tierd_root_read_u64(&below, "memory.current", ret_bytes);
}

static int find_counter(const char *text, const char *name, uint64_t *ret)
{
	size_t length = strlen(name);

	for (const char *line = text; line && *line;) {
		const char *end = strchrnul(line, '\n');
		char digits[24];
		size_t size;

		if (strncmp(line, name, length) == 0 && line[length] == ' ') {
			size = end - line - length - 1;
			if (size >= sizeof(digits))
				return -EBADMSG;
			memcpy(digits, line + length + 1, size);
			digits[size] = '\0';
			return tier_parse_u64(digits, ret);
		}
		line = *end ? end + 1 : NULL;
	}
	return -ENOENT;
}

/* Reclaim in the background is not the gate's doing; old kernels do not tell it apart. */
static int read_reclaimed(int cgroup_fd, uint64_t *ret_bytes)
{
	struct tierd_root below = { cgroup_fd };
	_cleanup_(freep) char *text = NULL;
	uint64_t pages;
	int r;

	r = tierd_root_read_file(&below, "memory.stat", STAT_MAX_BYTES, &text, NULL);
	if (r < 0)
		return r;
	r = find_counter(text, "pgsteal_direct", &pages);
	if (r == -ENOENT)
		r = find_counter(text, "pgsteal", &pages);
	if (r < 0)
		return r;
	*ret_bytes = pages * PAGE_BYTES;
	return 0;
}

/* One line of headings, then one a swap area. */
static bool is_swap_on(const struct tierd_root *root)
{
	_cleanup_(freep) char *text = NULL;
	const char *line;

	if (tierd_root_read_file(root, "/proc/swaps", SWAPS_MAX_BYTES, &text, NULL) < 0)
		return false;
	line = strchr(text, '\n');
	return line && line[1];
}

int tierd_usage_read(
	const struct tierd_root *root, int cgroup_fd, struct tierd_usage *ret)
{
	struct tierd_root below = { cgroup_fd };
	struct tierd_usage usage = { 0 };
	int r;

	r = tierd_usage_read_current(cgroup_fd, &usage.current_bytes);
	if (r >= 0)
		r = read_reclaimed(cgroup_fd, &usage.reclaimed_bytes);
	if (r < 0)
		return r;
	usage.has_swap =
		is_swap_on(root) && tierd_root_read_u64(&below, "memory.swap.current",
					    &usage.swap_bytes) >= 0;
	*ret = usage;
	return 0;
}

int tierd_usage_read_cpu(int cgroup_fd, uint64_t *ret_usec)
{
	struct tierd_root below = { cgroup_fd };
	_cleanup_(freep) char *text = NULL;
	int r;

	r = tierd_root_read_file(&below, "cpu.stat", STAT_MAX_BYTES, &text, NULL);
	if (r < 0)
		return r;
	return find_counter(text, "usage_usec", ret_usec);
}
