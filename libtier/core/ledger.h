/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What became of a group's last moves. Neighbouring pages that fared alike are one entry,
 * the oldest entries give way, and without memory nothing is noted: it serves those who
 * ask, and decides nothing. It grows with the group, up to a bound.
 */
#ifndef TIER_CORE_LEDGER_H
#define TIER_CORE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "libtier.h"

#define TIER_LEDGER_ENTRIES_MIN 128
#define TIER_LEDGER_ENTRIES_MAX 2048

struct tier_ledger_entry {
	uint64_t space;
	uint64_t first; /* address >> TIER_PAGE_SHIFT */
	uint64_t time_ns;
	uint32_t pages;
	uint8_t direction;
	uint8_t reason;
	uint8_t to;
	uint8_t result;
};

struct tier_ledger {
	struct tier_ledger_entry *entries; /* a ring; NULL before the first */
	size_t n;
	size_t n_allocated;
	size_t next;
};

void tier_ledger_done(struct tier_ledger *ledger);
/* Keeps about half as many entries as the group has blocks. */
void tier_ledger_note(struct tier_ledger *ledger, size_t n_blocks,
	const struct tier_move *move, enum tier_result result, uint64_t now_ns);

/* The last entry that has the page, or NULL. */
const struct tier_ledger_entry *tier_ledger_find(
	const struct tier_ledger *ledger, uint64_t space, uint64_t address);

size_t tier_ledger_bytes(const struct tier_ledger *ledger);

#endif
