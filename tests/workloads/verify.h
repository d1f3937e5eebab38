/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_VERIFY_H
#define GUPS_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "stream.h"
#include "table.h"

#define GUPS_FAULTS_MAX 16

enum gups_fault_kind {
	GUPS_FAULT_ZEROED,
	GUPS_FAULT_FOREIGN,
	GUPS_FAULT_COUNT,
	GUPS_FAULT_MAX,
	GUPS_FAULT_INVALID = -EINVAL,
};

struct gups_fault {
	enum gups_fault_kind kind;
	uint64_t page;
	uint64_t found;    /* wrong words, or updates counted in the page */
	uint64_t expected; /* words in a page, or updates made to it */
};

struct gups_verdict {
	uint64_t pages;
	uint64_t errors; /* wrong pages */
	uint64_t counted;
	uint64_t made;
	size_t n_faults; /* the first GUPS_FAULTS_MAX of the wrong pages */
	struct gups_fault faults[GUPS_FAULTS_MAX];
};

const char *gups_fault_kind_to_string(enum gups_fault_kind kind);

/* Checks the table against the histories of its n_threads threads, which must have ended.
 */
int gups_verify(const struct gups_table *t, const struct gups_distribution *d,
	const struct gups_history *histories, unsigned n_threads,
	struct gups_verdict *ret);

#endif
