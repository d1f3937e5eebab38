/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "property.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Cases a child tries; each has so many seconds. */
#define CASES_PER_CHILD 32
#define SECONDS_MAX     20

/* What a child leaves behind, in memory that is shared with it. */
struct verdict {
	uint64_t seed; /* being tried */
	bool holds;
	char why[PROPERTY_WHY_MAX];
};

bool property_parse(struct property_options *options, int argc, char **argv)
{
	for (int i = 1; i < argc; i += 2) {
		uint64_t *number = strcmp(argv[i], "--worlds") == 0 ? &options->worlds
				   : strcmp(argv[i], "--seed") == 0 ? &options->seed
								    : NULL;
		char *end;

		if (!number || i + 1 == argc)
			return false;
		*number = strtoull(argv[i + 1], &end, 0);
		if (*end || end == argv[i + 1])
			return false;
	}
	return true;
}

/* ---- Trying -------------------------------------------------------------------- */

static void try_one(
	const struct property *property, const void *tried, struct verdict *verdict)
{
	alarm(SECONDS_MAX);
	verdict->holds = property->holds(tried, verdict->why);
}

static void try_some(const struct property *property, uint64_t seed, uint64_t n,
	struct verdict *verdict)
{
	void *tried = malloc(property->size);

	verdict->holds = tried != NULL;
	for (uint64_t i = 0; i < n && verdict->holds; i++) {
		verdict->seed = seed + i;
		property->generate(tried, seed + i);
		try_one(property, tried, verdict);
	}
	free(tried);
}

/* In a child: the case @tried, or if it is NULL @n generated ones. */
static void try_apart(const struct property *property, const void *tried, uint64_t seed,
	uint64_t n, struct verdict *verdict)
{
	pid_t child;
	int status;

	verdict->holds = false;
	fflush(stdout);
	fflush(stderr);
	child = fork();
	if (child == 0) {
		if (tried)
			try_one(property, tried, verdict);
		else
			try_some(property, seed, n, verdict);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		snprintf(verdict->why, sizeof(verdict->why), "no child to try it in");
	} else if (status != 0) {
		verdict->holds = false;
		snprintf(verdict->why, sizeof(verdict->why), "it died: %s",
			WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
					    : "with an exit code");
	}
}

/* ---- Shrinking ----------------------------------------------------------------- */

/* Goes through all ways once; returns how many of them helped. */
static unsigned shrink_once(const struct property *property, void *broken, void *simpler,
	struct verdict *verdict, unsigned *tries)
{
	unsigned helped = 0;

	for (unsigned way = 0;;) {
		enum property_simplified simplified;

		memcpy(simpler, broken, property->size);
		simplified = property->simplify(simpler, way);
		if (simplified == PROPERTY_END)
			return helped;
		if (simplified == PROPERTY_SIMPLER) {
			++*tries;
			try_apart(property, simpler, 0, 0, verdict);
			if (!verdict->holds) {
				memcpy(broken, simpler, property->size);
				helped++;
				continue;
			}
		}
		way++;
	}
}

static void shrink_and_print(
	const struct property *property, uint64_t seed, struct verdict *verdict)
{
	void *broken = malloc(property->size), *simpler = malloc(property->size);
	unsigned tries = 0;

	if (!broken || !simpler)
		abort();
	printf("seed %llu: %s\n", (unsigned long long)seed, verdict->why);
	property->generate(broken, seed);
	while (shrink_once(property, broken, simpler, verdict, &tries) > 0)
		;
	try_apart(property, broken, 0, 0, verdict);
	printf("after %u simpler tries: %s\n", tries, verdict->why);
	property->print(broken, stdout);
	printf("again: --worlds 1 --seed %llu\n", (unsigned long long)seed);
	free(broken);
	free(simpler);
}

bool property_check(
	const struct property *property, const struct property_options *options)
{
	struct verdict *verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool holds = true;

	if (verdict == MAP_FAILED)
		return false;
	for (uint64_t i = 0; i < options->worlds && holds; i += CASES_PER_CHILD) {
		uint64_t left = options->worlds - i;

		try_apart(property, NULL, options->seed + i,
			left < CASES_PER_CHILD ? left : CASES_PER_CHILD, verdict);
		holds = verdict->holds;
	}
	if (!holds)
		shrink_and_print(property, verdict->seed, verdict);
	munmap(verdict, sizeof(*verdict));
	return holds;
}
