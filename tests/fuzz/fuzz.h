/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzzers share. Each is one file named after the parser it feeds and defines
 * LLVMFuzzerTestOneInput(); libFuzzer or driver.c calls it. An input never makes a fuzzer
 * fail by itself: what does is a sanitizer, or FUZZ_CHECK() for what must hold whatever
 * was read.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "settings/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stays where assert() goes. */
#define FUZZ_CHECK(condition)                                                      \
	do {                                                                       \
		if (!(condition)) {                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
				#condition);                                       \
			abort();                                                   \
		}                                                                  \
	} while (0)

/*
 * One part of an input that has several, each behind a line "%%". Beyond the last they
 * are empty.
 */
struct fuzz_part {
	const uint8_t *data;
	size_t size;
};

struct fuzz_part fuzz_next_part(struct fuzz_part *rest);

/* A copy that ends in NUL, and where a sanitizer sees any look behind that. */
char *fuzz_text(struct fuzz_part part);

/* What a parser that failed with @r has to say: frees it. */
void fuzz_check_error(int r, char *error);

/*
 * A tree that stands for "/", where files are memory. It is made once per process, and a
 * file's content is set for each input.
 */
struct fuzz_tree {
	char path[64];
	struct tierd_root root;
};

const struct fuzz_tree *fuzz_tree_get(void);

/* A new file and the folders it is in; returns what names it below. */
int fuzz_tree_add(const char *path);
void fuzz_tree_mkdir(const char *path);
void fuzz_tree_set(int file, struct fuzz_part content);

/* A file that stays as it is. */
void fuzz_tree_write(const char *path, const char *text);

#endif
