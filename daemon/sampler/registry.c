/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preferred is what says most about single pages at the least cost to programs.
 */
#include <string.h>

#include "sampler/registry.h"

static const struct tierd_sampler_ops *const registry[] = {
	&tierd_sampler_pmu_ops,
	&tierd_sampler_hint_ops,
	&tierd_sampler_damon_ops,
	&tierd_sampler_replay_ops,
	NULL,
};

const struct tierd_sampler_ops *const *tierd_sampler_registry(void)
{
	return registry;
}

const struct tierd_sampler_ops *tierd_sampler_find(const char *name)
{
	for (size_t i = 0; registry[i]; i++)
		if (strcmp(registry[i]->name, name) == 0)
			return registry[i];
	return NULL;
}

bool tierd_sampler_is_allowed(const struct tierd_sampler_ops *ops, const char *source)
{
	if (strcmp(source, "auto") == 0)
		return !ops->is_only_named;
	return strcmp(source, ops->name) == 0;
}
