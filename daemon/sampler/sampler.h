/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sampler tells the daemon which addresses programs touch. This is the one face all
 * sources of such samples share: an ops table that is the first member of each backend's
 * own struct, and plain dispatch. Which sources there are is registry.h's to know, which
 * of them is used ladder.h's.
 *
 * The sampler owns no loop: it hands out descriptors to poll and is drained when the
 * caller chooses, for as many records as the caller allows. It decides nothing about
 * memory: it does not know tiers, groups or pages, and it keeps no sample.
 */
#ifndef TIERD_SAMPLER_SAMPLER_H
#define TIERD_SAMPLER_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

struct tierd_journal;
struct tierd_root;
struct tierd_sampler;

struct tierd_sampler_config {
	const char *source; /* name of a backend, or "auto" */
	const char *event;  /* "pmu/term=value,…/"; NULL or "" looks for a known one */
	const char *replay; /* path of a trace, for the source of that name */
	const struct tierd_root *root; /* where /sys is; not NULL */
	struct tierd_journal *journal; /* for sources that change settings of the
					  kernel's; NULL: probing only */
	bool keeps_kernel_tiering;     /* NUMA balancing is the administrator's */
	uint64_t period; /* accesses per sample at the start; 0: the event's default */
	uint64_t period_min; /* bounds for set_rate; 0: the event's default */
	uint64_t period_max;
	unsigned ring_pages; /* per CPU, rounded up to a power of two; 0: a default */
	bool want_physical;  /* fill tierd_access.physical: costs a page-table walk a
				sample */
	bool want_cgroup;    /* fill tierd_access.cgroup_id: costs batching on Intel */
};

struct tierd_access {
	uint64_t
		time_ns; /* perf's own clock: good for order and distance, nothing else */
	uint64_t address;   /* always a user-space address, never 0 */
	uint64_t physical;  /* 0: unknown */
	uint64_t cgroup_id; /* 0: unknown */
	uint64_t period;    /* accesses this sample stands for */
	uint32_t pid;       /* never 0; as seen from the daemon's pid namespace */
	uint32_t tid;
	uint32_t latency; /* in the source's own unit (cycles, as a rule); 0: unknown */
	int cpu;          /* the CPU whose ring delivered it */
	bool is_store;    /* false: a load, or the source cannot tell */
};

/*
 * What a drain reports, in the order of each CPU's ring; there is no order between CPUs.
 * Callbacks may be NULL. A full ring loses these notices as it loses samples (see
 * stats.lost), so they speed up what the consumer finds out by looking, and replace none
 * of it.
 */
struct tierd_sampler_sink {
	void *userdata;
	void (*on_sample)(void *userdata, const struct tierd_access *access);
	/* The process replaced its address space. */
	void (*on_exec)(void *userdata, uint32_t pid);
	/* The leader of the thread group ended; its threads, and so the address space,
	 * can outlive it in a program whose main thread calls pthread_exit(). */
	void (*on_exit)(void *userdata, uint32_t pid);
	/* A new process, not a new thread. After vfork() it shares the parent's memory
	 * until it calls exec. */
	void (*on_fork)(void *userdata, uint32_t parent, uint32_t child);
};

struct tierd_sampler_stats {
	const char *source; /* the backend's name */
	const char *event;  /* what it samples, resolved; lives as long as the sampler */
	uint64_t period;    /* now */
	uint64_t samples;   /* handed to on_sample */
	uint64_t stores;    /* of these, as far as the source can tell */
	uint64_t lost;      /* records the kernel or the hardware had no room for */
	uint64_t throttled; /* times the kernel stopped a CPU's event for its rate … */
	uint64_t unthrottled;   /* … and let it go on */
	uint64_t outside_user;  /* samples dropped: no user-space address */
	uint64_t unattributed;  /* samples dropped: no process (idle, or already gone) */
	uint64_t other_records; /* records of kinds nobody asked for, or not of use */
	uint64_t malformed; /* times a ring made no sense and was skipped to its head */
	uint64_t drained_bytes;
	uint64_t wakeups;        /* calls of drain */
	uint64_t sample_cost_ns; /* what a sample takes from its program; estimated */
	uint64_t overhead_ns;    /* what all took, those of no use as well; estimated */
	unsigned n_cpus;         /* CPUs being sampled */
	unsigned n_cpus_heard;   /* those of which there ever was a sample */
	double coverage; /* which share of the accesses it could see at all: 0 … 1 */
};

struct tierd_sampler_ops {
	const char *name;
	bool is_only_named; /* never chosen by itself */
	bool skips_policy;  /* see tierd_sampler_skips_policy() */
	bool tells_pages;   /* see tierd_sampler_tells_pages() */

	/* Whether open() would work, leaving everything as it is. NULL: open() changes
	 * nothing outside this process, and may be tried instead. */
	int (*probe)(const struct tierd_sampler_config *config, char **ret_error);
	int (*open)(const struct tierd_sampler_config *config, struct tierd_sampler **ret,
		char **ret_error);
	void (*get_fds)(
		struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n);
	int (*drain)(struct tierd_sampler *sampler, unsigned max_records,
		const struct tierd_sampler_sink *sink);
	int (*set_period)(struct tierd_sampler *sampler, uint64_t period);
	int (*set_rate)(struct tierd_sampler *sampler, uint64_t target_per_s,
		uint64_t interval_ns);
	int (*check)(struct tierd_sampler *sampler, char **ret_error); /* NULL: fine */
	int (*follow)(struct tierd_sampler *sampler, const pid_t *pids, size_t n,
		const struct tierd_sampler_sink *sink); /* NULL: it sees all processes */
	void (*stats)(
		const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret);
	void (*free)(struct tierd_sampler *sampler);
};

struct tierd_sampler {
	const struct tierd_sampler_ops *ops;
	struct tierd_sampler_stats before; /* counts of those that it took over from */
};

/*
 * Opens the source that config->source names, and starts it. On failure returns a
 * negative errno and sets *ret_error, as errtext.h has it, to what is missing and what to
 * do about it:
 *   -ENODEV  this machine has no such source
 *   -ENOENT  the source, PMU, event or term that was named does not exist
 *   -EINVAL  the event string makes no sense, or the kernel refuses the event
 *   -EBUSY  somebody else uses what there is only one of
 *   -EACCES, -EPERM  privileges are missing
 *   -EMFILE  not enough file descriptors for one a CPU
 */
int tierd_sampler_open(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error);
struct tierd_sampler *tierd_sampler_free(struct tierd_sampler *sampler);

/* Whether a source could be opened, with nothing changed outside this process. Errors as
 * above. */
int tierd_sampler_probe(const struct tierd_sampler_ops *ops,
	const struct tierd_sampler_config *config, char **ret_error);

/* Descriptors that become readable (EPOLLIN) when a ring is half full, so that a loop
 * that drains on its tick is woken early only by a burst. EPOLLHUP means that the CPU
 * went away. They belong to the sampler; the array lives as long as it does. */
void tierd_sampler_get_fds(
	struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n);

/* Hands at most max_records records to the sink. Returns 1 when more may be waiting,
 * which no descriptor will tell, 0 when the rings are empty, or a negative errno. CPUs
 * take turns, so that a busy one cannot starve the others. */
int tierd_sampler_drain(struct tierd_sampler *sampler, unsigned max_records,
	const struct tierd_sampler_sink *sink);

/* Fixes the period, within what the event allows. */
int tierd_sampler_set_period(struct tierd_sampler *sampler, uint64_t period);

/* Steers towards target_per_s samples a second over all CPUs, from what was drained in
 * the interval_ns since the last call (or since it was opened): call it once a tick,
 * after draining; most calls change nothing. A target of 0 samples as rarely as can be.
 * Returns 1 when the period changed, 0 when not, or a negative errno. */
int tierd_sampler_set_rate(
	struct tierd_sampler *sampler, uint64_t target_per_s, uint64_t interval_ns);

/* Whether it still works: once a second. -ESTALE: it has to be opened again, as the
 * machine has changed; any other error: it has failed. With what is wrong in *ret_error.
 */
int tierd_sampler_check(struct tierd_sampler *sampler, char **ret_error);

/* Which processes there are to see; those of a source that watches one by one may be
 * handed to the sink as far as they are due before a change takes effect. */
int tierd_sampler_follow(struct tierd_sampler *sampler, const pid_t *pids, size_t n,
	const struct tierd_sampler_sink *sink);

/* Whether it sees nothing of memory for which a program asked for nodes of its own. */
bool tierd_sampler_skips_policy(const struct tierd_sampler *sampler);

/* Whether it sees page by page, each at most once in a pass over all: then it takes more
 * samples to have seen much. */
bool tierd_sampler_tells_pages(const struct tierd_sampler *sampler);

/* Counts go on where those of its predecessor ended. */
void tierd_sampler_get_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret);

#endif
