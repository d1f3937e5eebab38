/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that tiers its own memory over nodes 0 and 1, half to each, and tells libtier
 * itself of each access. Without a node 1 it shows moves that cannot succeed.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <libtier.h>

#define COLD  12 /* blocks, which get one access in eight, … */
#define HOT   4  /* … and behind them those that get the rest */
#define SPACE 1  /* our number for our address space */

static char memory[COLD + HOT][TIER_BLOCK_SIZE] __attribute__((aligned(TIER_BLOCK_SIZE)));

static void work(struct tier_group *group)
{
	for (int i = 0; i < 50000; i++) {
		int block = random() % 8 ? COLD + random() % HOT : random() % COLD;
		char *p = &memory[block][random() % TIER_BLOCK_SIZE];
		struct tier_sample sample = { .space = SPACE, .address = (uintptr_t)p };

		*p += 1;
		tier_group_feed(group, &sample, 1, NULL);
	}
}

static void look_up_residency(struct tier_group *group, char *block)
{
	struct tier_residency residency = { .huge = false };
	int node = -1;

	for (unsigned i = 0; i < TIER_BLOCK_PAGES; i++) {
		void *page = block + i * TIER_PAGE_SIZE;
		syscall(SYS_move_pages, 0, 1, &page, NULL, &node, 0);
		if (node >= 0)
			tier_residency_add(&residency, i, node > 0);
	}
	tier_group_set_residency(group, SPACE, (uintptr_t)block, &residency);
}

static void carry_out(struct tier_group *group, struct tier_plan *plan,
	struct tier_migrator *migrator, uint64_t now_ns)
{
	struct tier_target self = { .space = SPACE, .pid = getpid(), .pidfd = -1 };
	struct tier_job_config config = { .plan = plan, .targets = &self };
	struct pollfd done = { .fd = tier_migrator_get_fd(migrator), .events = POLLIN };
	enum tier_result result;

	config.n_targets = config.slow_node = 1;
	config.bandwidth_max = UINT64_MAX;
	if (tier_migrator_submit(migrator, &config) < 0 || poll(&done, 1, -1) < 1)
		exit(EXIT_FAILURE);
	struct tier_job *job = tier_migrator_take(migrator);
	for (size_t i = 0; i < tier_job_n_moves(job); i++) {
		const struct tier_move *move = tier_job_move(job, i, &result);
		printf("%s %p (%s): %s\n", tier_direction_to_string(move->direction),
			(void *)move->address, tier_reason_to_string(move->reason),
			tier_result_to_string(result));
		tier_group_complete(group, move, result, now_ns);
	}
	tier_job_free(job);
	tier_plan_free(plan);
}

int main(void)
{
	const struct tier_migrator_ops *ops = &tier_migrator_ops_move_pages;
	struct tier_limits limits = { .budget_pages = TIER_UNLIMITED_PAGES };
	struct tier_migrator *migrator;
	struct tier_group_config config;
	struct tier_group_stats stats;
	struct tier_group *group;
	struct tier_plan *plan;

	limits.quota_pages = (COLD + HOT) / 2 * TIER_BLOCK_PAGES;
	tier_group_config_default(&config);
	if (tier_group_new(&config, &group) < 0 ||
		tier_migrator_new(ops, NULL, (int[]){ 0, 1 }, 2, &migrator) < 0)
		return EXIT_FAILURE;
	for (limits.now_ns = 1e9; limits.now_ns < 6e9; limits.now_ns += 1e9) {
		for (int block = 0; block < COLD + HOT; block++)
			look_up_residency(group, memory[block]);
		work(group);
		tier_group_advance(group, limits.now_ns, 1); /* a round is a second */
		tier_group_get_stats(group, &stats);
		limits.fast_pages = stats.tier_pages[0];
		if (tier_group_plan(group, &limits, &plan) == 0)
			carry_out(group, plan, migrator, limits.now_ns);
	}
	tier_migrator_free(migrator);
	tier_group_free(group);
	return EXIT_SUCCESS;
}
