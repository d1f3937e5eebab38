/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes to cgroups by their files: below delegated units, and everywhere where there is
 * no systemd. The kernel may reclaim or migrate before it returns, and so a thread waits
 * for it. libcgroup would not do: it reads all of a controller's files to write one,
 * hides the errno, and resolves paths by name.
 */
#ifndef TIERD_ENFORCE_WRITER_CGROUPFS_H
#define TIERD_ENFORCE_WRITER_CGROUPFS_H

#include <systemd/sd-event.h>

#include "enforce/enforcer.h"

struct tierd_writer_cgroupfs;

extern const struct tierd_writer_ops tierd_writer_cgroupfs_ops;

int tierd_writer_cgroupfs_new(
	sd_event *event, int cgroup_fd, struct tierd_writer_cgroupfs **ret);
struct tierd_writer_cgroupfs *tierd_writer_cgroupfs_free(
	struct tierd_writer_cgroupfs *writer);

/* Whom to tell when a write has ended. */
void tierd_writer_cgroupfs_attach(
	struct tierd_writer_cgroupfs *writer, struct tierd_enforcer *enforcer);

#endif
