/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The migrator against a fake kernel that knows where each page is, refuses the pages it
 * is told to, and stops at the first refusal without writing the statuses after it, as
 * move_pages(2) does.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit.h"

#include "base/util.h"
#include "core/plan.h"
#include "libtier.h"

#define PAGES     8192
#define BASE      UINT64_C(0x10000000)
#define FAST_NODE 0
#define SLOW_NODE 1

enum behaviour {
	MOVES,
	IS_BUSY,        /* in the end: stops the call, its status is not written */
	IS_GONE,        /* at once: its status is written, the call goes on */
	FILLS_THE_NODE, /* fails the call with -ENOMEM */
	IS_BUSY_ONCE,
};

struct kernel {
	pthread_mutex_t lock;
	uint8_t node[PAGES];
	uint8_t behaviour[PAGES];
	int64_t fast_pages;
	int64_t most_fast_pages;
	bool process_is_gone;
	unsigned calls;
	const int *collapse_errors; /* of each block, from BASE on */
	unsigned collapses;         /* tried */
};

static int move_one(struct kernel *kernel, size_t page, int node, int *status)
{
	switch (kernel->behaviour[page]) {
	case IS_GONE:
		*status = -ENOENT;
		return 0;
	case IS_BUSY_ONCE:
		kernel->behaviour[page] = MOVES;
		return 1;
	case IS_BUSY:
		return 1;
	case FILLS_THE_NODE:
		return -ENOMEM;
	default:
		kernel->fast_pages +=
			(node == FAST_NODE) - (kernel->node[page] == FAST_NODE);
		kernel->most_fast_pages =
			TIER_MAX(kernel->most_fast_pages, kernel->fast_pages);
		kernel->node[page] = node;
		*status = node;
		return 0;
	}
}

static int fake_move(void *userdata, pid_t pid, size_t n, void *const *pages,
	const int *nodes, int *status)
{
	struct kernel *kernel = userdata;
	int r = 0;

	assert_int_equal(pid, 1234);
	pthread_mutex_lock(&kernel->lock);
	kernel->calls++;
	if (kernel->process_is_gone)
		r = -ESRCH;
	for (size_t i = 0; i < n && r == 0; i++) {
		size_t page = ((uintptr_t)pages[i] - BASE) / TIER_PAGE_SIZE;

		if (nodes)
			r = move_one(kernel, page, nodes[i], &status[i]);
		else
			status[i] = kernel->node[page];
	}
	pthread_mutex_unlock(&kernel->lock);
	return r < 0 ? r : 0;
}

static int fake_collapse(void *userdata, int pidfd, void *block)
{
	struct kernel *kernel = userdata;
	size_t i = ((uintptr_t)block - BASE) / TIER_BLOCK_SIZE;

	assert_true(pidfd >= 0);
	kernel->collapses++;
	return kernel->collapse_errors[i];
}

static const struct tier_migrator_ops fake_ops = {
	.move = fake_move,
	.collapse = fake_collapse,
};

static void kernel_init(struct kernel *kernel, size_t fast_pages)
{
	*kernel = (struct kernel){ .fast_pages = fast_pages };
	kernel->most_fast_pages = fast_pages;
	pthread_mutex_init(&kernel->lock, NULL);
	for (size_t i = fast_pages; i < PAGES; i++)
		kernel->node[i] = SLOW_NODE;
}

/* Demotes the first pages and promotes those after @first_promoted. */
static struct tier_plan *make_plan(
	size_t demotions, size_t first_promoted, size_t promotions, uint64_t owed)
{
	size_t n = demotions + promotions;
	struct tier_plan *plan = calloc(1, sizeof(*plan) + n * sizeof(plan->moves[0]));

	assert_non_null(plan);
	plan->n_moves = n;
	plan->owed_pages = owed;
	for (size_t i = 0; i < n; i++) {
		size_t page = i < demotions ? i : first_promoted + i - demotions;

		plan->moves[i] = (struct tier_move){
			.space = 7,
			.address = BASE + page * TIER_PAGE_SIZE,
			.pages = 1,
			.direction = i < demotions ? TIER_DEMOTE : TIER_PROMOTE,
		};
	}
	return plan;
}

static struct tier_migrator *new_migrator(struct kernel *kernel)
{
	static const int nodes[] = { FAST_NODE, SLOW_NODE };
	struct tier_migrator *migrator;

	assert_int_equal(tier_migrator_new(&fake_ops, kernel, nodes, 2, &migrator), 0);
	return migrator;
}

static int submit(struct tier_migrator *migrator, const struct tier_plan *plan,
	uint64_t room, int pidfd)
{
	return tier_migrator_submit(migrator,
		&(struct tier_job_config){
			.plan = plan,
			.targets =
				&(struct tier_target){
					.space = 7, .pid = 1234, .pidfd = pidfd },
			.n_targets = 1,
			.fast_node = FAST_NODE,
			.slow_node = SLOW_NODE,
			.room_pages = room,
			.bandwidth_max = UINT64_MAX,
		});
}

static struct tier_job *wait_for_job(struct tier_migrator *migrator)
{
	struct pollfd finished = { tier_migrator_get_fd(migrator), POLLIN, 0 };

	assert_int_equal(poll(&finished, 1, 60 * 1000), 1);
	return tier_migrator_take(migrator);
}

static void count_results(const struct tier_job *job, size_t ret[static TIER_RESULT_MAX])
{
	memset(ret, 0, TIER_RESULT_MAX * sizeof(*ret));
	for (size_t i = 0; i < tier_job_n_moves(job); i++) {
		enum tier_result result;

		tier_job_move(job, i, &result);
		ret[result]++;
	}
}

/* Runs one plan to its end. */
static void run(struct kernel *kernel, struct tier_plan *plan, uint64_t room,
	size_t ret[static TIER_RESULT_MAX])
{
	struct tier_migrator *migrator = new_migrator(kernel);
	struct tier_job *job;

	assert_int_equal(submit(migrator, plan, room, -1), 0);
	tier_plan_free(plan);
	job = wait_for_job(migrator);
	assert_non_null(job);
	count_results(job, ret);
	tier_job_free(job);
	tier_migrator_free(migrator);
}

static void an_exchange_never_exceeds_the_room(void **state)
{
	static const uint64_t rooms[] = { 0, 1, 17, 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		struct kernel kernel;
		size_t results[TIER_RESULT_MAX];

		kernel_init(&kernel, 4000);
		run(&kernel, make_plan(3000, 4000, 3000, 0), rooms[i], results);
		assert_int_equal(results[TIER_RESULT_DONE], 6000);
		assert_int_equal(kernel.fast_pages, 4000);
		assert_true(kernel.most_fast_pages <= 4000 + (int64_t)rooms[i]);
	}
}

static void owed_demotions_make_no_room(void **state)
{
	struct kernel kernel;
	size_t results[TIER_RESULT_MAX];

	(void)state;
	kernel_init(&kernel, 4000);
	run(&kernel, make_plan(3000, 4000, 3000, 1000), 0, results);
	assert_int_equal(results[TIER_RESULT_DONE], 5000);
	assert_int_equal(results[TIER_RESULT_NOROOM], 1000);
	assert_int_equal(kernel.fast_pages, 3000);
}

static void what_fails_is_told_and_the_rest_moves(void **state)
{
	struct kernel kernel;
	size_t results[TIER_RESULT_MAX];

	(void)state;
	kernel_init(&kernel, 4000);
	for (size_t i = 0; i < 3000; i += 1000) {
		kernel.behaviour[i + 10] = IS_BUSY;
		kernel.behaviour[i + 20] = IS_GONE;
		kernel.behaviour[i + 30] = IS_BUSY_ONCE;
	}
	run(&kernel, make_plan(3000, 4000, 0, 0), 0, results);
	assert_int_equal(results[TIER_RESULT_GONE], 3);
	assert_true(results[TIER_RESULT_BUSY] >= 3);
	assert_true(results[TIER_RESULT_DONE] >= 3000 - 3 * 256);
	assert_int_equal(kernel.fast_pages, 4000 - (int64_t)results[TIER_RESULT_DONE]);
}

static void failed_demotions_starve_promotions(void **state)
{
	struct kernel kernel;
	size_t results[TIER_RESULT_MAX];

	(void)state;
	kernel_init(&kernel, 4000);
	memset(kernel.behaviour, IS_GONE, 500);
	run(&kernel, make_plan(1000, 4000, 1000, 0), 0, results);
	assert_int_equal(results[TIER_RESULT_DONE], 1000);
	assert_int_equal(results[TIER_RESULT_NOROOM], 500);
	assert_int_equal(kernel.most_fast_pages, 4000);
}

static void a_full_node_is_nomem(void **state)
{
	struct kernel kernel;
	size_t results[TIER_RESULT_MAX];

	(void)state;
	kernel_init(&kernel, 4000);
	memset(kernel.behaviour + 4000, FILLS_THE_NODE, 100);
	run(&kernel, make_plan(0, 4000, 100, 0), 100, results);
	assert_int_equal(results[TIER_RESULT_NOMEM], 100);
}

static void a_vanished_process_is_gone(void **state)
{
	struct kernel kernel;
	size_t results[TIER_RESULT_MAX];

	(void)state;
	kernel_init(&kernel, 4000);
	kernel.process_is_gone = true;
	run(&kernel, make_plan(1000, 4000, 0, 0), 0, results);
	assert_int_equal(results[TIER_RESULT_GONE], 1000);
}

/* A readable pidfd means that the process exited: its pid may be another's by now. */
static void nothing_is_asked_of_an_exited_process(void **state)
{
	struct kernel kernel;
	struct tier_migrator *migrator;
	struct tier_plan *plan = make_plan(10, 4000, 0, 0);
	size_t results[TIER_RESULT_MAX];
	struct tier_job *job;
	int pipe_fds[2];

	(void)state;
	kernel_init(&kernel, 4000);
	migrator = new_migrator(&kernel);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	assert_int_equal(submit(migrator, plan, 0, pipe_fds[0]), 0);
	close(pipe_fds[0]);
	job = wait_for_job(migrator);
	count_results(job, results);
	assert_int_equal(results[TIER_RESULT_GONE], 10);
	assert_int_equal(kernel.calls, 0);
	close(pipe_fds[1]);
	tier_job_free(job);
	tier_plan_free(plan);
	tier_migrator_free(migrator);
}

static void jobs_come_back_in_order(void **state)
{
	struct kernel kernel;
	struct tier_migrator *migrator;
	size_t results[TIER_RESULT_MAX];

	(void)state;
	kernel_init(&kernel, 4000);
	migrator = new_migrator(&kernel);
	for (unsigned i = 0; i < 10; i++) {
		struct tier_plan *plan = make_plan(100, 4000, 100, 0);

		for (size_t k = 0; k < plan->n_moves; k++)
			plan->moves[k].address += i * 100 * TIER_PAGE_SIZE;
		assert_int_equal(submit(migrator, plan, 0, -1), 0);
		tier_plan_free(plan);
	}
	for (unsigned i = 0; i < 10; i++) {
		struct tier_job *job = wait_for_job(migrator);
		enum tier_result result;

		assert_non_null(job);
		assert_int_equal(tier_job_move(job, 0, &result)->address,
			BASE + i * 100 * TIER_PAGE_SIZE);
		count_results(job, results);
		assert_int_equal(results[TIER_RESULT_DONE], 200);
		tier_job_free(job);
	}
	assert_null(tier_migrator_take(migrator));
	assert_int_equal(kernel.most_fast_pages, 4000);
	tier_migrator_free(migrator);
}

/* While the kernel takes its time jobs pile up, until no more are taken; none is lost. */
static void a_full_queue_takes_no_more(void **state)
{
	struct kernel kernel;
	struct tier_migrator *migrator;
	struct tier_plan *plan = make_plan(1, 4000, 1, 0);
	unsigned n = 0;
	int r;

	(void)state;
	kernel_init(&kernel, 4000);
	migrator = new_migrator(&kernel);
	pthread_mutex_lock(&kernel.lock);
	while ((r = submit(migrator, plan, 1, -1)) == 0 && n < 1000) {
		n++;
		usleep(n == 1 ? 100 * 1000 : 0); /* the first is under way */
	}
	pthread_mutex_unlock(&kernel.lock);
	assert_int_equal(r, -EBUSY);
	assert_true(n > 1);
	for (; n > 0; n--) {
		struct tier_job *job = wait_for_job(migrator);

		assert_non_null(job);
		tier_job_free(job);
	}
	assert_null(tier_migrator_take(migrator));
	tier_plan_free(plan);
	tier_migrator_free(migrator);
}

static struct tier_plan *plan_collapses(size_t n)
{
	struct tier_plan *plan = calloc(1, sizeof(*plan) + n * sizeof(plan->moves[0]));

	assert_non_null(plan);
	plan->n_moves = n;
	for (size_t i = 0; i < n; i++)
		plan->moves[i] = (struct tier_move){
			.space = 7,
			.address = BASE + i * TIER_BLOCK_SIZE,
			.pages = TIER_BLOCK_PAGES,
			.direction = TIER_COLLAPSE,
		};
	return plan;
}

/* Collapses blocks that the kernel answers with @errors, and compares what becomes of
 * them. */
static void assert_collapses(const struct tier_migrator_ops *ops, int pidfd,
	const int *errors, const enum tier_result *results, size_t n, unsigned tried)
{
	static const int nodes[] = { FAST_NODE, SLOW_NODE };
	struct kernel kernel;
	struct tier_migrator *migrator;
	struct tier_plan *plan = plan_collapses(n);
	struct tier_job *job;
	uint64_t busy_ns, pages;

	kernel_init(&kernel, 4000);
	kernel.collapse_errors = errors;
	assert_int_equal(tier_migrator_new(ops, &kernel, nodes, 2, &migrator), 0);
	assert_int_equal(submit(migrator, plan, 0, pidfd), 0);
	tier_plan_free(plan);
	job = wait_for_job(migrator);
	assert_non_null(job);
	for (size_t i = 0; i < n; i++) {
		enum tier_result result;

		tier_job_move(job, i, &result);
		assert_int_equal(result, results[i]);
	}
	assert_int_equal(kernel.collapses, tried);
	assert_int_equal(kernel.calls, 0);
	tier_job_cost(job, &busy_ns, &pages);
	assert_int_equal(pages, 0); /* what a copy costs is not learnt from these */
	tier_job_free(job);
	tier_migrator_free(migrator);
}

static void collapses_fail_one_by_one(void **state)
{
	static const int errors[] = { 0, -EAGAIN, -EBUSY, -EINVAL, -ESRCH, -EPERM,
		-ENOSYS, 0 };
	static const enum tier_result results[] = { TIER_RESULT_DONE, TIER_RESULT_BUSY,
		TIER_RESULT_BUSY, TIER_RESULT_UNSUPPORTED, TIER_RESULT_GONE,
		TIER_RESULT_UNSUPPORTED, TIER_RESULT_UNSUPPORTED, TIER_RESULT_DONE };
	int pidfds[2];

	(void)state;
	assert_int_equal(pipe(pidfds), 0);
	assert_collapses(&fake_ops, pidfds[0], errors, results, ARRAY_SIZE(errors),
		ARRAY_SIZE(errors));
	close(pidfds[0]);
	close(pidfds[1]);
}

static void without_huge_pages_the_rest_is_not_tried(void **state)
{
	static const int errors[] = { 0, -ENOMEM, 0, 0 };
	static const enum tier_result results[] = { TIER_RESULT_DONE, TIER_RESULT_NOMEM,
		TIER_RESULT_CANCELLED, TIER_RESULT_CANCELLED };
	int pidfds[2];

	(void)state;
	assert_int_equal(pipe(pidfds), 0);
	assert_collapses(&fake_ops, pidfds[0], errors, results, ARRAY_SIZE(errors), 2);
	close(pidfds[0]);
	close(pidfds[1]);
}

static void collapses_want_a_pidfd_and_an_op(void **state)
{
	static const struct tier_migrator_ops without = { .move = fake_move };
	static const int errors[] = { 0 };
	static const enum tier_result results[] = { TIER_RESULT_UNSUPPORTED };
	int pidfds[2];

	(void)state;
	assert_int_equal(pipe(pidfds), 0);
	assert_collapses(&fake_ops, -1, errors, results, 1, 0);
	assert_collapses(&without, pidfds[0], errors, results, 1, 0);
	close(pidfds[0]);
	close(pidfds[1]);
}

/* A byte a second would take hours; but after the last batch there is nothing to pace. */
static void bandwidth_is_kept_between_batches_only(void **state)
{
	struct kernel kernel;
	struct tier_migrator *migrator;
	struct tier_plan *plan = make_plan(100, 4000, 100, 0);
	struct tier_job_config config = {
		.plan = plan,
		.targets = &(struct tier_target){ .space = 7, .pid = 1234, .pidfd = -1 },
		.n_targets = 1,
		.fast_node = FAST_NODE,
		.slow_node = SLOW_NODE,
		.bandwidth_max = 1,
	};

	(void)state;
	kernel_init(&kernel, 4000);
	migrator = new_migrator(&kernel);
	for (unsigned i = 0; i < 2; i++) {
		struct tier_job *job;

		assert_int_equal(tier_migrator_submit(migrator, &config), 0);
		job = wait_for_job(migrator);
		assert_non_null(job);
		tier_job_free(job);
	}
	tier_plan_free(plan);
	tier_migrator_free(migrator);
}

static void freeing_cancels_what_is_queued(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		struct kernel kernel;
		struct tier_migrator *migrator;
		struct tier_plan *plan = make_plan(2000, 4000, 2000, 0);

		kernel_init(&kernel, 4000);
		migrator = new_migrator(&kernel);
		for (unsigned k = 0; k < 5; k++)
			assert_int_equal(submit(migrator, plan, 0, -1), 0);
		usleep(i * 10);
		tier_migrator_free(migrator);
		tier_plan_free(plan);
		assert_true(kernel.most_fast_pages <= 4000 + 2000);
	}
}

static void bad_jobs_are_refused(void **state)
{
	struct kernel kernel;
	struct tier_migrator *migrator;
	struct tier_plan *plan = make_plan(10, 4000, 0, 0);
	struct tier_job_config config = {
		.plan = plan,
		.fast_node = FAST_NODE,
		.slow_node = SLOW_NODE,
		.bandwidth_max = UINT64_MAX,
	};

	(void)state;
	kernel_init(&kernel, 4000);
	migrator = new_migrator(&kernel);
	assert_int_equal(tier_migrator_submit(migrator, &config), -EINVAL);
	config.targets = &(struct tier_target){ .space = 7, .pid = 1234, .pidfd = -1 };
	config.n_targets = 1;
	config.slow_node = 5;
	assert_int_equal(tier_migrator_submit(migrator, &config), -EINVAL);
	config.slow_node = FAST_NODE;
	assert_int_equal(tier_migrator_submit(migrator, &config), -EINVAL);
	tier_plan_free(plan);
	tier_migrator_free(migrator);
}

/* The real thing, on memory of our own: it is on this node already. */
static void move_pages_answers_for_this_process(void **state)
{
	void *page = mmap(NULL, TIER_PAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = -1, node;

	(void)state;
	assert_ptr_not_equal(page, MAP_FAILED);
	*(volatile char *)page = 1;
	assert_int_equal(
		tier_migrator_ops_move_pages.move(NULL, 0, 1, &page, NULL, &status), 0);
	assert_true(status >= 0);
	node = status;
	assert_int_equal(
		tier_migrator_ops_move_pages.move(NULL, 0, 1, &page, &node, &status), 0);
	assert_int_equal(status, node);
	munmap(page, TIER_PAGE_SIZE);
}

/* The real thing, on memory of our own, where the kernel has huge pages to give. */
static void process_madvise_collapses_here(void **state)
{
	char *memory = mmap(NULL, 2 * TIER_BLOCK_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *block = (char *)(((uintptr_t)memory + TIER_BLOCK_SIZE - 1) &
			       ~(TIER_BLOCK_SIZE - 1));
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0), r;

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_true(pidfd >= 0);
	madvise(memory, 2 * TIER_BLOCK_SIZE, MADV_NOHUGEPAGE);
	memset(block, 7, TIER_BLOCK_SIZE);
	r = tier_migrator_ops_move_pages.collapse(NULL, pidfd, block);
	assert_int_equal(r, -EINVAL); /* it said that it wants none */
	munmap(memory, 2 * TIER_BLOCK_SIZE);
	r = tier_migrator_ops_move_pages.collapse(NULL, -1, block);
	assert_int_equal(r, -EBADF);
	close(pidfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exchange_never_exceeds_the_room),
		cmocka_unit_test(owed_demotions_make_no_room),
		cmocka_unit_test(what_fails_is_told_and_the_rest_moves),
		cmocka_unit_test(failed_demotions_starve_promotions),
		cmocka_unit_test(a_full_node_is_nomem),
		cmocka_unit_test(a_vanished_process_is_gone),
		cmocka_unit_test(nothing_is_asked_of_an_exited_process),
		cmocka_unit_test(jobs_come_back_in_order),
		cmocka_unit_test(a_full_queue_takes_no_more),
		cmocka_unit_test(collapses_fail_one_by_one),
		cmocka_unit_test(without_huge_pages_the_rest_is_not_tried),
		cmocka_unit_test(collapses_want_a_pidfd_and_an_op),
		cmocka_unit_test(bandwidth_is_kept_between_batches_only),
		cmocka_unit_test(freeing_cancels_what_is_queued),
		cmocka_unit_test(bad_jobs_are_refused),
		cmocka_unit_test(move_pages_answers_for_this_process),
		cmocka_unit_test(process_madvise_collapses_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
