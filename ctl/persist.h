/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a policy file for one group, as it is now but for its quota, so that a change
 * outlasts a reload. The file is written beside its place and moved there when it is
 * whole; what tierd could not read back is not written at all.
 */
#ifndef TIERCTL_PERSIST_H
#define TIERCTL_PERSIST_H

#include "bus-client.h"

struct tierd_root;

#define TIERCTL_POLICY_DIR "/etc/tierd/policies.d"

/*
 * Writes the policy for @group with a quota of so many bytes below @root. The caller
 * frees *ret_path, the file's, and *ret_error, which says what was wrong, if it is known.
 * Errors: -EINVAL for a group whose path cannot stand in a policy, those of writing.
 */
int tierctl_persist_quota(const struct tierd_root *root,
	const struct tierctl_group *group, uint64_t quota_bytes, char **ret_path,
	char **ret_error);

/*
 * Whether that policy is the one that counts for the group, once files are read again.
 * Sets *ret_other to the file that counts instead, or to NULL; the caller frees it.
 */
int tierctl_persist_check(const struct tierd_root *root,
	const struct tierctl_group *group, const char *path, char **ret_other,
	char **ret_error);

#endif
