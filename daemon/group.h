/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One managed cgroup: its policy, its processes, its heat (libtier) and what its memory
 * is doing. It decides nothing about other groups.
 */
#ifndef TIERD_GROUP_H
#define TIERD_GROUP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "cgroup.h"
#include "enforce/enforcer.h"
#include "enforce/gate.h"
#include "heatmap.h"
#include "libtier.h"
#include "settings/policy.h"
#include "space.h"
#include "topology.h"

struct tierd_group;

/* What the outside may see of a group; strings belong to the group. */
struct tierd_group_view {
	const char *cgroup; /* path below the cgroup root, "/system.slice/x.service" */
	const char *policy; /* the policy file it is managed by */
	const char *enforcement;   /* "advise", "soft" or "hard" */
	const char *placement;     /* "tiered", "dram" or "slow" */
	const char *engine;        /* "rank", "memtis" or "tpp" */
	uint64_t dram_quota_bytes; /* UINT64_MAX: no quota */
	uint64_t dram_min_bytes;
	uint64_t dram_bytes; /* movable memory on fast nodes, from memory.numa_stat */
	uint64_t slow_bytes; /* the same on all others */
	uint64_t uncovered_bytes; /* what move_pages(2) cannot reach or the sampler cannot
				     see, on all nodes */
	uint64_t bandwidth_max;   /* bytes a second, UINT64_MAX: no limit */
	uint32_t n_processes;
	uint64_t promoted_bytes;
	uint64_t demoted_bytes;
	uint64_t gate_closed;          /* times growth was held up */
	uint64_t gate_suspended;       /* times the gate was given up for a while */
	uint64_t gate_reclaimed_bytes; /* by the kernel while the gate was up */
	uint64_t drifts;               /* values of ours that somebody else changed */
	struct tier_group_stats heat;
};

void tierd_group_get_view(const struct tierd_group *group, struct tierd_group_view *ret);

/*
 * Sets the DRAM quota until the next reload; UINT64_MAX lifts it. Errors: -EINVAL below
 * the group's DRAMMin.
 */
int tierd_group_set_quota(struct tierd_group *group, uint64_t bytes);

/* Sets how quotas are enforced, until the next reload. */
void tierd_group_set_enforcement(
	struct tierd_group *group, enum tierd_enforcement enforcement);

struct tier_group *tierd_group_heat(struct tierd_group *group);

/* Memory of one process, portion by portion of 1 GiB of what it has resident. */
struct tierd_portion {
	uint64_t resident_bytes;
	uint64_t dram_bytes;
};

struct tierd_process_portions {
	pid_t pid;
	size_t n_portions;
	struct tierd_portion *portions;
};

/* By pid; the caller frees with tierd_process_portions_free(). Errors: -ENOMEM. */
int tierd_group_get_portions(
	struct tierd_group *group, struct tierd_process_portions **ret, size_t *ret_n);
void tierd_process_portions_free(struct tierd_process_portions *portions, size_t n);

/* Where samples fell of late; the process of one of its spaces, 0 if it is gone. */
const struct tierd_heatmap *tierd_group_heatmap(const struct tierd_group *group);
pid_t tierd_group_pid_of(const struct tierd_group *group, uint64_t space);

/* ---- Why pages stay where they are (group-explain.c) --------------------------- */

/* A stable word, and a sentence for people. libtier's, and some of the daemon's own. */
struct tierd_reason {
	const char *word;
	const char *sentence;
};

struct tierd_page_explanation {
	struct tierd_reason reason;
	struct tier_explanation heat;
};

/*
 * Explains the page at @address of one of the group's processes. Errors: -ESRCH when it
 * has none of that pid any more, those of reading its pagemap.
 */
int tierd_group_explain_page(const struct tierd_group *group, pid_t pid, uint64_t address,
	struct tierd_page_explanation *ret);

/* With less of its pages watched long enough to be judged, what is decided is said to
 * rest on little. */
#define TIERD_COVERAGE_LEAST 0.5

#define TIERD_HOLDS_MAX 8

struct tierd_group_explanation {
	/* What keeps all of it waiting, or makes what is decided doubtful. */
	struct tierd_reason holds[TIERD_HOLDS_MAX];
	size_t n_holds;
	struct {
		struct tierd_reason reason;
		uint64_t dram_bytes;
		uint64_t slow_bytes;
	} pages[TIER_WHY_MAX]; /* those there are any of */
	size_t n_pages;
};

/* Errors: -ENOMEM. */
int tierd_group_explain(struct tierd_group *group, struct tierd_group_explanation *ret);

/*
 * Records what the group is told for @duration_ns; *ret_fd is to read the trace from, and
 * the caller's to close. @source and @period are those of the samples now. Errors: -EBUSY
 * when the group is being recorded, those of tierd_recording_new().
 */
int tierd_group_record(struct tierd_group *group, sd_event *event, const char *source,
	uint64_t period, uint64_t duration_ns, int *ret_fd);
bool tierd_group_is_recorded(const struct tierd_group *group);

/* ---- For the manager and its tick ---------------------------------------------- */

/* libtier's number for a node's tier; what is further away than it can count is one. */
static inline unsigned tierd_heat_tier(const struct tierd_node *node)
{
	return node->tier < TIER_TIERS_MAX ? node->tier : TIER_TIERS_MAX - 1;
}

/* What groups share; outlives them. */
struct tierd_group_context {
	const struct tierd_root *root;
	struct tierd_pagemap_reader *reader;
	struct tierd_objects *objects; /* NULL: what processes share is left alone */
	const struct tierd_topology *topology;
	uint64_t dram_total_bytes;
	uint64_t tick_ns;
	uint64_t bandwidth_max_bytes;    /* of any group, whatever its policy says */
	unsigned collapses;              /* of a plan */
	struct tierd_enforcer *enforcer; /* NULL: no limits are written */
	bool skips_policy; /* the sampler sees nothing of memory under a policy of the
			      program's own: it is uncovered, not cold */
	bool is_paused;    /* nothing is moved, so nothing is held up */
};

/* Takes @cgroup over on success. Errors: -ENOMEM. */
int tierd_group_new(const struct tierd_group_context *context,
	struct tierd_cgroup *cgroup, const struct tierd_policy *policy,
	struct tierd_group **ret);
struct tierd_group *tierd_group_free(struct tierd_group *group);

const char *tierd_group_path(const struct tierd_group *group);
const struct tierd_cgroup *tierd_group_cgroup(const struct tierd_group *group);
bool tierd_group_moves_pages(const struct tierd_group *group);

/*
 * Puts a policy in force, in place of what it was or what was set over the bus. Another
 * engine begins with nothing: all memory is looked at anew. If there is no memory for it
 * the old one stays, which is logged.
 */
void tierd_group_set_policy(struct tierd_group *group, const struct tierd_policy *policy);

/* Guarantees nothing until the next policy: there is not enough DRAM for DRAMMin=. */
void tierd_group_waive_min(struct tierd_group *group);

/* Reads what the group holds. Errors: -ENODEV when the cgroup is gone, others. */
int tierd_group_read_memory(struct tierd_group *group);

/* DRAM that the group may be asked to give up beyond its quota: what is above DRAMMin. */
uint64_t tierd_group_spare_bytes(const struct tierd_group *group);

/*
 * Spaces follow the processes in @pids, which are sorted. Processes that cannot be
 * followed are left out, and logged.
 */
int tierd_group_set_processes(struct tierd_group *group, const pid_t *pids, size_t n);

size_t tierd_group_n_spaces(const struct tierd_group *group);
struct tierd_space *tierd_group_space(const struct tierd_group *group, size_t i);

/* Takes a sample, to be counted by tierd_group_feed() at the latest. */
void tierd_group_sample(struct tierd_group *group, struct tierd_space *space,
	uint64_t address, bool is_store);

/* Counts the samples taken, and remembers blocks that want a look. It must be called
 * before any space of the group goes. */
void tierd_group_feed(struct tierd_group *group);

/* Time has passed: as tier_group_advance(). */
int tierd_group_advance(struct tierd_group *group, uint64_t now_ns, double exposure);

/*
 * Spends up to @budget_ns on residency: blocks that samples asked for, then the sweep.
 * The first pass goes as fast as the budget allows, later ones take their time.
 */
void tierd_group_sweep(struct tierd_group *group, uint64_t budget_ns);

/* Whether it pays to sweep as fast as may be: for the first time, or because what is over
 * the quota has not been seen yet. */
bool tierd_group_wants_sweep(const struct tierd_group *group);

/* True once all there is has been looked at. */
bool tierd_group_is_swept(const struct tierd_group *group);

/*
 * Makes a plan, or sets *ret to NULL where none is due: a job is under way, the group is
 * not swept yet, or what there is to move is so little that it waits for more.
 * @room_bytes is what each tier has to spare, @owed_bytes the group's share of what the
 * fast nodes are short of.
 */
int tierd_group_plan(struct tierd_group *group, uint64_t now_ns,
	const uint64_t room_bytes[static TIER_TIERS_MAX], uint64_t owed_bytes,
	struct tier_plan **ret);

/* Hands a plan to the migrator, and keeps it on success, until its job is done; @nodes is
 * where moves to each tier go. */
int tierd_group_submit(struct tierd_group *group, struct tier_migrator *migrator,
	struct tier_plan *plan, const int nodes[static TIER_TIERS_MAX]);

/* ---- Enforcement (group-enforce.c) --------------------------------------------- */

/* Whether a gate on memory.high belongs to the group's policy, and can be had. */
bool tierd_group_is_gated(const struct tierd_group *group);

/* By what the group holds as of tierd_group_read_memory(). */
void tierd_group_update_gate(struct tierd_group *group, uint64_t now_ns);

/* Whether growth is held up for want of a plan, and one could be made. */
bool tierd_group_is_waiting(const struct tierd_group *group, uint64_t now_ns);
enum tierd_gate_state tierd_group_gate_state(const struct tierd_group *group);

/* Lets go of all limits for good: the group is not managed any more. */
void tierd_group_release(struct tierd_group *group);

/* A cheap look: whether the group is larger than its gate has seen it. */
bool tierd_group_has_grown(const struct tierd_group *group);

/* How long it may go without one while its gate is off: see tierd_gate_rest_ns(). */
uint64_t tierd_group_gate_rest_ns(const struct tierd_group *group);

/* Switches nodes where Placement= or a quota of 0 says so and little is left to move;
 * @room_bytes is what is to spare of DRAM. */
void tierd_group_update_placement(struct tierd_group *group, uint64_t room_bytes);

/* The inotify watch of its memory.events; negative: none yet. */
int tierd_group_watch(const struct tierd_group *group);
void tierd_group_set_watch(struct tierd_group *group, int watch);

/* A group with a job under way must not be freed. */
bool tierd_group_has_job(const struct tierd_group *group);

/* Takes the results of a finished job. */
void tierd_group_complete(
	struct tierd_group *group, const struct tier_job *job, uint64_t now_ns);

/* True if more moves are known to pay than can be carried out just now. */
bool tierd_group_has_backlog(const struct tierd_group *group);

/*
 * Whether the quota is kept, asked once a tick: 1 when it was exceeded for some seconds
 * on end, by more than what comes and goes; -1 when it is kept again after that; else 0.
 */
int tierd_group_watch_quota(struct tierd_group *group, uint64_t now_ns);

/* True if next to nothing was moved of late: there is little left to gain. */
bool tierd_group_is_settled(const struct tierd_group *group, uint64_t now_ns);

/*
 * How many samples a second would be of use: up to @most, or to what is enough for its
 * size, by how much of its memory may belong on either side of the cut; not so many while
 * migration is what holds things up; half as many every few seconds in which next to
 * nothing was moved. At @least so many, or what keeps all of its memory known.
 */
uint64_t tierd_group_samples_of_use(
	const struct tierd_group *group, uint64_t least, uint64_t most, uint64_t now_ns);

#endif
