/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a doctor found: which condition, how bad, about whom, and what to do about it. The
 * conditions there are, with how bad they are and what helps, are one table.
 */
#ifndef TIERD_FINDINGS_H
#define TIERD_FINDINGS_H

#include <stddef.h>

#include "base/util.h"

enum tierd_condition {
	TIERD_CONDITION_ONE_TIER,
	TIERD_CONDITION_NO_SOURCE,
	TIERD_CONDITION_SOURCE,
	TIERD_CONDITION_NO_PRIVILEGE,
	TIERD_CONDITION_CGROUP,
	TIERD_CONDITION_CONFIGURATION,
	TIERD_CONDITION_KERNEL_TIERING,
	TIERD_CONDITION_PAUSED,
	TIERD_CONDITION_SAMPLES_LOST,
	TIERD_CONDITION_SAMPLES_STARVED,
	TIERD_CONDITION_SAMPLING_CAPPED,
	TIERD_CONDITION_KERNEL_RATE,
	TIERD_CONDITION_THROTTLED,
	TIERD_CONDITION_ONE_CPU,
	TIERD_CONDITION_COVERAGE,
	TIERD_CONDITION_HIDDEN,
	TIERD_CONDITION_NUMA_POLICY,
	TIERD_CONDITION_QUOTA_ABOVE_DRAM,
	TIERD_CONDITION_QUOTAS_ABOVE_DRAM,
	TIERD_CONDITION_OVER_QUOTA,
	TIERD_CONDITION_HARD_REFUSED,
	TIERD_CONDITION_GATE_OPEN,
	TIERD_CONDITION_DRIFT,
	TIERD_CONDITION_MAX,
};

struct tierd_finding {
	const char *id;       /* a stable word */
	const char *severity; /* "error", "warning" or "notice" */
	char *subject;        /* a group's path, or "machine" */
	char *what;
	const char *advice;
};

/* More are counted, and not kept. */
#define TIERD_FINDINGS_MAX 256

struct tierd_findings {
	struct tierd_finding *items;
	size_t n;
	size_t n_dropped;
};

/* @subject NULL: the machine. Without memory the finding is dropped. */
void tierd_findings_add(struct tierd_findings *findings, enum tierd_condition condition,
	const char *subject, const char *format, ...) _printf_(4, 5);
void tierd_findings_done(struct tierd_findings *findings);

/* NULL for values out of range. */
const char *tierd_condition_to_string(int condition);

#endif
