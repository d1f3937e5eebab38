/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for every plan, whatever the group; most of it for plans of engine rank
 * only, since the others do what their kernels would.
 */
#ifndef TEST_PLAN_CHECKS_H
#define TEST_PLAN_CHECKS_H

#include "model.h"

/* Returns false from the function it is in, having said why. */
#define HOLD(condition, ...)                                              \
	do {                                                              \
		if (!(condition)) {                                       \
			snprintf(ret_why, PROPERTY_WHY_MAX, __VA_ARGS__); \
			return false;                                     \
		}                                                         \
	} while (0)

bool plan_is_sound(const struct model *model, const struct tier_group_config *config,
	const struct tier_limits *limits, const struct tier_plan *plan,
	char ret_why[static PROPERTY_WHY_MAX]);

#endif
