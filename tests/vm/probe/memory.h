/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * memory.h: memory of known place, and a process that does nothing but touch it. What
 * fails here ends the program: a probe without its memory has nothing to say.
 */

#include <stdint.h>
#include <sys/types.h>

#define PAGE_BYTES 4096UL

/* A process that touches nothing but a buffer of known place. */
struct workload {
	pid_t pid;
	char *buffer;
	uint64_t bytes;
	unsigned int node;
	uint64_t cgroup;
	int pagemap;
};

void fail(const char *what) __attribute__((noreturn));
uint64_t now_ns(void);

/* Memory bound to a node: untouched, or populated. */
char *reserve_on_node(uint64_t bytes, unsigned int node);
char *buffer_on_node(uint64_t bytes, unsigned int node);

/* Loads and stores by turns, each somewhere else. */
void touch(char *buffer, uint64_t bytes, uint64_t accesses, uint64_t *state);

/* Returns once the process has populated its buffer. */
void workload_start(struct workload *workload, uint64_t bytes, unsigned int node);
void workload_stop(struct workload *workload);

/* The physical address of one of the workload's, as the kernel sees it. */
uint64_t physical(const struct workload *workload, uint64_t addr);
