/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtier: which pages of a group of processes deserve fast memory, and how to bring
 * them there.
 *
 * A caller feeds a group memory-access samples and residency, and asks it for plans:
 * lists of folios to promote to or demote from the fast tier, each with its reason. A
 * migrator carries plans out with move_pages(2), one thread a destination node, and
 * reports each folio's fate, which the caller hands back to the group.
 *
 * Conventions: functions return 0 or a negative errno, positive values only where
 * documented; on failure outputs are untouched and the object is as usable as before, so
 * that what failed for lack of memory may be tried again. Times are CLOCK_MONOTONIC
 * nanoseconds given by the caller: the group part of the library makes no system call,
 * reads no clock and keeps no globals. Pages are 4 KiB, whatever the size of what moves.
 * What a _new(), _plan() or _take() returns is freed by the caller with the matching
 * _free(), which takes NULL and returns NULL. Pointers are not NULL where it does not say
 * so. A group is not thread-safe; use one thread, or a lock, per group. A migrator may be
 * used from one thread at a time.
 */
#ifndef LIBTIER_H
#define LIBTIER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TIER_PAGE_SHIFT      12
#define TIER_PAGE_SIZE       (UINT64_C(1) << TIER_PAGE_SHIFT)
#define TIER_BLOCK_SHIFT     21
#define TIER_BLOCK_SIZE      (UINT64_C(1) << TIER_BLOCK_SHIFT)
#define TIER_BLOCK_PAGES     512
#define TIER_BITMAP_WORDS    (TIER_BLOCK_PAGES / 64)
#define TIER_HISTOGRAM_BINS  16
#define TIER_UNLIMITED_PAGES UINT64_MAX

/* Tiers are numbered from 0, the fastest: DRAM, then memory ever further away. */
#define TIER_TIERS_MAX 3

/* The library's version as "major.minor.patch". */
const char *tier_version(void);

/* ---- Groups -------------------------------------------------------------------- */

struct tier_group;
struct tier_plan;

/* Who decides what moves. */
enum tier_engine {
	TIER_ENGINE_RANK,   /* by expected rates from sparse samples, by empirical Bayes
			       (Koenker and Mizera, JASA 2014) */
	TIER_ENGINE_MEMTIS, /* a reference: MEMTIS (Lee et al., SOSP 2023) */
	TIER_ENGINE_TPP,    /* a reference: TPP (Al Maruf et al., ASPLOS 2023) */
	TIER_ENGINE_MAX,
	TIER_ENGINE_INVALID = -EINVAL,
};

/* Stable lower-case names; NULL for values out of range. */
const char *tier_engine_to_string(int engine);

/* Returns TIER_ENGINE_INVALID for a name that is none. */
enum tier_engine tier_engine_from_string(const char *name);

/*
 * What a group is told about its machine and how it weighs evidence. Start from
 * tier_group_config_default() and change what is known better.
 */
struct tier_group_config {
	enum tier_engine engine;
	unsigned n_tiers;                    /* 2 … TIER_TIERS_MAX */
	uint64_t latency_ns[TIER_TIERS_MAX]; /* of a read, rising from tier to tier */
	uint64_t copy_cost_ns;               /* moving one 4 KiB page, all in */
	uint64_t horizon_ns;   /* how long a page's heat is expected to last */
	uint64_t cool_down_ns; /* a moved page rests this long */
	uint64_t half_life_ns; /* counts are halved at least this often */
	double margin;         /* a newcomer must be this many times its victim's rate */
	double load_weight;  /* share of the loads that count, above 0 and up to 1: … */
	double store_weight; /* … thinned, not scaled, so that counts stay Poisson */
	uint64_t seed;       /* of all that is decided by chance */
	uint64_t
		tpp_window_ns; /* engine tpp: a second touch within it makes a page hot */
	bool tpp_skips_policy; /* engine tpp does not see memory under a NUMA policy */
};

void tier_group_config_default(struct tier_group_config *ret);

/*
 * Errors: -ENOMEM, -EINVAL for a config with a value out of its range: the engine and
 * n_tiers are among those there are, latencies rise, costs and times are above 0 but for
 * cool_down_ns, margin is finite and at least 1, weights are above 0 and at most 1.
 */
int tier_group_new(const struct tier_group_config *config, struct tier_group **ret);
struct tier_group *tier_group_free(struct tier_group *group);

/* Replaces the cost of a copy, as migrators measure it. Zero leaves it as it is. */
void tier_group_set_copy_cost(struct tier_group *group, uint64_t copy_cost_ns);

/*
 * Whether samples never come from memory for which the program asked for nodes (see
 * has_policy). Engine rank then holds it for unknown, not for cold. Off at first.
 */
void tier_group_set_skips_policy(struct tier_group *group, bool skips_policy);

/*
 * Drops what is known of one address space: it exited or executed another program.
 * @space: the caller's number for it, any 64-bit value. Cost: O(blocks of the group).
 */
void tier_group_forget_space(struct tier_group *group, uint64_t space);

/* One memory access, as sampled. */
struct tier_sample {
	uint64_t space;
	uint64_t address;
	uint64_t time_ns; /* when; 0: the time of the last tier_group_advance() */
	bool is_store;
};

enum tier_sampled {
	TIER_SAMPLED_FAST,      /* counted: the page is in the fast tier */
	TIER_SAMPLED_SLOW,      /* counted: the page is in a slow one */
	TIER_SAMPLED_UNCOVERED, /* not counted: its page is not known to be resident */
	TIER_SAMPLED_UNKNOWN,   /* not counted: nothing is known of its block, sweep it */
	TIER_SAMPLED_MAX,
};

/*
 * Counts samples, in their order. Never fails and never allocates. @ret_sampled, unless
 * NULL, gets an enum tier_sampled for each. Many at once cost several times less than
 * one by one: their memory is fetched ahead.
 */
void tier_group_feed(struct tier_group *group, const struct tier_sample *samples,
	size_t n, uint8_t *ret_sampled);

/* Which pages of a 2 MiB block can be moved, and in which tier each of them is. */
struct tier_residency {
	uint64_t resident[TIER_BITMAP_WORDS];
	uint64_t tier[2][TIER_BITMAP_WORDS]; /* bit k of a page's tier is in tier[k]; what
						is outside resident is ignored */
	bool huge;                           /* one huge page, which moves whole */
	bool anonymous;  /* private anonymous memory: only this is collapsed */
	bool has_policy; /* the program asked for its nodes: see tpp_skips_policy and
			    tier_group_set_skips_policy() */
};

/* Adds a page (0 … TIER_BLOCK_PAGES - 1) that is in @tier. */
static inline void tier_residency_add(
	struct tier_residency *residency, unsigned page, unsigned tier)
{
	uint64_t bit = UINT64_C(1) << page % 64;

	residency->resident[page / 64] |= bit;
	if (tier & 1)
		residency->tier[0][page / 64] |= bit;
	if (tier & 2)
		residency->tier[1][page / 64] |= bit;
}

/*
 * Sets what is resident in the block that holds @address; pages that stay keep their
 * counts. An empty bitmap drops the block. A block is huge only if all of it is resident.
 * Errors: -ENOMEM, -EINVAL for a page in a tier that the group does not have.
 */
int tier_group_set_residency(struct tier_group *group, uint64_t space, uint64_t address,
	const struct tier_residency *residency);

/* Addresses from start up to, and not including, end. */
struct tier_range {
	uint64_t start;
	uint64_t end;
};

/*
 * Drops the blocks of @space that none of @ranges touches: nothing is mapped there any
 * more. @ranges are sorted and do not overlap; without any (NULL, 0) all blocks go. Cost:
 * O(blocks of the group · log ranges).
 */
void tier_group_keep_ranges(struct tier_group *group, uint64_t space,
	const struct tier_range *ranges, size_t n_ranges);

/*
 * Passes time, which never runs backwards: an earlier @now_ns counts as the last one.
 * @exposure, finite and not negative, is what the sampler would have counted since the
 * last call for a page accessed once a second: seconds divided by the sampling period,
 * less the share that was lost. Halves counts when they are due and forgets faster after
 * a phase change. Returns 1 if a phase change was detected, else 0.
 */
int tier_group_advance(struct tier_group *group, uint64_t now_ns, double exposure);

/* Tells the phase detector that the fast tier's share will change by decree (a quota). */
void tier_group_expect_change(struct tier_group *group);

/* ---- Plans --------------------------------------------------------------------- */

/* What a plan may use. Pages are 4 KiB whatever the folio's size. */
struct tier_limits {
	uint64_t now_ns;
	uint64_t fast_pages;  /* what the group holds in the fast tier now */
	uint64_t quota_pages; /* what it may hold, or TIER_UNLIMITED_PAGES */
	uint64_t room_pages[TIER_TIERS_MAX]; /* free in each tier beyond its headroom */
	uint64_t owed_pages;   /* to be demoted whatever the quota says, and beside it */
	uint64_t budget_pages; /* at most so many in each direction, to the end of a huge
				  page; no plan has more than 65536 */
	unsigned collapses;    /* at most so many blocks become huge pages; 0: none */
};

enum tier_direction {
	TIER_PROMOTE,
	TIER_DEMOTE,
	TIER_COLLAPSE, /* stays where it is, and becomes one huge page */
	TIER_DIRECTION_MAX,
};

enum tier_reason {
	TIER_REASON_HOT,      /* promoted: above the cut, and the quota has room */
	TIER_REASON_FILL,     /* promoted: room to spare, though it is below the cut */
	TIER_REASON_EXCHANGE, /* takes or gives a place, its partner goes the other way */
	TIER_REASON_QUOTA,    /* demoted: the group is over its quota */
	TIER_REASON_NODE,     /* demoted: the fast nodes are short of memory */
	TIER_REASON_ALIKE,    /* collapsed: all of the block is hot, and equally so */
	TIER_REASON_MAX,
};

/* Stable lower-case names; NULL for values out of range. */
const char *tier_reason_to_string(int reason);
const char *tier_direction_to_string(int direction);

/* One folio to move. */
struct tier_move {
	uint64_t space;
	uint64_t address;
	uint32_t pages; /* 1, or TIER_BLOCK_PAGES for a huge page */
	uint8_t direction;
	uint8_t reason;
	uint8_t from; /* tiers */
	uint8_t to;
	float rate; /* expected accesses a second and page */
};

/*
 * Makes a plan. Demotions that are owed come first, then promotions into free room, then
 * exchanges that pay for both their copies. With little of that to do, engine rank then
 * collapses blocks of base pages that are all in tier 0 and all hot. Carried out in any
 * order that lets a promotion wait for room (struct tier_job), it never takes the group
 * above its quota. Engines memtis and tpp plan as their kernels try: without the
 * exchange's pay, and also promotions for which there is no room and no demotion; these
 * wait, and fail. The same history gives the same plan, byte for byte. With more than two
 * tiers a plan is about one boundary: that of tier 0, or the next once little is left to
 * do there. Cost: O(moves + blocks that changed since the last plan). Errors: -ENOMEM,
 * -EINVAL (time runs backwards: @limits is of before the last tier_group_advance()).
 */
int tier_group_plan(struct tier_group *group, const struct tier_limits *limits,
	struct tier_plan **ret);
struct tier_plan *tier_plan_free(struct tier_plan *plan);

/* The moves, most urgent first; valid until the plan is freed. */
const struct tier_move *tier_plan_moves(const struct tier_plan *plan, size_t *ret_n);

/* Where promotions of this plan go, and demotions. */
void tier_plan_get_tiers(
	const struct tier_plan *plan, unsigned *ret_upper, unsigned *ret_lower);

/* Pages that must be demoted before any demotion makes room for a promotion. */
uint64_t tier_plan_owed_pages(const struct tier_plan *plan);

/* Pages that promotions of this plan may take before a demotion gives. Engines that keep
 * a watermark of their own leave more free than the limits ask. */
uint64_t tier_plan_room_pages(const struct tier_plan *plan);

/* True if the budget cut the plan short, so that another is worth making at once. */
bool tier_plan_is_cut_short(const struct tier_plan *plan);

/* What became of a move. */
enum tier_result {
	TIER_RESULT_DONE,
	TIER_RESULT_NOMEM,       /* the destination node is full, or has no huge page */
	TIER_RESULT_NOROOM,      /* no demotion made the room this promotion waited for */
	TIER_RESULT_BUSY,        /* pinned or under I/O just now */
	TIER_RESULT_GONE,        /* unmapped, or its process exited */
	TIER_RESULT_UNSUPPORTED, /* shared, or not allowed to move */
	TIER_RESULT_CANCELLED, /* its turn did not come: too many failures, or the end */
	TIER_RESULT_MAX,
};

const char *tier_result_to_string(int result);

/*
 * Hands a move's result back: residency, cool-down and counters follow it. A page that
 * would not be demoted (busy, unsupported) is left out until its residency is set again.
 * A move of a block that was dropped meanwhile is counted and no more.
 */
void tier_group_complete(struct tier_group *group, const struct tier_move *move,
	enum tier_result result, uint64_t now_ns);

/* ---- Seeing what a group knows ------------------------------------------------- */

/* Pages by class; a page is in exactly one. */
struct tier_classes {
	uint64_t hot_pages;     /* hot enough to be worth a place in the quota */
	uint64_t warm_pages;    /* around the cut: moving it would not pay */
	uint64_t cold_pages;    /* its place is worth more to a hotter page */
	uint64_t unknown_pages; /* not yet watched long enough to say */
};

struct tier_group_stats {
	uint64_t samples[TIER_SAMPLED_MAX];
	uint64_t resident_pages;
	uint64_t tier_pages[TIER_TIERS_MAX]; /* by residency as last seen */
	uint64_t blocks;
	uint64_t huge_blocks;
	uint64_t coolings; /* halvings of counts; engine memtis: of its own counts */
	uint64_t phase_changes;
	uint64_t plans;
	uint64_t tracked_bytes; /* memory this group's bookkeeping takes */
	double hit_ratio;    /* recent share of samples in the fast tier; NAN if none */
	double coverage;     /* share of resident pages whose block has been watched
				long enough to be classified */
	double resolution;   /* share of resident pages that are believed to lie on one
				side of the cut, or too near it to matter: the rest is
				what samples could tell; NAN without a plan of rank's */
	double mean_rate;    /* accesses a second and page */
	double cut_rate;     /* the rate at which the quota is full; 0 if all fits */
	double block_spread; /* relative variance of block rates beyond chance */
	double page_spread;  /* the same of pages within their block */
	struct tier_classes classes;
	uint64_t scanned_pages[TIER_DIRECTION_MAX]; /* looked at by plans */
	uint64_t tried_pages[TIER_DIRECTION_MAX];
	uint64_t result_pages[TIER_DIRECTION_MAX][TIER_RESULT_MAX];
	uint64_t planned_pages[TIER_REASON_MAX];
	uint64_t filtered_warm_pages;    /* fast ones passed over by plans as warm */
	uint64_t filtered_cooling_pages; /* passed over by plans: moved a moment ago */
};

/* Classes, cut and rates are those of the last plan. */
void tier_group_get_stats(const struct tier_group *group, struct tier_group_stats *ret);

/*
 * Pages by number of samples seen (decayed), fast and slow apart. Bin i holds counts
 * from tier_histogram_bin_floor(i) up to the next bin's floor; bin 0 is the resident
 * pages never seen in the window, so that the bins sum to the resident pages. Pages whose
 * counts are still to be halved are counted where they may be expected.
 */
struct tier_histogram {
	uint64_t fast_pages[TIER_HISTOGRAM_BINS];
	uint64_t slow_pages[TIER_HISTOGRAM_BINS];
};

/* Errors: -ENOMEM. */
int tier_group_get_histogram(struct tier_group *group, struct tier_histogram *ret);

/* Samples a page of the bin has at least; 255, the most, for bins that there are not. */
unsigned tier_histogram_bin_floor(unsigned bin);

/*
 * What engine memtis goes by, as its authors' kernel logs it: how many pages are in each
 * bin of hotness ("hotness_hg"), and the bins from which on a page is active, or warm.
 * Pages not sampled or swept since the last cooling are in no bin. Errors: -EOPNOTSUPP
 * for groups with another engine.
 */
struct tier_memtis_state {
	uint64_t hotness_pages[TIER_HISTOGRAM_BINS];
	unsigned active_threshold;
	unsigned warm_threshold;
	uint64_t samples;
	uint64_t adaptations; /* of the thresholds */
	uint64_t coolings;
};

int tier_group_get_memtis_state(
	const struct tier_group *group, struct tier_memtis_state *ret);

/*
 * The DRAM hit ratio as a function of quota: with tier 0 as large as pages[i] and the
 * group's hottest pages in it, share[i] of its accesses would hit. Each sample is scored
 * by where its page ranked before the sample was counted; asked about the pages it chose,
 * a model is an optimist.
 */
#define TIER_CURVE_POINTS 65

struct tier_curve {
	uint64_t pages[TIER_CURVE_POINTS]; /* rising, from 0 to all resident pages */
	double share[TIER_CURVE_POINTS]; /* rising, 0 … 1; NAN before there are samples */
	double samples;                  /* it rests on so many, decayed */
};

void tier_group_get_curve(const struct tier_group *group, struct tier_curve *ret);

/* One block's place, in the order of tier_group_list_blocks(). */
struct tier_block_info {
	uint64_t space;
	uint64_t address;
	uint32_t resident_pages;
	uint32_t fast_pages;
	uint64_t samples;
	bool huge;
};

/*
 * All blocks, sorted by space and address. The caller frees *ret with free(), also when
 * there are none. Errors: -ENOMEM.
 */
int tier_group_list_blocks(
	const struct tier_group *group, struct tier_block_info **ret, size_t *ret_n);

/* ---- Why pages stay where they are --------------------------------------------- */

/* In which of struct tier_classes a page is. */
enum tier_class {
	TIER_CLASS_UNKNOWN,
	TIER_CLASS_HOT,
	TIER_CLASS_WARM,
	TIER_CLASS_COLD,
	TIER_CLASS_MAX,
};

/*
 * Why a page is where it is, and not moving: what the last plan decided, by the results
 * there were since. "Fast" is tier 0; a page in any other is slow.
 */
enum tier_why {
	TIER_WHY_HOT,          /* fast: it belongs there */
	TIER_WHY_COLD,         /* slow: it belongs there */
	TIER_WHY_SPARE,        /* fast and cold, but nothing hotter wants its place */
	TIER_WHY_WARM,         /* moving it would not pay */
	TIER_WHY_UNKNOWN,      /* not watched long enough, or no plan was made yet */
	TIER_WHY_DUE,          /* to be moved by the last plan */
	TIER_WHY_BUDGET,       /* to be moved, when others have been */
	TIER_WHY_COOLING_DOWN, /* to be moved, but it was a moment ago */
	TIER_WHY_NO_ROOM, /* to be promoted, but what is in the fast tier stays there */
	TIER_WHY_QUOTA_ZERO,  /* slow: the group may have nothing in the fast tier */
	TIER_WHY_PINNED,      /* to be moved, and the kernel said TIER_RESULT_BUSY */
	TIER_WHY_UNSUPPORTED, /* the same with TIER_RESULT_UNSUPPORTED */
	TIER_WHY_POLICY,      /* engine tpp: see tpp_skips_policy */
	TIER_WHY_UNCOVERED,   /* the group knows of no such page */
	TIER_WHY_MAX,
};

/* Stable lower-case names, and a sentence for people; NULL for values out of range. */
const char *tier_class_to_string(int heat_class);
const char *tier_why_to_string(int why);
const char *tier_why_to_sentence(int why);

/* Whether a page waits for a move that plans want: due, in budget wait, cooling down. */
static inline bool tier_why_is_to_move(enum tier_why why)
{
	return why == TIER_WHY_DUE || why == TIER_WHY_BUDGET ||
	       why == TIER_WHY_COOLING_DOWN;
}

/* All that is known of one page. Rates are accesses a second and page. */
struct tier_explanation {
	enum tier_why why;
	enum tier_class heat_class;
	bool is_covered; /* else of what follows only the last move means anything */
	unsigned tier;
	bool huge;              /* it is part of a huge page, which moves whole */
	uint32_t samples;       /* on it, or the whole huge page, decayed */
	uint32_t block_samples; /* on its block */
	double exposure;   /* samples there would be if it were accessed once a second, in
			      the time it was watched, decayed as they are */
	double rate;       /* expected; NAN if the engine expects none, as these: */
	double rate_low;   /* what a plan believes of it if it is to come up, … */
	double rate_high;  /* … and if it is to go down */
	double cut_rate;   /* at which the quota is full */
	uint64_t moved_ns; /* when a move of it last ended, as far as is remembered; 0:
			      never, and what follows is void */
	enum tier_direction moved_direction;
	enum tier_reason moved_reason;
	unsigned moved_to;
	enum tier_result moved_result;
};

/*
 * Explains the page that holds @address. The last 2048 moves are remembered, more if
 * neighbours fared alike. Cost: that of looking through them.
 */
void tier_group_explain(const struct tier_group *group, uint64_t space, uint64_t address,
	struct tier_explanation *ret);

/* Resident pages by what keeps them where they are; together they are all. What moves
 * came to is left out: pages of TIER_WHY_PINNED and _UNSUPPORTED count as to be moved. */
struct tier_whys {
	uint64_t fast_pages[TIER_WHY_MAX];
	uint64_t slow_pages[TIER_WHY_MAX];
};

/* Cost: O(blocks); with engines memtis and tpp O(pages). Errors: -ENOMEM. */
int tier_group_count_whys(struct tier_group *group, struct tier_whys *ret);

/* ---- Migrating ----------------------------------------------------------------- */

struct tier_migrator;
struct tier_job;

/*
 * How pages are moved. move() has the meaning of move_pages(2) for the process
 * @pid: *status holds a node or negative errno for each page. It returns 0, or a
 * negative errno when the call as a whole failed. collapse() makes one huge page of the
 * 2 MiB from @block on of the process behind @pidfd, as process_madvise(2) does with
 * MADV_COLLAPSE; it returns 0 or a negative errno, and may be NULL. Both are called from
 * several threads.
 */
struct tier_migrator_ops {
	int (*move)(void *userdata, pid_t pid, size_t n, void *const *pages,
		const int *nodes, int *status);
	int (*collapse)(void *userdata, int pidfd, void *block);
};

/*
 * move_pages(2) and process_madvise(2) themselves; they need CAP_SYS_NICE, and
 * CAP_SYS_PTRACE for other users.
 */
extern const struct tier_migrator_ops tier_migrator_ops_move_pages;

/* The same for pages that other processes map as well (MPOL_MF_MOVE_ALL). It needs
 * CAP_SYS_NICE even for one's own. */
extern const struct tier_migrator_ops tier_migrator_ops_move_shared_pages;

/*
 * Starts one thread for each of the @n_nodes node numbers in @nodes, to which moves may
 * go; two or more, no two alike. @ops and @userdata outlive the migrator.
 * The threads block all signals. Errors: -ENOMEM, -EINVAL (fewer than two nodes), -EAGAIN
 * (no thread could be started), -EMFILE, -ENFILE.
 */
int tier_migrator_new(const struct tier_migrator_ops *ops, void *userdata,
	const int *nodes, size_t n_nodes, struct tier_migrator **ret);

/* Lets the batch in hand finish, cancels the rest, joins the threads. */
struct tier_migrator *tier_migrator_free(struct tier_migrator *migrator);

/* Readable when a finished job waits for tier_migrator_take(). */
int tier_migrator_get_fd(const struct tier_migrator *migrator);

/* The process a move of a job goes to. */
struct tier_target {
	uint64_t space;
	pid_t pid;
	int pidfd; /* checked before each batch; -1 if there is none. Stays the caller's
		    */
};

struct tier_job_config {
	const struct tier_plan *plan; /* copied */
	const struct tier_target *targets;
	size_t n_targets;
	int fast_node;       /* where promotions go */
	int slow_node;       /* where demotions go */
	uint64_t room_pages; /* what promotions may take before a demotion gives */
	uint64_t
		bandwidth_max; /* bytes a second and direction; UINT64_MAX for no limit */
	void *userdata;
};

/*
 * Queues a job; jobs are carried out in the order given, each direction by its node's
 * thread, collapses by the fast node's after its promotions. A promotion waits until
 * there is room: room_pages, and one page for each page demoted beyond the plan's owed
 * ones. The plan, the targets and their descriptors are copied. Errors: -ENOMEM, -EMFILE,
 * -EINVAL (a node without a thread, twice the same node, a bandwidth of 0, a move whose
 * space has no target), -EBUSY (too many jobs are queued).
 */
int tier_migrator_submit(
	struct tier_migrator *migrator, const struct tier_job_config *config);

/* Takes a finished job, or NULL. The caller frees it. */
struct tier_job *tier_migrator_take(struct tier_migrator *migrator);
struct tier_job *tier_job_free(struct tier_job *job);

void *tier_job_userdata(const struct tier_job *job);
size_t tier_job_n_moves(const struct tier_job *job);

/* The i-th move, i < tier_job_n_moves(), and its result; valid until the job is freed. */
const struct tier_move *tier_job_move(
	const struct tier_job *job, size_t i, enum tier_result *ret_result);

/* Time spent in move() and pages it moved, for measuring what a copy costs. */
void tier_job_cost(
	const struct tier_job *job, uint64_t *ret_busy_ns, uint64_t *ret_pages);

/* ---- Traces -------------------------------------------------------------------- */

/*
 * What one group is told, recorded: samples, residency, spaces, time and limits in their
 * order, so that a fresh group told the same makes the same plans. The format, which is
 * compressed by zstd, is described in trace/format.h. Neither side opens or closes a
 * file, and both need less than 1 MiB of memory whatever the trace holds.
 */
struct tier_trace_writer;
struct tier_trace_reader;

#define TIER_TRACE_SOURCE_MAX   32
#define TIER_TRACE_TIER_UNKNOWN UINT8_MAX

/* What holds for a whole trace. */
struct tier_trace_meta {
	unsigned n_tiers;                    /* 2 … TIER_TIERS_MAX */
	uint64_t latency_ns[TIER_TIERS_MAX]; /* of a read; 0: not known */
	uint64_t period; /* accesses a sample stands for; 0: it varied */
	char source[TIER_TRACE_SOURCE_MAX]; /* what took the samples, with its NUL */
};

enum tier_trace_type {
	TIER_TRACE_SPACE_BEGIN, /* a space that may have samples from now on */
	TIER_TRACE_SPACE_END,   /* see tier_group_forget_space() */
	TIER_TRACE_SAMPLE,
	TIER_TRACE_RESIDENCY, /* see tier_group_set_residency() */
	TIER_TRACE_ADVANCE,   /* see tier_group_advance() */
	TIER_TRACE_LIMITS,    /* under which a plan was made: see tier_group_plan() */
	TIER_TRACE_TYPE_MAX,
	TIER_TRACE_TYPE_INVALID = -EINVAL,
};

/* Stable lower-case names; NULL for values out of range. */
const char *tier_trace_type_to_string(int type);

struct tier_trace_sample {
	struct tier_sample access;
	uint32_t latency; /* in the source's unit; 0: not known */
	uint8_t tier;     /* where the page was, or TIER_TRACE_TIER_UNKNOWN */
};

struct tier_trace_residency {
	uint64_t space;
	uint64_t address; /* of the block */
	struct tier_residency pages;
};

struct tier_trace_advance {
	uint64_t now_ns;
	double exposure;
};

struct tier_trace_record {
	enum tier_trace_type type;
	union {
		uint64_t space; /* that begins or ends */
		struct tier_trace_sample sample;
		struct tier_trace_residency residency;
		struct tier_trace_advance advance;
		struct tier_limits limits;
	};
};

/*
 * Takes all of @data, which may be kept only until it returns: 0 or a negative errno,
 * which ends the trace.
 */
typedef int (*tier_trace_write_t)(void *userdata, const void *data, size_t size);

/*
 * A trace that goes to @write, or to @fd, which stays the caller's and is a blocking one.
 * Errors: -ENOMEM, -EINVAL for a meta with a value out of its range.
 */
int tier_trace_writer_new(const struct tier_trace_meta *meta, tier_trace_write_t write,
	void *userdata, struct tier_trace_writer **ret);
int tier_trace_writer_new_fd(
	const struct tier_trace_meta *meta, int fd, struct tier_trace_writer **ret);

/* What was neither flushed nor finished is lost; the trace then reads as cut short. */
struct tier_trace_writer *tier_trace_writer_free(struct tier_trace_writer *writer);

/*
 * Adds a record, which is written once enough of them have gathered. Errors: -EINVAL for
 * a record with a value out of its range (an unknown type or tier, an address that does
 * not begin a block, an exposure that is negative or no number), which is left out; any
 * other comes from writing, and every later call fails with it.
 */
int tier_trace_writer_add(
	struct tier_trace_writer *writer, const struct tier_trace_record *record);

/* Writes what has gathered, in about a dozen bytes more than it would take later. */
int tier_trace_writer_flush(struct tier_trace_writer *writer);

/* Ends the trace and writes the rest; nothing can be added afterwards (-ESHUTDOWN). */
int tier_trace_writer_finish(struct tier_trace_writer *writer);

/* How many bytes it gave, at most @size of them; 0: the end; or a negative errno. */
typedef ssize_t (*tier_trace_read_t)(void *userdata, void *buffer, size_t size);

/* A trace that comes from @read, or from @fd, which stays the caller's. -ENOMEM. */
int tier_trace_reader_new(
	tier_trace_read_t read, void *userdata, struct tier_trace_reader **ret);
int tier_trace_reader_new_fd(int fd, struct tier_trace_reader **ret);
struct tier_trace_reader *tier_trace_reader_free(struct tier_trace_reader *reader);

/* What reading comes to. */
enum tier_trace_next {
	TIER_TRACE_END,    /* the trace is complete and over */
	TIER_TRACE_RECORD, /* here is another record */
	TIER_TRACE_CUT,    /* it stops without its end: the writer died. All that it had
			      written in whole frames was read */
};

/*
 * Returns an enum tier_trace_next, and a record with TIER_TRACE_RECORD only. Errors:
 * -EBADMSG (no trace, or a damaged one), -EPROTONOSUPPORT (a version that this library
 * does not read), -EFBIG (a frame above the format's bound), -ENOMEM, and those of
 * reading; tier_trace_reader_where() says where. An end or error is final: each later
 * call returns it again.
 */
int tier_trace_reader_next(
	struct tier_trace_reader *reader, struct tier_trace_record *ret);

/*
 * What holds for the whole trace; reads its beginning, if need be. Returns 0,
 * TIER_TRACE_CUT if the trace is cut short before that, or an error as above.
 */
int tier_trace_reader_get_meta(
	struct tier_trace_reader *reader, struct tier_trace_meta *ret);

/*
 * Where reading has come to or failed: in the frame that begins at byte @ret_frame of the
 * trace, with the record that begins at byte @ret_record of the frame's content.
 */
void tier_trace_reader_where(const struct tier_trace_reader *reader, uint64_t *ret_frame,
	uint32_t *ret_record);

/*
 * Has @tap hear all that @group is told from now on, as a trace has it and before it
 * takes effect, beginning with the time and with where its pages are; NULL ends that. It
 * must not change the group. Samples come without latency and tier, and what was counted
 * before is not told. A group has one tap.
 */
typedef void (*tier_group_tap_t)(void *userdata, const struct tier_trace_record *record);
void tier_group_set_tap(struct tier_group *group, tier_group_tap_t tap, void *userdata);

/*
 * Tells @group what a record says. Returns 1 for TIER_TRACE_LIMITS, with which the caller
 * makes a plan, else 0. Errors: those of the group's own functions.
 */
int tier_trace_apply(const struct tier_trace_record *record, struct tier_group *group);

#ifdef __cplusplus
}
#endif

#endif
