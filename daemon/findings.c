/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "findings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *id;
	const char *severity;
	const char *advice;
} conditions[TIERD_CONDITION_MAX] = {
	[TIERD_CONDITION_ONE_TIER] = { "one-tier", "error",
		"If that is wrong, name the tiers by Tiers= in tierd.conf; else there is "
		"nothing for tierd to do." },
	[TIERD_CONDITION_NO_SOURCE] = { "no-source", "error",
		"See to one of them; Source= in tierd.conf says which are allowed." },
	[TIERD_CONDITION_SOURCE] = { "source-unavailable", "notice",
		"Another source is used meanwhile, and tierd tries again by itself; name "
		"that one by Source= in tierd.conf to leave it at that." },
	[TIERD_CONDITION_NO_PRIVILEGE] = { "no-privilege", "error",
		"Start tierd by its unit (systemctl start tierd), without a drop-in that "
		"takes capabilities away." },
	[TIERD_CONDITION_CGROUP] = { "cgroup-v1", "error",
		"Boot with systemd.unified_cgroup_hierarchy=1, and without "
		"cgroup_disable=memory." },
	[TIERD_CONDITION_CONFIGURATION] = { "configuration", "error",
		"Correct it; tierctl verify checks without starting anything." },
	[TIERD_CONDITION_KERNEL_TIERING] = { "kernel-tiering", "warning",
		"Turn it off, or let tierd do so with KernelTiering=off in tierd.conf." },
	[TIERD_CONDITION_PAUSED] = { "paused", "notice",
		"tierctl resume, when what it was paused for is over." },
	[TIERD_CONDITION_SAMPLES_LOST] = { "samples-lost", "warning",
		"Lower SamplesPerSecondMax= in tierd.conf, or give tierd more CPU time." },
	[TIERD_CONDITION_SAMPLES_STARVED] = { "samples-starved", "warning",
		"See whether the event counts this program's accesses (Event= in "
		"tierd.conf), and whether something else uses the PMU." },
	[TIERD_CONDITION_SAMPLING_CAPPED] = { "sampling-capped", "notice",
		"As it is meant to be; raise CPUMax= or OverheadMax= in tierd.conf to "
		"see more." },
	[TIERD_CONDITION_KERNEL_RATE] = { "kernel-rate", "warning",
		"Raise kernel.perf_event_max_sample_rate: the kernel lowers it when "
		"interrupts take long." },
	[TIERD_CONDITION_THROTTLED] = { "throttled", "warning",
		"Raise kernel.perf_event_max_sample_rate, or lower SamplesPerSecondMax= "
		"in tierd.conf." },
	[TIERD_CONDITION_ONE_CPU] = { "one-cpu", "notice",
		"If programs run on others, see whether those have the event (Event= in "
		"tierd.conf), and whether something else uses their PMU." },
	[TIERD_CONDITION_COVERAGE] = { "coverage-low", "notice",
		"Wait, or raise SamplesPerSecondMax= in tierd.conf." },
	[TIERD_CONDITION_HIDDEN] = { "memory-hidden", "warning",
		"Memory of several processes, and of unmapped files, is not moved: give "
		"the group a quota that leaves it out of account." },
	[TIERD_CONDITION_NUMA_POLICY] = { "numa-policy", "notice",
		"Start the program without numactl or its own policy: what it allocates "
		"goes where the policy says, and only then where tierd has it." },
	[TIERD_CONDITION_QUOTA_ABOVE_DRAM] = { "quota-above-dram", "warning",
		"Set a DRAMQuota= that DRAM can hold, or infinity." },
	[TIERD_CONDITION_QUOTAS_ABOVE_DRAM] = { "quotas-above-dram", "notice",
		"Lower quotas, or guarantee what matters by DRAMMin=." },
	[TIERD_CONDITION_OVER_QUOTA] = { "over-quota", "warning",
		"tierctl explain GROUP says why its memory stays; Enforcement=hard holds "
		"growth back." },
	[TIERD_CONDITION_HARD_REFUSED] = { "hard-unenforceable", "error",
		"Give the unit above it Delegate=yes, or manage the unit itself." },
	[TIERD_CONDITION_GATE_OPEN] = { "gate-open", "warning",
		"Raise the quota, or have less of its memory shared or locked." },
	[TIERD_CONDITION_DRIFT] = { "drift", "warning",
		"Find who else writes it (systemctl show, audit), and have one of the two "
		"stop." },
};

void tierd_findings_add(struct tierd_findings *findings, enum tierd_condition condition,
	const char *subject, const char *format, ...)
{
	struct tierd_finding *items, finding = {
		.id = conditions[condition].id,
		.severity = conditions[condition].severity,
		.advice = conditions[condition].advice,
	};
	va_list arguments;

	if (findings->n == TIERD_FINDINGS_MAX) {
		findings->n_dropped++;
		return;
	}
	va_start(arguments, format);
	if (vasprintf(&finding.what, format, arguments) < 0)
		finding.what = NULL;
	va_end(arguments);
	finding.subject = strdup(subject ? subject : "machine");
	items = reallocarray(findings->items, findings->n + 1, sizeof(*items));
	if (items)
		findings->items = items;
	if (!items || !finding.what || !finding.subject) {
		free(finding.what);
		free(finding.subject);
		findings->n_dropped++;
		return;
	}
	items[findings->n++] = finding;
}

void tierd_findings_done(struct tierd_findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		free(findings->items[i].subject);
		free(findings->items[i].what);
	}
	free(findings->items);
	*findings = (struct tierd_findings){ 0 };
}

const char *tierd_condition_to_string(int condition)
{
	return condition >= 0 && condition < TIERD_CONDITION_MAX
		       ? conditions[condition].id
		       : NULL;
}
