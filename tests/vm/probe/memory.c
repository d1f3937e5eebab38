/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * memory.c: buffers, the loop that touches them, and the process that runs it.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

void fail(const char *what)
{
	fprintf(stderr, "vm-probe: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

char *reserve_on_node(uint64_t bytes, unsigned int node)
{
	unsigned long mask = 1UL << node;
	char *p;

	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		fail("mmap");
	if (syscall(SYS_mbind, p, bytes, MPOL_BIND, &mask, sizeof(mask) * 8, 0) < 0)
		fail("mbind");
	return p;
}

char *buffer_on_node(uint64_t bytes, unsigned int node)
{
	char *p = reserve_on_node(bytes, node);

	memset(p, 1, bytes);
	return p;
}

void touch(char *buffer, uint64_t bytes, uint64_t accesses, uint64_t *state)
{
	for (uint64_t i = 0; i < accesses; i += 2) {
		volatile char *from = buffer + next_random(state) % bytes;
		volatile char *to = buffer + next_random(state) % bytes;

		*to = *from;
	}
}

static uint64_t own_cgroup(void)
{
	char line[512], path[600];
	struct stat st;
	FILE *f = fopen("/proc/self/cgroup", "re");

	if (!f || !fgets(line, sizeof(line), f) || strncmp(line, "0::/", 4) != 0)
		fail("/proc/self/cgroup");
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s", line + 3);
	if (stat(path, &st) < 0)
		fail(path);
	return st.st_ino;
}

static void __attribute__((noreturn))
workload_main(const struct workload *workload, int ready)
{
	uint64_t state = 2463534242ULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(workload->buffer, 1, workload->bytes);
	if (write(ready, "", 1) != 1)
		_exit(EXIT_FAILURE);
	for (;;)
		touch(workload->buffer, workload->bytes, 1000, &state);
}

void workload_start(struct workload *workload, uint64_t bytes, unsigned int node)
{
	char path[64];
	int ready[2];

	*workload = (struct workload){ .bytes = bytes, .node = node };
	workload->cgroup = own_cgroup();
	/* Reserved here, so that its place is known; populated by the child. */
	workload->buffer = reserve_on_node(bytes, node);
	if (pipe2(ready, O_CLOEXEC) < 0)
		fail("pipe");
	workload->pid = fork();
	if (workload->pid < 0)
		fail("fork");
	if (workload->pid == 0)
		workload_main(workload, ready[1]);
	close(ready[1]);
	if (read(ready[0], path, 1) != 1)
		fail("the workload");
	close(ready[0]);

	snprintf(path, sizeof(path), "/proc/%d/pagemap", workload->pid);
	workload->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (workload->pagemap < 0)
		fail(path);
}

void workload_stop(struct workload *workload)
{
	kill(workload->pid, SIGKILL);
	waitpid(workload->pid, NULL, 0);
	close(workload->pagemap);
	munmap(workload->buffer, workload->bytes);
}

uint64_t physical(const struct workload *workload, uint64_t addr)
{
	uint64_t entry;

	if (pread(workload->pagemap, &entry, sizeof(entry),
		    (off_t)(addr / PAGE_BYTES * sizeof(entry))) != sizeof(entry))
		fail("pagemap");
	return (entry & ((1ULL << 55) - 1)) * PAGE_BYTES + addr % PAGE_BYTES;
}
