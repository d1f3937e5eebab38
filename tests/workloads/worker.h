/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_WORKER_H
#define GUPS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "distribution.h"
#include "stream.h"
#include "table.h"

struct gups_workers;

/*
 * Starts n_threads updating threads. With updates above 0 they make exactly so many in
 * all; the last one to end sends end_signal to the thread that called this. Table and
 * distribution stay the caller's and must outlive the workers.
 */
int gups_workers_new(const struct gups_table *t, const struct gups_distribution *d,
	unsigned n_threads, uint64_t updates, int end_signal, struct gups_workers **ret);

/* Stops what still runs. */
struct gups_workers *gups_workers_free(struct gups_workers *w);

/* Updates made so far; a little behind while the threads run. */
uint64_t gups_workers_done(const struct gups_workers *w);
bool gups_workers_have_ended(const struct gups_workers *w);
void gups_workers_change_phase(struct gups_workers *w);

/* Stops all threads; gives when the last one made its last update (CLOCK_MONOTONIC). */
void gups_workers_stop(struct gups_workers *w, uint64_t *ret_end_ns);

/* One entry for each thread, once they are stopped. */
const struct gups_history *gups_workers_histories(const struct gups_workers *w);

uint64_t gups_now_ns(void);

#endif
