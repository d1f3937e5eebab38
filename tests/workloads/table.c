/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The updated memory, made so that it can be checked. Each 8-byte word carries a 24-bit
 * tag that follows from its place, above a 40-bit count of the updates it received. A
 * page that was lost, zeroed or mixed up with another shows wrong tags; one that went
 * back in time shows a wrong sum of counts.
 *
 * The tag is the upper end of a random base per page plus a multiple of the word's
 * number. It knows no threads, no nodes and no distribution.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/util.h"
#include "rng.h"
#include "table.h"

#define COUNT_MASK ((UINT64_C(1) << GUPS_COUNT_BITS) - 1)

static int advise(void *start, size_t bytes, enum gups_huge huge)
{
	if (huge == GUPS_HUGE_DEFAULT)
		return 0;
	if (madvise(start, bytes,
		    huge == GUPS_HUGE_ALWAYS ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) >= 0)
		return 0;
	/* A kernel that knows no huge pages makes none: that is what "never" asks for. */
	return errno == EINVAL && huge == GUPS_HUGE_NEVER ? 0 : -errno;
}

static int map_aligned(size_t bytes, void **ret)
{
	size_t room = bytes + GUPS_BLOCK_BYTES;
	char *raw, *start;
	size_t head;

	raw = mmap(NULL, room, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (raw == MAP_FAILED)
		return -errno;

	head = -(uintptr_t)raw % GUPS_BLOCK_BYTES;
	start = raw + head;
	if ((head > 0 && munmap(raw, head) < 0) ||
		munmap(start + bytes, room - head - bytes) < 0) {
		int r = -errno;

		munmap(raw, room);
		return r;
	}
	*ret = start;
	return 0;
}

int gups_table_map(
	uint64_t pages, uint64_t seed, enum gups_huge huge, struct gups_table *ret)
{
	size_t bytes = pages * GUPS_PAGE_BYTES;
	void *start = NULL;
	int r;

	r = map_aligned(bytes, &start);
	if (r < 0)
		return r;
	r = advise(start, bytes, huge);
	if (r < 0) {
		munmap(start, bytes);
		return r;
	}
	*ret = (struct gups_table){ .words = start, .pages = pages, .seed = seed };
	return 0;
}

void gups_table_done(struct gups_table *t)
{
	if (t->words)
		munmap(t->words, t->pages * GUPS_PAGE_BYTES);
	*t = (struct gups_table){};
}

static uint64_t page_base(const struct gups_table *t, uint64_t page)
{
	return gups_mix(gups_mix(t->seed) + page * GUPS_GOLDEN);
}

static uint64_t tag_of(uint64_t base, uint64_t word)
{
	return (base + word * GUPS_GOLDEN) & ~COUNT_MASK;
}

void gups_table_fill_page(const struct gups_table *t, uint64_t page)
{
	uint64_t *words = gups_table_page(t, page), base = page_base(t, page);

	for (uint64_t i = 0; i < GUPS_PAGE_WORDS; i++)
		words[i] = tag_of(base, i);
}

struct gups_page_check gups_table_check_page(const struct gups_table *t, uint64_t page)
{
	const uint64_t *words = gups_table_page(t, page);
	uint64_t base = page_base(t, page);
	struct gups_page_check check = {};

	for (uint64_t i = 0; i < GUPS_PAGE_WORDS; i++) {
		if (words[i] == 0)
			check.zero_words++;
		if ((words[i] & ~COUNT_MASK) != tag_of(base, i))
			check.wrong_tags++;
		else
			check.counted += words[i] & COUNT_MASK;
	}
	return check;
}
