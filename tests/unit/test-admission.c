/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Admission: sums over groups side by side and nested, and what others use. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "admission.h"
#include "base/util.h"

#define GIB (UINT64_C(1) << 30)

/* min and held in GiB; the list ends with a NULL. */
struct row {
	const char *what;
	struct {
		const char *cgroup;
		uint64_t min, held;
	} claims[6];
	uint64_t total, used;
	const char *error; /* NULL: admitted */
};

static const struct row rows[] = {
	{ "nobody", { { NULL } }, 4, 4, NULL },
	{ "nothing claimed on a full machine", { { "/a", 0, 0 } }, 4, 4, NULL },
	{ "exactly all", { { "/a", 3, 0 }, { "/b", 1, 0 } }, 4, 0, NULL },
	{ "one too much", { { "/a", 3, 0 }, { "/b", 2, 0 } }, 4, 0,
		"adds up to 5G (5368709120 bytes), but of 4G of DRAM others use 0, which "
		"leaves 4294967296 bytes; the largest is 3G for /a" },
	{ "what claimants hold is theirs", { { "/a", 3, 2 } }, 4, 3, NULL },
	{ "what others hold is not", { { "/a", 3, 2 } }, 4, 4,
		"of 4G of DRAM others use 2G, which leaves 2147483648 bytes" },
	{ "a child within its parent", { { "/a", 3, 0 }, { "/a/b", 2, 0 } }, 4, 0, NULL },
	{ "children beyond their parent",
		{ { "/a", 1, 0 }, { "/a/b", 2, 0 }, { "/a/c", 3, 0 } }, 4, 0,
		"adds up to 5G" },
	{ "grandchildren beyond their parent, who is beyond theirs",
		{ { "/a", 1, 0 }, { "/a/b", 2, 0 }, { "/a/b/c", 3, 0 },
			{ "/a/b/d", 1, 0 }, { "/e", 1, 0 } },
		4, 0, "adds up to 5G" },
	{ "a child is found past a sibling of its parent",
		{ { "/a", 2, 0 }, { "/a-b", 1, 0 }, { "/a/b", 2, 0 } }, 3, 0, NULL },
	{ "a child's memory counts once", { { "/a", 2, 2 }, { "/a/b", 0, 2 } }, 4, 4,
		NULL },
	{ "a child's memory counts once: one more",
		{ { "/a", 2, 2 }, { "/a/b", 1, 2 }, { "/c", 1, 0 } }, 4, 4,
		"adds up to 3G" },
	{ "beyond counting",
		{ { "/a", UINT64_MAX / GIB, 0 }, { "/b", UINT64_MAX / GIB, 0 } }, 4, 0,
		"(18446744073709551615 bytes)" },
};

static void check_row(const struct row *row, bool is_reversed)
{
	struct tierd_claim claims[ARRAY_SIZE(row->claims)];
	const struct tierd_dram dram = { row->total * GIB, row->used * GIB };
	_cleanup_(freep) char *error = NULL;
	size_t n = 0;
	int r;

	while (n < ARRAY_SIZE(claims) && row->claims[n].cgroup)
		n++;
	for (size_t i = 0; i < n; i++)
		claims[is_reversed ? n - 1 - i : i] = (struct tierd_claim){
			.cgroup = row->claims[i].cgroup,
			.policy = "x.conf",
			.min_bytes = row->claims[i].min * GIB,
			.dram_bytes = row->claims[i].held * GIB,
		};
	r = tierd_admit(claims, n, &dram, &error);
	if (r != (row->error ? -ENOSPC : 0))
		fail_msg("%s: %d %s", row->what, r, error ? error : "");
	if (row->error && !strstr(error, row->error))
		fail_msg("%s: %s", row->what, error);
}

static void test_rows(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		check_row(&rows[i], false);
		check_row(&rows[i], true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
