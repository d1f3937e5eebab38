/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line of numa_maps is "7f00…000 prefer:1 anon=512 dirty=512 N1=512
 * kernelpagesize_kB=4": where the mapping begins, its policy, and counts of pages. It
 * does not say where the mapping ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "numa-policy.h"

struct policies {
	struct tierd_numa_policy *items;
	size_t n_items, n_allocated;
	bool is_open; /* the last has no end yet */
};

static void policies_done(struct policies *policies)
{
	free(policies->items);
}

/* "bind=balancing:0" is scanned all the same. */
static bool is_skipped(const char *policy)
{
	return strcmp(policy, "default") != 0 && !strstr(policy, "balancing");
}

/* "N3=17" or "kernelpagesize_kB=4". */
static bool take_number(const char *word, const char *name, uint64_t *ret)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 && word[n] == '=' &&
	       tier_parse_u64(word + n + 1, ret) >= 0;
}

static bool take_node(const char *word, uint64_t *ret_pages)
{
	const char *value = strchr(word, '=');
	char name[16];

	if (*word != 'N' || !value || value - word >= (ptrdiff_t)sizeof(name))
		return false;
	memcpy(name, word, value - word);
	name[value - word] = '\0';
	return strspn(name + 1, "0123456789") == strlen(name + 1) &&
	       take_number(word, name, ret_pages);
}

static uint64_t resident_bytes(char *rest)
{
	uint64_t pages = 0, kib = 4;
	char *word;

	while ((word = strsep(&rest, " \n"))) {
		uint64_t n;

		if (take_node(word, &n))
			pages += n;
		else if (take_number(word, "kernelpagesize_kB", &n))
			kib = n;
	}
	return pages * kib * 1024;
}

static int grow(struct policies *policies)
{
	size_t n = policies->n_allocated ? policies->n_allocated * 2 : 16;
	struct tierd_numa_policy *grown;

	if (policies->n_items < policies->n_allocated)
		return 0;
	grown = reallocarray(policies->items, n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	policies->items = grown;
	policies->n_allocated = n;
	return 0;
}

static int add_line(struct policies *policies, char *line)
{
	struct tierd_numa_policy *last =
		policies->n_items ? &policies->items[policies->n_items - 1] : NULL;
	char *address = strsep(&line, " "), *policy = strsep(&line, " ");
	uint64_t start;

	if (!policy || tier_parse_hex(address, &start) < 0)
		return -EBADMSG;
	policy[strcspn(policy, "\n")] = '\0';
	if (policies->is_open)
		last->end = start;
	if (!is_skipped(policy)) {
		policies->is_open = false;
		return 0;
	}
	if (policies->is_open) {
		last->bytes += resident_bytes(line);
		last->end = UINT64_MAX;
		return 0;
	}
	if (policies->n_items == TIERD_NUMA_POLICIES_MAX)
		return 0;
	if (grow(policies) < 0)
		return -ENOMEM;
	policies->items[policies->n_items++] = (struct tierd_numa_policy){
		.start = start,
		.end = UINT64_MAX,
		.bytes = resident_bytes(line),
	};
	policies->is_open = true;
	return 0;
}

int tierd_numa_policies_read(const struct tierd_root *root, pid_t pid,
	struct tierd_numa_policy **ret, size_t *ret_n)
{
	_cleanup_(policies_done) struct policies policies = { 0 };
	_cleanup_(fclosep) FILE *file = NULL;
	_cleanup_(closep) int fd = -EBADF;
	_cleanup_(freep) char *line = NULL;
	size_t allocated = 0;
	char path[48];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/numa_maps", (int)pid);
	r = tierd_root_open_file(root, path, O_RDONLY, &fd);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	file = fdopen(fd, "r");
	if (!file)
		return -errno;
	TAKE_FD(fd);
	while ((errno = 0, getline(&line, &allocated, file)) > 0) {
		r = add_line(&policies, line);
		if (r < 0)
			return r;
	}
	if (errno)
		return -errno;
	*ret = TAKE_PTR(policies.items);
	*ret_n = policies.n_items;
	return 0;
}
