/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/PID/stat for identity and /proc/PID/maps for the mappings. A big process has tens
 * of thousands of the latter and they are read again and again, so their parser goes over
 * each line once, by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "process.h"

#define STAT_MAX_BYTES   4096
#define STATUS_MAX_BYTES (64 * 1024)
#define MAPS_BUFFER      (64 * 1024)

#define STAT_FIELD_FLAGS      9
#define STAT_FIELD_START_TIME 22

#define PF_KTHREAD 0x00200000

/* What the kernel says about a process that has just gone. */
static int gone_is_esrch(int r)
{
	return r == -ENOENT ? -ESRCH : r;
}

/*
 * The comm in field 2 may hold blanks and parentheses; the last parenthesis ends it, and
 * field 3 follows.
 */
static int parse_stat(char *text, struct tierd_process *process)
{
	uint64_t value = 0;
	char *rest = strrchr(text, ')'), *part;

	if (!rest || rest[1] != ' ')
		return -EBADMSG;
	rest += 2;
	for (int field = 3; field <= STAT_FIELD_START_TIME; field++) {
		part = strsep(&rest, " \n");
		if (!part)
			return -EBADMSG;
		if (field != STAT_FIELD_FLAGS && field != STAT_FIELD_START_TIME)
			continue;
		if (tier_parse_u64(part, &value) < 0)
			return -EBADMSG;
		if (field == STAT_FIELD_FLAGS)
			process->is_kernel_thread = value & PF_KTHREAD;
	}
	process->start_ticks = value;
	return 0;
}

/* /proc/TID can be opened for every thread, but only processes are of interest. */
static int check_is_process(const struct tierd_root *root, pid_t pid)
{
	_cleanup_(freep) char *text = NULL;
	char path[48];
	char *value;
	uint64_t tgid;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	r = tierd_root_read_file(root, path, STATUS_MAX_BYTES, &text, NULL);
	if (r < 0)
		return gone_is_esrch(r);
	value = strstr(text, "\nTgid:\t");
	if (!value)
		return -EBADMSG;
	value += strlen("\nTgid:\t");
	value[strcspn(value, "\n")] = '\0';
	r = tier_parse_u64(value, &tgid);
	if (r < 0)
		return -EBADMSG;
	return tgid == (uint64_t)pid ? 0 : -ESRCH;
}

int tierd_process_read(
	const struct tierd_root *root, pid_t pid, struct tierd_process *ret)
{
	_cleanup_(freep) char *text = NULL;
	struct tierd_process process = { .pid = pid };
	char path[48];
	int r;

	if (pid <= 0)
		return -EINVAL;
	r = check_is_process(root, pid);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = tierd_root_read_file(root, path, STAT_MAX_BYTES, &text, NULL);
	if (r < 0)
		return gone_is_esrch(r);
	r = parse_stat(text, &process);
	if (r < 0)
		return r;
	*ret = process;
	return 0;
}

/* "size resident shared …", in pages. */
int tierd_process_read_shared(
	const struct tierd_root *root, pid_t pid, uint64_t *ret_pages)
{
	_cleanup_(freep) char *text = NULL;
	char path[48], *rest, *field = NULL;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	r = tierd_root_read_file(root, path, STAT_MAX_BYTES, &text, NULL);
	if (r < 0)
		return gone_is_esrch(r);
	rest = text;
	for (unsigned i = 0; i < 3; i++)
		field = strsep(&rest, " ");
	return field && tier_parse_u64(field, ret_pages) >= 0 ? 0 : -EBADMSG;
}

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool begins_with_any(const char *text, const char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (begins_with(text, prefixes[i]))
			return true;
	return false;
}

/*
 * By its name: is this memory that move_pages() could move? Device mappings and hugetlb
 * are told by where their files usually are; one that is missed only costs failed moves.
 */
static bool is_movable_name(const char *name)
{
	static const char *const kernel_pages[] = {
		"[vdso]",
		"[vvar",
		"[vsyscall]",
		"[vectors]",
		"[sigpage]",
		"[uprobes]",
	};
	static const char *const moving_devices[] = { "/dev/zero", "/dev/shm/" };
	static const char *const fixed_files[] = {
		"/dev/",
		"/anon_hugepage",
		"/hugepages/",
		"/dmabuf:",
	};

	if (!*name)
		return true;
	if (*name == '[')
		return !begins_with_any(name, kernel_pages, ARRAY_SIZE(kernel_pages));
	if (*name != '/')
		return false; /* "anon_inode:…", "socket:…" */
	if (begins_with_any(name, moving_devices, ARRAY_SIZE(moving_devices)))
		return true;
	return !begins_with_any(name, fixed_files, ARRAY_SIZE(fixed_files)) &&
	       !strstr(name, "/hugetlbfs/");
}

/* Hexadecimal digits up to end, which is consumed as well. */
static int take_hex(const char **text, char end, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	for (; *p != end; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a') + 10;
		else
			return -EBADMSG;
		if (value >> 60)
			return -EBADMSG;
		value = value << 4 | digit;
	}
	if (p == *text)
		return -EBADMSG;
	*text = p + 1;
	*ret = value;
	return 0;
}

/* Over one field and the blanks behind it. */
static const char *skip_field(const char *p)
{
	p += strcspn(p, " ");
	return p + strspn(p, " ");
}

static int take_decimal(const char **text, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (value > (UINT64_MAX - 9) / 10)
			return -EBADMSG;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	if (p == *text)
		return -EBADMSG;
	*text = p;
	*ret = value;
	return 0;
}

/* "offset major:minor inode", and the blanks behind it. */
static int take_object(const char **text, struct tierd_mapping *mapping)
{
	struct tierd_object_key *key = &mapping->key;
	uint64_t major, minor;
	int r;

	if ((r = take_hex(text, ' ', &mapping->offset)) < 0 ||
		(r = take_hex(text, ':', &major)) < 0 ||
		(r = take_hex(text, ' ', &minor)) < 0 ||
		(r = take_decimal(text, &key->inode)) < 0)
		return r;
	if (**text && **text != ' ')
		return -EBADMSG;
	*text += strspn(*text, " ");
	key->device = key->inode ? major << 32 | minor : 0;
	if (begins_with(*text, "/SYSV"))
		key->device |= UINT64_C(1) << 63;
	return 0;
}

/*
 * "start-end perms offset device inode name", where only memory of a file has an inode.
 * 1 when the mapping is of interest, 0 when it is not.
 */
static int parse_mapping(const char *line, struct tierd_mapping *ret)
{
	struct tierd_mapping mapping;
	const char *p = line, *perms;
	int r;

	r = take_hex(&p, '-', &mapping.start);
	if (r < 0)
		return r;
	r = take_hex(&p, ' ', &mapping.end);
	if (r < 0)
		return r;
	perms = p;
	if (strnlen(perms, 5) < 5 || perms[4] != ' ' || mapping.end <= mapping.start)
		return -EBADMSG;
	if (perms[3] != 's' && perms[3] != 'p')
		return -EBADMSG;
	p = skip_field(p);
	r = take_object(&p, &mapping);
	if (r < 0)
		return r;
	mapping.is_writable = perms[1] == 'w';
	mapping.is_shared = perms[3] == 's';
	mapping.is_file = mapping.key.inode != 0;
	*ret = mapping;
	/* Address space that is merely reserved: no access at all. */
	if (!memcmp(perms, "---", 3))
		return 0;
	return is_movable_name(p);
}

struct mappings {
	struct tierd_mapping *items;
	size_t n_items, n_allocated;
};

static void mappings_done(struct mappings *mappings)
{
	free(mappings->items);
}

static bool is_same_object(const struct tierd_mapping *a, const struct tierd_mapping *b)
{
	return a->key.device == b->key.device && a->key.inode == b->key.inode &&
	       a->offset + (a->end - a->start) == b->offset;
}

static bool can_merge(const struct tierd_mapping *a, const struct tierd_mapping *b)
{
	return a->end == b->start && a->is_writable == b->is_writable &&
	       a->is_shared == b->is_shared && a->is_file == b->is_file &&
	       (!a->is_shared || !a->is_file || is_same_object(a, b));
}

/* 1 when there is no more room. */
static int append_mapping(struct mappings *mappings, const struct tierd_mapping *mapping)
{
	struct tierd_mapping *last =
		mappings->n_items ? &mappings->items[mappings->n_items - 1] : NULL;

	if (last && mapping->start < last->end)
		return -EBADMSG;
	if (last && can_merge(last, mapping)) {
		last->end = mapping->end;
		return 0;
	}
	if (mappings->n_items == TIERD_MAPPINGS_MAX)
		return 1;
	if (mappings->n_items == mappings->n_allocated) {
		size_t n = mappings->n_allocated ? mappings->n_allocated * 2 : 64;
		struct tierd_mapping *grown;

		grown = reallocarray(mappings->items, n, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		mappings->items = grown;
		mappings->n_allocated = n;
	}
	mappings->items[mappings->n_items++] = *mapping;
	return 0;
}

static int read_maps(FILE *file, struct mappings *mappings)
{
	_cleanup_(freep) char *line = NULL;
	size_t allocated = 0;

	while ((errno = 0, getline(&line, &allocated, file)) > 0) {
		struct tierd_mapping mapping;
		int r;

		line[strcspn(line, "\n")] = '\0';
		r = parse_mapping(line, &mapping);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		r = append_mapping(mappings, &mapping);
		if (r != 0)
			return r;
	}
	return errno ? -errno : 0;
}

int tierd_process_read_mappings(const struct tierd_root *root, pid_t pid,
	struct tierd_mapping **ret, size_t *ret_n)
{
	_cleanup_(mappings_done) struct mappings mappings = {};
	_cleanup_(closep) int fd = -EBADF;
	_cleanup_(fclosep) FILE *file = NULL;
	char path[48];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	r = tierd_root_open_file(root, path, O_RDONLY, &fd);
	if (r < 0)
		return gone_is_esrch(r);
	file = fdopen(fd, "r");
	if (!file)
		return -errno;
	TAKE_FD(fd);
	if (setvbuf(file, NULL, _IOFBF, MAPS_BUFFER) != 0)
		return -ENOMEM;
	r = read_maps(file, &mappings);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(mappings.items);
	*ret_n = mappings.n_items;
	return r;
}
