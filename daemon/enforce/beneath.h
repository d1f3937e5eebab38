/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of cgroups, opened so that no name in a path leads elsewhere: beneath the root of
 * the hierarchy, through no symbolic link, no "..", no other file system.
 */
#ifndef TIERD_ENFORCE_BENEATH_H
#define TIERD_ENFORCE_BENEATH_H

#include "enforce/held.h"

/* openat2(2) with all of that; @path may begin with '/', which means @dir_fd. */
int tierd_open_beneath(int dir_fd, const char *path, int flags, int *ret_fd);

/* The directory of a cgroup: -ESTALE if it is not the one with this id (0: any). */
int tierd_cgroup_open_beneath(int root_fd, const char *path, uint64_t id, int *ret_fd);

/* An attribute's value, without its newline. Errors: -ENOENT, -ENODEV: it is gone. */
int tierd_attribute_read(
	int cgroup_fd, const char *file, char ret_value[static TIERD_VALUE_SIZE]);

/* Writes in one go. May wait while the kernel reclaims or migrates. */
int tierd_attribute_write(int cgroup_fd, const char *file, const char *value);

/*
 * The same for a cgroup of the hierarchy at @root_fd, with one thing more: the kernel
 * does not let a cgroup with processes go back to no nodes of its own, so then it gets
 * all.
 */
int tierd_attribute_put(int root_fd, int cgroup_fd, const char *file, const char *value);

#endif
