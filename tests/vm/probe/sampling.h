/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * sampling.h: one event of the PMU per CPU, and what its samples say about a workload
 * of which the truth is known.
 */

#include <stdint.h>
#include <stdio.h>

struct workload;

struct tally {
	uint64_t samples;
	uint64_t lost;
	uint64_t throttled;
	uint64_t misses;
	uint64_t stores;
	uint64_t of_workload; /* samples of the workload's pid */
	uint64_t inside;      /* of these: in its buffer */
	uint64_t of_buffer;   /* samples in the buffer, whatever pid they name */
	uint64_t right_pid;   /* of these, and so on */
	uint64_t right_cgroup;
	uint64_t right_source;
	uint64_t pages_checked;
	uint64_t right_page;
	uint64_t weight;
};

/* On the CPUs that are there; one set at a time. */
unsigned int count_cpus(void);
int open_event(unsigned int cpu, uint64_t config, uint64_t period);
void open_events(uint64_t config, uint64_t period);
void close_events(void);
void control_events(unsigned long request, void *argument);

/* Adds what has arrived to a tally, judged by the workload. */
void drain_events(struct tally *tally, const struct workload *workload);
struct tally sample_for(unsigned int seconds, const struct workload *workload);

void print_tally(const struct tally *t, uint64_t period, unsigned int seconds);
void write_tally(const struct tally *t, uint64_t period, FILE *json);
