/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"

#define PROCESSES_MAX 64

/* Targets are kept to this, so that a limit can be reached exactly. */
#define ROUNDING 1e-9

struct task {
	const struct sim_line *line;
	uint64_t seed;
	int result;
};

struct tasks {
	atomic_size_t next;
	atomic_size_t done;
	size_t n;
	double *figures;
	struct task list[];
};

int sim_lines_add(struct sim_lines *lines, const struct sim_row *row,
	const struct sim_policy_ops *ops, size_t n_seeds)
{
	if (lines->n == SIM_LINES_MAX)
		return -ENOSPC;
	lines->lines[lines->n++] = (struct sim_line){ row, ops, n_seeds };
	return 0;
}

void sim_lines_done(struct sim_lines *lines)
{
	if (lines->tasks)
		munmap(lines->tasks, lines->tasks_bytes);
	lines->tasks = NULL;
}

/* ---- Running ----------------------------------------------------------------------- */

static int make_tasks(struct sim_lines *lines)
{
	size_t n = 0, bytes;
	struct tasks *tasks;

	for (size_t i = 0; i < lines->n; i++)
		n += lines->lines[i].n_seeds;
	bytes = sizeof(*tasks) + n * sizeof(tasks->list[0]) +
		n * SIM_FIGURE_MAX * sizeof(double);
	tasks = mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tasks == MAP_FAILED)
		return -ENOMEM;
	lines->tasks = tasks;
	lines->tasks_bytes = bytes;
	tasks->figures = (double *)&tasks->list[n];
	for (size_t i = 0; i < lines->n; i++) {
		struct sim_line *line = &lines->lines[i];

		line->figures = &tasks->figures[tasks->n * SIM_FIGURE_MAX];
		for (size_t seed = 1; seed <= line->n_seeds; seed++)
			tasks->list[tasks->n++] = (struct task){ line, seed, -ECANCELED };
	}
	return 0;
}

static void work(struct tasks *tasks)
{
	struct sim_zipf_cache cache = { 0 };

	for (;;) {
		size_t i = atomic_fetch_add(&tasks->next, 1);
		struct task *task = &tasks->list[i];

		if (i >= tasks->n)
			break;
		task->result = sim_run(task->line->row, task->line->ops, task->seed,
			&cache, &tasks->figures[i * SIM_FIGURE_MAX], NULL);
		atomic_fetch_add(&tasks->done, 1);
	}
	sim_zipf_cache_done(&cache);
}

/* In place on a terminal, and a line every hundred looks elsewhere. */
static void tell_progress(const struct tasks *tasks, bool is_live, unsigned look)
{
	if (is_live)
		fprintf(stderr, "\r\033[K%zu of %zu runs", tasks->done, tasks->n);
	else if (look % 100 == 0)
		fprintf(stderr, "%zu of %zu runs\n", tasks->done, tasks->n);
}

/* Waits for all the processes, looking ten times a second. True if all went well. */
static bool wait_for_all(
	const pid_t *processes, size_t n, const struct tasks *tasks, bool show_progress)
{
	static const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	bool is_fine = true, is_live = show_progress && isatty(STDERR_FILENO);
	unsigned look = 0;

	for (size_t i = 0; i < n; i++) {
		int status = 0;
		pid_t pid;

		while ((pid = waitpid(processes[i], &status, WNOHANG)) == 0) {
			nanosleep(&pause, NULL);
			if (show_progress)
				tell_progress(tasks, is_live, ++look);
		}
		is_fine &= pid == processes[i] && status == 0;
	}
	if (is_live)
		fprintf(stderr, "\r\033[K");
	return is_fine;
}

static int first_error(const struct tasks *tasks)
{
	for (size_t i = 0; i < tasks->n; i++)
		if (tasks->list[i].result < 0)
			return tasks->list[i].result;
	return 0;
}

int sim_lines_fill(struct sim_lines *lines, unsigned n_processes, bool show_progress)
{
	pid_t processes[PROCESSES_MAX];
	struct tasks *tasks;
	size_t n = 0;
	int r;

	r = make_tasks(lines);
	if (r < 0)
		return r;
	tasks = lines->tasks;
	fflush(NULL);
	while (n < TIER_MIN(n_processes, (unsigned)PROCESSES_MAX)) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			work(tasks);
			_exit(0);
		}
		processes[n++] = pid;
	}
	if (n == 0)
		return -EAGAIN;
	if (!wait_for_all(processes, n, tasks, show_progress))
		return -ECHILD;
	return first_error(tasks);
}

/* ---- Judging ----------------------------------------------------------------------- */

struct sim_summary sim_line_summary(const struct sim_line *line, enum sim_figure figure)
{
	return sim_summarize(
		figure, &line->figures[figure], line->n_seeds, SIM_FIGURE_MAX);
}

static const struct sim_line *find_line(
	const struct sim_lines *lines, const struct sim_row *row, const char *policy)
{
	for (size_t i = 0; i < lines->n; i++)
		if (lines->lines[i].row == row &&
			strcmp(lines->lines[i].ops->name, policy) == 0)
			return &lines->lines[i];
	return NULL;
}

static double better(enum sim_figure figure, double a, double b)
{
	return sim_figure_should_be_high(figure) ? fmax(a, b) : fmin(a, b);
}

/* fmax() and fmin() prefer a number to NAN, so what is not there does not count. */
static struct sim_summary limit_of(const struct sim_lines *lines,
	const struct sim_row *row, const struct sim_target *target)
{
	const char *const others[] = { target->than, target->or_than };
	struct sim_summary limit = { NAN, NAN };

	if (!target->than)
		return (struct sim_summary){ target->limit, target->limit };
	for (size_t i = 0; i < ARRAY_SIZE(others) && others[i]; i++) {
		const struct sim_line *line = find_line(lines, row, others[i]);
		struct sim_summary other;

		if (!line)
			continue;
		other = sim_line_summary(line, target->figure);
		limit.median = better(target->figure, limit.median, other.median);
		limit.worst = better(target->figure, limit.worst, other.worst);
	}
	limit.median = target->limit * limit.median + target->plus;
	limit.worst = target->limit * limit.worst + target->plus;
	return limit;
}

static bool keeps(enum sim_figure figure, double found, double limit)
{
	if (sim_figure_should_be_high(figure))
		return found >= limit - ROUNDING;
	return found <= limit + ROUNDING;
}

bool sim_line_judge(const struct sim_lines *lines, const struct sim_line *line,
	const struct sim_target *target, struct sim_verdict *ret)
{
	struct sim_verdict verdict;

	if (strcmp(target->engine, line->ops->name) != 0)
		return false;
	verdict.limit = limit_of(lines, line->row, target);
	if (isnan(verdict.limit.median))
		return false;
	verdict.found = sim_line_summary(line, target->figure);
	verdict.met = keeps(target->figure, verdict.found.median, verdict.limit.median) &&
		      keeps(target->figure, verdict.found.worst, verdict.limit.worst);
	*ret = verdict;
	return true;
}
