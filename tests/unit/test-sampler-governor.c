/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The governor against a simulated daemon: a loop with a tick, a ring that wakes it, a
 * program that offers samples, and costs that the governor has to find out. Whatever is
 * offered, no minute takes more than the cap and a fifth, and samples keep coming.
 */
#include <math.h>
#include <string.h>

#include "unit.h"

#include "base/util.h"
#include "sampler/governor.h"
#include "sampler/rate.h"

#define NS_PER_SEC UINT64_C(1000000000)
#define TICK_NS    (NS_PER_SEC / 4)
#define STEP_NS    (NS_PER_SEC / 100)
#define MINUTE     6000 /* steps */

#define DRAIN_MAX 65536
#define DRAIN_MIN 64
#define RING      8192 /* records; its reader is woken when it is half full */

static const struct tierd_rate_bounds bounds = { 20, UINT64_C(1) << 32, 1 };

struct world {
	/* What it is like. */
	uint64_t cap_ppm;
	double record_ns; /* to tierd */
	double tick_cpu_ns;
	double accesses_per_s;
	uint64_t wanted_per_s;
	bool has_fixed_period; /* which the sampler cannot change */

	/* How it is. */
	struct tierd_governor governor;
	struct tierd_governor_seen seen; /* since the last tick */
	uint64_t period;
	double waiting; /* records in the ring */
	uint64_t offered_in_tick;
	uint64_t next_tick_ns;
	uint64_t offered, drained, lost;
	double cpu_ns;
	double cpu_in_minute[MINUTE]; /* a step each, round and round */
	double worst_minute_ns;
};

static void begin(struct world *w)
{
	const struct tierd_governor_caps caps = { w->cap_ppm, TIERD_GOVERNOR_NO_CAP,
		UINT64_MAX };

	tierd_governor_init(&w->governor, &caps);
	w->period = 20;
}

static void use_cpu(struct world *w, double ns)
{
	w->cpu_ns += ns;
	w->seen.cpu_ns += (uint64_t)ns;
}

/* The least of a tick: what is owed to sampling, and what it takes to notice anything. */
static unsigned least_of_tick(const struct world *w)
{
	return TIER_MAX(
		tierd_governor_least(&w->governor, w->seen.wall_ns), (unsigned)DRAIN_MIN);
}

static void drain(struct world *w, unsigned least)
{
	unsigned n = TIER_MAX(tierd_governor_records(&w->governor, w->seen.wall_ns,
				      w->seen.cpu_ns, DRAIN_MAX),
		least);

	n = (unsigned)fmin(n, w->waiting);
	w->waiting -= n;
	w->drained += n;
	w->seen.records += n;
	w->seen.drain_cpu_ns += (uint64_t)(n * w->record_ns);
	use_cpu(w, n * w->record_ns);
}

static void offer(struct world *w)
{
	double n = w->accesses_per_s * STEP_NS / NS_PER_SEC / (double)w->period;
	double taken = fmin(n, RING - w->waiting);

	w->waiting += taken;
	w->offered += (uint64_t)n;
	w->offered_in_tick += (uint64_t)n;
	w->lost += (uint64_t)(n - taken);
	if (w->waiting >= RING / 2)
		drain(w, 0);
}

static void tick(struct world *w, uint64_t now_ns)
{
	enum tierd_governor_limit limit;
	struct tierd_rate_seen seen;
	uint64_t rate;

	drain(w, least_of_tick(w));
	use_cpu(w, w->tick_cpu_ns);
	tierd_governor_account(&w->governor, &w->seen);
	rate = tierd_governor_rate(&w->governor, w->wanted_per_s, 0, &limit);
	seen = (struct tierd_rate_seen){ w->offered_in_tick, w->seen.wall_ns, false };
	if (!w->has_fixed_period)
		w->period = tierd_rate_next(&bounds, w->period, rate, &seen);
	w->offered_in_tick = 0;
	w->seen = (struct tierd_governor_seen){ 0 };
	w->next_tick_ns = now_ns + tierd_governor_tick_ns(&w->governor, TICK_NS);
}

/* Every minute counts, whenever it begins. */
static void run(struct world *w, unsigned seconds)
{
	double in_minute = 0;

	for (size_t step = 0; step < seconds * (NS_PER_SEC / STEP_NS); step++) {
		double before = w->cpu_ns, *slot = &w->cpu_in_minute[step % MINUTE];

		w->seen.wall_ns += STEP_NS;
		offer(w);
		if (step * STEP_NS >= w->next_tick_ns)
			tick(w, step * STEP_NS);
		in_minute += w->cpu_ns - before - *slot;
		*slot = w->cpu_ns - before;
		w->worst_minute_ns = fmax(w->worst_minute_ns, in_minute);
	}
}

static void assert_cap_held(const struct world *w)
{
	double cap_ns = 60.0 * NS_PER_SEC * w->cap_ppm / TIERD_GOVERNOR_PER_CPU;

	if (w->worst_minute_ns > 1.2 * cap_ns)
		fail_msg("%.0f ms in a minute, and the cap is %.0f",
			w->worst_minute_ns / 1e6, cap_ns / 1e6);
}

/* Samples a second that the cap has room for beside the ticks. */
static double room(const struct world *w)
{
	return (w->cap_ppm * 1000.0 - w->tick_cpu_ns * 4) / w->record_ns;
}

static void test_ten_times_what_it_can_take(_unused_ void **state)
{
	static const struct {
		uint64_t cap_ppm;
		double record_ns;
		double tick_cpu_ns;
	} rows[] = {
		{ 10000, 100, 500000 },
		{ 10000, 1000, 500000 },
		{ 50000, 2000, 5000000 },
		{ 200000, 150, 1000000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int is_fixed = 0; is_fixed <= 1; is_fixed++) {
			struct world w = {
				.cap_ppm = rows[i].cap_ppm,
				.record_ns = rows[i].record_ns,
				.tick_cpu_ns = rows[i].tick_cpu_ns,
				.has_fixed_period = is_fixed,
			};

			w.accesses_per_s = 20 * 10 * room(&w);
			w.wanted_per_s = (uint64_t)(10 * room(&w));
			begin(&w);
			run(&w, 180);
			assert_cap_held(&w);
			assert_true(w.drained / 180.0 > 0.6 * room(&w));
			/* What is offered follows where it can. */
			if (!is_fixed)
				assert_true(w.offered / 180.0 < 1.3 * room(&w));
			else
				assert_true(w.lost > w.drained);
		}
}

static void test_ticks_alone_are_too_dear(_unused_ void **state)
{
	struct world w = {
		.cap_ppm = 10000,
		.record_ns = 200,
		.tick_cpu_ns = 8e6, /* 3.2 % */
		.accesses_per_s = 1e6,
		.wanted_per_s = 20000,
	};

	begin(&w);
	run(&w, 180);
	assert_cap_held(&w);
	assert_true(w.drained / 180.0 > 1000);
}

/* Work that cannot be put off takes all of the cap: sampling goes on. */
static void test_sampling_is_not_starved(_unused_ void **state)
{
	struct world w = {
		.cap_ppm = 10000,
		.record_ns = 1000,
		.tick_cpu_ns = 22e6, /* with a tick every two seconds 1.1 % */
		.accesses_per_s = 1e6,
		.wanted_per_s = 20000,
	};

	begin(&w);
	run(&w, 300);
	assert_true(w.drained / 300.0 > 1000);
}

/* The first look at a large machine cannot be put off; it is paid back, in time. */
static void test_a_debt_is_paid_and_forgotten(_unused_ void **state)
{
	struct world w = {
		.cap_ppm = 10000,
		.record_ns = 200,
		.tick_cpu_ns = 5e5,
		.accesses_per_s = 1e6,
		.wanted_per_s = 20000,
	};
	uint64_t before;

	begin(&w);
	use_cpu(&w, 5e9);
	run(&w, 5);
	assert_true(tierd_governor_tick_ns(&w.governor, TICK_NS) == 8 * TICK_NS);
	before = w.drained;
	run(&w, 30);
	assert_true(w.drained > before);
	run(&w, 10);
	assert_int_equal(tierd_governor_tick_ns(&w.governor, TICK_NS), TICK_NS);
}

static void test_far_from_the_cap_nothing_is_held_back(_unused_ void **state)
{
	struct world w = {
		.cap_ppm = 100000,
		.record_ns = 100,
		.tick_cpu_ns = 1e6,
		.accesses_per_s = 1e8,
		.wanted_per_s = 20000,
	};
	enum tierd_governor_limit limit;

	begin(&w);
	w.period = 5000;
	run(&w, 30);
	assert_int_equal(w.lost, 0);
	assert_true(w.offered / 30.0 > 15000);
	assert_int_equal(tierd_governor_rate(&w.governor, 20000, 0, &limit), 20000);
	assert_int_equal(limit, TIERD_GOVERNOR_LIMIT_NONE);
	assert_int_equal(tierd_governor_tick_ns(&w.governor, TICK_NS), TICK_NS);
	/* And at once when there is something to learn again. */
	assert_int_equal(tierd_governor_rate(&w.governor, 200000, 0, &limit), 200000);
}

static void test_without_caps(_unused_ void **state)
{
	const struct tierd_governor_caps caps = { TIERD_GOVERNOR_NO_CAP,
		TIERD_GOVERNOR_NO_CAP, UINT64_MAX };
	const struct tierd_governor_seen dear = { NS_PER_SEC, NS_PER_SEC, NS_PER_SEC / 2,
		1000 };
	enum tierd_governor_limit limit;
	struct tierd_governor governor;

	tierd_governor_init(&governor, &caps);
	for (int i = 0; i < 100; i++)
		tierd_governor_account(&governor, &dear);
	assert_int_equal(
		tierd_governor_records(&governor, 0, NS_PER_SEC, DRAIN_MAX), DRAIN_MAX);
	assert_int_equal(
		tierd_governor_rate(&governor, 10000000, 2000, &limit), 10000000);
	assert_int_equal(limit, TIERD_GOVERNOR_LIMIT_NONE);
	assert_int_equal(tierd_governor_tick_ns(&governor, TICK_NS), TICK_NS);
	assert_int_equal(tierd_governor_work_ns(&governor, 12345678, TICK_NS), 12345678);
}

static void test_what_binds(_unused_ void **state)
{
	static const struct {
		struct tierd_governor_caps caps;
		uint64_t cost_ns;
		uint64_t rate;
		enum tierd_governor_limit limit;
	} rows[] = {
		/* 5 % of a CPU at 2 µs each. */
		{ { UINT64_MAX, 50000, UINT64_MAX }, 2000, 25000,
			TIERD_GOVERNOR_LIMIT_OVERHEAD },
		{ { UINT64_MAX, 50000, 24000 }, 2000, 24000,
			TIERD_GOVERNOR_LIMIT_KERNEL },
		{ { UINT64_MAX, 50000, 26000 }, 0, 26000, TIERD_GOVERNOR_LIMIT_KERNEL },
		{ { UINT64_MAX, 50000, UINT64_MAX }, 300, 30000,
			TIERD_GOVERNOR_LIMIT_NONE },
		/* A little is sampled whatever it costs. */
		{ { UINT64_MAX, 1000, UINT64_MAX }, 1000000, 100,
			TIERD_GOVERNOR_LIMIT_OVERHEAD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum tierd_governor_limit limit;
		struct tierd_governor governor;

		tierd_governor_init(&governor, &rows[i].caps);
		assert_int_equal(
			tierd_governor_rate(&governor, 30000, rows[i].cost_ns, &limit),
			rows[i].rate);
		assert_int_equal(limit, rows[i].limit);
	}
}

/* A cap that comes by a reload does not begin with a debt, nor forget one. */
static void test_caps_change(_unused_ void **state)
{
	const struct tierd_governor_caps none = { TIERD_GOVERNOR_NO_CAP,
		TIERD_GOVERNOR_NO_CAP, UINT64_MAX };
	const struct tierd_governor_caps low = { 10000, TIERD_GOVERNOR_NO_CAP,
		UINT64_MAX };
	const struct tierd_governor_seen dear = { NS_PER_SEC, NS_PER_SEC / 2, 0, 0 };
	struct tierd_governor governor;

	tierd_governor_init(&governor, &none);
	tierd_governor_account(&governor, &dear);
	tierd_governor_set_caps(&governor, &low);
	assert_true(tierd_governor_records(&governor, 0, 0, DRAIN_MAX) > 0);
	tierd_governor_account(&governor, &dear);
	tierd_governor_set_caps(&governor, &low);
	assert_int_equal(tierd_governor_records(&governor, 0, 0, DRAIN_MAX), 0);
	assert_true(tierd_governor_work_ns(&governor, TICK_NS, TICK_NS) < TICK_NS / 100);
	assert_true(tierd_governor_work_ns(&governor, TICK_NS, TICK_NS) > 0);
}

static void test_names(_unused_ void **state)
{
	for (int i = 0; i < TIERD_GOVERNOR_LIMIT_MAX; i++)
		assert_non_null(tierd_governor_limit_to_string(i));
	assert_null(tierd_governor_limit_to_string(-1));
	assert_null(tierd_governor_limit_to_string(TIERD_GOVERNOR_LIMIT_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ten_times_what_it_can_take),
		cmocka_unit_test(test_ticks_alone_are_too_dear),
		cmocka_unit_test(test_sampling_is_not_starved),
		cmocka_unit_test(test_a_debt_is_paid_and_forgotten),
		cmocka_unit_test(test_far_from_the_cap_nothing_is_held_back),
		cmocka_unit_test(test_without_caps),
		cmocka_unit_test(test_what_binds),
		cmocka_unit_test(test_caps_change),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
