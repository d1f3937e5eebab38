/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "enforce/journal-record.h"
#include "enforce/restore-bus.h"
#include "enforce/writer-cgroupfs.h"
#include "enforce/writer-systemd.h"
#include "exit-codes.h"
#include "kernel-tiering.h"
#include "log.h"
#include "manager-internal.h"
#include "settings/errtext.h"

/* ---- Building up --------------------------------------------------------------- */

/* Logs what a module said, or the bare error where it said nothing. Returns @status. */
static int fail(int status, int error, char *text, const char *what)
{
	if (text)
		log_error("%s", text);
	else
		log_error_errno(error, "%s", what);
	free(text);
	return status;
}

static int status_of_error(int error)
{
	switch (error) {
	case -EACCES:
	case -EPERM:
		return TIERD_EXIT_NOPERM;
	case -ENODEV:
		return TIERD_EXIT_UNAVAILABLE;
	case -EINVAL:
	case -ENOENT:
		return TIERD_EXIT_CONFIG;
	default:
		return TIERD_EXIT_OS;
	}
}

static int read_configuration(struct tierd_manager *manager)
{
	char *error = NULL;
	int r;

	r = tierd_config_load(
		&manager->root, manager->config_path, &manager->config, &error);
	if (r < 0)
		return fail(TIERD_EXIT_CONFIG, r, error, "cannot read tierd.conf");
	r = tierd_policies_load(&manager->root, &manager->policies, &error);
	if (r < 0)
		return fail(TIERD_EXIT_CONFIG, r, error, "cannot read the policies");
	if (manager->policies->n_items == 0)
		log_notice(
			"there are no policies in /etc/tierd/policies.d: "
			"nothing is managed yet");
	return 0;
}

static int read_machine(struct tierd_manager *manager)
{
	uint8_t tier_of_node[TIERD_NODES_MAX] = { 0 };
	char *error = NULL;
	int r;

	r = tierd_topology_read(
		&manager->root, manager->config.tiers, &manager->topology, &error);
	if (r < 0)
		return fail(status_of_error(r), r, error, "cannot read the memory nodes");
	if (manager->topology.n_tiers < 2) {
		log_error(
			"this machine has one memory tier: there is nothing to manage "
			"(if that is wrong, name the tiers by Tiers= in tierd.conf)");
		return TIERD_EXIT_UNAVAILABLE;
	}
	r = tierd_cgroup_root_open(&manager->root, &manager->cgroups, &error);
	if (r < 0)
		return fail(TIERD_EXIT_UNAVAILABLE, r, error, "cannot open cgroups");
	r = tierd_phys_map_new(&manager->root, &manager->phys_map);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL,
			"cannot tell which node physical memory belongs to "
			"(/sys/devices/system/memory)");
	for (unsigned i = 0; i < manager->topology.n_nodes; i++)
		tier_of_node[manager->topology.nodes[i].id] =
			tierd_heat_tier(&manager->topology.nodes[i]);
	r = tierd_pagemap_reader_new(
		&manager->root, manager->phys_map, tier_of_node, &manager->reader);
	if (r < 0)
		return fail(status_of_error(r), r, NULL,
			"cannot read /proc/kpageflags (CAP_DAC_READ_SEARCH is needed)");
	return 0;
}

static void log_tiers(const struct tierd_manager *manager)
{
	const struct tierd_topology *topology = &manager->topology;

	for (unsigned i = 0; i < topology->n_nodes; i++)
		log_info("node %u: tier %u, %" PRIu64 " MiB (by %s)",
			topology->nodes[i].id, topology->nodes[i].tier,
			topology->nodes[i].total_bytes >> 20,
			tierd_tier_source_to_string(topology->source));
}

/* By a policy, or by what was said over the bus. */
static bool moves_pages(const struct tierd_manager *manager)
{
	for (size_t i = 0; i < manager->n_groups; i++)
		if (tierd_group_moves_pages(manager->groups[i]))
			return true;
	return tierd_policies_move_pages(manager->policies);
}

static void set_kernel_tiering(struct tierd_manager *manager)
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
		set_kernel_tiering(manager);
}

/* The kernel hides frame numbers, by zeroes, from those without CAP_SYS_ADMIN. */
static int check_privileges(struct tierd_manager *manager)
{
	_cleanup_(closep) int fd = -EBADF;
	struct tierd_block_residency residency;
	uint64_t here = (uintptr_t)&residency & ~(TIER_BLOCK_SIZE - 1);
	int r;

	memset(&residency, 0, sizeof(residency));
	r = tierd_pagemap_open(&manager->root, getpid(), &fd);
	if (r >= 0)
		r = tierd_pagemap_read_blocks(manager->reader, fd, here, 1, &residency);
	if (r < 0)
		return fail(TIERD_EXIT_NOPERM, r, NULL,
			"cannot read page frame numbers from /proc/PID/pagemap "
			"(CAP_SYS_ADMIN is needed)");
	return 0;
}

/* What is wrong with an event is the configuration's fault only if that chose it. */
static int status_of_sampler_error(const struct tierd_config *config, int error)
{
	switch (error) {
	case -EINVAL:
	case -ENOENT:
	case -ENODATA:
	case -EOPNOTSUPP:
		return *config->event ? TIERD_EXIT_CONFIG : TIERD_EXIT_UNAVAILABLE;
	default:
		return status_of_error(error);
	}
}

static int open_sampler(struct tierd_manager *manager)
{
	const struct tierd_sampler_config config = {
		.source = tierd_source_to_string(manager->config.source),
		.event = manager->config.event,
		.root = &manager->root,
	};
	struct tierd_sampler_stats stats;
	char *error = NULL;
	int r;

	r = tierd_sampler_open(&config, &manager->sampler, &error);
	if (r < 0)
		return fail(status_of_sampler_error(&manager->config, r), r, error,
			"cannot sample memory accesses");
	tierd_sampler_get_stats(manager->sampler, &stats);
	log_info("sampling %s on %u CPUs", stats.event, stats.n_cpus);
	return 0;
}

static int start_migrator(struct tierd_manager *manager)
{
	int nodes[TIERD_NODES_MAX];
	int r;

	for (unsigned i = 0; i < manager->topology.n_nodes; i++)
		nodes[i] = manager->topology.nodes[i].id;
	r = tier_migrator_new(&tier_migrator_ops_move_pages, NULL, nodes,
		manager->topology.n_nodes, &manager->migrator);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot start the migrators");
	return 0;
}

static int open_bus(struct tierd_manager *manager)
{
	int r = tierd_bus_new(manager, manager->event, &manager->bus);

	if (r == -EEXIST) {
		log_error("another tierd is running: the name " TIERD_BUS_NAME
			  " is taken on the system bus");
		return TIERD_EXIT_FAILURE;
	}
	if (r < 0)
		return fail(
			r == -EACCES || r == -EPERM ? TIERD_EXIT_NOPERM : TIERD_EXIT_OS,
			r, NULL, "cannot take " TIERD_BUS_NAME " on the system bus");
	return 0;
}

/* First of all what another tierd may have left behind. */
static int open_journal(struct tierd_manager *manager)
{
	struct tierd_restore_counts counts;
	int r;

	r = tierd_restore_by_bus(&manager->root, manager->cgroups.fd, &counts);
	if (r >= 0)
		r = tierd_journal_open(&manager->root, &manager->journal);
	if (r == -EBUSY) {
		log_error("tierd-restore is at work, or another tierd: " TIERD_JOURNAL_DIR
			  " is locked");
		return TIERD_EXIT_FAILURE;
	}
	if (r < 0)
		return fail(
			r == -EACCES || r == -EROFS ? TIERD_EXIT_NOPERM : TIERD_EXIT_OS,
			r, NULL, "cannot keep a journal in " TIERD_JOURNAL_DIR);
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

static int new_enforcer(struct tierd_manager *manager)
{
	const struct tierd_enforcer_config config = {
		.root = &manager->root,
		.cgroup_fd = manager->cgroups.fd,
		.journal = manager->journal,
		.has_systemd = sd_booted() > 0,
		.event = manager->event,
		.writers = {
			[TIERD_OWNER_SYSTEMD] = { &tierd_writer_systemd_ops,
				manager->writer_systemd },
			[TIERD_OWNER_CGROUPFS] = { &tierd_writer_cgroupfs_ops,
				manager->writer_cgroupfs },
		},
		.is_delegated = tierd_owner_is_delegated,
		.delegated_userdata = &manager->cgroups.fd,
	};
	int r = tierd_enforcer_new(&config, &manager->enforcer);

	if (r < 0)
		return r;
	tierd_writer_systemd_attach(manager->writer_systemd, manager->enforcer);
	tierd_writer_cgroupfs_attach(manager->writer_cgroupfs, manager->enforcer);
	return tierd_gates_new(manager, &manager->gates);
}

static int start_enforcer(struct tierd_manager *manager)
{
	int r;

	r = tierd_writer_systemd_new(manager->event, &manager->writer_systemd);
	if (r >= 0)
		r = tierd_writer_cgroupfs_new(
			manager->event, manager->cgroups.fd, &manager->writer_cgroupfs);
	if (r >= 0)
		r = new_enforcer(manager);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot set up enforcement");
	return 0;
}

static int on_hangup(_unused_ sd_event_source *source,
	_unused_ const struct signalfd_siginfo *info, void *userdata)
{
	struct tierd_manager *manager = userdata;
	_cleanup_(freep) char *error = NULL;
	int r = tierd_manager_reload(manager, &error);

	if (r < 0)
		log_error_errno(error ? 0 : r, "reload refused: %s",
			error ? error : "cannot read the configuration");
	else
		(void)tierd_bus_policies_changed(manager->bus);
	return 0;
}

static void set_context(struct tierd_manager *manager)
{
	manager->context = (struct tierd_group_context){
		.root = &manager->root,
		.reader = manager->reader,
		.topology = &manager->topology,
		.dram_total_bytes = manager->topology.tiers[0].total_bytes,
		.tick_ns = manager->config.tick_ns,
		.bandwidth_max_bytes = manager->config.bandwidth_max_bytes,
		.enforcer = manager->enforcer,
		.is_paused = manager->is_paused,
	};
}

/* Groups whose guarantees were added up already. */
static void manage_admitted(struct tierd_manager *manager)
{
	manager->is_admitted = true;
	tierd_manager_apply_policies(manager);
	manager->is_admitted = false;
}

static int admit_groups(struct tierd_manager *manager)
{
	char *error = NULL;
	int r;

	r = tierd_manager_admit_policies(manager, manager->policies, &error);
	if (r < 0)
		return fail(r == -ENOSPC ? TIERD_EXIT_CONFIG : TIERD_EXIT_OS, r, error,
			"cannot add up all DRAMMin=");
	manage_admitted(manager);
	return 0;
}

static int start_metrics(struct tierd_manager *manager)
{
	int r = tierd_metrics_new(manager, manager->event, &manager->metrics);

	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot set up metrics");
	tierd_metrics_configure(manager->metrics, &manager->config);
	return 0;
}

static int start(struct tierd_manager *manager)
{
	int r;

	r = tierd_root_open("/", &manager->root);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot open /");
	if ((r = read_configuration(manager)) != 0 || (r = read_machine(manager)) != 0 ||
		(r = check_privileges(manager)) != 0 ||
		(r = open_sampler(manager)) != 0 || (r = start_migrator(manager)) != 0)
		return r;
	log_tiers(manager);
	/* With the name on the bus there is no other tierd whose journal it could be. */
	if ((r = open_bus(manager)) != 0 || (r = open_journal(manager)) != 0)
		return r;
	if ((r = start_enforcer(manager)) != 0 || (r = start_metrics(manager)) != 0)
		return r;
	set_context(manager);
	r = admit_groups(manager);
	if (r != 0)
		return r;
	set_kernel_tiering(manager);
	r = sd_event_add_signal(
		manager->event, &manager->hangup, SIGHUP, on_hangup, manager);
	if (r >= 0)
		r = tierd_manager_start_ticking(manager);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot set up the event loop");
	return 0;
}

int tierd_manager_new(
	sd_event *event, const char *config_path, struct tierd_manager **ret)
{
	struct tierd_manager *manager = calloc(1, sizeof(*manager));
	int r;

	if (!manager)
		return fail(TIERD_EXIT_OS, -ENOMEM, NULL, "cannot start");
	manager->root.fd = -EBADF;
	manager->cgroups.fd = -EBADF;
	manager->config_path = config_path;
	manager->event = sd_event_ref(event);
	manager->started_ns = tierd_now_ns();
	r = start(manager);
	if (r != 0) {
		tierd_manager_free(manager);
		return r;
	}
	*ret = manager;
	return 0;
}

struct tierd_manager *tierd_manager_free(struct tierd_manager *manager)
{
	if (!manager)
		return NULL;
	sd_event_source_disable_unref(manager->hangup);
	sd_event_source_disable_unref(manager->timer);
	sd_event_source_disable_unref(manager->migrator_source);
	for (size_t i = 0; i < manager->n_sampler_sources; i++)
		sd_event_source_disable_unref(manager->sampler_sources[i]);
	free(manager->sampler_sources);
	tier_migrator_free(manager->migrator);
	tierd_metrics_free(manager->metrics);
	tierd_bus_free(manager->bus);
	tierd_sampler_free(manager->sampler);
	if (manager->enforcer)
		tierd_enforcer_close(manager->enforcer);
	tierd_manager_free_groups(manager);
	tierd_gates_free(manager->gates);
	tierd_writer_cgroupfs_free(manager->writer_cgroupfs);
	tierd_writer_systemd_free(manager->writer_systemd);
	tierd_enforcer_free(manager->enforcer);
	close_journal(manager);
	tierd_pagemap_reader_free(manager->reader);
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

bool tierd_manager_is_paused(const struct tierd_manager *manager)
{
	return manager->is_paused;
}

void tierd_manager_set_paused(struct tierd_manager *manager, bool is_paused)
{
	if (manager->is_paused != is_paused)
		log_notice(is_paused ? "paused: nothing is moved" : "resumed");
	manager->is_paused = manager->context.is_paused = is_paused;
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
		strcmp(now->tiers, before->tiers) == 0)
		return 0;
	return tierd_error(ret_error, -EINVAL,
		"Source=, Event= and Tiers= take effect when tierd starts, not on reload: "
		"systemctl restart tierd");
}

int tierd_manager_reload(struct tierd_manager *manager, char **ret_error)
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
	set_context(manager);
	tierd_metrics_configure(manager->metrics, &config);
	tierd_policies_free(manager->policies);
	manager->policies = policies;
	tierd_overrides_clear(&manager->overrides);
	set_kernel_tiering(manager);
	manage_admitted(manager);
	log_info("reloaded: %zu policies, %zu groups", policies->n_items,
		manager->n_groups);
	return 0;
}
