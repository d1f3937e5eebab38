/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verifier against harmed memory: real threads update a table, a page is then broken
 * in each of the ways a faulty migration could break it, and the verdict must name that
 * page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>

#include "base/util.h"
#include "place.h"
#include "verify.h"
#include "worker.h"

#define PAGES   257
#define THREADS 3
#define SEED    9
#define UPDATES 100001
#define HURT    100
#define OTHER   200
#define PAGE(p) ((char *)gups_table_page(&w->table, (p)))
#define WORD(p) ((uint64_t *)gups_table_page(&w->table, (p)))

struct world {
	struct gups_distribution distribution;
	struct gups_table table;
	struct gups_history histories[THREADS];
	char earlier[GUPS_PAGE_BYTES];
};

/* Makes one thread's updates, the last half of them in phase 1. */
static void make_updates(struct world *w, unsigned thread)
{
	struct gups_history *h = &w->histories[thread];
	uint64_t words[GUPS_STREAM_CHUNK];
	struct gups_stream stream;

	*h = (struct gups_history){ .updates = UPDATES, .phase_after = UPDATES / 2 };
	gups_stream_init(&stream, &w->distribution, SEED, thread, THREADS);
	for (uint64_t done = 0, n; done < UPDATES; done += n) {
		uint64_t left = (done < h->phase_after ? h->phase_after : UPDATES) - done;

		n = TIER_MIN(left, (uint64_t)100);
		gups_stream_next(&stream, done >= h->phase_after, n, words);
		for (size_t i = 0; i < n; i++)
			w->table.words[words[i]]++;
	}
}

static int setup(void **state)
{
	struct gups_distribution_config c = {
		.kind = GUPS_KIND_ZIPF,
		.pages = PAGES,
		.hot_pages = 20,
		.zipf_exponent = 0.5,
		.scatter = true,
		.seed = SEED,
	};
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	gups_distribution_init(&w->distribution, &c);
	assert_int_equal(gups_table_map(PAGES, SEED, GUPS_HUGE_DEFAULT, &w->table), 0);
	gups_place_first_touch(&w->table);
	make_updates(w, 0);
	make_updates(w, 1);
	memcpy(w->earlier, PAGE(HURT), GUPS_PAGE_BYTES);
	make_updates(w, 2);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	gups_table_done(&w->table);
	free(w);
	return 0;
}

static struct gups_verdict verdict_of(const struct world *w)
{
	struct gups_verdict v;

	assert_int_equal(
		gups_verify(&w->table, &w->distribution, w->histories, THREADS, &v), 0);
	assert_int_equal(v.pages, PAGES);
	assert_int_equal(v.made, THREADS * UPDATES);
	return v;
}

static void assert_hurt(const struct world *w, enum gups_fault_kind kind)
{
	struct gups_verdict v = verdict_of(w);

	assert_int_equal(v.errors, 1);
	assert_int_equal(v.n_faults, 1);
	assert_int_equal(v.faults[0].page, HURT);
	assert_int_equal(v.faults[0].kind, kind);
	assert_int_not_equal(v.faults[0].found, 0);
}

static void sound(void **state)
{
	struct gups_verdict v = verdict_of(*state);

	assert_int_equal(v.errors, 0);
	assert_int_equal(v.n_faults, 0);
	assert_int_equal(v.counted, v.made);
}

static void zeroed(void **state)
{
	struct world *w = *state;

	memset(PAGE(HURT), 0, GUPS_PAGE_BYTES);
	assert_hurt(w, GUPS_FAULT_ZEROED);
}

static void another_page_in_its_place(void **state)
{
	struct world *w = *state;

	memcpy(PAGE(HURT), PAGE(OTHER), GUPS_PAGE_BYTES);
	assert_hurt(w, GUPS_FAULT_FOREIGN);
}

static void half_another_page(void **state)
{
	struct world *w = *state;

	memcpy(PAGE(HURT) + GUPS_PAGE_BYTES / 2, PAGE(OTHER) + GUPS_PAGE_BYTES / 2,
		GUPS_PAGE_BYTES / 2);
	assert_hurt(w, GUPS_FAULT_FOREIGN);
}

static void shifted_by_one_word(void **state)
{
	struct world *w = *state;

	memmove(PAGE(HURT) + 8, PAGE(HURT), GUPS_PAGE_BYTES - 8);
	assert_hurt(w, GUPS_FAULT_FOREIGN);
}

static void one_bit_of_a_tag(void **state)
{
	struct world *w = *state;

	WORD(HURT)[17] ^= UINT64_C(1) << 63;
	assert_hurt(w, GUPS_FAULT_FOREIGN);
}

static void an_earlier_copy(void **state)
{
	struct world *w = *state;

	memcpy(PAGE(HURT), w->earlier, GUPS_PAGE_BYTES);
	assert_hurt(w, GUPS_FAULT_COUNT);
}

static void one_update_lost(void **state)
{
	struct world *w = *state;
	uint64_t i = 0;

	while ((WORD(HURT)[i] & 0xff) == 0)
		i++;
	WORD(HURT)[i]--;
	assert_hurt(w, GUPS_FAULT_COUNT);
}

static void one_update_twice(void **state)
{
	struct world *w = *state;

	WORD(HURT)[3]++;
	assert_hurt(w, GUPS_FAULT_COUNT);
}

static void all_kinds_at_once(void **state)
{
	struct world *w = *state;
	struct gups_verdict v;

	memset(PAGE(1), 0, GUPS_PAGE_BYTES);
	memcpy(PAGE(2), PAGE(OTHER), GUPS_PAGE_BYTES);
	WORD(3)[0]++;
	v = verdict_of(w);
	assert_int_equal(v.errors, 3);
	assert_int_equal(v.faults[0].page, 1);
	assert_int_equal(v.faults[0].kind, GUPS_FAULT_ZEROED);
	assert_int_equal(v.faults[1].page, 2);
	assert_int_equal(v.faults[1].kind, GUPS_FAULT_FOREIGN);
	assert_int_equal(v.faults[2].page, 3);
	assert_int_equal(v.faults[2].kind, GUPS_FAULT_COUNT);
	assert_int_equal(v.faults[2].found, v.faults[2].expected + 1);
}

static void more_faults_than_are_listed(void **state)
{
	struct world *w = *state;
	struct gups_verdict v;

	memset(PAGE(0), 0, PAGES * GUPS_PAGE_BYTES);
	v = verdict_of(w);
	assert_int_equal(v.errors, PAGES);
	assert_int_equal(v.n_faults, GUPS_FAULTS_MAX);
}

/* Threads that run at the same time make exactly the updates asked for, phase and all. */
static void real_threads(void **state)
{
	struct world *w = *state;
	struct gups_workers *workers;
	struct gups_verdict v;
	sigset_t set;
	uint64_t end_ns;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	gups_place_first_touch(&w->table);
	assert_int_equal(gups_workers_new(&w->table, &w->distribution, THREADS, 3000002,
				 SIGUSR2, &workers),
		0);
	while (gups_workers_done(workers) < 1000000)
		;
	gups_workers_change_phase(workers);
	assert_int_equal(sigwait(&set, &sig), 0);
	assert_true(gups_workers_have_ended(workers));
	gups_workers_stop(workers, &end_ns);
	memcpy(w->histories, gups_workers_histories(workers), sizeof(w->histories));
	assert_int_equal(gups_workers_done(workers), 3000002);
	gups_workers_free(workers);

	assert_int_equal(
		gups_verify(&w->table, &w->distribution, w->histories, THREADS, &v), 0);
	assert_int_equal(v.errors, 0);
	assert_int_equal(v.made, 3000002);
	assert_true(w->histories[0].phase_after < 1000001);
	/* The replay must agree too, not only the sum. */
	WORD(HURT)[5]++;
	assert_int_equal(
		gups_verify(&w->table, &w->distribution, w->histories, THREADS, &v), 0);
	assert_int_equal(v.errors, 1);
	assert_int_equal(v.faults[0].page, HURT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sound),
		TEST(zeroed),
		TEST(another_page_in_its_place),
		TEST(half_another_page),
		TEST(shifted_by_one_word),
		TEST(one_bit_of_a_tag),
		TEST(an_earlier_copy),
		TEST(one_update_lost),
		TEST(one_update_twice),
		TEST(all_kinds_at_once),
		TEST(more_faults_than_are_listed),
		TEST(real_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
