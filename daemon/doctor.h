/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be wrong with a tierd that runs: judged from numbers that others gathered, so
 * that each condition can be staged without a machine. A machine in order has no
 * findings: thresholds are where somebody should act.
 */
#ifndef TIERD_DOCTOR_H
#define TIERD_DOCTOR_H

#include <stdint.h>

#include "findings.h"
#include "group.h"

struct tierd_group_health {
	uint64_t cpu_usec;     /* used by the group's processes while it was managed */
	uint64_t policy_bytes; /* under a NUMA policy of the programs' own */
	bool is_swept;
	bool is_over_quota; /* for some seconds on end */
	bool is_hard_refused;
	bool is_gate_suspended;
};

/* Of what is asked of the system, what cannot be had, or not before @until_ns, is 0. */
void tierd_group_get_health(const struct tierd_group *group, uint64_t until_ns,
	struct tierd_group_health *ret);

/* Sums up the bytes of a /proc/PID/numa_maps line that are under a policy; 0 for others.
 */
uint64_t tierd_numa_maps_policy_bytes(const char *line);

struct tierd_machine_health {
	uint64_t dram_bytes;
	uint64_t samples; /* of the last ten seconds */
	uint64_t samples_lost;
	uint64_t throttled;    /* the same: times that the kernel stopped a CPU's event */
	unsigned n_cpus;       /* CPUs being sampled, and those of which there ever */
	unsigned n_cpus_heard; /* was a sample */
	const char *limit;     /* what bounds the rate: see sampler/governor.h */
	uint64_t wanted_per_s; /* samples that would be of use, */
	uint64_t target_per_s; /* what is aimed at, */
	uint64_t kernel_per_s; /* and what the kernel lets through */
	bool is_paused;
	bool moves_pages;
	const char *kernel_tiering[2]; /* paths of those settings that are on, or NULL */
	uint64_t capabilities;         /* effective ones of tierd, a bit each */
};

void tierd_doctor_see_machine(
	struct tierd_findings *findings, const struct tierd_machine_health *machine);
void tierd_doctor_see_group(struct tierd_findings *findings,
	const struct tierd_machine_health *machine, const struct tierd_group_view *view,
	const struct tierd_group_health *health);

/* Whether more samples are lost than can be left at that. */
bool tierd_doctor_minds_loss(uint64_t taken, uint64_t lost);

/* @quota_bytes: of all groups that are not below another one. */
void tierd_doctor_see_quotas(struct tierd_findings *findings,
	const struct tierd_machine_health *machine, uint64_t quota_bytes);

struct tierd_manager;

/* All of the above for a running tierd; the caller frees what is found. */
void tierd_manager_doctor(struct tierd_manager *manager, struct tierd_findings *ret);

/* Of this process: all of them if it is not known. */
uint64_t tierd_doctor_capabilities(void);

/* What would keep tierd from working here, without starting anything: as tierd --check.
 */
void tierd_doctor_check(const char *config_path, struct tierd_findings *ret);

#endif
