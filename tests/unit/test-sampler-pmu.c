/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PMU sampler against the running kernel, with page faults in place of a PMU's
 * events: they carry an address, and every machine has them. What needs no permission is
 * tested everywhere; the rest is skipped, and says so, only where perf is not permitted.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake-root.h"
#include "sampler/registry.h"

#define PAGE_FAULTS "software/config=2/"
#define N_PAGES     UINT64_C(3000)

/* The same faults once more, as those that took no I/O. */
#define MINOR_FAULTS "software/config=5/"

struct fixture {
	struct tierd_root root;
	struct tierd_sampler *sampler;
	struct tierd_sampler_sink sink;
	pid_t child;
	uintptr_t area;
	size_t page_bytes;
	uint64_t n_samples; /* of the child, in the area */
	uint64_t period;    /* of the last of them */
	unsigned n_forks, n_execs, n_exits;
	bool wrong;
};

static void note_sample(void *userdata, const struct tierd_access *access)
{
	struct fixture *f = userdata;

	if (access->pid != (uint32_t)f->child)
		return;
	if (access->address - f->area >= N_PAGES * f->page_bytes)
		return;
	f->wrong |= access->tid != access->pid || access->time_ns == 0 || access->cpu < 0;
	f->period = access->period;
	f->n_samples++;
}

static void note_exec(void *userdata, uint32_t pid)
{
	struct fixture *f = userdata;

	f->n_execs += pid == (uint32_t)f->child;
}

static void note_exit(void *userdata, uint32_t pid)
{
	struct fixture *f = userdata;

	f->n_exits += pid == (uint32_t)f->child;
}

static void note_fork(void *userdata, uint32_t parent, uint32_t child)
{
	struct fixture *f = userdata;

	f->n_forks += parent == (uint32_t)getpid() && child == (uint32_t)f->child;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_return_code(tierd_root_open("/", &f->root), 0);
	f->page_bytes = sysconf(_SC_PAGESIZE);
	f->sink = (struct tierd_sampler_sink){ f, note_sample, note_exec, note_exit,
		note_fork };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tierd_sampler_free(f->sampler);
	tierd_root_close(&f->root);
	free(f);
	return 0;
}

static int try_open(
	struct fixture *f, const struct tierd_sampler_config *config, char **error)
{
	struct tierd_sampler_config c = *config;

	c.root = &f->root;
	if (!c.source)
		c.source = "pmu";
	return tierd_sampler_open(&c, &f->sampler, error);
}

static void open_or_skip(struct fixture *f, const struct tierd_sampler_config *config)
{
	char *error = NULL;
	int r = try_open(f, config, &error);

	if (r == -EACCES || r == -EPERM) {
		print_message("skipped: %s\n", error);
		free(error);
		skip();
	}
	if (r < 0)
		fail_msg("%d, %s", r, error);
}

static void drain_all(struct fixture *f)
{
	int r;

	while ((r = tierd_sampler_drain(f->sampler, 100, &f->sink)) > 0)
		;
	assert_int_equal(r, 0);
}

/* A child that stays on one CPU, waits for a byte, touches each page of the area once and
 * then becomes another program. */
static void touch_and_exec(struct fixture *f, int fd)
{
	volatile char *area = (volatile char *)f->area;
	cpu_set_t here;
	char byte;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here) < 0 || read(fd, &byte, 1) != 1)
		_exit(1);
	for (size_t i = 0; i < N_PAGES; i++)
		area[i * f->page_bytes] = 1;
	execl("/bin/true", "true", NULL);
	_exit(127);
}

static void run_child(struct fixture *f)
{
	size_t bytes = N_PAGES * f->page_bytes;
	int fds[2], status;
	void *area;

	area = mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(area != MAP_FAILED);
	assert_return_code(madvise(area, bytes, MADV_NOHUGEPAGE), errno);
	f->area = (uintptr_t)area;

	assert_return_code(pipe2(fds, O_CLOEXEC), errno);
	f->child = fork();
	assert_return_code(f->child, errno);
	if (f->child == 0)
		touch_and_exec(f, fds[0]);

	assert_int_equal(write(fds[1], "", 1), 1);
	assert_int_equal(waitpid(f->child, &status, 0), f->child);
	assert_int_equal(status, 0);
	close(fds[0]);
	close(fds[1]);
	assert_return_code(munmap(area, bytes), errno);
}

static void test_sees_every_access_and_the_process_come_and_go(void **state)
{
	const struct tierd_sampler_config config = { .event = PAGE_FAULTS,
		.ring_pages = 256 };
	struct fixture *f = *state;
	struct tierd_sampler_stats stats;

	open_or_skip(f, &config);
	run_child(f);
	drain_all(f);

	tierd_sampler_get_stats(f->sampler, &stats);
	assert_string_equal(stats.source, "pmu");
	assert_string_equal(stats.event, PAGE_FAULTS);
	assert_int_equal(stats.period, 1);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(stats.malformed, 0);
	assert_true(stats.samples >= N_PAGES);
	assert_true(stats.n_cpus >= 1);
	assert_true(stats.drained_bytes > N_PAGES * 48);

	assert_int_equal(f->n_samples, N_PAGES);
	assert_int_equal(f->period, 1);
	assert_false(f->wrong);
	assert_int_equal(f->n_forks, 1);
	assert_int_equal(f->n_execs, 1);
	assert_int_equal(f->n_exits, 1);
}

static void test_period_takes_effect(void **state)
{
	const struct tierd_sampler_config config = { .event = PAGE_FAULTS,
		.ring_pages = 256 };
	struct fixture *f = *state;
	struct tierd_sampler_stats stats;

	open_or_skip(f, &config);
	assert_int_equal(tierd_sampler_set_period(f->sampler, 10), 0);
	tierd_sampler_get_stats(f->sampler, &stats);
	assert_int_equal(stats.period, 10);

	run_child(f);
	drain_all(f);
	assert_in_range(f->n_samples, N_PAGES / 10 - 30, N_PAGES / 10 + 30);
	assert_int_equal(f->period, 10);
}

static void test_rate_is_steered_within_the_bounds_asked_for(void **state)
{
	const struct tierd_sampler_config config = {
		.event = PAGE_FAULTS,
		.ring_pages = 256,
		.period_max = 3,
	};
	struct fixture *f = *state;
	struct tierd_sampler_stats stats;

	open_or_skip(f, &config);
	run_child(f);
	drain_all(f);
	assert_int_equal(tierd_sampler_set_rate(f->sampler, 100, 1000000000), 1);
	tierd_sampler_get_stats(f->sampler, &stats);
	assert_int_equal(stats.period, 3);

	/* What was counted once is not counted again: this looks like silence. */
	assert_int_equal(tierd_sampler_set_rate(f->sampler, 100, 1000000000), 1);
	tierd_sampler_get_stats(f->sampler, &stats);
	assert_int_equal(stats.period, 2);
}

/* Half of 64 pages is 2,731 samples of 48 bytes: fewer than the child brings. */
static void test_wakes_when_a_ring_is_half_full(void **state)
{
	const struct tierd_sampler_config config = { .event = PAGE_FAULTS,
		.ring_pages = 64 };
	struct fixture *f = *state;
	struct pollfd *polls;
	const int *fds;
	size_t n;

	open_or_skip(f, &config);
	tierd_sampler_get_fds(f->sampler, &fds, &n);
	polls = calloc(n, sizeof(*polls));
	assert_non_null(polls);
	for (size_t i = 0; i < n; i++)
		polls[i] = (struct pollfd){ fds[i], POLLIN, 0 };

	run_child(f);
	assert_true(poll(polls, n, 0) >= 1);
	free(polls);
}

static void test_takes_several_events(void **state)
{
	const struct tierd_sampler_config config = {
		.event = PAGE_FAULTS "  " MINOR_FAULTS,
		.ring_pages = 256,
	};
	struct fixture *f = *state;
	struct tierd_sampler_stats stats;
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	open_or_skip(f, &config);
	run_child(f);
	drain_all(f);
	assert_int_equal(f->n_samples, 2 * N_PAGES);
	assert_int_equal(f->n_forks, 1);
	assert_int_equal(f->n_execs, 1);
	assert_int_equal(f->n_exits, 1);

	tierd_sampler_get_stats(f->sampler, &stats);
	assert_string_equal(stats.event, PAGE_FAULTS " " MINOR_FAULTS);
	assert_int_equal(stats.n_cpus, online);
	assert_in_range(stats.n_cpus_heard, 1, online);
	assert_true(stats.coverage == 1);
}

/* One in 10 and one in 40; and however the first is changed, the other is a quarter. */
static void test_events_keep_their_proportion(void **state)
{
	const struct tierd_sampler_config config = {
		.event = "software/config=2,period=10/ software/config=5,period=40/",
		.ring_pages = 256,
	};
	struct fixture *f = *state;

	open_or_skip(f, &config);
	run_child(f);
	drain_all(f);
	assert_in_range(f->n_samples, N_PAGES / 8 - 40, N_PAGES / 8 + 40);

	f->n_samples = 0;
	assert_int_equal(tierd_sampler_set_period(f->sampler, 2), 0);
	run_child(f);
	drain_all(f);
	assert_in_range(f->n_samples, N_PAGES * 5 / 8 - 40, N_PAGES * 5 / 8 + 40);
}

static void test_overflow_is_counted(void **state)
{
	const struct tierd_sampler_config config = { .event = PAGE_FAULTS,
		.ring_pages = 1 };
	struct fixture *f = *state;
	struct tierd_sampler_stats stats;

	open_or_skip(f, &config);
	run_child(f);
	drain_all(f);

	/* The notice of a loss comes with the next record that fits. */
	run_child(f);
	drain_all(f);
	tierd_sampler_get_stats(f->sampler, &stats);
	assert_true(stats.lost >= N_PAGES / 2);
	assert_int_equal(stats.malformed, 0);
}

static void test_drain_keeps_to_its_budget(void **state)
{
	const struct tierd_sampler_config config = { .event = PAGE_FAULTS,
		.ring_pages = 256 };
	struct fixture *f = *state;
	struct tierd_sampler_stats stats;

	open_or_skip(f, &config);
	run_child(f);
	assert_int_equal(tierd_sampler_drain(f->sampler, 0, &f->sink), 1);
	assert_int_equal(tierd_sampler_drain(f->sampler, 100, &f->sink), 1);
	tierd_sampler_get_stats(f->sampler, &stats);
	assert_in_range(stats.samples + stats.other_records, 1, 100);
	drain_all(f);
	assert_int_equal(f->n_samples, N_PAGES);
}

/*
 * Leaves one descriptor free: enough to read sysfs, one file after the other, but too few
 * for the events of two CPUs.
 */
static void tighten_limit(const struct fixture *f, rlim_t hard)
{
	struct rlimit tight = { (rlim_t)f->root.fd + 2, hard };

	assert_return_code(setrlimit(RLIMIT_NOFILE, &tight), errno);
}

static size_t count_cpus(struct fixture *f)
{
	const struct tierd_sampler_config config = { .event = PAGE_FAULTS };
	struct tierd_sampler_stats stats;

	open_or_skip(f, &config);
	tierd_sampler_get_stats(f->sampler, &stats);
	f->sampler = tierd_sampler_free(f->sampler);
	return stats.n_cpus;
}

static void test_raises_the_soft_limit_of_descriptors(void **state)
{
	const struct tierd_sampler_config config = { .event = PAGE_FAULTS };
	struct fixture *f = *state;
	struct rlimit before, after;
	char *error = NULL;

	if (count_cpus(f) < 2)
		skip();
	assert_return_code(getrlimit(RLIMIT_NOFILE, &before), errno);
	tighten_limit(f, before.rlim_max);
	assert_int_equal(try_open(f, &config, &error), 0);
	assert_return_code(getrlimit(RLIMIT_NOFILE, &after), errno);
	assert_int_equal(after.rlim_cur, before.rlim_max);
	assert_return_code(setrlimit(RLIMIT_NOFILE, &before), errno);
}

static void test_explains_a_hard_limit_of_descriptors(void **state)
{
	const struct tierd_sampler_config config = { .event = PAGE_FAULTS };
	struct fixture *f = *state;
	int status;

	if (count_cpus(f) < 2)
		skip();
	f->child = fork();
	assert_return_code(f->child, errno);
	if (f->child == 0) {
		char *error = NULL;

		tighten_limit(f, (rlim_t)f->root.fd + 2);
		if (try_open(f, &config, &error) != -EMFILE || !error)
			_exit(1);
		_exit(strstr(error, "raise LimitNOFILE=") ? 0 : 2);
	}
	assert_int_equal(waitpid(f->child, &status, 0), f->child);
	assert_int_equal(status, 0);
}

static void test_errors_name_what_is_missing(void **state)
{
	static const struct {
		struct tierd_sampler_config config;
		int r;
		const char *says;
	} cases[] = {
		{ { .source = "nope" }, -ENOENT, "no sampler 'nope'" },
		{ { .source = "pmu", .event = "nope//" }, -ENOENT, "no PMU 'nope'" },
		{ { .event = PAGE_FAULTS, .period_min = 1ULL << 50 }, -EINVAL,
			"nothing of the bounds" },
		{ { .event = PAGE_FAULTS " nope//" }, -ENOENT, "no PMU 'nope'" },
		{ { .event = "a// b// c// d// e//" }, -ENOENT, "no PMU 'a'" },
		{ { .event = PAGE_FAULTS " " PAGE_FAULTS " " PAGE_FAULTS " " PAGE_FAULTS
					 " " PAGE_FAULTS },
			-EINVAL, "more than 4 events" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *error = NULL;
		int r = try_open(f, &cases[i].config, &error);

		if (r != cases[i].r)
			fail_msg("case %zu: %d, %s", i, r, error);
		assert_error_contains(&error, cases[i].says);
	}
}

static void test_kernel_refuses_an_event_it_does_not_have(void **state)
{
	const struct tierd_sampler_config good = { .event = PAGE_FAULTS };
	const struct tierd_sampler_config bad = { .event = "software/config=9999/" };
	struct fixture *f = *state;
	char *error = NULL;

	open_or_skip(f, &good);
	f->sampler = tierd_sampler_free(f->sampler);
	assert_int_equal(try_open(f, &bad, &error), -ENOENT);
	assert_error_contains(
		&error, "the kernel refuses to sample software/config=9999/");
}

static void test_registry_prefers_the_pmu(_unused_ void **state)
{
	const struct tierd_sampler_ops *const *registry = tierd_sampler_registry();

	assert_ptr_equal(registry[0], &tierd_sampler_pmu_ops);
	assert_ptr_equal(registry[1], &tierd_sampler_hint_ops);
	assert_ptr_equal(tierd_sampler_find("pmu"), &tierd_sampler_pmu_ops);
	assert_null(tierd_sampler_find("auto"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sees_every_access_and_the_process_come_and_go),
		TEST(test_period_takes_effect),
		TEST(test_rate_is_steered_within_the_bounds_asked_for),
		TEST(test_wakes_when_a_ring_is_half_full),
		TEST(test_takes_several_events),
		TEST(test_events_keep_their_proportion),
		TEST(test_overflow_is_counted),
		TEST(test_drain_keeps_to_its_budget),
		TEST(test_raises_the_soft_limit_of_descriptors),
		TEST(test_explains_a_hard_limit_of_descriptors),
		TEST(test_errors_name_what_is_missing),
		TEST(test_kernel_refuses_an_event_it_does_not_have),
		cmocka_unit_test(test_registry_prefers_the_pmu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
