/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tierd does all day: drain the sampler, see who came and went, look at residency,
 * plan, hand plans to the migrator, and steer the sampling rate. Results of migrations
 * come in between ticks; where a plan was cut short the next is made at once.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "exit-codes.h"
#include "huge-pages.h"
#include "log.h"
#include "manager-internal.h"
#include "sampling.h"

#define LOOK_FOR_GROUPS_NS    (2 * TIERD_NSEC)
#define LOOK_FOR_PROCESSES_NS (1 * TIERD_NSEC)
#define LOOK_AT_WATERMARKS_NS (10 * TIERD_NSEC)

/* Drained each tick even if CPUMax= is used up: enough to notice what happens. */
#define DRAIN_RECORDS_MIN 64

/* Part of a tick that residency may take, over all groups: in a hurry, and later. */
#define SWEEP_SHARE_FIRST 2
#define SWEEP_SHARE       8

/* With little left to gain a tick comes so much later. */
#define SETTLED_TICKS 4

/* Blocks that a plan may make huge pages, while those are wanted: each holds up what
 * comes after it for as long as copying 2 MiB takes. */
#define COLLAPSES_PER_PLAN 16

/* ---- Steering ------------------------------------------------------------------ */

static bool is_settled(const struct tierd_manager *manager, uint64_t now_ns)
{
	for (size_t i = 0; i < manager->n_groups; i++)
		if (!tierd_group_is_settled(manager->groups[i], now_ns))
			return false;
	return true;
}

/* Samples cost the workload as well: as many as the neediest group has use for. */
static uint64_t wanted_rate(const struct tierd_manager *manager, uint64_t now_ns)
{
	const struct tierd_config *config = &manager->config;
	unsigned factor = tierd_steering_rate_factor(manager->sampler);
	uint64_t max = config->samples_per_second_max;
	uint64_t most = (max + factor - 1) / factor;
	uint64_t settled = tierd_steering_settled_rate(config, manager->sampler);
	uint64_t rate = (settled + factor - 1) / factor;

	for (size_t i = 0; i < manager->n_groups; i++)
		rate = TIER_MAX(rate, tierd_group_samples_of_use(
					      manager->groups[i], rate, most, now_ns));
	return TIER_MIN(factor * rate, max);
}

static void steer(struct tierd_manager *manager, uint64_t now_ns)
{
	int r = tierd_steering_steer(&manager->steering, &manager->root, &manager->config,
		manager->sampler, wanted_rate(manager, now_ns), now_ns);

	if (r < 0)
		tierd_log_in_loop(r, "cannot set the sampling period");
}

/* ---- Plans --------------------------------------------------------------------- */

static uint64_t node_room(const struct tierd_node_memory *memory)
{
	return tier_saturating_sub(memory->free_bytes + memory->reclaimable_bytes,
		memory->high_watermark_bytes);
}

/* The node of the tier, by libtier's number, with the most room; UINT_MAX if the machine
 * has no such tier. */
static unsigned choose_node(const struct tierd_manager *manager, unsigned tier)
{
	const struct tierd_topology *topology = &manager->topology;
	unsigned best = UINT_MAX;

	for (unsigned i = 0; i < topology->n_nodes; i++)
		if (tierd_heat_tier(&topology->nodes[i]) == tier &&
			(best == UINT_MAX ||
				node_room(&manager->node_memory[i]) >
					node_room(&manager->node_memory[best])))
			best = i;
	return best;
}

/*
 * Bytes to spare in the fast tier beyond watermark and headroom, as far as they are on
 * the node that promotions go to, and bytes short. Promotions leave the headroom alone,
 * demotions begin when half of it is used: in between nothing has to move back and forth.
 */
static void weigh_fast_nodes(const struct tierd_manager *manager, unsigned fast,
	uint64_t *ret_room, uint64_t *ret_short)
{
	uint64_t headroom = tierd_amount_resolve(
		manager->config.headroom, manager->context.dram_total_bytes);
	uint64_t have = 0;

	for (unsigned i = 0; i < manager->topology.n_nodes; i++)
		if (manager->topology.nodes[i].tier == 0)
			have += node_room(&manager->node_memory[i]);
	*ret_room = TIER_MIN(tier_saturating_sub(have, headroom),
		node_room(&manager->node_memory[fast]));
	*ret_short = tier_saturating_sub(headroom / 2, have);
}

static uint64_t promoted_bytes_of(const struct tier_plan *plan)
{
	uint64_t pages = 0;
	size_t n;
	const struct tier_move *moves = tier_plan_moves(plan, &n);

	for (size_t i = 0; i < n; i++)
		if (moves[i].reason == TIER_REASON_HOT ||
			moves[i].reason == TIER_REASON_FILL)
			pages += moves[i].pages;
	return pages * TIER_PAGE_SIZE;
}

/* What a tick's plans have to share. */
struct share {
	int nodes[TIER_TIERS_MAX]; /* where moves to each tier go; -1: there is none */
	uint64_t room_bytes[TIER_TIERS_MAX];
	uint64_t lacking_bytes;
	uint64_t spare_bytes;
};

/* Takes the plan over, or returns an error. */
static int submit_plan(struct tierd_manager *manager, struct tierd_group *group,
	struct tier_plan *plan, struct share *share)
{
	uint64_t *room_bytes = share->room_bytes;
	unsigned upper, lower;
	int r = tierd_group_submit(group, manager->migrator, plan, share->nodes);

	if (r < 0) {
		tier_plan_free(plan);
		return r == -EBUSY ? 0 : r; /* the migrators have enough to do */
	}
	tier_plan_get_tiers(plan, &upper, &lower);
	room_bytes[upper] =
		tier_saturating_sub(room_bytes[upper], promoted_bytes_of(plan));
	return 0;
}

static int plan_group(struct tierd_manager *manager, struct tierd_group *group,
	uint64_t now_ns, struct share *share)
{
	double part = share->spare_bytes > 0 ? (double)tierd_group_spare_bytes(group) /
						       share->spare_bytes
					     : 0;
	struct tier_plan *plan;
	size_t n;
	int r;

	r = tierd_group_plan(group, now_ns, share->room_bytes,
		TIER_MIN(share->lacking_bytes, share->spare_bytes) * part, &plan);
	if (r < 0 || !plan)
		return r;
	tier_plan_moves(plan, &n);
	if (n > 0 && tierd_group_moves_pages(group) && !manager->is_paused)
		return submit_plan(manager, group, plan, share);
	tier_plan_free(plan);
	return 0;
}

static void look_at_tiers(const struct tierd_manager *manager, struct share *share)
{
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++) {
		unsigned node = choose_node(manager, tier);

		share->nodes[tier] = -1;
		if (node == UINT_MAX)
			continue;
		share->nodes[tier] = (int)manager->topology.nodes[node].id;
		if (tier == 0)
			weigh_fast_nodes(manager, node, &share->room_bytes[0],
				&share->lacking_bytes);
		else
			share->room_bytes[tier] = node_room(&manager->node_memory[node]);
	}
}

/* Each tick another group is served first. */
static void plan(struct tierd_manager *manager, uint64_t now_ns)
{
	struct share share = { 0 };

	look_at_tiers(manager, &share);
	for (size_t i = 0; i < manager->n_groups; i++)
		share.spare_bytes += tierd_group_spare_bytes(manager->groups[i]);
	for (size_t i = 0; i < manager->n_groups; i++)
		tierd_group_update_placement(manager->groups[i], share.room_bytes[0]);
	manager->first_group++;
	for (size_t i = 0; i < manager->n_groups; i++) {
		struct tierd_group *group =
			manager->groups[(manager->first_group + i) % manager->n_groups];
		int r = plan_group(manager, group, now_ns, &share);

		if (r < 0)
			tierd_log_in_loop(r, "%s: cannot plan", tierd_group_path(group));
	}
}

/* ---- The tick ------------------------------------------------------------------ */

static bool is_due(uint64_t *last_ns, uint64_t now_ns, uint64_t every_ns)
{
	if (*last_ns != 0 && now_ns - *last_ns < every_ns)
		return false;
	*last_ns = now_ns;
	return true;
}

static unsigned wanted_collapses(const struct tierd_manager *manager)
{
	return manager->config.collapse && tierd_huge_pages_are_wanted(&manager->root)
		       ? COLLAPSES_PER_PLAN
		       : 0;
}

static void look_around(struct tierd_manager *manager, uint64_t now_ns)
{
	if (is_due(&manager->groups_looked_ns, now_ns, LOOK_FOR_GROUPS_NS)) {
		tierd_manager_look_for_groups(manager);
		manager->context.collapses = wanted_collapses(manager);
	}
	if (is_due(&manager->processes_looked_ns, now_ns, LOOK_FOR_PROCESSES_NS) ||
		manager->processes_changed)
		tierd_manager_look_for_processes(manager);
}

static void read_memory(struct tierd_manager *manager, uint64_t now_ns)
{
	int r = 0;

	if (is_due(&manager->watermarks_looked_ns, now_ns, LOOK_AT_WATERMARKS_NS))
		r = tierd_nodes_watermarks_read(
			&manager->root, &manager->topology, manager->node_memory);
	if (r >= 0)
		r = tierd_nodes_memory_read(
			&manager->root, &manager->topology, manager->node_memory);
	if (r < 0)
		tierd_log_in_loop(r, "cannot read the nodes' memory");
	for (size_t i = 0; i < manager->n_groups; i++) {
		r = tierd_group_read_memory(manager->groups[i]);
		if (r < 0 && r != -ENODEV)
			tierd_log_in_loop(r, "%s: cannot read its memory.numa_stat",
				tierd_group_path(manager->groups[i]));
	}
}

static uint64_t sweep_budget(
	const struct tierd_manager *manager, const struct tierd_group *group)
{
	uint64_t tick_ns = manager->config.tick_ns;
	unsigned share = tierd_group_wants_sweep(group) ? SWEEP_SHARE_FIRST : SWEEP_SHARE;

	return tierd_governor_work_ns(
		       &manager->steering.governor, tick_ns / share, tick_ns) /
	       manager->n_groups;
}

void tierd_manager_tick(struct tierd_manager *manager)
{
	uint64_t now_ns = tierd_now_ns();
	uint64_t elapsed_ns = now_ns - manager->ticked_ns;
	double exposed;

	tierd_sampling_drain(manager, DRAIN_RECORDS_MIN);
	exposed = tierd_sampling_exposure(manager, elapsed_ns);
	manager->ticked_ns = now_ns;
	manager->context.skips_policy = tierd_sampler_skips_policy(manager->sampler);
	look_around(manager, now_ns);
	tierd_sampling_look_after(manager, now_ns);
	tierd_manager_follow_kernel_tiering(manager);
	for (size_t i = 0; i < manager->n_groups; i++) {
		struct tierd_group *group = manager->groups[i];

		tierd_group_sweep(group, sweep_budget(manager, group));
		if (tierd_group_advance(group, now_ns, exposed) > 0)
			log_info("%s: its accesses have moved elsewhere",
				tierd_group_path(group));
	}
	read_memory(manager, now_ns);
	tierd_manager_raise_alerts(manager, now_ns);
	tierd_gates_update(manager->gates, now_ns);
	plan(manager, now_ns);
	steer(manager, now_ns);
}

/* Without its timer tierd would sit there and keep no quota: then rather end. */
static int on_timer(sd_event_source *source, _unused_ uint64_t due_usec, void *userdata)
{
	struct tierd_manager *manager = userdata;
	uint64_t tick_ns = manager->config.tick_ns, usec, watchdog_usec;
	int r;

	tierd_manager_tick(manager);
	if (is_settled(manager, manager->ticked_ns))
		tick_ns *= SETTLED_TICKS;
	usec = tierd_governor_tick_ns(&manager->steering.governor, tick_ns) / 1000;
	/* What is alive is the tick, not just the loop. */
	if (sd_watchdog_enabled(false, &watchdog_usec) > 0) {
		sd_notify(false, "WATCHDOG=1");
		usec = TIER_MIN(usec, watchdog_usec / 2);
	}
	r = sd_event_source_set_time_relative(source, usec);
	if (r >= 0)
		r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	if (r >= 0)
		return 0;
	log_error_errno(r, "cannot set the tick's timer");
	return sd_event_exit(manager->event, TIERD_EXIT_OS);
}

/* Takes a job's results; true if the next plan should not wait for the tick. */
static bool finish_job(
	struct tierd_manager *manager, struct tier_job *job, uint64_t now_ns)
{
	struct tierd_group *group = tier_job_userdata(job);

	tierd_group_complete(group, job, now_ns);
	tier_job_free(job);
	tierd_gates_update_group(manager->gates, group, now_ns);
	return tierd_group_is_waiting(group, now_ns) ||
	       (tierd_group_has_backlog(group) &&
		       tierd_steering_may_hurry(&manager->steering));
}

static int on_finished(_unused_ sd_event_source *source, _unused_ int fd,
	_unused_ uint32_t events, void *userdata)
{
	struct tierd_manager *manager = userdata;
	uint64_t now_ns = tierd_now_ns();
	bool is_urgent = false;
	struct tier_job *job;

	while ((job = tier_migrator_take(manager->migrator)))
		is_urgent |= finish_job(manager, job, now_ns);
	tierd_manager_free_leaving(manager);
	if (is_urgent)
		tierd_manager_tick(manager);
	return 0;
}

int tierd_manager_start_ticking(struct tierd_manager *manager)
{
	int r;

	r = sd_event_add_io(manager->event, &manager->migrator_source,
		tier_migrator_get_fd(manager->migrator), EPOLLIN, on_finished, manager);
	if (r < 0)
		return r;
	manager->ticked_ns = tierd_now_ns();
	tierd_steering_init(&manager->steering, &manager->config, manager->ticked_ns);
	return sd_event_add_time_relative(manager->event, &manager->timer,
		CLOCK_MONOTONIC, 0, 10 * 1000, on_timer, manager);
}
