/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A throw-away tree that stands for "/" in a test. Every call asserts: a test that cannot
 * build its world has failed.
 */
#ifndef TEST_FAKE_ROOT_H
#define TEST_FAKE_ROOT_H

#include <stddef.h>
#include <sys/types.h>

#include "settings/root.h"

struct fake_root {
	char path[64];
	struct tierd_root root;
};

void fake_root_init(struct fake_root *fake);
void fake_root_done(struct fake_root *fake);

/* Parents are made as needed; an existing file is replaced. */
void fake_root_write(struct fake_root *fake, const char *path, const char *text);
void fake_root_write_bytes(
	struct fake_root *fake, const char *path, const void *bytes, size_t size);
void fake_root_write_at(struct fake_root *fake, const char *path, off_t offset,
	const void *bytes, size_t size);
void fake_root_mkdir(struct fake_root *fake, const char *path);
void fake_root_link(struct fake_root *fake, const char *path, const char *target);
void fake_root_remove(struct fake_root *fake, const char *path);

/* That an error text names what it should; frees it and sets it to NULL. */
void assert_error_contains(char **error, const char *part);

#endif
