/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy files there are, as they count: of one name only that in the most important
 * directory, all by name. What stands in them is not known here.
 */
#ifndef TIERD_POLICY_FILES_H
#define TIERD_POLICY_FILES_H

#include <stddef.h>

#include "settings/root.h"

#define TIERD_POLICIES_MAX     1024
#define TIERD_POLICY_PATH_SIZE 384

struct tierd_policy_file {
	char path[TIERD_POLICY_PATH_SIZE];
	unsigned importance; /* of its directory */
};

struct tierd_policy_files {
	struct tierd_policy_file *items;
	size_t n_items, n_allocated;
};

/* Masks are in the list. Errors leave a message, if there is more to say than the error.
 */
int tierd_policy_files_list(
	const struct tierd_root *root, struct tierd_policy_files *ret, char **ret_error);
void tierd_policy_files_done(struct tierd_policy_files *files);

/* Returns 1, or 0 when the file is a mask, which hides others and is not opened. */
int tierd_policy_file_open(
	const struct tierd_root *root, const char *path, int *ret_fd, char **ret_error);

#endif
