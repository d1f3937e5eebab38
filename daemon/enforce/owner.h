/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may write a cgroup's attributes. There is one writer for each: systemd for the own
 * cgroup of every unit, whoever lives in it; those to whom a unit was delegated for what
 * is below that; tierd itself, then, in their place and where there is no systemd.
 */
#ifndef TIERD_ENFORCE_OWNER_H
#define TIERD_ENFORCE_OWNER_H

#include <stdbool.h>

#include "enforce/held.h"

enum tierd_owner {
	TIERD_OWNER_SYSTEMD,  /* through SetUnitProperties */
	TIERD_OWNER_CGROUPFS, /* by its files */
	TIERD_OWNER_NOBODY,   /* below a unit that is not delegated: hands off */
	TIERD_OWNER_MAX,
	TIERD_OWNER_INVALID = -22,
};

/* Whether a unit, by the path of its cgroup, is delegated: 1, 0 or a negative errno. */
typedef int (*tierd_is_delegated_t)(void *userdata, const char *path);

/*
 * The owner of the cgroup at @path below the root. *ret_unit is the unit for
 * TIERD_OWNER_SYSTEMD, else "". Errors: those of @is_delegated, -E2BIG.
 */
int tierd_owner_find(const char *path, bool has_systemd,
	tierd_is_delegated_t is_delegated, void *userdata,
	char ret_unit[static TIERD_UNIT_NAME_SIZE]);

/* By the mark that systemd leaves on the directory; @userdata is int *cgroup_fd. */
int tierd_owner_is_delegated(void *userdata, const char *path);

#endif
