/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierd-restore: what tierd.service runs before tierd starts and after it has ended,
 * however it ended. It links nothing of what tierd does, so that it works when that does
 * not.
 */
#include <errno.h>
#include <stdio.h>

#include "cgroup.h"
#include "enforce/restore-bus.h"
#include "log.h"

static int report(int r, const struct tierd_restore_counts *counts)
{
	if (counts->skipped_lines > 0)
		log_notice("%zu incomplete lines of the journal were left out",
			counts->skipped_lines);
	if (r == -EBUSY)
		log_error("tierd is running: what it holds is its own to put back");
	else if (r < 0)
		log_error_errno(r, "not all could be put back");
	else if (counts->restored > 0)
		log_notice(
			"put back %zu settings that tierd had changed", counts->restored);
	return r < 0 ? 1 : 0;
}

int main(int argc, _unused_ char **argv)
{
	struct tierd_cgroup_root cgroups = { .fd = -EBADF };
	struct tierd_restore_counts counts = { 0 };
	struct tierd_root root;
	int r;

	if (argc > 1) {
		fputs("Usage: tierd-restore\n"
		      "Put back what a tierd that is no more has changed. See tierd(8).\n",
			stderr);
		return 64;
	}
	r = tierd_root_open("/", &root);
	if (r < 0) {
		log_error_errno(r, "cannot open /");
		return 1;
	}
	(void)tierd_cgroup_root_open(&root, &cgroups, NULL);
	r = tierd_restore_by_bus(&root, cgroups.fd, &counts);
	tierd_cgroup_root_close(&cgroups);
	tierd_root_close(&root);
	return report(r, &counts);
}
