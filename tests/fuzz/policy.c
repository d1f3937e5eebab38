/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy file, and which cgroups its policy is for. */
#include <string.h>

#include "fuzz.h"
#include "settings/policy.h"

static void check_policy(const struct tierd_policy *policy)
{
	FUZZ_CHECK(memchr(policy->unit, '\0', sizeof(policy->unit)));
	FUZZ_CHECK(memchr(policy->cgroup, '\0', sizeof(policy->cgroup)));
	FUZZ_CHECK(!*policy->unit != !*policy->cgroup);
	FUZZ_CHECK(tierd_enforcement_to_string(policy->enforcement));
	FUZZ_CHECK(tierd_placement_to_string(policy->placement));
	FUZZ_CHECK(policy->bandwidth_max_bytes > 0);
	FUZZ_CHECK(policy->dram_min.kind != TIERD_AMOUNT_INFINITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	static int file = -1;
	char *error = NULL;
	int r;

	if (file < 0)
		file = fuzz_tree_add("/etc/tierd/policies.d/50-fuzz.conf");
	fuzz_tree_set(file, (struct fuzz_part){ data, size });
	r = tierd_policies_load(&fuzz_tree_get()->root, &policies, &error);
	FUZZ_CHECK(r == 0 || error);
	fuzz_check_error(r, error);
	if (r < 0)
		return 0;
	FUZZ_CHECK(policies->n_items == (size > 0));
	for (size_t i = 0; i < policies->n_items; i++)
		check_policy(&policies->items[i]);
	tierd_policies_find(policies, "/system.slice/a.service");
	return 0;
}
