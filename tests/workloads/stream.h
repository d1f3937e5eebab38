/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_STREAM_H
#define GUPS_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "distribution.h"

#define GUPS_STREAM_CHUNK 256
#define GUPS_THREADS_MAX  64

struct gups_stream {
	const struct gups_distribution *distribution;
	struct gups_rng pages;
	struct gups_rng words;
	uint64_t first_word;
	uint64_t n_words;
};

/* What a thread did: enough to draw the same updates again. */
struct gups_history {
	uint64_t updates;
	uint64_t
		phase_after; /* updates made in phase 0; UINT64_MAX: phase 1 never came */
};

/* The distribution stays the caller's and must outlive the stream. */
void gups_stream_init(struct gups_stream *s, const struct gups_distribution *d,
	uint64_t seed, unsigned thread, unsigned n_threads);

/* The next n words of the table, n at most GUPS_STREAM_CHUNK. */
void gups_stream_next(
	struct gups_stream *s, unsigned phase, size_t n, uint64_t *ret_words);

#endif
