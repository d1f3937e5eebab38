/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "migrate/batch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/util.h"

/* A status the kernel never writes. */
#define UNWRITTEN (-EINPROGRESS)

/* Calls a batch may take; each one after the first is due to a page that would not move.
 */
#define CALLS_MAX 32

static enum tier_result result_of_status(int status, int node)
{
	if (status == node)
		return TIER_RESULT_DONE;
	switch (status) {
	case -ENOMEM:
		return TIER_RESULT_NOMEM;
	case -ENOENT:
	case -EFAULT:
	case -ESRCH:
		return TIER_RESULT_GONE;
	case -EACCES:
	case -EPERM:
	case -EINVAL:
	case -ENODEV:
		return TIER_RESULT_UNSUPPORTED;
	default:
		return TIER_RESULT_BUSY;
	}
}

static bool process_is_gone(const struct tier_batch *batch)
{
	struct pollfd poll_exit = { .fd = batch->pidfd, .events = POLLIN };

	return batch->pidfd >= 0 && poll(&poll_exit, 1, 0) > 0;
}

/* Statuses of the pages at @which; @nodes NULL asks where they are. */
static int call(const struct tier_batch *batch, const struct tier_migrator_ops *ops,
	void *userdata, const size_t *which, size_t n, const int *nodes, int *ret_status)
{
	void *pages[TIER_BATCH_MOVES];

	for (size_t i = 0; i < n; i++) {
		pages[i] = batch->pages[which[i]];
		ret_status[i] = UNWRITTEN;
	}
	return ops->move(userdata, batch->pid, n, pages, nodes, ret_status);
}

/*
 * Moves the pages at @which and keeps there those whose fate the kernel left open.
 * Returns their number; *ret_error is why the call stopped.
 */
static size_t try_move(struct tier_batch *batch, const struct tier_migrator_ops *ops,
	void *userdata, size_t *which, size_t n, int *ret_error)
{
	int nodes[TIER_BATCH_MOVES], status[TIER_BATCH_MOVES];
	size_t n_open = 0;

	for (size_t i = 0; i < n; i++)
		nodes[i] = batch->node;
	*ret_error = call(batch, ops, userdata, which, n, nodes, status);
	for (size_t i = 0; i < n; i++) {
		if (status[i] == UNWRITTEN)
			which[n_open++] = which[i];
		else
			batch->results[which[i]] =
				result_of_status(status[i], batch->node);
	}
	if (n_open == 0 || *ret_error == -ESRCH)
		return n_open;

	n = n_open;
	n_open = 0;
	if (call(batch, ops, userdata, which, n, NULL, status) < 0)
		return n;
	for (size_t i = 0; i < n; i++) {
		if (status[i] == batch->node)
			batch->results[which[i]] = TIER_RESULT_DONE;
		else if (status[i] >= 0 || status[i] == UNWRITTEN)
			which[n_open++] = which[i];
		else
			batch->results[which[i]] =
				result_of_status(status[i], batch->node);
	}
	return n_open;
}

void tier_batch_run(
	struct tier_batch *batch, const struct tier_migrator_ops *ops, void *userdata)
{
	size_t which[TIER_BATCH_MOVES], n = batch->n;
	int error = 0;

	for (size_t i = 0; i < n; i++)
		which[i] = i;
	if (process_is_gone(batch))
		error = -ESRCH;
	for (unsigned calls = 0; calls < CALLS_MAX && n > 0 && error == 0; calls++) {
		size_t before = n;

		n = try_move(batch, ops, userdata, which, n, &error);
		if (n == before && error == 0) {
			batch->results[which[0]] = TIER_RESULT_BUSY;
			memmove(which, which + 1, --n * sizeof(*which));
		}
	}
	for (size_t i = 0; i < n; i++)
		batch->results[which[i]] =
			error < 0 ? result_of_status(error, -1) : TIER_RESULT_CANCELLED;
}

enum tier_result tier_batch_collapse(
	int pidfd, uint64_t address, const struct tier_migrator_ops *ops, void *userdata)
{
	if (!ops->collapse || pidfd < 0)
		return TIER_RESULT_UNSUPPORTED;
	switch (ops->collapse(userdata, pidfd, (void *)(uintptr_t)address)) {
	case 0:
		return TIER_RESULT_DONE;
	case -ENOMEM:
		return TIER_RESULT_NOMEM;
	case -ESRCH:
		return TIER_RESULT_GONE;
	case -EAGAIN: /* pages that are locked or isolated just now */
	case -EBUSY:  /* the cgroup is at its limit, or pages have gone */
	case -EINTR:
		return TIER_RESULT_BUSY;
	default: /* not allowed there, or a kernel that does not know it */
		return TIER_RESULT_UNSUPPORTED;
	}
}
