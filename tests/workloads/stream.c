/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sequence of words one thread updates. Every thread visits all pages but owns whole
 * cache lines of each, so threads neither race nor share a line. Pages and words are
 * drawn from separate generators: the sequence is then the same however it is cut into
 * chunks, and a run can be replayed from its seed and its number of updates.
 */
#include <assert.h>

#include "base/util.h"
#include "stream.h"
#include "table.h"

#define LINE_WORDS 8
#define PAGE_LINES (GUPS_PAGE_WORDS / LINE_WORDS)

void gups_stream_init(struct gups_stream *s, const struct gups_distribution *d,
	uint64_t seed, unsigned thread, unsigned n_threads)
{
	uint64_t lines = PAGE_LINES / n_threads;

	assert(n_threads >= 1 && n_threads <= GUPS_THREADS_MAX && thread < n_threads);

	*s = (struct gups_stream){
		.distribution = d,
		.first_word = thread * lines * LINE_WORDS,
		.n_words = lines * LINE_WORDS,
	};
	gups_rng_init(&s->pages, seed, 2 * (uint64_t)thread);
	gups_rng_init(&s->words, seed, 2 * (uint64_t)thread + 1);
}

void gups_stream_next(
	struct gups_stream *s, unsigned phase, size_t n, uint64_t *ret_words)
{
	assert(n <= GUPS_STREAM_CHUNK);

	gups_distribution_draw(s->distribution, &s->pages, phase, n, ret_words);
	for (size_t i = 0; i < n; i++)
		ret_words[i] = ret_words[i] * GUPS_PAGE_WORDS + s->first_word +
			       gups_rng_below(&s->words, s->n_words);
}
