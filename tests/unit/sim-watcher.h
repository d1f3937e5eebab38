/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy that only watches, and plans what it is told: it stands in for engines where
 * the simulator itself is tested. There is one of it, whatever the number of tenants.
 */
#ifndef TEST_SIM_WATCHER_H
#define TEST_SIM_WATCHER_H

#include "unit.h"

#include "policy.h"
#include "sim-internal.h"

#define PAGES 16384
#define SIGMA 6

struct sim_policy {
	double exposure;
	double skewed_from; /* pages from here on are counted apart */
	uint64_t samples, skewed, early;
	uint64_t completed[TIER_RESULT_MAX];
	uint64_t now_ns, completed_ns;
	uint16_t per_page[PAGES];
	uint64_t promote_first, promote_n, demote_first, demote_n, owed;
	uint32_t move_pages; /* of each; 0: 1 */
	bool is_cut_short;
	unsigned plans;
	struct tier_limits limits;
};

extern struct sim_policy watch;
extern const struct sim_policy_ops watcher;

/* PAGES with a hot tenth at the end, the first half in DRAM, 10,000 samples a second,
 * and copies of 4096 pages a second. */
struct sim_config small_machine(void);

/* They fail the test if they cannot. */
struct sim *new_sim(const struct sim_config *config, const struct sim_policy_ops *ops);
void pass(struct sim *sim, double seconds);

/* A teardown for the group. */
int sim_watcher_done(void **state);

#endif
