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
	return last->end == entry->first && last->space == entry->space &&
	       last->time_ns == entry->time_ns && last->result == entry->result &&
	       last->direction == entry->direction && last->reason == entry->reason &&
	       last->to == entry->to;
}

static struct tier_ledger_entry *back(const struct tier_ledger *ledger, size_t i)
{
	size_t at = ledger->next + TIER_LEDGER_ENTRIES_MAX - 1 - i;

	return &ledger->entries[at % TIER_LEDGER_ENTRIES_MAX];
}

void tier_ledger_note(struct tier_ledger *ledger, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns)
{
	struct tier_ledger_entry entry = {
		.space = move->space,
		.first = move->address >> TIER_PAGE_SHIFT,
		.end = (move->address >> TIER_PAGE_SHIFT) + move->pages,
		.time_ns = now_ns,
		.direction = move->direction,
		.reason = move->reason,
		.to = move->to,
		.result = result,
	};

	if (!ledger->entries)
		ledger->entries =
			calloc(TIER_LEDGER_ENTRIES_MAX, sizeof(*ledger->entries));
	if (!ledger->entries)
		return;
	if (ledger->n > 0 && continues(back(ledger, 0), &entry)) {
		back(ledger, 0)->end = entry.end;
		return;
	}
	ledger->entries[ledger->next] = entry;
	ledger->next = (ledger->next + 1) % TIER_LEDGER_ENTRIES_MAX;
	ledger->n = TIER_MIN(ledger->n + 1, (size_t)TIER_LEDGER_ENTRIES_MAX);
}

const struct tier_ledger_entry *tier_ledger_find(
	const struct tier_ledger *ledger, uint64_t space, uint64_t address)
{
	uint64_t page = address >> TIER_PAGE_SHIFT;

	for (size_t i = 0; i < ledger->n; i++) {
		const struct tier_ledger_entry *entry = back(ledger, i);

		if (entry->space == space && entry->first <= page && page < entry->end)
			return entry;
	}
	return NULL;
}

size_t tier_ledger_bytes(const struct tier_ledger *ledger)
{
	return ledger->entries ? TIER_LEDGER_ENTRIES_MAX * sizeof(*ledger->entries) : 0;
}
