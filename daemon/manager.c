/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "enforce/restore-bus.h"
#include "enforce/writer-cgroupfs.h"
#include "enforce/writer-systemd.h"
#include "exit-codes.h"
#include "kernel-tiering.h"
#include "events.h"
#include "log.h"
#include "manager-internal.h"
#include "recording.h"
#include "sampling.h"
#include "settings/errtext.h"

/* ---- The kernel's own tiering -------------------------------------------------- */

/* By a policy, or by what was said over the bus. */
static bool moves_pages(const struct tierd_manager *manager)
{
	for (size_t i = 0; i < manager->n_groups; i++)
		if (tierd_group_moves_pages(manager->groups[i]))
			return true;
	return tierd_policies_move_pages(manager->policies);
}

void tierd_manager_set_kernel_tiering(struct tierd_manager *manager)
{
	manager->moves_pages = moves_pages(manager);
	if (!manager->moves_pages)
		tierd_kernel_tiering_restore(&manager->root, manager->journal);
	else if (manager->config.kernel_tiering == TIERD_KERNEL_TIERING_OFF)
		tierd_kernel_tiering_stop(&manager->root, manager->journal);
	else {
		tierd_kernel_tiering_restore(&manager->root, manager->journal);
		tierd_kernel_tiering_warn(&manager->root);
	}
}

void tierd_manager_follow_kernel_tiering(struct tierd_manager *manager)
{
	if (manager->moves_pages != moves_pages(manager))
		tierd_manager_set_kernel_tiering(manager);
}

/* ---- Coming and going ---------------------------------------------------------- */

static int on_hangup(_unused_ sd_event_source *source,
	_unused_ const struct signalfd_siginfo *info, void *userdata)
{
	struct tierd_manager *manager = userdata;
	_cleanup_(freep) char *error = NULL;
	int r = tierd_manager_reload(manager, &error);

	if (r >= 0)
		(void)tierd_bus_policies_changed(manager->bus);
	return 0;
}

static int watch_hangup(struct tierd_manager *manager)
{
	int r = sd_event_add_signal(
		manager->event, &manager->hangup, SIGHUP, on_hangup, manager);

	if (r >= 0)
		return 0;
	log_error_errno(r, "cannot set up the event loop");
	return TIERD_EXIT_OS;
}

int tierd_manager_new(
	sd_event *event, const char *config_path, struct tierd_manager **ret)
{
	struct tierd_manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (!manager) {
		log_error_errno(-ENOMEM, "cannot start");
		return TIERD_EXIT_OS;
	}
	manager->root.fd = -EBADF;
	manager->cgroups.fd = -EBADF;
	manager->config_path = config_path;
	manager->event = sd_event_ref(event);
	manager->started_ns = tierd_now_ns();
	r = tierd_manager_start(manager);
	if (r == 0)
		r = watch_hangup(manager);
	if (r != 0) {
		tierd_manager_free(manager);
		return r;
	}
	*ret = manager;
	return 0;
}

/* What cannot be put back now stays in the journal, for tierd-restore. */
static void close_journal(struct tierd_manager *manager)
{
	struct tierd_restore_counts counts;
	bool is_open = manager->journal;

	manager->journal = tierd_journal_close(manager->journal);
	if (is_open)
		(void)tierd_restore_by_bus(&manager->root, manager->cgroups.fd, &counts);
}

struct tierd_manager *tierd_manager_free(struct tierd_manager *manager)
{
	if (!manager)
		return NULL;
	sd_event_source_disable_unref(manager->hangup);
	sd_event_source_disable_unref(manager->timer);
	sd_event_source_disable_unref(manager->migrator_source);
	tier_migrator_free(manager->migrator);
	tierd_metrics_free(manager->metrics);
	tierd_bus_free(manager->bus);
	tierd_sampling_stop(manager);
	if (manager->enforcer)
		tierd_enforcer_close(manager->enforcer);
	tierd_manager_free_groups(manager);
	tierd_gates_free(manager->gates);
	tierd_writer_cgroupfs_free(manager->writer_cgroupfs);
	tierd_writer_systemd_free(manager->writer_systemd);
	tierd_enforcer_free(manager->enforcer);
	close_journal(manager);
	tierd_pagemap_reader_free(manager->reader);
	tierd_objects_free(manager->objects);
	tierd_phys_map_free(manager->phys_map);
	tierd_policies_free(manager->policies);
	tierd_overrides_clear(&manager->overrides);
	tierd_cgroup_root_close(&manager->cgroups);
	tierd_root_close(&manager->root);
	sd_event_unref(manager->event);
	free(manager);
	return NULL;
}

/* ---- Seeing -------------------------------------------------------------------- */

const struct tierd_topology *tierd_manager_topology(const struct tierd_manager *manager)
{
	return &manager->topology;
}

const struct tierd_node_memory *tierd_manager_node_memory(
	const struct tierd_manager *manager)
{
	return manager->node_memory;
}

void tierd_manager_get_sampler_stats(
	const struct tierd_manager *manager, struct tierd_sampler_stats *ret)
{
	tierd_sampler_get_stats(manager->sampler, ret);
}

size_t tierd_manager_n_sources(const struct tierd_manager *manager)
{
	return tierd_ladder_n_rungs(manager->ladder);
}

void tierd_manager_get_source(
	const struct tierd_manager *manager, size_t i, struct tierd_rung *ret)
{
	tierd_ladder_get_rung(manager->ladder, i, ret);
}

void tierd_manager_get_steering(
	const struct tierd_manager *manager, struct tierd_steering_view *ret)
{
	tierd_steering_get_view(&manager->steering, ret);
}

size_t tierd_manager_n_groups(const struct tierd_manager *manager)
{
	return manager->n_groups;
}

struct tierd_group *tierd_manager_group(const struct tierd_manager *manager, size_t i)
{
	return manager->groups[i];
}

struct tierd_group *tierd_manager_find_group(
	const struct tierd_manager *manager, const char *cgroup)
{
	for (size_t i = 0; i < manager->n_groups; i++)
		if (strcmp(tierd_group_path(manager->groups[i]), cgroup) == 0)
			return manager->groups[i];
	return NULL;
}

struct tierd_group *tierd_manager_find_process(
	const struct tierd_manager *manager, pid_t pid)
{
	const struct tierd_attribution *attribution =
		tierd_manager_attribute(manager, pid);

	return attribution ? attribution->group : NULL;
}

bool tierd_manager_is_paused(const struct tierd_manager *manager)
{
	return manager->is_paused;
}

void tierd_manager_set_paused(struct tierd_manager *manager, bool is_paused)
{
	if (is_paused && !manager->is_paused)
		tierd_log_event(TIERD_EVENT_PAUSED, 0, NULL, "paused: nothing is moved");
	else if (!is_paused && manager->is_paused)
		tierd_log_event(TIERD_EVENT_RESUMED, 0, NULL, "resumed");
	manager->is_paused = manager->context.is_paused = is_paused;
	/* Nothing is held up that nobody makes room for, not even until the next tick. */
	tierd_gates_update(manager->gates, tierd_now_ns());
}

int tierd_manager_record(struct tierd_manager *manager, struct tierd_group *group,
	uint64_t duration_ns, int *ret_fd)
{
	struct tierd_sampler_stats stats;
	size_t n = 0;

	for (size_t i = 0; i < manager->n_groups; i++)
		n += tierd_group_is_recorded(manager->groups[i]);
	if (n >= TIERD_RECORDINGS_MAX)
		return -E2BIG;
	tierd_manager_get_sampler_stats(manager, &stats);
	return tierd_group_record(
		group, manager->event, stats.source, stats.period, duration_ns, ret_fd);
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * TIERD_NSEC + (uint64_t)time->tv_usec * 1000;
}

void tierd_manager_get_cpu(
	const struct tierd_manager *manager, uint64_t *ret_cpu_ns, uint64_t *ret_wall_ns)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	*ret_cpu_ns = timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
	*ret_wall_ns = tierd_now_ns() - manager->started_ns;
}

/* ---- Reloading ----------------------------------------------------------------- */

static int refuse_restart_keys(const struct tierd_config *now,
	const struct tierd_config *before, char **ret_error)
{
	if (now->source == before->source && strcmp(now->event, before->event) == 0 &&
		strcmp(now->replay, before->replay) == 0 &&
		strcmp(now->tiers, before->tiers) == 0)
		return 0;
	return tierd_error(ret_error, -EINVAL,
		"Source=, Event=, Replay= and Tiers= take effect when tierd starts, not on reload: "
		"systemctl restart tierd");
}

void tierd_manager_set_context(struct tierd_manager *manager)
{
	manager->context = (struct tierd_group_context){
		.root = &manager->root,
		.reader = manager->reader,
		.objects = manager->objects,
		.topology = &manager->topology,
		.dram_total_bytes = manager->topology.tiers[0].total_bytes,
		.tick_ns = manager->config.tick_ns,
		.bandwidth_max_bytes = manager->config.bandwidth_max_bytes,
		.enforcer = manager->enforcer,
		.is_paused = manager->is_paused,
	};
}

void tierd_manager_manage_admitted(struct tierd_manager *manager)
{
	manager->is_admitted = true;
	tierd_manager_apply_policies(manager);
	manager->is_admitted = false;
}

static int reload(struct tierd_manager *manager, char **ret_error)
{
	struct tierd_policies *policies;
	struct tierd_config config;
	int r;

	r = tierd_config_load(&manager->root, manager->config_path, &config, ret_error);
	if (r < 0)
		return r;
	r = refuse_restart_keys(&config, &manager->config, ret_error);
	if (r < 0)
		return r;
	r = tierd_policies_load(&manager->root, &policies, ret_error);
	if (r < 0)
		return r;
	r = tierd_manager_admit_policies(manager, policies, ret_error);
	if (r < 0) {
		tierd_policies_free(policies);
		return r;
	}

	manager->config = config;
	tierd_manager_set_context(manager);
	tierd_metrics_configure(manager->metrics, &config);
	tierd_policies_free(manager->policies);
	manager->policies = policies;
	tierd_overrides_clear(&manager->overrides);
	tierd_manager_set_kernel_tiering(manager);
	tierd_manager_manage_admitted(manager);
	tierd_log_event(TIERD_EVENT_RELOADED, 0, NULL,
		"reloaded: %zu policies, %zu groups", policies->n_items,
		manager->n_groups);
	return 0;
}

int tierd_manager_reload(struct tierd_manager *manager, char **ret_error)
{
	int r = reload(manager, ret_error);

	if (r < 0)
		tierd_log_event(TIERD_EVENT_RELOAD_REFUSED, *ret_error ? 0 : r, NULL,
			"reload refused: %s",
			*ret_error ? *ret_error : "cannot read the configuration");
	return r;
}
