/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files in memory are memfds behind symbolic links: opening one again by its name in
 * /proc starts at its beginning, as opening any file does. Every call stops the process
 * when it cannot do its part.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static struct fuzz_tree tree;

struct fuzz_part fuzz_next_part(struct fuzz_part *rest)
{
	static const char separator[] = "%%\n";
	struct fuzz_part part = *rest;
	const uint8_t *end = NULL;

	if (rest->size > 0)
		end = memmem(rest->data, rest->size, separator, strlen(separator));
	if (!end) {
		*rest = (struct fuzz_part){ rest->data, 0 };
		return part;
	}
	part.size = (size_t)(end - part.data);
	rest->data = end + strlen(separator);
	rest->size -= part.size + strlen(separator);
	return part;
}

char *fuzz_text(struct fuzz_part part)
{
	char *text = malloc(part.size + 1);

	FUZZ_CHECK(text);
	if (part.size > 0)
		memcpy(text, part.data, part.size);
	text[part.size] = '\0';
	return text;
}

void fuzz_check_error(int r, char *error)
{
	FUZZ_CHECK(r < 0 || !error);
	FUZZ_CHECK(!error || *error);
	free(error);
}

static int remove_entry(const char *path, _unused_ const struct stat *st,
	_unused_ int flag, _unused_ struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(void)
{
	nftw(tree.path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const struct fuzz_tree *fuzz_tree_get(void)
{
	if (*tree.path)
		return &tree;
	strcpy(tree.path, "/tmp/tierd-fuzz-XXXXXX");
	FUZZ_CHECK(mkdtemp(tree.path));
	FUZZ_CHECK(atexit(remove_tree) == 0);
	FUZZ_CHECK(tierd_root_open(tree.path, &tree.root) == 0);
	return &tree;
}

static void full_path(const char *path, char ret[static PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%s%s", fuzz_tree_get()->path, path);

	FUZZ_CHECK(n > 0 && n < PATH_MAX);
	for (char *p = strchr(ret + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		FUZZ_CHECK(mkdir(ret, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
}

void fuzz_tree_mkdir(const char *path)
{
	char full[PATH_MAX];

	full_path(path, full);
	FUZZ_CHECK(mkdir(full, 0755) == 0 || errno == EEXIST);
}

int fuzz_tree_add(const char *path)
{
	char full[PATH_MAX], link[32];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0);
	full_path(path, full);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	FUZZ_CHECK(symlink(link, full) == 0);
	return fd;
}

void fuzz_tree_set(int file, struct fuzz_part content)
{
	FUZZ_CHECK(ftruncate(file, 0) == 0);
	FUZZ_CHECK(pwrite(file, content.data, content.size, 0) == (ssize_t)content.size);
}

void fuzz_tree_write(const char *path, const char *text)
{
	int file = fuzz_tree_add(path);

	fuzz_tree_set(file, (struct fuzz_part){ (const uint8_t *)text, strlen(text) });
}
