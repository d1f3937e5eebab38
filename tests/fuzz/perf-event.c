/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An event string against a PMU that describes itself by what follows: its type, two
 * formats, two named events, its CPUs.
 */
#include <errno.h>

#include "fuzz.h"
#include "sampler/perf-event.h"

#define PMU "/sys/bus/event_source/devices/cpu/"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = { PMU "type", PMU "format/event",
		PMU "format/ldlat", PMU "events/mem-loads", PMU "events/mem-loads-aux",
		PMU "cpus" };
	static int files[ARRAY_SIZE(paths)];
	struct fuzz_part rest = { data, size };
	struct tierd_perf_event event;
	char *error = NULL, *text;
	int r;

	if (!files[0])
		for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
			files[i] = fuzz_tree_add(paths[i]);
	text = fuzz_text(fuzz_next_part(&rest));
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		fuzz_tree_set(files[i], fuzz_next_part(&rest));
	r = tierd_perf_event_resolve(&event, &fuzz_tree_get()->root, text, &error);
	FUZZ_CHECK(r == 0 || error);
	fuzz_check_error(r, error);
	free(text);
	if (r < 0)
		return 0;
	FUZZ_CHECK(event.text && event.precise <= 3);
	FUZZ_CHECK(event.period >= event.bounds.min && event.period <= event.bounds.max);
	tierd_perf_event_done(&event);
	return 0;
}
