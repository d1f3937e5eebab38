/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One managed cgroup, held by an O_PATH descriptor of its directory: identity, memory per
 * node, processes. Finding the hierarchy and walking it is cgroup-tree.c's part.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"
#include "cgroup.h"
#include "cgroup-tree.h"

#define NUMA_STAT_MAX_BYTES (256 * 1024)

struct tierd_cgroup {
	int fd;
	uint64_t id;
	char *path;
};

/* The counters of memory.numa_stat that matter here. */
enum stat_key {
	STAT_ANON,
	STAT_FILE,
	STAT_SHMEM,
	STAT_FILE_MAPPED,
	STAT_KERNEL_STACK,
	STAT_PAGETABLES,
	STAT_SEC_PAGETABLES,
	STAT_SLAB_RECLAIMABLE,
	STAT_SLAB_UNRECLAIMABLE,
	STAT_MAX,
};

static const char *const stat_names[STAT_MAX] = {
	[STAT_ANON] = "anon",
	[STAT_FILE] = "file",
	[STAT_SHMEM] = "shmem",
	[STAT_FILE_MAPPED] = "file_mapped",
	[STAT_KERNEL_STACK] = "kernel_stack",
	[STAT_PAGETABLES] = "pagetables",
	[STAT_SEC_PAGETABLES] = "sec_pagetables",
	[STAT_SLAB_RECLAIMABLE] = "slab_reclaimable",
	[STAT_SLAB_UNRECLAIMABLE] = "slab_unreclaimable",
};

struct numa_stat {
	uint64_t bytes[STAT_MAX][TIERD_NODES_MAX];
	bool has[STAT_MAX];
};

static bool is_clean_path(const char *path)
{
	if (*path != '/')
		return false;
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return false;
	return true;
}

int tierd_cgroup_open(const struct tierd_cgroup_root *cgroups, const char *path,
	struct tierd_cgroup **ret)
{
	_cleanup_(tierd_cgroup_freep) struct tierd_cgroup *cgroup = NULL;
	struct tierd_root below = { cgroups->fd };
	struct stat st;
	int r;

	if (!is_clean_path(path))
		return -EINVAL;
	cgroup = malloc(sizeof(*cgroup));
	if (!cgroup)
		return -ENOMEM;
	*cgroup = (struct tierd_cgroup){ .fd = -EBADF, .path = strdup(path) };
	if (!cgroup->path)
		return -ENOMEM;
	r = tierd_root_open_file(
		&below, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, &cgroup->fd);
	if (r < 0)
		return r;
	if (fstat(cgroup->fd, &st) < 0)
		return -errno;
	cgroup->id = st.st_ino;
	*ret = TAKE_PTR(cgroup);
	return 0;
}

struct tierd_cgroup *tierd_cgroup_free(struct tierd_cgroup *cgroup)
{
	if (!cgroup)
		return NULL;
	closep(&cgroup->fd);
	free(cgroup->path);
	free(cgroup);
	return NULL;
}

const char *tierd_cgroup_path(const struct tierd_cgroup *cgroup)
{
	return cgroup->path;
}

uint64_t tierd_cgroup_id(const struct tierd_cgroup *cgroup)
{
	return cgroup->id;
}

int tierd_cgroup_fd(const struct tierd_cgroup *cgroup)
{
	return cgroup->fd;
}

/* A removed directory keeps its descriptor, but has no files any more. */
bool tierd_cgroup_is_alive(const struct tierd_cgroup *cgroup)
{
	return faccessat(cgroup->fd, "cgroup.procs", F_OK, 0) == 0;
}

static int find_stat(const char *name)
{
	for (int i = 0; i < STAT_MAX; i++)
		if (!strcmp(stat_names[i], name))
			return i;
	return -ENOENT;
}

/* "N0=4096" */
static int parse_node_value(char *text, uint64_t *values)
{
	char *number = text;
	uint64_t node, bytes;

	if (*number++ != 'N')
		return -EBADMSG;
	if (tier_parse_u64(strsep(&number, "="), &node) < 0 || !number)
		return -EBADMSG;
	if (tier_parse_u64(number, &bytes) < 0)
		return -EBADMSG;
	if (node >= TIERD_NODES_MAX)
		return -ERANGE;
	values[node] = bytes;
	return 0;
}

/* "anon N0=4096 N1=0"; lines of other counters are skipped unseen. */
static int parse_stat_line(char *line, struct numa_stat *ret)
{
	int key = find_stat(strsep(&line, " "));
	char *part;

	if (key < 0)
		return 0;
	while ((part = strsep(&line, " "))) {
		int r = parse_node_value(part, ret->bytes[key]);

		if (r < 0)
			return r;
	}
	ret->has[key] = true;
	return 0;
}

static int parse_numa_stat(char *text, struct numa_stat *ret)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		int r = parse_stat_line(line, ret);

		if (r < 0)
			return r;
	}
	/* Kernels differ in the others; without these there is no answer at all. */
	return ret->has[STAT_ANON] && ret->has[STAT_FILE] && ret->has[STAT_FILE_MAPPED]
		       ? 0
		       : -EBADMSG;
}

/* The counters are not read at one instant: mapped can exceed the whole for a moment. */
static void derive_node(
	const struct numa_stat *stat, unsigned node, struct tierd_cgroup_node_memory *ret)
{
	uint64_t file = stat->bytes[STAT_FILE][node];
	uint64_t mapped = TIER_MIN(stat->bytes[STAT_FILE_MAPPED][node], file);

	*ret = (struct tierd_cgroup_node_memory){
		.anon_bytes = stat->bytes[STAT_ANON][node],
		.file_bytes = file,
		.shmem_bytes = stat->bytes[STAT_SHMEM][node],
		.file_mapped_bytes = mapped,
		.movable_bytes = stat->bytes[STAT_ANON][node] + mapped,
		.unmovable_bytes = file - mapped + stat->bytes[STAT_KERNEL_STACK][node] +
				   stat->bytes[STAT_PAGETABLES][node] +
				   stat->bytes[STAT_SEC_PAGETABLES][node] +
				   stat->bytes[STAT_SLAB_RECLAIMABLE][node] +
				   stat->bytes[STAT_SLAB_UNRECLAIMABLE][node],
	};
}

int tierd_cgroup_read_memory(
	const struct tierd_cgroup *cgroup, struct tierd_cgroup_memory *ret)
{
	struct tierd_root below = { cgroup->fd };
	_cleanup_(freep) char *text = NULL;
	struct numa_stat stat = {};
	int r;

	r = tierd_root_read_file(
		&below, "memory.numa_stat", NUMA_STAT_MAX_BYTES, &text, NULL);
	if (r == -ENOENT && !tierd_cgroup_is_alive(cgroup))
		return -ENODEV;
	if (r < 0)
		return r;
	r = parse_numa_stat(text, &stat);
	if (r < 0)
		return r;
	for (unsigned node = 0; node < TIERD_NODES_MAX; node++)
		derive_node(&stat, node, &ret->nodes[node]);
	return 0;
}

struct process_list {
	pid_t *pids;
	size_t n, max;
};

/* 1 when the list is full. */
static int append_pid(struct process_list *list, const char *line)
{
	uint64_t pid;

	if (tier_parse_u64(line, &pid) < 0 || pid > INT32_MAX)
		return -EBADMSG;
	if (pid == 0)
		return 0; /* of another pid namespace, which cannot be named here */
	if (list->n == list->max)
		return 1;
	list->pids[list->n++] = (pid_t)pid;
	return 0;
}

/* A threaded cgroup refuses: its processes are listed by the domain above it. */
static int read_processes(int cgroup_fd, struct process_list *list)
{
	_cleanup_(closep) int fd = -EBADF;
	_cleanup_(fclosep) FILE *file = NULL;
	_cleanup_(freep) char *line = NULL;
	size_t allocated = 0;
	ssize_t length;

	fd = openat(cgroup_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "r");
	if (!file)
		return -errno;
	TAKE_FD(fd);
	while ((errno = 0, length = getline(&line, &allocated, file)) > 0) {
		int r;

		line[strcspn(line, "\n")] = '\0';
		r = append_pid(list, line);
		if (r != 0)
			return r;
	}
	if (errno == EOPNOTSUPP)
		return 0;
	return errno ? -errno : 0;
}

static int visit_processes(int fd, _unused_ const char *path, void *userdata)
{
	int r = read_processes(fd, userdata);

	/* A sub-group may go away at any time. */
	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* cgroup.procs may list a process twice when it moves meanwhile. */
static size_t sort_unique(pid_t *pids, size_t n)
{
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(pids, n, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || pids[kept - 1] != pids[i])
			pids[kept++] = pids[i];
	return kept;
}

int tierd_cgroup_list_processes(
	const struct tierd_cgroup *cgroup, pid_t *pids, size_t max, size_t *ret_n)
{
	struct process_list list = { .pids = pids, .max = max };
	int r;

	if (!tierd_cgroup_is_alive(cgroup))
		return -ENODEV;
	r = tierd_cgroup_tree_visit(cgroup->fd, visit_processes, &list);
	if (r < 0)
		return r;
	*ret_n = sort_unique(pids, list.n);
	return r;
}
