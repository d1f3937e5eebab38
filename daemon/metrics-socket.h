/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Unix socket that hands out the metrics: connect, read to the end. What a client sends
 * is not read. Everybody may connect, as everybody may read the same over the bus; so
 * there are bounds on how many are served at a time, and for how long.
 */
#ifndef TIERD_METRICS_SOCKET_H
#define TIERD_METRICS_SOCKET_H

#include <stdint.h>
#include <systemd/sd-event.h>

struct tierd_manager;
struct tierd_metrics_socket;

/*
 * A socket that lies at @path already is replaced. Errors: -EEXIST when something else
 * does, -ENAMETOOLONG, those of bind(2) and listen(2), -ENOMEM.
 */
int tierd_metrics_socket_new(const char *path, const struct tierd_manager *manager,
	sd_event *event, int64_t priority, struct tierd_metrics_socket **ret);

/* Hangs up on all clients and removes the socket. */
struct tierd_metrics_socket *tierd_metrics_socket_free(
	struct tierd_metrics_socket *socket);

/* Clients turned away so far; 0 for NULL. */
uint64_t tierd_metrics_socket_n_refused(const struct tierd_metrics_socket *socket);

#endif
