/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the metrics go: a file that is replaced every few seconds, and a socket that
 * hands the text to whoever connects. Neither is ever waited for: a file system that
 * fails or a client that does not read costs that copy of the text and no more, and
 * nothing that goes wrong here keeps tierd from its work.
 */
#ifndef TIERD_METRICS_H
#define TIERD_METRICS_H

#include <systemd/sd-event.h>

#include "base/util.h"
#include "settings/config.h"

struct tierd_manager;
struct tierd_metrics;

/* Clients that are served at a time; more are turned away. */
#define TIERD_METRICS_CLIENTS_MAX 8

/* Nothing goes anywhere before tierd_metrics_configure(). Errors: -ENOMEM. */
int tierd_metrics_new(
	const struct tierd_manager *manager, sd_event *event, struct tierd_metrics **ret);

/* Removes file and socket. */
struct tierd_metrics *tierd_metrics_free(struct tierd_metrics *metrics);
DEFINE_CLEANUP(struct tierd_metrics *, tierd_metrics_free)

/* As the configuration has it from now on. What cannot be had is logged, and left out. */
void tierd_metrics_configure(
	struct tierd_metrics *metrics, const struct tierd_config *config);

#endif
