// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hermit: a program that withdraws while its memory is moved. It touches so many MiB, and
 * then, a step every so many seconds, each of which a line of standard output names:
 *
 *     ready     the memory is there
 *     hidden    of a user namespace of its own, and not dumpable: /proc/PID is not for
 * all headless  its first thread has ended: /proc/PID has no memory, a second thread has
 *     wrong     a page was not what it was (and nothing follows)
 *
 *     hermit MIB SECONDS
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE_BYTES 4096UL

static size_t bytes;
static unsigned char *memory;

static void fail(const char *what)
{
	fprintf(stderr, "hermit: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static unsigned char content_of(size_t offset)
{
	return (unsigned char)(offset / PAGE_BYTES % 251 + 1);
}

/* Reads all of it again and again, with pauses. */
static void *watch(void *unused)
{
	for (;; usleep(200 * 1000))
		for (size_t i = 0; i < bytes; i += PAGE_BYTES)
			if (memory[i] != content_of(i)) {
				puts("wrong");
				exit(EXIT_FAILURE);
			}
	return unused;
}

static void hide(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		fail("unshare");
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		fail("prctl");
}

int main(int argc, char *argv[])
{
	unsigned seconds = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
	pthread_t watcher;

	if (seconds == 0)
		return EXIT_FAILURE;
	setlinebuf(stdout);
	bytes = strtoul(argv[1], NULL, 10) << 20;
	memory = mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < bytes; i += PAGE_BYTES)
		memory[i] = content_of(i);
	puts("ready");
	sleep(seconds);
	hide(); /* while there is only one thread, or it would be refused */
	puts("hidden");
	if (pthread_create(&watcher, NULL, watch, NULL) != 0)
		fail("pthread_create");
	sleep(seconds);
	puts("headless");
	pthread_exit(NULL);
}
