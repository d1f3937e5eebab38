/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an engine notes of each block beside the group's own books: a record a block, all
 * of one size, found by the block's index. It knows nothing of what stands in them.
 */
#ifndef TIER_CORE_BOOKS_H
#define TIER_CORE_BOOKS_H

#include <stddef.h>
#include <stdint.h>

struct tier_books {
	size_t book_bytes;
	void **items; /* by index; NULL where there is none */
	size_t n_items;
	size_t n_books;
};

static inline void *tier_books_at(const struct tier_books *books, uint32_t index)
{
	return books->items[index];
}

/* Opens a zeroed book for @index, which has none. Errors: -ENOMEM. */
int tier_books_open(struct tier_books *books, uint32_t index);
void tier_books_close(struct tier_books *books, uint32_t index);
void tier_books_done(struct tier_books *books);

size_t tier_books_bytes(const struct tier_books *books);

#endif
