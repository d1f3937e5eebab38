/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/books.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define ITEMS_MIN 256

static int make_room(struct tier_books *books, uint32_t index)
{
	size_t n = TIER_MAX(books->n_items * 2, (size_t)ITEMS_MIN);
	void **items;

	if (index < books->n_items)
		return 0;
	n = TIER_MAX(n, (size_t)index + 1);
	items = reallocarray(books->items, n, sizeof(*items));
	if (!items)
		return -ENOMEM;
	memset(items + books->n_items, 0, (n - books->n_items) * sizeof(*items));
	books->items = items;
	books->n_items = n;
	return 0;
}

int tier_books_open(struct tier_books *books, uint32_t index)
{
	int r;

	r = make_room(books, index);
	if (r < 0)
		return r;
	assert(!books->items[index]);
	books->items[index] = calloc(1, books->book_bytes);
	if (!books->items[index])
		return -ENOMEM;
	books->n_books++;
	return 0;
}

void tier_books_close(struct tier_books *books, uint32_t index)
{
	free(TAKE_PTR(books->items[index]));
	books->n_books--;
}

void tier_books_done(struct tier_books *books)
{
	for (size_t i = 0; i < books->n_items; i++)
		free(books->items[i]);
	free(books->items);
}

size_t tier_books_bytes(const struct tier_books *books)
{
	return books->n_items * sizeof(*books->items) +
	       books->n_books * books->book_bytes;
}
