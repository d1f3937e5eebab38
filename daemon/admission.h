/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what policies guarantee can be kept: the sum of all DRAMMin= against the DRAM
 * there is, less what everybody else uses. Pure arithmetic over a list of claims; who
 * makes a claim, and where the numbers come from, is the caller's affair.
 */
#ifndef TIERD_ADMISSION_H
#define TIERD_ADMISSION_H

#include <stddef.h>
#include <stdint.h>

struct tierd_claim {
	const char *cgroup;  /* path below the cgroup root */
	const char *policy;  /* where the claim comes from, for the message */
	uint64_t min_bytes;  /* DRAM it is to be guaranteed */
	uint64_t dram_bytes; /* DRAM it holds now */
};

struct tierd_dram {
	uint64_t total_bytes;
	uint64_t used_bytes; /* by anybody, claimants included */
};

/*
 * Sorts the claims. A group's memory includes that of the groups below it: nested claims
 * overlap, and the larger of a group's own and the sum of those below it counts. Errors:
 * -ENOSPC with the sum in *ret_error when it is more than there is.
 */
int tierd_admit(struct tierd_claim *claims, size_t n, const struct tierd_dram *dram,
	char **ret_error);

#endif
