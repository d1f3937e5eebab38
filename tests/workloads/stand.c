// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stand: memory of every kind that tierd cannot move, or has no reason to, and a place
 * where it can be looked at. A line of standard output names each kind and its address:
 *
 *     idle      touched once
 *     pinned    held by a pipe, so that the kernel cannot migrate it
 *     shared    also mapped by another process
 *     unmapped  nothing
 *
 *     stand [MIB]     of idle memory, 8 by default
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE_BYTES   4096UL
#define PINNED_PAGES 16UL /* what a pipe takes */
#define SHARED_PAGES 512UL

static void fail(const char *what)
{
	fprintf(stderr, "stand: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Base pages, each of its own content. */
static void *map(size_t bytes)
{
	unsigned char *memory = mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < bytes; i += PAGE_BYTES)
		memory[i] = (unsigned char)(i / PAGE_BYTES + 1);
	return memory;
}

static void tell(const char *kind, const void *address)
{
	printf("%-9s%p\n", kind, address);
}

static void *map_shared(void)
{
	void *memory = map(SHARED_PAGES * PAGE_BYTES);
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return memory;
}

/* After the fork: what both processes have is shared, not pinned. */
static void *map_pinned(void)
{
	struct iovec pages = { .iov_len = PINNED_PAGES * PAGE_BYTES };
	int fds[2];

	pages.iov_base = map(pages.iov_len);
	if (pipe(fds) < 0)
		fail("pipe");
	if (vmsplice(fds[1], &pages, 1, 0) != (ssize_t)pages.iov_len)
		fail("vmsplice");
	return pages.iov_base;
}

int main(int argc, char **argv)
{
	size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 8;
	void *shared = map_shared(), *nothing;

	tell("shared", shared);
	tell("pinned", map_pinned());
	tell("idle", map(mib << 20));
	nothing = map(PAGE_BYTES);
	munmap(nothing, PAGE_BYTES);
	tell("unmapped", nothing);
	fflush(stdout);
	for (;;)
		pause();
}
