/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From protections and faults to samples, on programs whose rates are known: the scanner
 * is played by the test, and each page is touched after a time that is drawn by its rate.
 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/util.h"
#include "sampler/hint-pace.h"
#include "sampler/hint-pass.h"
#include "sampler/hint-tracker.h"

#define PID         4711
#define BASE        UINT64_C(0x7f0000000000)
#define BLOCK_BYTES UINT64_C(0x200000)
#define PAGE_BYTES  UINT64_C(4096)
#define MSEC        UINT64_C(1000000)
#define N_BLOCKS    64
#define STEP_NS     (50 * MSEC)

/* A scanner that takes one block a step through a program. */
struct program {
	struct tierd_hint_tracker *tracker;
	double hot_rate; /* touches a second and page, in the first eighth of its blocks
			  */
	double cold_rate;
	unsigned folios; /* a block: 512, or 1 if its pages are huge */
	uint64_t seed;
	uint64_t now_ns;
	unsigned n_samples[N_BLOCKS];
};

static double next_uniform(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return ((double)(*seed >> 11) + 0.5) / (double)(1ULL << 53);
}

static void scan_block(struct program *program, unsigned block)
{
	uint64_t start = BASE + block * BLOCK_BYTES;
	double rate = (block < N_BLOCKS / 8 ? program->hot_rate : program->cold_rate) *
		      512 / program->folios;

	tierd_hint_tracker_protect(
		program->tracker, PID, start, start + BLOCK_BYTES, program->now_ns);
	for (unsigned i = 0; i < program->folios; i++) {
		double latency_s = -log(next_uniform(&program->seed)) / rate;

		if (latency_s * 1e9 < N_BLOCKS * STEP_NS)
			tierd_hint_tracker_fault(program->tracker, PID,
				start + i * (BLOCK_BYTES / program->folios),
				program->now_ns + (uint64_t)(latency_s * 1e9));
	}
	program->now_ns += STEP_NS;
}

static void scan(struct program *program, unsigned first, unsigned last)
{
	for (unsigned block = first; block < last; block++)
		scan_block(program, block);
}

static unsigned take_all(struct program *program)
{
	uint64_t address;
	unsigned n = 0;
	uint32_t pid;

	tierd_hint_tracker_advance(program->tracker, program->now_ns);
	while (tierd_hint_tracker_take(program->tracker, &pid, &address)) {
		assert_int_equal(pid, PID);
		assert_in_range(address, BASE, BASE + N_BLOCKS * BLOCK_BYTES - 1);
		program->n_samples[(address - BASE) / BLOCK_BYTES]++;
		n++;
	}
	return n;
}

static void program_init(
	struct program *program, double hot_rate, double cold_rate, unsigned folios)
{
	*program = (struct program){
		.hot_rate = hot_rate,
		.cold_rate = cold_rate,
		.folios = folios,
		.seed = 88172645463325252ULL,
		.now_ns = 1000 * MSEC,
	};
	assert_return_code(tierd_hint_tracker_new(&program->tracker), 0);
}

static unsigned sum(const unsigned *counts, unsigned first, unsigned last)
{
	unsigned total = 0;

	for (unsigned i = first; i < last; i++)
		total += counts[i];
	return total;
}

/* ---- A pass -------------------------------------------------------------------- */

static void test_bins(_unused_ void **state)
{
	for (uint64_t ns = 0; ns < UINT64_C(1) << 33; ns += ns / 5 + 1) {
		unsigned bin = tierd_hint_bin(ns);

		assert_in_range(bin, 0, TIERD_HINT_BINS - 1);
		assert_true(tierd_hint_bin_floor(bin) <= ns);
		assert_true(tierd_hint_bin_floor(bin + 1) > ns);
	}
	assert_int_equal(tierd_hint_bin(UINT64_MAX), TIERD_HINT_BINS - 1);
}

static void test_which_faults_count(_unused_ void **state)
{
	static const struct {
		uint64_t address, time_ns;
		int is_hint;
		size_t n_faults; /* afterwards */
	} rows[] = {
		{ BASE, 1000, 1, 1 }, { BASE + PAGE_BYTES - 1, 999, 0, 1 }, /* before */
		{ BASE - 1, 2000, 0, 1 },                                   /* outside */
		{ BASE + 2 * BLOCK_BYTES, 2000, 0, 1 },          /* in between */
		{ BASE + 4 * BLOCK_BYTES, 2000, 0, 1 },          /* not yet */
		{ BASE + 4 * BLOCK_BYTES, 5000, 1, 2 },          /* now */
		{ BASE + 5 * BLOCK_BYTES, 6000, 0, 2 },          /* outside */
		{ BASE, 1000 + TIERD_HINT_WINDOW_NS * 2, 1, 2 }, /* late */
	};
	struct tierd_hint_pass pass;

	tierd_hint_pass_init(&pass);
	assert_int_equal(
		tierd_hint_pass_protect(&pass, BASE, BASE + 2 * BLOCK_BYTES, 1000), 0);
	assert_int_equal(tierd_hint_pass_protect(&pass, BASE + 4 * BLOCK_BYTES,
				 BASE + 5 * BLOCK_BYTES, 4000),
		0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			tierd_hint_pass_fault(&pass, rows[i].address, rows[i].time_ns),
			rows[i].is_hint);
		assert_int_equal(pass.n_faults, rows[i].n_faults);
	}
	assert_int_equal(pass.touched, 3);
	assert_int_equal(pass.bytes, 3 * BLOCK_BYTES);
	assert_int_equal(tierd_hint_pass_protect(&pass, BASE, BASE + 1, 5000), 1);
	tierd_hint_pass_done(&pass);
}

static void test_huge_page_weighs_as_much_as_a_block(_unused_ void **state)
{
	double weights[TIERD_HINT_BINS] = { 0 };
	struct tierd_hint_pass pass;

	tierd_hint_pass_init(&pass);
	tierd_hint_pass_protect(&pass, BASE, BASE + 2 * BLOCK_BYTES, 0);
	for (unsigned i = 0; i < 512; i++)
		tierd_hint_pass_fault(&pass, BASE + i * PAGE_BYTES, 100 * MSEC);
	tierd_hint_pass_fault(&pass, BASE + BLOCK_BYTES, MSEC);
	assert_return_code(tierd_hint_pass_weigh(&pass, weights), 0);
	assert_float_equal(weights[tierd_hint_bin(100 * MSEC)], 1, 1e-9);
	assert_float_equal(weights[tierd_hint_bin(MSEC)], 1, 1e-9);
	assert_int_equal(tierd_hint_cut(weights), tierd_hint_bin(MSEC) + 1);
	tierd_hint_pass_done(&pass);
}

/* What is forgotten for lack of room are the slow ones, all of them. */
static void test_too_many_faults(_unused_ void **state)
{
	struct tierd_hint_pass pass;

	tierd_hint_pass_init(&pass);
	tierd_hint_pass_protect(
		&pass, BASE, BASE + 2 * TIERD_HINT_FAULTS_MAX * PAGE_BYTES, 0);
	for (uint64_t i = 0; i <= TIERD_HINT_FAULTS_MAX; i++)
		tierd_hint_pass_fault(
			&pass, BASE + i * PAGE_BYTES, i % 4 ? 500 * MSEC : 10 * MSEC);
	assert_int_equal(pass.n_faults, TIERD_HINT_FAULTS_MAX / 4 + 1);
	assert_int_equal(pass.n_bins, tierd_hint_bin(500 * MSEC));
	assert_int_equal(tierd_hint_pass_fault(&pass, BASE, 500 * MSEC), 1);
	assert_int_equal(pass.n_faults, TIERD_HINT_FAULTS_MAX / 4 + 1);
	tierd_hint_pass_done(&pass);
}

/* ---- Programs ------------------------------------------------------------------ */

static void check_hot_is_told(double hot_rate, double cold_rate, unsigned folios)
{
	struct program program;
	unsigned hot, cold;

	program_init(&program, hot_rate, cold_rate, folios);
	for (unsigned pass = 0; pass < 4; pass++) {
		scan(&program, 0, N_BLOCKS);
		take_all(&program);
	}
	hot = sum(program.n_samples, 0, N_BLOCKS / 8);
	cold = sum(program.n_samples, N_BLOCKS / 8, N_BLOCKS);
	assert_true(hot >= 3 * N_BLOCKS / 8 / 2);
	/* A hot block has six times a cold one's, at least. */
	assert_true(hot * 7 >= cold * 6);
	tierd_hint_tracker_free(program.tracker);
}

static void test_hot_is_told_from_cold(_unused_ void **state)
{
	check_hot_is_told(5, 0.1, 512);
	check_hot_is_told(5, 0.1, 1);
	check_hot_is_told(0.5, 0.005, 512);
}

/* Where all is alike, what differs is chance: the counts are Poisson or less. */
static void test_uniform_is_even(_unused_ void **state)
{
	struct program program;
	double mean, chi = 0;

	program_init(&program, 2, 2, 512);
	for (unsigned pass = 0; pass < 3; pass++) {
		scan(&program, 0, N_BLOCKS);
		take_all(&program);
	}
	mean = sum(program.n_samples, 0, N_BLOCKS) / (double)N_BLOCKS;
	assert_true(mean > 50);
	for (unsigned i = 0; i < N_BLOCKS; i++)
		chi += pow(program.n_samples[i] - mean, 2) / mean;
	assert_true(chi < N_BLOCKS + 4 * sqrt(2 * N_BLOCKS));
	tierd_hint_tracker_free(program.tracker);
}

/* Nothing comes before a pass is over and its last window has passed. */
static void test_whole_passes_only(_unused_ void **state)
{
	struct tierd_hint_stats stats;
	struct program program;

	program_init(&program, 5, 0.1, 512);
	scan(&program, N_BLOCKS / 2, N_BLOCKS); /* where the scanner happened to be */
	scan(&program, 0, N_BLOCKS);
	assert_int_equal(take_all(&program), 0);
	tierd_hint_tracker_get_stats(program.tracker, &stats);
	assert_int_equal(stats.period, 0);

	scan(&program, 0, 1);
	assert_int_equal(take_all(&program), 0);
	scan(&program, 1, N_BLOCKS * 3 / 4);
	assert_true(take_all(&program) > 0);
	tierd_hint_tracker_get_stats(program.tracker, &stats);
	assert_int_equal(stats.passes, 1);
	assert_int_equal(stats.pass_ns, N_BLOCKS * STEP_NS);
	assert_int_equal(stats.step_ns, STEP_NS);
	assert_int_equal(
		stats.period, llround((double)stats.pass_ns / (double)stats.window_ns));
	assert_int_equal(stats.largest_bytes, N_BLOCKS * BLOCK_BYTES);
	tierd_hint_tracker_free(program.tracker);
}

/* What is taken first is no corner of the pass. */
static void test_part_is_even(_unused_ void **state)
{
	struct program program;
	uint64_t address;
	uint32_t pid;

	program_init(&program, 5, 5, 512);
	scan(&program, 0, N_BLOCKS);
	scan(&program, 0, N_BLOCKS);
	tierd_hint_tracker_advance(program.tracker, program.now_ns);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(
			tierd_hint_tracker_take(program.tracker, &pid, &address), 1);
		program.n_samples[(address - BASE) / BLOCK_BYTES]++;
	}
	for (unsigned i = 0; i < N_BLOCKS; i += 8)
		assert_in_range(sum(program.n_samples, i, i + 8), 80, 170);
	tierd_hint_tracker_free(program.tracker);
}

static void test_process_that_ends(_unused_ void **state)
{
	struct program program;

	program_init(&program, 5, 5, 512);
	scan(&program, 0, N_BLOCKS);
	scan(&program, 0, N_BLOCKS);
	tierd_hint_tracker_advance(program.tracker, program.now_ns);
	tierd_hint_tracker_forget(program.tracker, PID);
	assert_int_equal(take_all(&program), 0);
	/* Another of its number begins anew. */
	scan(&program, 0, N_BLOCKS);
	assert_int_equal(take_all(&program), 0);
	tierd_hint_tracker_free(program.tracker);
}

/* Others that are scanned as well, and are small and quick, do not set the window. */
static void test_small_processes_have_no_say(_unused_ void **state)
{
	struct tierd_hint_stats alone, among;
	struct program program;

	program_init(&program, 5, 0.1, 512);
	scan(&program, 0, N_BLOCKS);
	scan(&program, 0, N_BLOCKS);
	take_all(&program);
	tierd_hint_tracker_get_stats(program.tracker, &alone);
	for (uint32_t pid = 1; pid <= 50; pid++)
		for (unsigned pass = 0; pass < 3; pass++) {
			tierd_hint_tracker_protect(program.tracker, pid, BASE,
				BASE + PAGE_BYTES, program.now_ns);
			tierd_hint_tracker_fault(
				program.tracker, pid, BASE, program.now_ns + 1000);
		}
	program.now_ns += 2 * TIERD_HINT_WINDOW_NS;
	tierd_hint_tracker_advance(program.tracker, program.now_ns);
	tierd_hint_tracker_get_stats(program.tracker, &among);
	assert_int_equal(among.passes, alone.passes);
	assert_int_equal(among.pass_ns, alone.pass_ns);
	assert_int_equal(among.window_ns, alone.window_ns);
	tierd_hint_tracker_free(program.tracker);
}

/* ---- The pace ------------------------------------------------------------------ */

static void test_pace(_unused_ void **state)
{
	static const struct {
		uint64_t faults_per_s;
		double faults_per_mib;
		uint64_t step_ms, largest_mib;
		unsigned scan_mib, period_ms;
	} rows[] = {
		{ 20000, 200, 200, 1024, 20, 10240 },
		/* The kernel goes on at its steps: they become smaller. */
		{ 2000, 200, 200, 1024, 2, 102400 },
		{ 2000, 200, 1000, 1024, 10, 102400 },
		/* Huge pages: as fast as it goes, which is in four seconds. */
		{ 20000, 0.5, 200, 1024, 51, 4000 },
		/* Never 0, by which the kernel would divide. */
		{ 0, 200, 200, 1024, 1, 86400000 },
	};
	struct tierd_hint_pace first = tierd_hint_pace_first(UINT64_C(4) << 30);

	assert_int_equal(first.period_ms, 8000);
	first = tierd_hint_pace_first(UINT64_C(1) << 40);
	assert_int_equal(first.period_ms, 2048000);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct tierd_hint_stats stats = {
			.passes = 1,
			.faults_per_mib = rows[i].faults_per_mib,
			.step_ns = rows[i].step_ms * MSEC,
			.largest_bytes = rows[i].largest_mib << 20,
		};
		struct tierd_hint_pace pace =
			tierd_hint_pace_for(rows[i].faults_per_s, &stats);

		assert_int_equal(pace.scan_mib, rows[i].scan_mib);
		assert_int_equal(pace.period_ms, rows[i].period_ms);
	}
	assert_false(tierd_hint_pace_differs(&(struct tierd_hint_pace){ 100, 10000 },
		&(struct tierd_hint_pace){ 90, 9000 }));
	assert_true(tierd_hint_pace_differs(&(struct tierd_hint_pace){ 100, 10000 },
		&(struct tierd_hint_pace){ 50, 10000 }));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bins),
		cmocka_unit_test(test_which_faults_count),
		cmocka_unit_test(test_huge_page_weighs_as_much_as_a_block),
		cmocka_unit_test(test_too_many_faults),
		cmocka_unit_test(test_hot_is_told_from_cold),
		cmocka_unit_test(test_uniform_is_even),
		cmocka_unit_test(test_whole_passes_only),
		cmocka_unit_test(test_part_is_even),
		cmocka_unit_test(test_process_that_ends),
		cmocka_unit_test(test_small_processes_have_no_say),
		cmocka_unit_test(test_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
