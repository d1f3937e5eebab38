/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may change anything: root, and whom polkit says. Nothing here waits: who the caller
 * is, and what polkit thinks of it, is asked over the bus, and the call that waits for it
 * is handled once more when the answers are there. Without polkit only root may.
 */
#ifndef TIERD_POLKIT_H
#define TIERD_POLKIT_H

#include <systemd/sd-bus.h>

#include "base/util.h"

/* Calls that wait for an answer: altogether, of one sender, and of one user whom polkit
 * is asked about. */
#define TIERD_POLKIT_WAITING_MAX        1024
#define TIERD_POLKIT_SENDER_WAITING_MAX 16
#define TIERD_POLKIT_USER_WAITING_MAX   4

/* Belongs to one connection. */
struct tierd_polkit;

/* Errors: -ENOMEM. */
int tierd_polkit_new(struct tierd_polkit **ret);
struct tierd_polkit *tierd_polkit_free(struct tierd_polkit *polkit);

/*
 * Whether the sender of @message may do @action, one of the .policy file's. Returns 1 if
 * so. Returns 0 if that is being asked: the method's handler returns 1, and will be
 * called again with the same message. Else a negative errno, with *error set.
 */
int tierd_polkit_authorize(struct tierd_polkit *polkit, sd_bus_message *message,
	const char *action, sd_bus_error *error);

/* True for a message that comes again. */
bool tierd_polkit_has_asked(const struct tierd_polkit *polkit, sd_bus_message *message);

/* To be called once @message was handled: it may not have got to its handler. */
void tierd_polkit_forget(struct tierd_polkit *polkit, sd_bus_message *message);

#endif
