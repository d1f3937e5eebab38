/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzzer without libFuzzer, as a test: its corpus, then so many mutations of it,
 * which are the same every time.
 *
 *     fuzz-NAME CORPUS_DIR [MUTATIONS]
 *
 * An input that ends the process is left in the file crash-NAME of the working directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "fuzz.h"

#define INPUT_MAX         (64 * 1024)
#define CORPUS_MAX        512
#define MUTATIONS_DEFAULT 3000

struct input {
	uint8_t *data;
	size_t size;
};

static struct input corpus[CORPUS_MAX];
static size_t n_corpus;

/* Of the input at hand, for whoever has to say what it was. */
static struct input current;
static char crash_path[NAME_MAX + 16];

/* What sanitizers call before they end the process; not there without one. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void save_input(void)
{
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, current.data, current.size) != (ssize_t)current.size)
		return;
	close(fd);
	fprintf(stderr, "the input is in %s\n", crash_path);
}

static void on_signal(int number)
{
	save_input();
	signal(number, SIG_DFL);
	raise(number);
}

static void watch_for_death(const char *program)
{
	const char *slash = strrchr(program, '/');

	snprintf(crash_path, sizeof(crash_path), "crash-%.*s", NAME_MAX,
		slash ? slash + 1 : program);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(save_input);
	else
		signal(SIGSEGV, on_signal);
	signal(SIGABRT, on_signal);
}

/* A copy of its own size, so that a sanitizer sees any look beyond. */
static void run(const uint8_t *data, size_t size)
{
	current = (struct input){ malloc(size ? size : 1), size };
	FUZZ_CHECK(current.data);
	if (size > 0)
		memcpy(current.data, data, size);
	FUZZ_CHECK(LLVMFuzzerTestOneInput(current.data, size) == 0);
	free(current.data);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void load_file(const char *dir, const char *name)
{
	struct input *input = &corpus[n_corpus++];
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	FUZZ_CHECK(n_corpus <= CORPUS_MAX);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	FUZZ_CHECK(fd >= 0);
	input->data = malloc(INPUT_MAX);
	FUZZ_CHECK(input->data);
	n = read(fd, input->data, INPUT_MAX);
	FUZZ_CHECK(n >= 0 && n < INPUT_MAX);
	input->size = (size_t)n;
	close(fd);
}

static void load_corpus(const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_visible, alphasort);

	FUZZ_CHECK(n > 0);
	for (int i = 0; i < n; i++) {
		load_file(dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

/* ---- Mutations ------------------------------------------------------------------- */

static size_t below(struct tier_random *random, size_t n)
{
	return n ? tier_random_next(random) % n : 0;
}

static uint8_t any_byte(struct tier_random *random)
{
	static const uint8_t telling[] = "\0\x01\x7f\x80\xff\n ,;:=-./%%0919[]#~eNK";

	return tier_random_next(random) & 1 ? telling[below(random, sizeof(telling))]
					    : (uint8_t)tier_random_next(random);
}

/* Puts @size bytes in front of @at; what no longer fits falls off the end. */
static void insert(struct input *input, size_t at, const uint8_t *data, size_t size)
{
	size = TIER_MIN(size, INPUT_MAX - at);
	input->size = TIER_MIN(input->size, INPUT_MAX - size);
	if (at > input->size)
		at = input->size;
	memmove(input->data + at + size, input->data + at, input->size - at);
	memcpy(input->data + at, data, size);
	input->size += size;
}

static void remove_range(struct input *input, size_t at, size_t size)
{
	memmove(input->data + at, input->data + at + size, input->size - at - size);
	input->size -= size;
}

static void mutate(struct tier_random *random, struct input *input)
{
	const struct input *other = &corpus[below(random, n_corpus)];
	size_t at = below(random, input->size), left = input->size - at;
	size_t from = below(random, other->size);
	uint8_t bytes[64];

	switch (below(random, 7)) {
	case 0:
		if (left > 0)
			input->data[at] ^= 1 << below(random, 8);
		break;
	case 1:
		if (left > 0)
			input->data[at] = any_byte(random);
		break;
	case 2:
		remove_range(input, at, below(random, TIER_MIN(left, 64u) + 1));
		break;
	case 3:
		memset(bytes, any_byte(random), sizeof(bytes));
		insert(input, at, bytes, 1 + below(random, sizeof(bytes)));
		break;
	case 4:
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = any_byte(random);
		insert(input, at, bytes, 1 + below(random, 8));
		break;
	case 5:
		insert(input, at, other->data + from,
			below(random, other->size - from + 1));
		break;
	default:
		if (left > 0 && below(random, 4) == 0)
			input->size = at;
		break;
	}
}

static void run_mutations(size_t n)
{
	struct tier_random random = { 1 };
	struct input input = { malloc(INPUT_MAX), 0 };

	FUZZ_CHECK(input.data);
	for (size_t i = 0; i < n; i++) {
		const struct input *seed = &corpus[i % n_corpus];

		memcpy(input.data, seed->data, seed->size);
		input.size = seed->size;
		for (size_t k = 1 + below(&random, 5); k > 0; k--)
			mutate(&random, &input);
		run(input.data, input.size);
	}
	free(input.data);
}

int main(int argc, char **argv)
{
	size_t n_mutations = argc > 2 ? strtoul(argv[2], NULL, 10) : MUTATIONS_DEFAULT;

	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS_DIR [MUTATIONS]\n", argv[0]);
		return 64;
	}
	watch_for_death(argv[0]);
	load_corpus(argv[1]);
	for (size_t i = 0; i < n_corpus; i++)
		run(corpus[i].data, corpus[i].size);
	run(NULL, 0);
	run_mutations(n_mutations);
	for (size_t i = 0; i < n_corpus; i++)
		free(corpus[i].data);
	printf("[  PASSED  ] 1 test: %zu inputs, %zu mutations\n", n_corpus, n_mutations);
	return 0;
}
