/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fake-root.h"
#include "huge-pages.h"

#define THP_DIR "/sys/kernel/mm/transparent_hugepage"

static void test_choices(_unused_ void **state)
{
	static const struct {
		const char *common, *own;
		bool is_wanted;
	} cases[] = {
		{ NULL, NULL, false },
		{ "[always] madvise never\n", NULL, true },
		{ "always [madvise] never\n", NULL, false },
		{ "always madvise [never]\n", NULL, false },
		{ "[always] madvise never\n", "always [inherit] madvise never\n", true },
		{ "[always] madvise never\n", "always inherit [madvise] never\n", false },
		{ "[always] madvise never\n", "always inherit madvise [never]\n", false },
		{ "always [madvise] never\n", "always [inherit] madvise never\n", false },
		{ "always madvise [never]\n", "[always] inherit madvise never\n", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake_root fake;

		fake_root_init(&fake);
		if (cases[i].common)
			fake_root_write(&fake, THP_DIR "/enabled", cases[i].common);
		if (cases[i].own)
			fake_root_write(
				&fake, THP_DIR "/hugepages-2048kB/enabled", cases[i].own);
		if (tierd_huge_pages_are_wanted(&fake.root) != cases[i].is_wanted)
			fail_msg("case %zu", i);
		fake_root_done(&fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
