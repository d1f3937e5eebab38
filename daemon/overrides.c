/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A short list, looked through from end to end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "overrides.h"

struct tierd_override {
	char *cgroup;
	struct tierd_policy *policy; /* NULL: none */
};

static void override_done(struct tierd_override *override)
{
	free(override->cgroup);
	free(override->policy);
}

void tierd_overrides_clear(struct tierd_overrides *overrides)
{
	for (size_t i = 0; i < overrides->n_items; i++)
		override_done(&overrides->items[i]);
	free(overrides->items);
	*overrides = (struct tierd_overrides){ 0 };
}

static struct tierd_override *find(
	const struct tierd_overrides *overrides, const char *cgroup)
{
	for (size_t i = 0; i < overrides->n_items; i++)
		if (strcmp(overrides->items[i].cgroup, cgroup) == 0)
			return &overrides->items[i];
	return NULL;
}

static int new_policy(const struct tierd_policy *policy, struct tierd_policy **ret)
{
	struct tierd_policy *copy = NULL;

	if (policy) {
		copy = malloc(sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		*copy = *policy;
	}
	*ret = copy;
	return 0;
}

static int append(struct tierd_overrides *overrides, const char *cgroup,
	struct tierd_override **ret)
{
	struct tierd_override *items;
	char *copy;

	if (overrides->n_items == TIERD_OVERRIDES_MAX)
		return -E2BIG;
	items = reallocarray(overrides->items, overrides->n_items + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	overrides->items = items;
	copy = strdup(cgroup);
	if (!copy)
		return -ENOMEM;
	items[overrides->n_items] = (struct tierd_override){ .cgroup = copy };
	*ret = &items[overrides->n_items++];
	return 0;
}

int tierd_overrides_set(struct tierd_overrides *overrides, const char *cgroup,
	const struct tierd_policy *policy)
{
	struct tierd_override *override = find(overrides, cgroup);
	_cleanup_(freep) struct tierd_policy *copy = NULL;
	int r;

	r = new_policy(policy, &copy);
	if (r < 0)
		return r;
	if (!override) {
		r = append(overrides, cgroup, &override);
		if (r < 0)
			return r;
	}
	free(override->policy);
	override->policy = TAKE_PTR(copy);
	return 0;
}

void tierd_overrides_forget(struct tierd_overrides *overrides, const char *cgroup)
{
	struct tierd_override *override = find(overrides, cgroup);

	if (!override)
		return;
	override_done(override);
	*override = overrides->items[--overrides->n_items];
}

const struct tierd_policy *tierd_overrides_find(const struct tierd_overrides *overrides,
	const struct tierd_policies *policies, const char *cgroup)
{
	const struct tierd_override *override = find(overrides, cgroup);

	return override ? override->policy : tierd_policies_find(policies, cgroup);
}
