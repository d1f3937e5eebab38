/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_TABLE_H
#define GUPS_TABLE_H

#include <errno.h>
#include <stdint.h>

#define GUPS_PAGE_BYTES  UINT64_C(4096)
#define GUPS_PAGE_WORDS  (GUPS_PAGE_BYTES / 8)
#define GUPS_BLOCK_BYTES (UINT64_C(2) << 20)
#define GUPS_BLOCK_PAGES (GUPS_BLOCK_BYTES / GUPS_PAGE_BYTES)
#define GUPS_COUNT_BITS  40

enum gups_huge {
	GUPS_HUGE_DEFAULT,
	GUPS_HUGE_ALWAYS,
	GUPS_HUGE_NEVER,
	GUPS_HUGE_MAX,
	GUPS_HUGE_INVALID = -EINVAL,
};

struct gups_table {
	uint64_t *words;
	uint64_t pages;
	uint64_t seed;
};

/* Maps the table at a 2 MiB boundary; no page of it is touched. */
int gups_table_map(
	uint64_t pages, uint64_t seed, enum gups_huge huge, struct gups_table *ret);
void gups_table_done(struct gups_table *t);

/* Writes the tags of a page, its counts being zero; faults it in. */
void gups_table_fill_page(const struct gups_table *t, uint64_t page);

static inline void *gups_table_page(const struct gups_table *t, uint64_t page)
{
	return t->words + page * GUPS_PAGE_WORDS;
}

struct gups_page_check {
	uint64_t wrong_tags;
	uint64_t zero_words;
	uint64_t counted; /* the sum of the counts below correct tags */
};

struct gups_page_check gups_table_check_page(const struct gups_table *t, uint64_t page);

#endif
