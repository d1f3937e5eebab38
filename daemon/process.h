/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One process as /proc shows it: whether it is still the same one, and where it has
 * memory that could be moved. Which of that memory is resident is pagemap.h's question.
 */
#ifndef TIERD_PROCESS_H
#define TIERD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings/root.h"

#define TIERD_MAPPINGS_MAX 65536

struct tierd_process {
	pid_t pid;
	uint64_t start_ticks; /* since boot: with pid, an identity */
	bool is_kernel_thread;
};

/* Of what several processes may map: no two objects have the same. Shmem segments are
 * numbered apart from the files they share a device with. */
struct tierd_object_key {
	uint64_t device;
	uint64_t inode;
};

struct tierd_mapping {
	uint64_t start;
	uint64_t end; /* exclusive */
	bool is_writable;
	bool is_shared;
	bool is_file; /* has a file behind it; shmem and memfd count as such */
	struct tierd_object_key key; /* of the file; all zero without one */
	uint64_t offset;             /* in it */
};

/* -ESRCH when there is no such process, or pid is a mere thread of another. */
int tierd_process_read(
	const struct tierd_root *root, pid_t pid, struct tierd_process *ret);

/* Pages that it has touched of files and of shared memory. -ESRCH. */
int tierd_process_read_shared(
	const struct tierd_root *root, pid_t pid, uint64_t *ret_pages);

/*
 * The process's mappings by ascending address; neighbours with equal flags are one, of a
 * shared file if they are so in the file as well. Left
 * out: the kernel's own pages (vdso and kin), device memory and hugetlb. None at all for
 * kernel threads and zombies. Returns 1 rather than 0 when there were more than
 * TIERD_MAPPINGS_MAX; -ESRCH when the process is gone.
 */
int tierd_process_read_mappings(const struct tierd_root *root, pid_t pid,
	struct tierd_mapping **ret, size_t *ret_n);

#endif
