/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share: processes on one shared segment, of which the last fifth gets nine accesses in
 * ten. Each page knows its number, and whoever reads it looks. The parent touches all of
 * it, forks, says "share: ready" and writes to its standard output twice a second how
 * many percent of the hot fifth are on node 0, until it is told to end (SIGTERM).
 *
 *   share PROCESSES MIB
 */
#include <errno.h>
#include <numaif.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES  4096
#define ASKED_PAGES 512
#define BATCH       2000
#define WORD_OF(p)  ((volatile uint64_t *)(segment + (p)*PAGE_BYTES))

static char *segment;
static uint64_t n_pages;
static volatile sig_atomic_t is_over;

static void on_signal(int signal)
{
	(void)signal;
	is_over = 1;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t choose_page(uint64_t *state)
{
	uint64_t n_hot = n_pages / 5, random = next_random(state);

	if (random % 10 == 0)
		return random / 10 % n_pages;
	return n_pages - n_hot + random / 10 % n_hot;
}

/* Other lines of the page take the writes, so that its number stays. */
static void work(uint64_t seed)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		for (unsigned i = 0; i < BATCH; i++) {
			uint64_t page = choose_page(&state);

			if (WORD_OF(page)[0] != page)
				_exit(EXIT_FAILURE);
			WORD_OF(page)[1 + state % 511] = state;
		}
		nanosleep(&pause, NULL);
	}
}

/* Of pages evenly spread over the hot part. */
static double hot_percent(void)
{
	uint64_t n_hot = n_pages / 5, first = n_pages - n_hot;
	unsigned found = 0, fast = 0;
	void *pages[ASKED_PAGES];
	int nodes[ASKED_PAGES];

	for (unsigned i = 0; i < ASKED_PAGES; i++)
		pages[i] = segment + (first + i * n_hot / ASKED_PAGES) * PAGE_BYTES;
	if (move_pages(0, ASKED_PAGES, pages, NULL, nodes, 0) < 0)
		return -1;
	for (unsigned i = 0; i < ASKED_PAGES; i++) {
		found += nodes[i] >= 0;
		fast += nodes[i] == 0;
	}
	return found ? 100.0 * fast / found : -1;
}

static int watch(void)
{
	const struct timespec pause = { .tv_nsec = 500 * 1000 * 1000 };

	while (!is_over) {
		printf("hot %.1f\n", hot_percent());
		fflush(stdout);
		nanosleep(&pause, NULL);
		if (waitpid(-1, NULL, WNOHANG) > 0) {
			fprintf(stderr, "share: a page is not what it was\n");
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

static int set_up(uint64_t mib)
{
	n_pages = mib * 1024 * 1024 / PAGE_BYTES;
	segment = mmap(NULL, n_pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (segment == MAP_FAILED)
		return -errno;
	for (uint64_t page = 0; page < n_pages; page++)
		WORD_OF(page)[0] = page;
	return 0;
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	unsigned n_processes, mib;

	if (argc != 3 || sscanf(argv[1], "%u", &n_processes) != 1 ||
		sscanf(argv[2], "%u", &mib) != 1 || mib < 10) {
		fprintf(stderr, "usage: share PROCESSES MIB\n");
		return 64;
	}
	if (set_up(mib) < 0) {
		perror("share");
		return EXIT_FAILURE;
	}
	sigaction(SIGTERM, &action, NULL);
	for (unsigned i = 1; i < n_processes; i++) {
		pid_t pid = fork();

		if (pid == 0)
			work(i);
		if (pid < 0)
			return EXIT_FAILURE;
	}
	printf("share: ready\n");
	return watch();
}
