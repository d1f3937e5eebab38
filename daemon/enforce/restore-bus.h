/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Putting back with the systemd there is, waiting for its answers, and logging. */
#ifndef TIERD_ENFORCE_RESTORE_BUS_H
#define TIERD_ENFORCE_RESTORE_BUS_H

#include "enforce/restore.h"

/* tierd_restore() over the system bus, or over systemd's own socket without it. */
int tierd_restore_by_bus(
	const struct tierd_root *root, int cgroup_fd, struct tierd_restore_counts *ret);

#endif
