/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ledger.h"

#include <stdlib.h>

#include "base/util.h"

void tier_ledger_done(struct tier_ledger *ledger)
{
	free(ledger->entries);
	*ledger = (struct tier_ledger){ 0 };
}

static bool continues(
	const struct tier_ledger_entry *last, const struct tier_ledger_entry *entry)
{
	return last->first + last->pages == entry->first && last->space == entry->space &&
	       last->pages <= UINT32_MAX - entry->pages &&
	       last->time_ns == entry->time_ns && last->result == entry->result &&
	       last->direction == entry->direction && last->reason == entry->reason &&
	       last->to == entry->to;
}

static struct tier_ledger_entry *back(const struct tier_ledger *ledger, size_t i)
{
	size_t at = ledger->next + ledger->n_allocated - 1 - i;

	return &ledger->entries[at % ledger->n_allocated];
}

static void grow(struct tier_ledger *ledger, size_t n_blocks)
{
	size_t limit = TIER_MIN(TIER_MAX(n_blocks / 2, (size_t)TIER_LEDGER_ENTRIES_MIN),
		(size_t)TIER_LEDGER_ENTRIES_MAX);
	size_t n = TIER_MIN(TIER_MAX(2 * ledger->n_allocated, (size_t)64), limit);
	struct tier_ledger_entry *entries;

	if (n <= ledger->n_allocated)
		return;
	entries = calloc(n, sizeof(*entries));
	if (!entries)
		return;
	for (size_t i = 0; i < ledger->n; i++)
		entries[ledger->n - 1 - i] = *back(ledger, i);
	free(ledger->entries);
	ledger->entries = entries;
	ledger->n_allocated = n;
	ledger->next = ledger->n;
}

void tier_ledger_note(struct tier_ledger *ledger, size_t n_blocks,
	const struct tier_move *move, enum tier_result result, uint64_t now_ns)
{
	struct tier_ledger_entry entry = {
		.space = move->space,
		.first = move->address >> TIER_PAGE_SHIFT,
		.time_ns = now_ns,
		.pages = move->pages,
		.direction = move->direction,
		.reason = move->reason,
		.to = move->to,
		.result = result,
	};

	if (ledger->n > 0 && continues(back(ledger, 0), &entry)) {
		back(ledger, 0)->pages += entry.pages;
		return;
	}
	if (ledger->n == ledger->n_allocated)
		grow(ledger, n_blocks);
	if (ledger->n_allocated == 0)
		return;
	ledger->next %= ledger->n_allocated;
	ledger->entries[ledger->next++] = entry;
	ledger->n = TIER_MIN(ledger->n + 1, ledger->n_allocated);
}

const struct tier_ledger_entry *tier_ledger_find(
	const struct tier_ledger *ledger, uint64_t space, uint64_t address)
{
	uint64_t page = address >> TIER_PAGE_SHIFT;

	for (size_t i = 0; i < ledger->n; i++) {
		const struct tier_ledger_entry *entry = back(ledger, i);

		if (entry->space == space && entry->first <= page &&
			page - entry->first < entry->pages)
			return entry;
	}
	return NULL;
}

size_t tier_ledger_bytes(const struct tier_ledger *ledger)
{
	return ledger->n_allocated * sizeof(*ledger->entries);
}
