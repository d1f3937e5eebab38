/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

#define NSEC UINT64_C(1000000000)

/* Later passes of the sweep take about so long. */
#define SWEEP_PASS_NS     (60 * NSEC)
#define SWEEP_STEP_BLOCKS 64

/* A group over its quota waits so long for the first pass. */
#define FIRST_LOOK_NS NSEC

/* Blocks that samples fell into and that want a look, a tick. */
#define LOOKS_MAX 128

/* A group that moved less than this share of its memory within the time is settled. */
#define SETTLED_NS      (5 * NSEC)
#define SETTLED_DIVISOR 128

/* Long enough for both directions to overlap, short enough to stay with the times. */
#define JOB_TICKS 2

#define BUDGET_PAGES_MIN 1024
#define BUDGET_PAGES_MAX 32768

struct look {
	struct tierd_space *space;
	uint64_t address;
};

struct tierd_group {
	const struct tierd_group_context *context;
	struct tierd_cgroup *cgroup;
	struct tierd_policy policy;
	uint64_t quota_bytes;
	uint64_t min_bytes;
	struct tier_group *heat;

	struct tierd_space **spaces; /* by pid */
	size_t n_spaces;
	size_t sweep_space;
	bool is_swept;
	struct look looks[LOOKS_MAX];
	size_t n_looks;

	uint64_t dram_bytes;
	uint64_t slow_bytes;
	uint64_t uncovered_bytes;

	bool has_job;
	uint64_t job_began_ns;
	uint64_t budget_pages; /* of a plan: what can be carried out in JOB_TICKS */
	uint64_t promoted_bytes;
	uint64_t demoted_bytes;
	double copy_cost_ns;
	uint64_t born_ns;
	uint64_t busy_since_ns; /* when moves last went beyond the settled share */
	uint64_t window_ns;
	uint64_t window_pages;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC + now.tv_nsec;
}

/* ---- Coming and going ---------------------------------------------------------- */

static uint64_t tier_latency_ns(const struct tierd_topology *topology, bool fast)
{
	uint64_t latency_ns = 0;

	for (unsigned i = 0; i < topology->n_nodes; i++)
		if ((topology->nodes[i].tier == 0) == fast)
			latency_ns =
				TIER_MAX(latency_ns, topology->nodes[i].read_latency_ns);
	return latency_ns;
}

static int new_heat(const struct tierd_group_context *context, struct tier_group **ret)
{
	uint64_t fast_ns = tier_latency_ns(context->topology, true);
	uint64_t slow_ns = tier_latency_ns(context->topology, false);
	struct tier_group_config config;

	tier_group_config_default(&config);
	if (fast_ns > 0 && slow_ns > fast_ns)
		config.latency_gap_ns = slow_ns - fast_ns;
	return tier_group_new(&config, ret);
}

int tierd_group_new(const struct tierd_group_context *context,
	struct tierd_cgroup *cgroup, const struct tierd_policy *policy,
	struct tierd_group **ret)
{
	_cleanup_(freep) struct tierd_group *group = calloc(1, sizeof(*group));
	int r;

	if (!group)
		return -ENOMEM;
	group->context = context;
	group->born_ns = now_ns();
	group->budget_pages = BUDGET_PAGES_MIN * 4;
	r = new_heat(context, &group->heat);
	if (r < 0)
		return r;
	group->cgroup = cgroup;
	tierd_group_set_policy(group, policy);
	*ret = TAKE_PTR(group);
	return 0;
}

struct tierd_group *tierd_group_free(struct tierd_group *group)
{
	if (!group)
		return NULL;
	for (size_t i = 0; i < group->n_spaces; i++)
		tierd_space_free(group->spaces[i], group->heat);
	free(group->spaces);
	tier_group_free(group->heat);
	tierd_cgroup_free(group->cgroup);
	free(group);
	return NULL;
}

void tierd_group_set_policy(struct tierd_group *group, const struct tierd_policy *policy)
{
	uint64_t total_bytes = group->context->dram_total_bytes;

	group->policy = *policy;
	group->quota_bytes = tierd_amount_resolve(policy->dram_quota, total_bytes);
	group->min_bytes = tierd_amount_resolve(policy->dram_min, total_bytes);
	group->busy_since_ns = now_ns();
	tier_group_expect_change(group->heat);
}

int tierd_group_set_quota(struct tierd_group *group, uint64_t bytes)
{
	if (bytes < group->min_bytes)
		return -EINVAL;
	group->quota_bytes = bytes;
	group->busy_since_ns = now_ns();
	tier_group_expect_change(group->heat);
	return 0;
}

/* ---- Seeing -------------------------------------------------------------------- */

const char *tierd_group_path(const struct tierd_group *group)
{
	return tierd_cgroup_path(group->cgroup);
}

const struct tierd_cgroup *tierd_group_cgroup(const struct tierd_group *group)
{
	return group->cgroup;
}

bool tierd_group_moves_pages(const struct tierd_group *group)
{
	return group->policy.enforcement != TIERD_ENFORCEMENT_ADVISE;
}

struct tier_group *tierd_group_heat(struct tierd_group *group)
{
	return group->heat;
}

void tierd_group_get_view(const struct tierd_group *group, struct tierd_group_view *ret)
{
	*ret = (struct tierd_group_view){
		.cgroup = tierd_group_path(group),
		.policy = group->policy.path,
		.enforcement = tierd_enforcement_to_string(group->policy.enforcement),
		.engine = tierd_engine_to_string(group->policy.engine),
		.dram_quota_bytes = group->quota_bytes,
		.dram_min_bytes = group->min_bytes,
		.dram_bytes = group->dram_bytes,
		.slow_bytes = group->slow_bytes,
		.uncovered_bytes = group->uncovered_bytes,
		.bandwidth_max = group->policy.bandwidth_max_bytes,
		.n_processes = group->n_spaces,
		.promoted_bytes = group->promoted_bytes,
		.demoted_bytes = group->demoted_bytes,
	};
	tier_group_get_stats(group->heat, &ret->heat);
}

static pid_t pid_of_space(const struct tierd_group *group, uint64_t id)
{
	for (size_t i = 0; i < group->n_spaces; i++)
		if (group->spaces[i]->id == id)
			return group->spaces[i]->pid;
	return 0;
}

static size_t count_blocks_of(const struct tier_block_info *blocks, size_t n)
{
	size_t i = 0;

	while (i < n && blocks[i].space == blocks[0].space)
		i++;
	return i;
}

/* One process's blocks, in the order of addresses, cut into GiB of resident memory. */
static int portion_blocks(const struct tier_block_info *blocks, size_t n,
	struct tierd_process_portions *ret)
{
	const uint64_t whole = UINT64_C(1) << 30;
	struct tierd_portion *portions = calloc(n, sizeof(*portions));
	size_t last = 0;

	if (!portions)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (portions[last].resident_bytes >= whole)
			last++;
		portions[last].resident_bytes +=
			blocks[i].resident_pages * TIER_PAGE_SIZE;
		portions[last].dram_bytes += blocks[i].fast_pages * TIER_PAGE_SIZE;
	}
	ret->portions = portions;
	ret->n_portions = last + 1;
	return 0;
}

static int compare_portions(const void *a, const void *b)
{
	const struct tierd_process_portions *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int tierd_group_get_portions(
	struct tierd_group *group, struct tierd_process_portions **ret, size_t *ret_n)
{
	_cleanup_(freep) struct tier_block_info *blocks = NULL;
	struct tierd_process_portions *portions;
	size_t n_blocks, n = 0, n_of;
	int r;

	r = tier_group_list_blocks(group->heat, &blocks, &n_blocks);
	if (r < 0)
		return r;
	portions = calloc(group->n_spaces + 1, sizeof(*portions));
	if (!portions)
		return -ENOMEM;
	for (size_t i = 0; i < n_blocks && n < group->n_spaces; i += n_of) {
		n_of = count_blocks_of(blocks + i, n_blocks - i);
		portions[n].pid = pid_of_space(group, blocks[i].space);
		r = portion_blocks(blocks + i, n_of, &portions[n]);
		if (r < 0) {
			tierd_process_portions_free(portions, n);
			return r;
		}
		n++;
	}
	qsort(portions, n, sizeof(*portions), compare_portions);
	*ret = portions;
	*ret_n = n;
	return 0;
}

void tierd_process_portions_free(struct tierd_process_portions *portions, size_t n)
{
	for (size_t i = 0; portions && i < n; i++)
		free(portions[i].portions);
	free(portions);
}

/* ---- Memory -------------------------------------------------------------------- */

int tierd_group_read_memory(struct tierd_group *group)
{
	const struct tierd_topology *topology = group->context->topology;
	struct tierd_cgroup_memory memory;
	int r;

	r = tierd_cgroup_read_memory(group->cgroup, &memory);
	if (r < 0)
		return r;
	group->dram_bytes = group->slow_bytes = group->uncovered_bytes = 0;
	for (unsigned i = 0; i < topology->n_nodes; i++) {
		const struct tierd_cgroup_node_memory *node =
			&memory.nodes[topology->nodes[i].id];

		if (topology->nodes[i].tier == 0)
			group->dram_bytes += node->movable_bytes;
		else
			group->slow_bytes += node->movable_bytes;
		group->uncovered_bytes += node->unmovable_bytes;
	}
	return 0;
}

uint64_t tierd_group_dram_bytes(const struct tierd_group *group)
{
	return group->dram_bytes;
}

uint64_t tierd_group_spare_bytes(const struct tierd_group *group)
{
	uint64_t kept = TIER_MIN(group->quota_bytes, group->dram_bytes);

	if (!tierd_group_moves_pages(group) || kept <= group->min_bytes)
		return 0;
	return kept - group->min_bytes;
}

/* ---- Processes ----------------------------------------------------------------- */

size_t tierd_group_n_spaces(const struct tierd_group *group)
{
	return group->n_spaces;
}

struct tierd_space *tierd_group_space(const struct tierd_group *group, size_t i)
{
	return group->spaces[i];
}

static struct tierd_space *take_space(
	struct tierd_space **spaces, size_t n, size_t *cursor, pid_t pid)
{
	while (*cursor < n && spaces[*cursor]->pid < pid)
		(*cursor)++;
	if (*cursor == n || spaces[*cursor]->pid != pid)
		return NULL;
	spaces[*cursor]->is_claimed = true;
	return spaces[*cursor];
}

static bool is_same_process(const struct tierd_group *group, struct tierd_space *space)
{
	struct tierd_process process;

	return tierd_process_read(group->context->root, space->pid, &process) >= 0 &&
	       process.start_ticks == space->start_ticks;
}

int tierd_group_set_processes(struct tierd_group *group, const pid_t *pids, size_t n)
{
	struct tierd_space **spaces = calloc(n + 1, sizeof(*spaces));
	size_t n_spaces = 0, cursor = 0;

	if (!spaces)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_spaces; i++)
		group->spaces[i]->is_claimed = false;
	for (size_t i = 0; i < n; i++) {
		struct tierd_space *space =
			take_space(group->spaces, group->n_spaces, &cursor, pids[i]);

		if (space && !is_same_process(group, space)) {
			space->is_claimed = false;
			space = NULL;
		}
		if (!space && tierd_space_new(group->context->root, pids[i], &space) < 0)
			continue;
		group->is_swept &= space->passes > 0;
		spaces[n_spaces++] = space;
	}
	for (size_t i = 0; i < group->n_spaces; i++)
		if (!group->spaces[i]->is_claimed)
			tierd_space_free(group->spaces[i], group->heat);
	free(group->spaces);
	group->spaces = spaces;
	group->n_spaces = n_spaces;
	group->n_looks = 0;
	return 0;
}

/* ---- Samples and residency ----------------------------------------------------- */

static void remember_look(
	struct tierd_group *group, struct tierd_space *space, uint64_t address)
{
	address &= ~(TIER_BLOCK_SIZE - 1);
	if (group->n_looks == LOOKS_MAX)
		return;
	for (size_t i = 0; i < group->n_looks; i++)
		if (group->looks[i].address == address && group->looks[i].space == space)
			return;
	group->looks[group->n_looks++] = (struct look){ space, address };
}

void tierd_group_sample(struct tierd_group *group, struct tierd_space *space,
	uint64_t address, bool is_store)
{
	int sampled = tier_group_sample(group->heat, &(struct tier_sample){
							     .space = space->id,
							     .address = address,
							     .is_store = is_store,
						     });

	if (sampled == TIER_SAMPLED_UNKNOWN || sampled == TIER_SAMPLED_UNCOVERED)
		remember_look(group, space, address);
}

static void do_looks(struct tierd_group *group)
{
	for (size_t i = 0; i < group->n_looks; i++)
		(void)tierd_space_look(group->looks[i].space, group->context->root,
			group->context->reader, group->heat, group->looks[i].address);
	group->n_looks = 0;
}

/* How many blocks a tick may look at so that a pass takes as long as it should. */
static size_t sweep_quantum(const struct tierd_group *group)
{
	uint64_t blocks = 0;

	if (!group->is_swept)
		return SIZE_MAX;
	for (size_t i = 0; i < group->n_spaces; i++)
		blocks += group->spaces[i]->blocks;
	return blocks * group->context->tick_ns / SWEEP_PASS_NS + 1;
}

static void next_space(struct tierd_group *group)
{
	if (++group->sweep_space >= group->n_spaces) {
		group->sweep_space = 0;
		group->is_swept = true;
		for (size_t i = 0; i < group->n_spaces; i++)
			group->is_swept &= group->spaces[i]->passes > 0;
	}
}

void tierd_group_sweep(struct tierd_group *group, uint64_t budget_ns)
{
	uint64_t until_ns = now_ns() + budget_ns;
	size_t quantum = sweep_quantum(group), passes = 0;

	do_looks(group);
	while (quantum > 0 && passes < group->n_spaces && now_ns() < until_ns) {
		size_t step = TIER_MIN(quantum, (size_t)SWEEP_STEP_BLOCKS);
		struct tierd_space *space;
		int r;

		if (group->sweep_space >= group->n_spaces)
			group->sweep_space = 0;
		space = group->spaces[group->sweep_space];
		r = tierd_space_sweep(space, group->context->root, group->context->reader,
			group->heat, step);
		if (r < 0)
			space->passes++; /* unreadable: nothing to wait for */
		if (r != 0) {
			next_space(group);
			passes++;
		}
		quantum -= step;
	}
	if (group->n_spaces == 0)
		group->is_swept = true;
}

bool tierd_group_is_swept(const struct tierd_group *group)
{
	return group->is_swept;
}

/* ---- Plans --------------------------------------------------------------------- */

static uint64_t bytes_to_pages(uint64_t bytes)
{
	return bytes == UINT64_MAX ? TIER_UNLIMITED_PAGES : bytes >> TIER_PAGE_SHIFT;
}

/* A quota has to be kept soon, but what to demote is better chosen after a first look. */
static bool is_too_early(const struct tierd_group *group, uint64_t time_ns)
{
	if (group->is_swept)
		return false;
	return group->dram_bytes <= group->quota_bytes ||
	       time_ns - group->born_ns < FIRST_LOOK_NS;
}

int tierd_group_plan(struct tierd_group *group, uint64_t time_ns,
	uint64_t node_room_bytes, uint64_t node_owed_bytes, struct tier_plan **ret,
	uint64_t *ret_room_pages)
{
	struct tier_limits limits = {
		.now_ns = time_ns,
		.fast_pages = bytes_to_pages(group->dram_bytes),
		.quota_pages = bytes_to_pages(group->quota_bytes),
		.room_pages = bytes_to_pages(node_room_bytes),
		.owed_pages = bytes_to_pages(node_owed_bytes),
		.budget_pages = group->budget_pages,
	};

	*ret = NULL;
	if (group->has_job || is_too_early(group, time_ns))
		return 0;
	*ret_room_pages = limits.fast_pages < limits.quota_pages
				  ? TIER_MIN(limits.quota_pages - limits.fast_pages,
					    limits.room_pages)
				  : 0;
	return tier_group_plan(group->heat, &limits, ret);
}

int tierd_group_submit(struct tierd_group *group, struct tier_migrator *migrator,
	const struct tier_plan *plan, uint64_t room_pages, int fast_node, int slow_node)
{
	_cleanup_(freep) struct tier_target *targets =
		calloc(group->n_spaces + 1, sizeof(*targets));
	int r;

	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; i < group->n_spaces; i++)
		targets[i] = (struct tier_target){
			.space = group->spaces[i]->id,
			.pid = group->spaces[i]->pid,
			.pidfd = group->spaces[i]->pidfd,
		};
	r = tier_migrator_submit(migrator,
		&(struct tier_job_config){
			.plan = plan,
			.targets = targets,
			.n_targets = group->n_spaces,
			.fast_node = fast_node,
			.slow_node = slow_node,
			.room_pages = room_pages,
			.bandwidth_max = TIER_MIN(group->policy.bandwidth_max_bytes,
				group->context->bandwidth_max_bytes),
			.userdata = group,
		});
	if (r < 0)
		return r;
	group->has_job = true;
	group->job_began_ns = now_ns();
	return 0;
}

bool tierd_group_has_job(const struct tierd_group *group)
{
	return group->has_job;
}

/* Jobs grow or shrink towards the length of JOB_TICKS. */
static void learn_budget(struct tierd_group *group, uint64_t pages, uint64_t time_ns)
{
	double took_ns = TIER_MAX(time_ns - group->job_began_ns, UINT64_C(1));
	double fitting = pages * (JOB_TICKS * group->context->tick_ns / took_ns);
	double budget = (group->budget_pages + fitting) / 2;

	if (pages < BUDGET_PAGES_MIN / 2)
		return;
	budget = TIER_MAX(budget, (double)BUDGET_PAGES_MIN);
	group->budget_pages = TIER_MIN(budget, (double)BUDGET_PAGES_MAX);
}

static void learn_copy_cost(struct tierd_group *group, const struct tier_job *job)
{
	uint64_t busy_ns, pages;
	double cost_ns;

	tier_job_cost(job, &busy_ns, &pages);
	if (pages < 256)
		return;
	cost_ns = (double)busy_ns / pages;
	group->copy_cost_ns = group->copy_cost_ns > 0
				      ? 0.8 * group->copy_cost_ns + 0.2 * cost_ns
				      : cost_ns;
	tier_group_set_costs(group->heat, 0, group->copy_cost_ns + 1);
}

/* Activity is judged by windows of time, so that a trickle does not count. */
static void note_activity(struct tierd_group *group, uint64_t pages, uint64_t time_ns)
{
	uint64_t held_bytes = group->dram_bytes + group->slow_bytes;

	if (time_ns - group->window_ns >= SETTLED_NS) {
		group->window_ns = time_ns;
		group->window_pages = 0;
	}
	group->window_pages += pages;
	if (group->window_pages * TIER_PAGE_SIZE > held_bytes / SETTLED_DIVISOR)
		group->busy_since_ns = time_ns;
}

void tierd_group_complete(
	struct tierd_group *group, const struct tier_job *job, uint64_t time_ns)
{
	uint64_t done[TIER_DIRECTION_MAX] = { 0 };

	for (size_t i = 0; i < tier_job_n_moves(job); i++) {
		enum tier_result result;
		const struct tier_move *move = tier_job_move(job, i, &result);

		tier_group_complete(group->heat, move, result, time_ns);
		if (result == TIER_RESULT_DONE)
			done[move->direction] += move->pages;
	}
	group->has_job = false;
	group->promoted_bytes += done[TIER_PROMOTE] * TIER_PAGE_SIZE;
	group->demoted_bytes += done[TIER_DEMOTE] * TIER_PAGE_SIZE;
	learn_copy_cost(group, job);
	learn_budget(group, TIER_MAX(done[TIER_PROMOTE], done[TIER_DEMOTE]), time_ns);
	note_activity(group, done[TIER_PROMOTE] + done[TIER_DEMOTE], time_ns);
}

bool tierd_group_is_settled(const struct tierd_group *group, uint64_t time_ns)
{
	return group->is_swept && time_ns - group->busy_since_ns > SETTLED_NS;
}
