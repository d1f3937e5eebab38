/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cgroup.c and cgroup-tree.c share: one bounded walk over directories. */
#ifndef TIERD_CGROUP_TREE_H
#define TIERD_CGROUP_TREE_H

/*
 * fd is the group's directory, borrowed; path is relative to where the walk began, ""
 * there. Anything but 0 ends the walk and is returned.
 */
typedef int (*tierd_cgroup_tree_visit_t)(int fd, const char *path, void *userdata);

/*
 * Visits the group at fd and all below it, parents first. Groups that vanish meanwhile
 * are left out. Returns 1 when a bound of cgroup.h cut the walk short.
 */
int tierd_cgroup_tree_visit(int fd, tierd_cgroup_tree_visit_t visit, void *userdata);

#endif
