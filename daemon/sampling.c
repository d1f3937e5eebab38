/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "enforce/usage.h"
#include "exit-codes.h"
#include "findings.h"
#include "log.h"
#include "manager-internal.h"
#include "sampler/registry.h"
#include "sampling.h"

/* Records taken from the sampler at a time; more wait for the next tick. */
#define DRAIN_RECORDS_MAX 65536

#define LOOK_AFTER_NS TIERD_NSEC

/* ---- What is delivered --------------------------------------------------------- */

static void on_sample(void *userdata, const struct tierd_access *access)
{
	struct tierd_manager *manager = userdata;
	struct tierd_attribution *attribution =
		tierd_manager_attribute(manager, access->pid);
	struct tierd_space *space;
	uint64_t address;

	if (!attribution)
		return;
	space = tierd_space_resolve(attribution->space, access->address, &address);
	if (space && space != attribution->space)
		attribution = tierd_manager_attribute(manager, space->pid);
	if (space && attribution && attribution->space == space)
		tierd_group_sample(attribution->group, space, address, access->is_store);
}

static void on_exec(void *userdata, uint32_t pid)
{
	struct tierd_manager *manager = userdata;
	struct tierd_attribution *attribution = tierd_manager_attribute(manager, pid);

	if (attribution)
		tierd_space_restart(
			attribution->space, tierd_group_heat(attribution->group));
}

static void on_process_exit(void *userdata, uint32_t pid)
{
	struct tierd_manager *manager = userdata;

	if (tierd_manager_attribute(manager, pid))
		manager->processes_changed = true;
}

static void on_fork(void *userdata, uint32_t parent, _unused_ uint32_t child)
{
	struct tierd_manager *manager = userdata;

	if (tierd_manager_attribute(manager, parent))
		manager->processes_changed = true;
}

static struct tierd_sampler_sink sink_of(struct tierd_manager *manager)
{
	return (struct tierd_sampler_sink){
		.userdata = manager,
		.on_sample = on_sample,
		.on_exec = on_exec,
		.on_exit = on_process_exit,
		.on_fork = on_fork,
	};
}

static void feed_groups(struct tierd_manager *manager)
{
	for (size_t i = 0; i < manager->n_groups; i++)
		tierd_group_feed(manager->groups[i]);
}

void tierd_sampling_drain(struct tierd_manager *manager, unsigned least)
{
	const struct tierd_sampler_sink sink = sink_of(manager);
	unsigned max = tierd_steering_begin_drain(
		&manager->steering, tierd_now_ns(), least, DRAIN_RECORDS_MAX);
	int r;

	if (max == 0)
		return;
	r = tierd_sampler_drain(manager->sampler, max, &sink);
	if (r < 0)
		tierd_log_in_loop(r, "cannot drain the sampler");
	feed_groups(manager);
	tierd_steering_end_drain(&manager->steering, manager->sampler, r > 0);
}

double tierd_sampling_exposure(struct tierd_manager *manager, uint64_t elapsed_ns)
{
	struct tierd_sampler_stats stats;
	double samples, lost;

	tierd_sampler_get_stats(manager->sampler, &stats);
	samples = stats.samples - manager->samples_seen;
	lost = stats.lost - manager->samples_lost_seen;
	manager->samples_seen = stats.samples;
	manager->samples_lost_seen = stats.lost;
	if (stats.period == 0)
		return 0;
	return (double)elapsed_ns / TIERD_NSEC / stats.period *
	       (samples + lost > 0 ? samples / (samples + lost) : 1);
}

/* ---- Whom to see --------------------------------------------------------------- */

/* In the order of the groups: what a source has no room for is then the same each time.
 */
static size_t list_processes(const struct tierd_manager *manager, pid_t *pids)
{
	size_t n = 0;

	for (size_t i = 0; i < manager->n_groups; i++) {
		const struct tierd_group *group = manager->groups[i];

		for (size_t j = 0; j < tierd_group_n_spaces(group); j++)
			pids[n++] = tierd_group_space(group, j)->pid;
	}
	return n;
}

static size_t count_processes(const struct tierd_manager *manager)
{
	size_t n = 0;

	for (size_t i = 0; i < manager->n_groups; i++)
		n += tierd_group_n_spaces(manager->groups[i]);
	return n;
}

void tierd_sampling_follow(struct tierd_manager *manager)
{
	const struct tierd_sampler_sink sink = sink_of(manager);
	size_t n = count_processes(manager);
	_cleanup_(freep) pid_t *pids = calloc(n + 1, sizeof(*pids));
	int r = pids ? tierd_sampler_follow(manager->sampler, pids,
			       list_processes(manager, pids), &sink)
		     : -ENOMEM;

	if (r < 0)
		tierd_log_in_loop(r, "cannot tell the sampler which processes there are");
	feed_groups(manager);
}

/* ---- Which source -------------------------------------------------------------- */

static int on_ring(_unused_ sd_event_source *source, _unused_ int fd,
	_unused_ uint32_t events, void *userdata)
{
	tierd_sampling_drain(userdata, 0);
	return 0;
}

static void stop_watching(void *userdata)
{
	struct tierd_manager *manager = userdata;

	for (size_t i = 0; i < manager->n_sampler_sources; i++)
		sd_event_source_disable_unref(manager->sampler_sources[i]);
	free(manager->sampler_sources);
	manager->sampler_sources = NULL;
	manager->n_sampler_sources = 0;
}

/* Not being woken up early is no reason not to sample: it is drained at every tick. */
static int watch(struct tierd_manager *manager)
{
	const int *fds;
	size_t n;

	tierd_sampler_get_fds(manager->sampler, &fds, &n);
	manager->sampler_sources = calloc(n + 1, sizeof(*manager->sampler_sources));
	if (!manager->sampler_sources)
		return -ENOMEM;
	for (; manager->n_sampler_sources < n; manager->n_sampler_sources++) {
		size_t i = manager->n_sampler_sources;
		int r = sd_event_add_io(manager->event, &manager->sampler_sources[i],
			fds[i], EPOLLIN | EPOLLET, on_ring, manager);

		if (r < 0)
			return r;
	}
	return 0;
}

/* What is in use, and why nothing better is. */
static void log_source(const struct tierd_manager *manager)
{
	struct tierd_sampler_stats stats;

	tierd_sampler_get_stats(manager->sampler, &stats);
	for (size_t i = 0; i < tierd_ladder_n_rungs(manager->ladder); i++) {
		struct tierd_rung rung;

		tierd_ladder_get_rung(manager->ladder, i, &rung);
		if (rung.state == TIERD_RUNG_ACTIVE)
			break;
		log_notice("source %s: %s", rung.source, rung.reason);
	}
	if (stats.event)
		log_info("source %s: sampling %s on %u CPUs", stats.source, stats.event,
			stats.n_cpus);
	else
		log_warning("no source of samples works: it is tried again");
}

static void use_source(struct tierd_manager *manager)
{
	int r;

	manager->sampler = tierd_ladder_sampler(manager->ladder);
	log_source(manager);
	r = watch(manager);
	if (r < 0)
		log_warning_errno(r, "the sampler is drained at ticks only");
}

static uint64_t busy_usec(const struct tierd_manager *manager)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < manager->n_groups; i++) {
		int fd = tierd_cgroup_fd(tierd_group_cgroup(manager->groups[i]));
		uint64_t usec;

		if (tierd_usage_read_cpu(fd, &usec) >= 0)
			sum += usec;
	}
	return sum;
}

/* Sources see different shares of accesses in DRAM: no change of the program's. */
static void take_over(struct tierd_manager *manager)
{
	use_source(manager);
	for (size_t i = 0; i < manager->n_groups; i++)
		tier_group_expect_change(tierd_group_heat(manager->groups[i]));
	tierd_sampling_follow(manager);
}

void tierd_sampling_look_after(struct tierd_manager *manager, uint64_t now_ns)
{
	int r;

	if (now_ns - manager->sampling_looked_ns < LOOK_AFTER_NS)
		return;
	manager->sampling_looked_ns = now_ns;
	r = tierd_ladder_step(manager->ladder, now_ns, busy_usec(manager));
	if (r > 0)
		take_over(manager);
	else if (r < 0)
		tierd_log_in_loop(r, "cannot change the source of samples");
}

/* ---- Coming and going ---------------------------------------------------------- */

/* What is wrong with an event is the configuration's fault only if that chose it. */
static int status_of_error(const struct tierd_config *config, int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return TIERD_EXIT_NOPERM;
	case -ENODEV:
	case -EBUSY:
		return TIERD_EXIT_UNAVAILABLE;
	case -EINVAL:
	case -ENOENT:
	case -ENODATA:
	case -EOPNOTSUPP:
		return *config->event ? TIERD_EXIT_CONFIG : TIERD_EXIT_UNAVAILABLE;
	default:
		return TIERD_EXIT_OS;
	}
}

int tierd_sampling_start(struct tierd_manager *manager)
{
	const struct tierd_ladder_config config = {
		.registry = tierd_sampler_registry(),
		.sampler = {
			.source = tierd_source_to_string(manager->config.source),
			.event = manager->config.event,
			.replay = manager->config.replay,
			.root = &manager->root,
			.journal = manager->journal,
			.keeps_kernel_tiering = manager->config.kernel_tiering ==
						TIERD_KERNEL_TIERING_KEEP,
		},
		.on_leave = stop_watching,
		.userdata = manager,
	};
	_cleanup_(freep) char *error = NULL;
	int r = tierd_ladder_new(&config, &manager->ladder, &error);

	if (r < 0) {
		log_error_errno(error ? 0 : r, "%s",
			error ? error : "cannot sample memory accesses");
		return status_of_error(&manager->config, r);
	}
	use_source(manager);
	return 0;
}

void tierd_sampling_stop(struct tierd_manager *manager)
{
	stop_watching(manager);
	manager->ladder = tierd_ladder_free(manager->ladder);
}

void tierd_sampling_see_sources(
	const struct tierd_manager *manager, struct tierd_findings *findings)
{
	for (size_t i = 0; i < tierd_ladder_n_rungs(manager->ladder); i++) {
		struct tierd_rung rung;

		tierd_ladder_get_rung(manager->ladder, i, &rung);
		if (rung.state == TIERD_RUNG_UNAVAILABLE)
			tierd_findings_add(findings, TIERD_CONDITION_SOURCE, NULL,
				"source '%s': %s", rung.source, rung.reason);
	}
}
