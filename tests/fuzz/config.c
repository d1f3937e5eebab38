/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierd.conf. */
#include <string.h>

#include "settings/config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1;
	struct tierd_config config;
	char *error = NULL;
	int r;

	if (file < 0)
		file = fuzz_tree_add(TIERD_CONFIG_PATH);
	fuzz_tree_set(file, (struct fuzz_part){ data, size });
	r = tierd_config_load(&fuzz_tree_get()->root, NULL, &config, &error);
	FUZZ_CHECK(r == 0 || error);
	fuzz_check_error(r, error);
	if (r < 0)
		return 0;
	FUZZ_CHECK(tierd_source_to_string(config.source));
	FUZZ_CHECK(memchr(config.event, '\0', sizeof(config.event)));
	FUZZ_CHECK(memchr(config.tiers, '\0', sizeof(config.tiers)));
	FUZZ_CHECK(config.samples_per_second_settled > 0);
	FUZZ_CHECK(config.samples_per_second_settled <= config.samples_per_second_max);
	FUZZ_CHECK(config.bandwidth_max_bytes > 0 && config.tick_ns > 0);
	return 0;
}
