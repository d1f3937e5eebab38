/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread a node carries out what goes to that node. Both directions of a job run at
 * once; a promotion waits for the room that the job's own demotions make, so that a
 * group never holds more fast memory than its plan allows, not even for a moment.
 *
 * Every queue is in the order of submission, so the demotions a thread waits for are
 * never behind anything that waits for this thread.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "base/util.h"
#include "migrate/batch.h"
#include "migrate/job.h"

#define QUEUE_MAX 128
#define NSEC      UINT64_C(1000000000)

struct part {
	struct tier_job *job;
	enum tier_direction direction;
};

struct worker {
	struct tier_migrator *migrator;
	pthread_t thread;
	int node;
	struct part queue[QUEUE_MAX]; /* a ring */
	size_t head;
	size_t n;
};

struct tier_migrator {
	const struct tier_migrator_ops *ops;
	void *userdata;
	int event_fd;
	pthread_mutex_t lock;
	pthread_cond_t
		changed; /* a part was queued or finished, room was made, or stop */
	bool stop;
	struct tier_job *finished;
	struct tier_job **finished_end;
	size_t n_workers;
	struct worker workers[];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC + now.tv_nsec;
}

/* ---- Room ---------------------------------------------------------------------- */

/*
 * Takes room for at least @least and at most @most pages. Returns how many, 0 if there
 * will be none.
 */
static uint64_t take_room(struct tier_migrator *migrator, struct tier_job *job,
	uint64_t least, uint64_t most)
{
	uint64_t taken = 0;

	pthread_mutex_lock(&migrator->lock);
	while (job->room_pages < (int64_t)least && !job->demotions_done &&
		!migrator->stop)
		pthread_cond_wait(&migrator->changed, &migrator->lock);
	if (job->room_pages >= (int64_t)least && !migrator->stop)
		taken = TIER_MIN((uint64_t)job->room_pages, most);
	job->room_pages -= taken;
	pthread_mutex_unlock(&migrator->lock);
	return taken;
}

static void give_room(
	struct tier_migrator *migrator, struct tier_job *job, uint64_t pages)
{
	pthread_mutex_lock(&migrator->lock);
	job->room_pages += pages;
	pthread_cond_broadcast(&migrator->changed);
	pthread_mutex_unlock(&migrator->lock);
}

/* ---- Carrying out a part ------------------------------------------------------- */

struct run {
	struct tier_migrator *migrator;
	struct tier_job *job;
	enum tier_direction direction;
	uint64_t started_ns;
	uint64_t pages; /* handed to the kernel so far, for pacing */
	struct tier_batch batch;
	size_t moves[TIER_BATCH_MOVES]; /* of the batch, indices into the job's */
};

static size_t next_move(const struct run *run, size_t next)
{
	const struct tier_job *job = run->job;

	while (next < job->n_moves && job->moves[next].direction != run->direction)
		next++;
	return next;
}

/* Fills the batch with moves from *@next on: one process, at most @most pages. */
static uint64_t fill_batch(struct run *run, size_t *next, uint64_t most)
{
	const struct tier_job *job = run->job;
	struct tier_batch *batch = &run->batch;
	const struct tier_target *target = NULL;
	uint64_t pages = 0;
	size_t i;

	batch->n = 0;
	batch->node = job->nodes[run->direction];
	for (i = *next; i < job->n_moves && batch->n < TIER_BATCH_MOVES; i++) {
		const struct tier_move *move = &job->moves[i];

		if (move->direction != run->direction)
			continue;
		if (target && target != &job->targets[job->target_of[i]])
			break;
		if (pages + move->pages > most)
			break;
		target = &job->targets[job->target_of[i]];
		batch->pid = target->pid;
		batch->pidfd = target->pidfd;
		batch->pages[batch->n] = (void *)(uintptr_t)move->address;
		run->moves[batch->n++] = i;
		pages += move->pages;
	}
	*next = i;
	return pages;
}

static uint64_t run_batch(struct run *run)
{
	struct tier_job *job = run->job;
	uint64_t begin_ns = now_ns(), done = 0;

	tier_batch_run(&run->batch, run->migrator->ops, run->migrator->userdata);
	job->busy_ns[run->direction] += now_ns() - begin_ns;
	for (size_t i = 0; i < run->batch.n; i++) {
		job->results[run->moves[i]] = run->batch.results[i];
		if (run->batch.results[i] == TIER_RESULT_DONE)
			done += job->moves[run->moves[i]].pages;
	}
	job->moved_pages[run->direction] += done;
	return done;
}

/* Waits until what was moved so far fits the job's bandwidth. False when stopped. */
static bool pace(struct run *run)
{
	struct tier_migrator *migrator = run->migrator;
	double seconds = (double)run->pages * TIER_PAGE_SIZE / run->job->bandwidth_max;
	uint64_t until_ns = run->started_ns + (uint64_t)(seconds * NSEC);
	struct timespec until = { .tv_sec = until_ns / NSEC, .tv_nsec = until_ns % NSEC };
	bool go_on;

	pthread_mutex_lock(&migrator->lock);
	while (!migrator->stop && run->job->bandwidth_max != UINT64_MAX &&
		now_ns() < until_ns)
		pthread_cond_timedwait(&migrator->changed, &migrator->lock, &until);
	go_on = !migrator->stop;
	pthread_mutex_unlock(&migrator->lock);
	return go_on;
}

/* Without moves left there is nothing to keep others waiting for. */
static bool go_on(struct run *run, size_t *next)
{
	*next = next_move(run, *next);
	return *next < run->job->n_moves && pace(run);
}

static void run_demotions(struct run *run)
{
	for (size_t next = 0; go_on(run, &next);) {
		run->pages += fill_batch(run, &next, TIER_BATCH_PAGES);
		give_room(run->migrator, run->job, run_batch(run));
	}
}

static void fail_promotions(struct run *run, size_t next)
{
	for (; (next = next_move(run, next)) < run->job->n_moves; next++)
		run->job->results[next] = TIER_RESULT_NOROOM;
}

static void run_promotions(struct run *run)
{
	struct tier_job *job = run->job;

	for (size_t next = 0; go_on(run, &next);) {
		uint64_t room = take_room(
			run->migrator, job, job->moves[next].pages, TIER_BATCH_PAGES);

		if (room == 0) {
			if (pace(run))
				fail_promotions(run, next);
			return;
		}
		run->pages += fill_batch(run, &next, room);
		give_room(run->migrator, job, room - run_batch(run));
	}
}

/* The first that finds no huge page is the last: the others would only make the kernel
 * compact memory in vain. */
static void run_collapses(struct run *run)
{
	struct tier_job *job = run->job;
	size_t next = 0;

	for (; go_on(run, &next); next++) {
		const struct tier_target *target = &job->targets[job->target_of[next]];
		uint64_t begin_ns = now_ns();

		run->pages += job->moves[next].pages;
		job->results[next] =
			tier_batch_collapse(target->pidfd, job->moves[next].address,
				run->migrator->ops, run->migrator->userdata);
		job->busy_ns[TIER_COLLAPSE] += now_ns() - begin_ns;
		if (job->results[next] == TIER_RESULT_DONE)
			job->moved_pages[TIER_COLLAPSE] += job->moves[next].pages;
		if (job->results[next] == TIER_RESULT_NOMEM)
			return;
	}
}

static void run_part(struct tier_migrator *migrator, const struct part *part)
{
	struct run run = {
		.migrator = migrator,
		.job = part->job,
		.direction = part->direction,
		.started_ns = now_ns(),
	};

	switch (part->direction) {
	case TIER_PROMOTE:
		run_promotions(&run);
		break;
	case TIER_DEMOTE:
		run_demotions(&run);
		break;
	default:
		run_collapses(&run);
		break;
	}
}

/* ---- Threads and queues -------------------------------------------------------- */

static void signal_finished(struct tier_migrator *migrator)
{
	uint64_t one = 1;
	ssize_t n = write(migrator->event_fd, &one, sizeof(one));

	assert(n == sizeof(one) || errno == EAGAIN);
	(void)n;
}

/* With the lock held. */
static void finish_part(struct tier_migrator *migrator, const struct part *part)
{
	struct tier_job *job = part->job;

	if (part->direction == TIER_DEMOTE)
		job->demotions_done = true;
	if (--job->n_parts == 0) {
		*migrator->finished_end = job;
		migrator->finished_end = &job->next;
		signal_finished(migrator);
	}
	pthread_cond_broadcast(&migrator->changed);
}

static void *work(void *userdata)
{
	struct worker *worker = userdata;
	struct tier_migrator *migrator = worker->migrator;

	pthread_mutex_lock(&migrator->lock);
	while (!migrator->stop) {
		struct part part;

		if (worker->n == 0) {
			pthread_cond_wait(&migrator->changed, &migrator->lock);
			continue;
		}
		part = worker->queue[worker->head];
		worker->head = (worker->head + 1) % QUEUE_MAX;
		worker->n--;
		pthread_mutex_unlock(&migrator->lock);
		run_part(migrator, &part);
		pthread_mutex_lock(&migrator->lock);
		finish_part(migrator, &part);
	}
	pthread_mutex_unlock(&migrator->lock);
	return NULL;
}

static struct worker *find_worker(struct tier_migrator *migrator, int node)
{
	for (size_t i = 0; i < migrator->n_workers; i++)
		if (migrator->workers[i].node == node)
			return &migrator->workers[i];
	return NULL;
}

static void enqueue(
	struct worker *worker, struct tier_job *job, enum tier_direction direction)
{
	worker->queue[(worker->head + worker->n) % QUEUE_MAX] =
		(struct part){ job, direction };
	worker->n++;
}

_public_ int tier_migrator_submit(
	struct tier_migrator *migrator, const struct tier_job_config *config)
{
	struct worker *fast = find_worker(migrator, config->fast_node);
	struct worker *slow = find_worker(migrator, config->slow_node);
	struct tier_job *job;
	int r;

	if (!fast || !slow || fast == slow || config->bandwidth_max == 0)
		return -EINVAL;
	r = tier_job_new(config, &job);
	if (r < 0)
		return r;

	pthread_mutex_lock(&migrator->lock);
	if (fast->n + 2 > QUEUE_MAX || slow->n == QUEUE_MAX) {
		pthread_mutex_unlock(&migrator->lock);
		tier_job_free(job);
		return -EBUSY;
	}
	enqueue(slow, job, TIER_DEMOTE);
	enqueue(fast, job, TIER_PROMOTE);
	enqueue(fast, job, TIER_COLLAPSE);
	pthread_cond_broadcast(&migrator->changed);
	pthread_mutex_unlock(&migrator->lock);
	return 0;
}

_public_ struct tier_job *tier_migrator_take(struct tier_migrator *migrator)
{
	struct tier_job *job;
	uint64_t count;

	pthread_mutex_lock(&migrator->lock);
	job = migrator->finished;
	if (job)
		migrator->finished = job->next;
	if (!migrator->finished) {
		migrator->finished_end = &migrator->finished;
		(void)!read(migrator->event_fd, &count, sizeof(count));
	}
	pthread_mutex_unlock(&migrator->lock);
	return job;
}

_public_ int tier_migrator_get_fd(const struct tier_migrator *migrator)
{
	return migrator->event_fd;
}

/* ---- Coming and going ---------------------------------------------------------- */

static int init_sync(struct tier_migrator *migrator)
{
	pthread_condattr_t attr;
	int r;

	r = pthread_mutex_init(&migrator->lock, NULL);
	if (r > 0)
		return -r;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	r = pthread_cond_init(&migrator->changed, &attr);
	pthread_condattr_destroy(&attr);
	return -r;
}

/* Threads take no signals: those are the program's. */
static int start_worker(struct tier_migrator *migrator, int node)
{
	struct worker *worker = &migrator->workers[migrator->n_workers];
	sigset_t all, before;
	int r;

	worker->migrator = migrator;
	worker->node = node;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r > 0)
		return -r;
	migrator->n_workers++;
	return 0;
}

_public_ int tier_migrator_new(const struct tier_migrator_ops *ops, void *userdata,
	const int *nodes, size_t n_nodes, struct tier_migrator **ret)
{
	struct tier_migrator *migrator;
	int r;

	if (n_nodes < 2)
		return -EINVAL;
	migrator = calloc(1, sizeof(*migrator) + n_nodes * sizeof(migrator->workers[0]));
	if (!migrator)
		return -ENOMEM;
	migrator->ops = ops;
	migrator->userdata = userdata;
	migrator->finished_end = &migrator->finished;
	r = init_sync(migrator);
	if (r < 0) {
		free(migrator);
		return r;
	}
	migrator->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (migrator->event_fd < 0)
		r = -errno;
	for (size_t i = 0; i < n_nodes && r == 0; i++)
		r = start_worker(migrator, nodes[i]);
	if (r < 0) {
		tier_migrator_free(migrator);
		return r;
	}
	*ret = migrator;
	return 0;
}

/* Frees a job once all of its parts have let go of it. */
static void drop_queued(struct worker *worker)
{
	for (; worker->n > 0; worker->n--) {
		struct tier_job *job = worker->queue[worker->head].job;

		worker->head = (worker->head + 1) % QUEUE_MAX;
		if (--job->n_parts == 0)
			tier_job_free(job);
	}
}

_public_ struct tier_migrator *tier_migrator_free(struct tier_migrator *migrator)
{
	struct tier_job *job;

	if (!migrator)
		return NULL;
	pthread_mutex_lock(&migrator->lock);
	migrator->stop = true;
	pthread_cond_broadcast(&migrator->changed);
	pthread_mutex_unlock(&migrator->lock);
	for (size_t i = 0; i < migrator->n_workers; i++)
		pthread_join(migrator->workers[i].thread, NULL);
	for (size_t i = 0; i < migrator->n_workers; i++)
		drop_queued(&migrator->workers[i]);
	while ((job = tier_migrator_take(migrator)))
		tier_job_free(job);
	closep(&migrator->event_fd);
	pthread_cond_destroy(&migrator->changed);
	pthread_mutex_destroy(&migrator->lock);
	free(migrator);
	return NULL;
}
