/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static const struct sim_policy_ops *const policies[] = {
	&sim_policy_rank,
	&sim_policy_memtis,
	&sim_policy_tpp,
	&sim_policy_count,
	&sim_policy_oracle,
};

const struct sim_policy_ops *sim_policy_get(size_t i)
{
	return i < ARRAY_SIZE(policies) ? policies[i] : NULL;
}

const struct sim_policy_ops *sim_policy_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++)
		if (strcmp(policies[i]->name, name) == 0)
			return policies[i];
	return NULL;
}

bool sim_policy_exists(const struct sim_policy_ops *ops)
{
	struct tier_group_config config;
	struct tier_group *group;

	if (ops->engine < 0)
		return true;
	tier_group_config_default(&config);
	config.engine = ops->engine;
	if (tier_group_new(&config, &group) < 0)
		return false;
	tier_group_free(group);
	return true;
}

void sim_plan_done(struct sim_plan *plan)
{
	free(plan->moves);
	tier_plan_free(plan->engine);
	*plan = (struct sim_plan){ 0 };
}
