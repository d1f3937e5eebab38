/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a group remembers of its moves, and how much memory that may take. */
#include "unit.h"

#include "core/ledger.h"

static void note(struct tier_ledger *ledger, size_t n_blocks, uint64_t page,
	enum tier_result result, uint64_t now_ns)
{
	struct tier_move move = {
		.space = 1,
		.address = page << TIER_PAGE_SHIFT,
		.pages = 1,
		.direction = TIER_DEMOTE,
		.to = 1,
	};

	tier_ledger_note(ledger, n_blocks, &move, result, now_ns);
}

static bool has(const struct tier_ledger *ledger, uint64_t page)
{
	return tier_ledger_find(ledger, 1, page << TIER_PAGE_SHIFT) != NULL;
}

static void neighbours_that_fared_alike_are_one(void **state)
{
	struct tier_ledger ledger = { 0 };

	(void)state;
	for (uint64_t page = 100; page < 200; page++)
		note(&ledger, 1, page, TIER_RESULT_DONE, 5);
	assert_int_equal(ledger.n, 1);
	note(&ledger, 1, 200, TIER_RESULT_BUSY, 5);
	note(&ledger, 1, 201, TIER_RESULT_BUSY, 6);
	assert_int_equal(ledger.n, 3);
	assert_false(has(&ledger, 99));
	assert_true(has(&ledger, 100) && has(&ledger, 199) && has(&ledger, 201));
	assert_null(tier_ledger_find(&ledger, 2, UINT64_C(100) << TIER_PAGE_SHIFT));
	tier_ledger_done(&ledger);
}

static void the_latest_counts(void **state)
{
	struct tier_ledger ledger = { 0 };
	const struct tier_ledger_entry *entry;

	(void)state;
	note(&ledger, 1, 7, TIER_RESULT_BUSY, 1);
	note(&ledger, 1, 9, TIER_RESULT_DONE, 1);
	note(&ledger, 1, 7, TIER_RESULT_DONE, 2);
	entry = tier_ledger_find(&ledger, 1, UINT64_C(7) << TIER_PAGE_SHIFT);
	assert_non_null(entry);
	assert_int_equal(entry->result, TIER_RESULT_DONE);
	assert_int_equal(entry->time_ns, 2);
	tier_ledger_done(&ledger);
}

/* Every other page, so that each is an entry; the last @expected are remembered. */
static void check_bound(size_t n_blocks, size_t expected)
{
	struct tier_ledger ledger = { 0 };
	size_t n = 2 * TIER_LEDGER_ENTRIES_MAX + 17;

	for (size_t i = 0; i < n; i++)
		note(&ledger, n_blocks, 2 * i, TIER_RESULT_DONE, i);
	assert_int_equal(ledger.n, expected);
	assert_int_equal(tier_ledger_bytes(&ledger), expected * sizeof(*ledger.entries));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(has(&ledger, 2 * i), i >= n - expected);
	tier_ledger_done(&ledger);
}

static void it_grows_with_the_group(void **state)
{
	(void)state;
	check_bound(1, TIER_LEDGER_ENTRIES_MIN);
	check_bound(1000, 500);
	check_bound(1000000, TIER_LEDGER_ENTRIES_MAX);
}

static void a_group_that_grows_forgets_nothing(void **state)
{
	struct tier_ledger ledger = { 0 };
	size_t n = TIER_LEDGER_ENTRIES_MIN + TIER_LEDGER_ENTRIES_MIN / 2;

	(void)state;
	for (size_t i = 0; i < n; i++)
		note(&ledger, 1, 2 * i, TIER_RESULT_DONE, i);
	for (size_t i = n; i < n + 100; i++)
		note(&ledger, 1000, 2 * i, TIER_RESULT_DONE, i);
	assert_int_equal(ledger.n, TIER_LEDGER_ENTRIES_MIN + 100);
	for (size_t i = 0; i < n + 100; i++)
		assert_int_equal(has(&ledger, 2 * i), i >= n - TIER_LEDGER_ENTRIES_MIN);
	tier_ledger_done(&ledger);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_that_fared_alike_are_one),
		cmocka_unit_test(the_latest_counts),
		cmocka_unit_test(it_grows_with_the_group),
		cmocka_unit_test(a_group_that_grows_forgets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
