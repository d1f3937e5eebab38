/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads that update. The loop is one load, one add and one store per update on
 * words drawn a chunk ahead; the stop flag, the phase and the published count are looked
 * at once per batch, and no system call is made before the end.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <time.h>

#include "base/util.h"
#include "worker.h"

#define BATCH (16 * GUPS_STREAM_CHUNK)

struct worker {
	alignas(64) atomic_uint_fast64_t done;
	struct gups_workers *all;
	struct gups_stream stream;
	uint64_t quota;
	uint64_t end_ns;
	pthread_t thread;
};

struct gups_workers {
	alignas(64) atomic_bool stop;
	atomic_uint phase;
	alignas(64) atomic_uint n_running;
	uint64_t *words;
	int end_signal;
	pthread_t starter;
	unsigned n;
	bool joined;
	struct gups_history histories[GUPS_THREADS_MAX];
	struct worker workers[GUPS_THREADS_MAX];
};

uint64_t gups_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static void update(
	struct gups_stream *stream, uint64_t *table, unsigned phase, uint64_t n)
{
	uint64_t words[GUPS_STREAM_CHUNK];

	while (n > 0) {
		size_t chunk = TIER_MIN(n, (uint64_t)GUPS_STREAM_CHUNK);

		gups_stream_next(stream, phase, chunk, words);
		for (size_t i = 0; i < chunk; i++)
			table[words[i]]++;
		n -= chunk;
	}
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct gups_workers *all = w->all;
	struct gups_history history = { .phase_after = UINT64_MAX };

	while (history.updates < w->quota && !atomic_load(&all->stop)) {
		uint64_t n = TIER_MIN(w->quota - history.updates, (uint64_t)BATCH);
		unsigned phase = atomic_load(&all->phase);

		if (phase > 0 && history.phase_after == UINT64_MAX)
			history.phase_after = history.updates;
		update(&w->stream, all->words, phase, n);
		history.updates += n;
		atomic_store_explicit(&w->done, history.updates, memory_order_relaxed);
	}
	w->end_ns = gups_now_ns();
	all->histories[w - all->workers] = history;
	if (atomic_fetch_sub(&all->n_running, 1) == 1)
		pthread_kill(all->starter, all->end_signal);
	return NULL;
}

static uint64_t share_of(uint64_t updates, unsigned thread, unsigned n_threads)
{
	if (updates == 0)
		return UINT64_MAX;
	return updates / n_threads + (thread < updates % n_threads);
}

static int start_all(struct gups_workers *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		int r = pthread_create(
			&w->workers[i].thread, NULL, worker_main, &w->workers[i]);

		if (r != 0) {
			w->n = i;
			return -r;
		}
	}
	return 0;
}

int gups_workers_new(const struct gups_table *t, const struct gups_distribution *d,
	unsigned n_threads, uint64_t updates, int end_signal, struct gups_workers **ret)
{
	struct gups_workers *w;
	int r;

	w = aligned_alloc(alignof(struct gups_workers), sizeof(*w));
	if (!w)
		return -ENOMEM;
	*w = (struct gups_workers){
		.n_running = n_threads,
		.words = t->words,
		.end_signal = end_signal,
		.starter = pthread_self(),
		.n = n_threads,
	};
	for (unsigned i = 0; i < n_threads; i++) {
		w->workers[i].all = w;
		w->workers[i].quota = share_of(updates, i, n_threads);
		gups_stream_init(&w->workers[i].stream, d, t->seed, i, n_threads);
	}
	r = start_all(w);
	if (r < 0) {
		gups_workers_free(w);
		return r;
	}
	*ret = w;
	return 0;
}

static void join_all(struct gups_workers *w)
{
	if (w->joined)
		return;
	atomic_store(&w->stop, true);
	for (unsigned i = 0; i < w->n; i++)
		pthread_join(w->workers[i].thread, NULL);
	w->joined = true;
}

struct gups_workers *gups_workers_free(struct gups_workers *w)
{
	if (w) {
		join_all(w);
		free(w);
	}
	return NULL;
}

uint64_t gups_workers_done(const struct gups_workers *w)
{
	uint64_t done = 0;

	for (unsigned i = 0; i < w->n; i++)
		done += atomic_load_explicit(&w->workers[i].done, memory_order_relaxed);
	return done;
}

bool gups_workers_have_ended(const struct gups_workers *w)
{
	return atomic_load(&w->n_running) == 0;
}

void gups_workers_change_phase(struct gups_workers *w)
{
	atomic_store(&w->phase, 1);
}

void gups_workers_stop(struct gups_workers *w, uint64_t *ret_end_ns)
{
	uint64_t end_ns = 0;

	join_all(w);
	for (unsigned i = 0; i < w->n; i++)
		end_ns = TIER_MAX(end_ns, w->workers[i].end_ns);
	*ret_end_ns = end_ns;
}

const struct gups_history *gups_workers_histories(const struct gups_workers *w)
{
	return w->histories;
}
