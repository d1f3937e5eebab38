/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real ways to move and to collapse pages: move_pages(2) and process_madvise(2). */
#include <errno.h>
#include <numaif.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "base/util.h"
#include "libtier.h"

#ifndef MADV_COLLAPSE /* Linux 6.1, glibc 2.37 */
#define MADV_COLLAPSE 25
#endif

static int move(_unused_ void *userdata, pid_t pid, size_t n, void *const *pages,
	const int *nodes, int *status)
{
	if (move_pages(pid, n, (void **)pages, nodes, status, MPOL_MF_MOVE) < 0)
		return -errno;
	return 0;
}

static int move_shared(_unused_ void *userdata, pid_t pid, size_t n, void *const *pages,
	const int *nodes, int *status)
{
	if (move_pages(pid, n, (void **)pages, nodes, status, MPOL_MF_MOVE_ALL) < 0)
		return -errno;
	return 0;
}

static int collapse(_unused_ void *userdata, int pidfd, void *block)
{
	const struct iovec range = { .iov_base = block, .iov_len = TIER_BLOCK_SIZE };

	if (process_madvise(pidfd, &range, 1, MADV_COLLAPSE, 0) < 0)
		return -errno;
	return 0;
}

_public_ const struct tier_migrator_ops tier_migrator_ops_move_pages = {
	.move = move,
	.collapse = collapse,
};

_public_ const struct tier_migrator_ops tier_migrator_ops_move_shared_pages = {
	.move = move_shared,
	.collapse = collapse,
};
