/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which group the user means: a cgroup path, or the last part of one, as in the name of a
 * unit.
 */
#ifndef TIERCTL_RESOLVE_H
#define TIERCTL_RESOLVE_H

#include "bus-client.h"

enum tierctl_match {
	TIERCTL_MATCH_NONE,
	TIERCTL_MATCH_ONE,
	TIERCTL_MATCH_SEVERAL,
};

/*
 * Looks for name: a path when it begins with '/', else what a path has to end with, whole
 * parts only. Sets *ret_index to the first match, if there is one.
 */
enum tierctl_match tierctl_match_group(
	const struct tierctl_groups *groups, const char *name, size_t *ret_index);

struct tierctl;

/*
 * Fetches the group that name means into *ret, which the caller frees with
 * tierctl_group_done(). Says what went wrong, and returns an enum tierctl_exit.
 */
int tierctl_find_group(struct tierctl *ctl, const char *name, struct tierctl_group *ret);

#endif
