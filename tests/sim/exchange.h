/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How both comparators make a plan of an order of pages: for each tier, fastest first,
 * what is owed leaves, the hottest from below fill its room, then trade places with the
 * coldest in it for as long as the newcomer is hotter. What they know of pages is asked
 * of them.
 */
#ifndef SIM_EXCHANGE_H
#define SIM_EXCHANGE_H

#include "policy.h"

#define SIM_NO_PAGE UINT64_MAX

struct sim_order_ops {
	/* The hottest page below @tier, the coldest in it; SIM_NO_PAGE if there is none.
	 * Called again, the same one, unless it was taken. */
	uint64_t (*hottest_below)(void *order, unsigned tier);
	uint64_t (*coldest_in)(void *order, unsigned tier);
	bool (*is_hotter)(void *order, uint64_t page, uint64_t than);
	unsigned (*tier_of)(void *order, uint64_t page);
	void (*take)(void *order, uint64_t page);
};

/* Errors: -ENOMEM. */
int sim_exchange_plan(const struct sim_order_ops *ops, void *order, unsigned n_tiers,
	const struct tier_limits *limits, struct sim_plan *ret);

#endif
