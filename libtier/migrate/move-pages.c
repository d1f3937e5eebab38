/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The real way to move pages: move_pages(2). */
#include <errno.h>
#include <numaif.h>

#include "base/util.h"
#include "libtier.h"

static int move(_unused_ void *userdata, pid_t pid, size_t n, void *const *pages,
	const int *nodes, int *status)
{
	if (move_pages(pid, n, (void **)pages, nodes, status, MPOL_MF_MOVE) < 0)
		return -errno;
	return 0;
}

_public_ const struct tier_migrator_ops tier_migrator_ops_move_pages = {
	.move = move,
};
