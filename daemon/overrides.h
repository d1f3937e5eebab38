/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was decided over the bus, until policies are read again: cgroups that are managed
 * though no file says so, and cgroups that are not though one does. By path, and bounded.
 */
#ifndef TIERD_OVERRIDES_H
#define TIERD_OVERRIDES_H

#include "settings/policy.h"

#define TIERD_OVERRIDES_MAX 1024

struct tierd_override;

struct tierd_overrides {
	struct tierd_override *items;
	size_t n_items;
};

void tierd_overrides_clear(struct tierd_overrides *overrides);

/*
 * Puts the cgroup under the policy, which is copied, or under none if that is NULL, in
 * place of what was decided before. Errors: -ENOMEM, -E2BIG.
 */
int tierd_overrides_set(struct tierd_overrides *overrides, const char *cgroup,
	const struct tierd_policy *policy);

/* Forgets what was decided for a cgroup that is gone. */
void tierd_overrides_forget(struct tierd_overrides *overrides, const char *cgroup);

/* What counts for a cgroup, or NULL: an override, else what the files say. */
const struct tierd_policy *tierd_overrides_find(const struct tierd_overrides *overrides,
	const struct tierd_policies *policies, const char *cgroup);

#endif
