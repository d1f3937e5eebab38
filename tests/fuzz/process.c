/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/PID/maps, stat and status. */
#include "fuzz.h"
#include "process.h"

static void check_mappings(void)
{
	_cleanup_(freep) struct tierd_mapping *mappings = NULL;
	size_t n = 0;

	if (tierd_process_read_mappings(&fuzz_tree_get()->root, 1, &mappings, &n) < 0)
		return;
	FUZZ_CHECK(n <= TIERD_MAPPINGS_MAX);
	for (size_t i = 0; i < n; i++) {
		FUZZ_CHECK(mappings[i].start < mappings[i].end);
		FUZZ_CHECK(i == 0 || mappings[i].start >= mappings[i - 1].end);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { "/proc/1/maps", "/proc/1/stat",
		"/proc/1/status" };
	static int files[ARRAY_SIZE(paths)];
	struct fuzz_part rest = { data, size };
	struct tierd_process process;

	if (!files[0])
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			files[i] = fuzz_tree_add(paths[i]);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		fuzz_tree_set(files[i], fuzz_next_part(&rest));
	check_mappings();
	if (tierd_process_read(&fuzz_tree_get()->root, 1, &process) == 0)
		FUZZ_CHECK(process.pid == 1);
	return 0;
}
