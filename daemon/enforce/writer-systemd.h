/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes to units by systemd's own call. PID 1 carries them out itself, with whatever the
 * kernel has to do for them, and has more to do than that: one call at a time over all
 * units, at most ten a second to any one, and after each a pause of its length. The
 * connection is this writer's own; when the bus or systemd go away calls fail, and the
 * next one tries again.
 */
#ifndef TIERD_ENFORCE_WRITER_SYSTEMD_H
#define TIERD_ENFORCE_WRITER_SYSTEMD_H

#include <systemd/sd-event.h>

#include "enforce/enforcer.h"

struct tierd_writer_systemd;

extern const struct tierd_writer_ops tierd_writer_systemd_ops;

int tierd_writer_systemd_new(sd_event *event, struct tierd_writer_systemd **ret);
struct tierd_writer_systemd *tierd_writer_systemd_free(
	struct tierd_writer_systemd *writer);

/* Whom to tell when a write has ended. */
void tierd_writer_systemd_attach(
	struct tierd_writer_systemd *writer, struct tierd_enforcer *enforcer);

#endif
