/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "sampler/governor.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* More than one sample in so many lost is worth a word. */
#define LOST_DIVISOR 50

/* A throttled event is on its way to a longer period; one that stays so is not. */
#define THROTTLED_MOST 5

/* So many from one CPU in ten seconds are no accident. */
#define ONE_CPU_SAMPLES 2000

/* CPU time without a sample, and with some but little of the memory judged. */
#define STARVED_USEC   (10 * USEC_PER_SEC)
#define UNCOVERED_USEC (120 * USEC_PER_SEC)

/* Memory that no sweep has seen: by the size, and the share of the group's. */
#define HIDDEN_BYTES   (UINT64_C(32) << 20)
#define HIDDEN_DIVISOR 8

#define POLICY_BYTES (UINT64_C(16) << 20)

#define MIB(bytes) ((bytes) >> 20)

/* ---- The machine --------------------------------------------------------------- */

static void see_capabilities(struct tierd_findings *findings, uint64_t capabilities)
{
	static const struct {
		unsigned bit;
		unsigned or_bit;
		const char *name;
		const char *use;
	} needed[] = {
		{ CAP_SYS_ADMIN, CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
			"page frame numbers in /proc/PID/pagemap" },
		{ CAP_SYS_NICE, CAP_SYS_NICE, "CAP_SYS_NICE",
			"moving other processes' pages" },
		{ CAP_SYS_PTRACE, CAP_SYS_PTRACE, "CAP_SYS_PTRACE",
			"other users' processes" },
		{ CAP_PERFMON, CAP_SYS_ADMIN, "CAP_PERFMON",
			"sampling whatever kernel.perf_event_paranoid says" },
		{ CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, "CAP_DAC_READ_SEARCH",
			"/proc/kpageflags" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!(capabilities >> needed[i].bit & 1) &&
			!(capabilities >> needed[i].or_bit & 1))
			tierd_findings_add(findings, TIERD_CONDITION_NO_PRIVILEGE, NULL,
				"%s is missing, which is for %s", needed[i].name,
				needed[i].use);
}

bool tierd_doctor_minds_loss(uint64_t taken, uint64_t lost)
{
	return lost > 0 && lost >= (taken + lost) / LOST_DIVISOR;
}

static void see_rate(
	struct tierd_findings *findings, const struct tierd_machine_health *machine)
{
	int limit = TIERD_GOVERNOR_LIMIT_NONE;

	while (machine->limit && limit < TIERD_GOVERNOR_LIMIT_MAX &&
		strcmp(tierd_governor_limit_to_string(limit), machine->limit) != 0)
		limit++;
	if (limit == TIERD_GOVERNOR_LIMIT_KERNEL)
		tierd_findings_add(findings, TIERD_CONDITION_KERNEL_RATE, NULL,
			"the kernel lets %" PRIu64
			" samples a second through, and %" PRIu64 " would be of use",
			machine->kernel_per_s, machine->wanted_per_s);
	else if (limit != TIERD_GOVERNOR_LIMIT_NONE)
		tierd_findings_add(findings, TIERD_CONDITION_SAMPLING_CAPPED, NULL,
			"%s= keeps sampling at %" PRIu64 " a second, and %" PRIu64
			" would be of use",
			limit == TIERD_GOVERNOR_LIMIT_CPU ? "CPUMax" : "OverheadMax",
			machine->target_per_s, machine->wanted_per_s);
}

static void see_sampler(
	struct tierd_findings *findings, const struct tierd_machine_health *machine)
{
	uint64_t lost = machine->samples_lost;

	if (tierd_doctor_minds_loss(machine->samples, lost))
		tierd_findings_add(findings, TIERD_CONDITION_SAMPLES_LOST, NULL,
			"%" PRIu64 " samples were lost of %" PRIu64
			" in ten seconds: heat is seen late, or not at all",
			lost, machine->samples + lost);
	if (machine->throttled > THROTTLED_MOST)
		tierd_findings_add(findings, TIERD_CONDITION_THROTTLED, NULL,
			"the kernel stopped sampling %" PRIu64
			" times in ten seconds, for its rate",
			machine->throttled);
	if (machine->n_cpus > 1 && machine->n_cpus_heard == 1 &&
		machine->samples >= ONE_CPU_SAMPLES)
		tierd_findings_add(findings, TIERD_CONDITION_ONE_CPU, NULL,
			"all samples come from one CPU, of %u that are watched",
			machine->n_cpus);
	see_rate(findings, machine);
}

void tierd_doctor_see_machine(
	struct tierd_findings *findings, const struct tierd_machine_health *machine)
{
	see_capabilities(findings, machine->capabilities);
	if (machine->is_paused)
		tierd_findings_add(findings, TIERD_CONDITION_PAUSED, NULL,
			"tierd is paused: no pages are moved");
	for (size_t i = 0; i < ARRAY_SIZE(machine->kernel_tiering); i++)
		if (machine->moves_pages && machine->kernel_tiering[i])
			tierd_findings_add(findings, TIERD_CONDITION_KERNEL_TIERING, NULL,
				"the kernel moves pages as well, whatever the quotas: %s "
				"is on",
				machine->kernel_tiering[i]);
	see_sampler(findings, machine);
}

void tierd_doctor_see_quotas(struct tierd_findings *findings,
	const struct tierd_machine_health *machine, uint64_t quota_bytes)
{
	if (quota_bytes > machine->dram_bytes)
		tierd_findings_add(findings, TIERD_CONDITION_QUOTAS_ABOVE_DRAM, NULL,
			"quotas add up to %" PRIu64 " MiB, and DRAM has %" PRIu64
			" MiB: not all groups can have theirs at once",
			MIB(quota_bytes), MIB(machine->dram_bytes));
}

/* ---- A group ------------------------------------------------------------------- */

static uint64_t samples_of(const struct tierd_group_view *view)
{
	uint64_t samples = 0;

	for (int i = 0; i < TIER_SAMPLED_MAX; i++)
		samples += view->heat.samples[i];
	return samples;
}

static void see_sampling(struct tierd_findings *findings,
	const struct tierd_group_view *view, const struct tierd_group_health *health)
{
	uint64_t samples = samples_of(view);

	if (health->cpu_usec >= STARVED_USEC && samples < health->cpu_usec / USEC_PER_SEC)
		tierd_findings_add(findings, TIERD_CONDITION_SAMPLES_STARVED,
			view->cgroup,
			"%" PRIu64 " samples were taken in %" PRIu64
			" s of CPU time that it used: next to nothing is known of it",
			samples, health->cpu_usec / USEC_PER_SEC);
	else if (health->cpu_usec >= UNCOVERED_USEC && health->is_swept &&
		 view->heat.resident_pages > 0 &&
		 view->heat.coverage < TIERD_COVERAGE_LEAST)
		tierd_findings_add(findings, TIERD_CONDITION_COVERAGE, view->cgroup,
			"only %.0f %% of its pages were watched long enough to be judged",
			100 * view->heat.coverage);
}

static void see_memory(struct tierd_findings *findings,
	const struct tierd_group_view *view, const struct tierd_group_health *health)
{
	uint64_t held = view->dram_bytes + view->slow_bytes;
	uint64_t seen = view->heat.resident_pages * TIER_PAGE_SIZE;
	uint64_t hidden = held - TIER_MIN(seen, held);

	if (health->is_swept && hidden >= HIDDEN_BYTES && hidden >= held / HIDDEN_DIVISOR)
		tierd_findings_add(findings, TIERD_CONDITION_HIDDEN, view->cgroup,
			"%" PRIu64 " of its %" PRIu64
			" MiB cannot be moved: shared between processes, or mapped by "
			"none",
			MIB(hidden), MIB(held));
	if (health->policy_bytes >= POLICY_BYTES)
		tierd_findings_add(findings, TIERD_CONDITION_NUMA_POLICY, view->cgroup,
			"%" PRIu64
			" MiB are under a NUMA policy of the program's own, which the "
			"kernel's tiering does not see and new pages follow",
			MIB(health->policy_bytes));
}

static void see_quota(struct tierd_findings *findings,
	const struct tierd_machine_health *machine, const struct tierd_group_view *view,
	const struct tierd_group_health *health)
{
	if (view->dram_quota_bytes != UINT64_MAX &&
		view->dram_quota_bytes > machine->dram_bytes)
		tierd_findings_add(findings, TIERD_CONDITION_QUOTA_ABOVE_DRAM,
			view->cgroup,
			"its quota is %" PRIu64 " MiB, and DRAM has %" PRIu64 " MiB",
			MIB(view->dram_quota_bytes), MIB(machine->dram_bytes));
	if (health->is_over_quota)
		tierd_findings_add(findings, TIERD_CONDITION_OVER_QUOTA, view->cgroup,
			"it holds %" PRIu64 " MiB of DRAM, and its quota is %" PRIu64
			" MiB",
			MIB(view->dram_bytes), MIB(view->dram_quota_bytes));
	if (health->is_hard_refused)
		tierd_findings_add(findings, TIERD_CONDITION_HARD_REFUSED, view->cgroup,
			"its limits cannot be written: Enforcement=hard and Placement= "
			"have no effect");
	if (health->is_gate_suspended)
		tierd_findings_add(findings, TIERD_CONDITION_GATE_OPEN, view->cgroup,
			"the gate on memory.high is open for a while: holding growth "
			"back made the kernel reclaim, or did not help");
	if (view->drifts > 0)
		tierd_findings_add(findings, TIERD_CONDITION_DRIFT, view->cgroup,
			"somebody else changed %" PRIu64
			" of the values that tierd had "
			"set",
			view->drifts);
}

void tierd_doctor_see_group(struct tierd_findings *findings,
	const struct tierd_machine_health *machine, const struct tierd_group_view *view,
	const struct tierd_group_health *health)
{
	see_sampling(findings, view, health);
	see_memory(findings, view, health);
	see_quota(findings, machine, view, health);
}

/* ---- NUMA policies ------------------------------------------------------------- */

static uint64_t number_after(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

/* "7f0000000000 bind:1 anon=512 dirty=512 N1=512 kernelpagesize_kB=4" */
uint64_t tierd_numa_maps_policy_bytes(const char *line)
{
	const char *policy = strchr(line, ' ');
	uint64_t pages = 0;

	if (!policy || strncmp(policy, " default", 8) == 0 ||
		strncmp(policy, " local", 6) == 0)
		return 0;
	for (const char *at = line; (at = strstr(at, " N")); at += 2) {
		char *end;

		(void)strtoul(at + 2, &end, 10);
		if (end > at + 2 && *end == '=')
			pages += strtoull(end + 1, NULL, 10);
	}
	return pages * number_after(line, " kernelpagesize_kB=") * 1024;
}
