/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be there before the first tick, in the order in which it is needed. What is
 * missing is logged here, and becomes an exit code.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "enforce/journal-record.h"
#include "enforce/restore-bus.h"
#include "enforce/writer-cgroupfs.h"
#include "enforce/writer-systemd.h"
#include "events.h"
#include "exit-codes.h"
#include "log.h"
#include "manager-internal.h"
#include "sampling.h"

/* Logs what a module said, or the bare error where it said nothing. Returns @status. */
static int fail(int status, int error, char *text, const char *what)
{
	if (text)
		error = 0;
	tierd_log_event(TIERD_EVENT_START_FAILED, error,
		TIERD_FIELDS({ "TIERD_EXIT_STATUS", .number = (uint64_t)status }), "%s",
		text ? text : what);
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
		return fail(TIERD_EXIT_UNAVAILABLE, 0, NULL,
			"this machine has one memory tier: there is nothing to manage "
			"(if that is wrong, name the tiers by Tiers= in tierd.conf)");
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
	r = tierd_objects_new(&manager->objects);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot start");
	return 0;
}

static void log_tiers(const struct tierd_manager *manager)
{
	const struct tierd_topology *topology = &manager->topology;

	for (unsigned i = 0; i < topology->n_nodes; i++)
		tierd_log_event(TIERD_EVENT_NODE, 0,
			TIERD_FIELDS({ "TIERD_NODE", .number = topology->nodes[i].id },
				{ "TIERD_TIER", .number = topology->nodes[i].tier }),
			"node %u: tier %u, %" PRIu64 " MiB (by %s)",
			topology->nodes[i].id, topology->nodes[i].tier,
			topology->nodes[i].total_bytes >> 20,
			tierd_tier_source_to_string(topology->source));
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

static int start_migrator(struct tierd_manager *manager)
{
	int nodes[TIERD_NODES_MAX];
	int r;

	for (unsigned i = 0; i < manager->topology.n_nodes; i++)
		nodes[i] = manager->topology.nodes[i].id;
	r = tier_migrator_new(&tier_migrator_ops_move_shared_pages, NULL, nodes,
		manager->topology.n_nodes, &manager->migrator);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot start the migrators");
	return 0;
}

static int open_bus(struct tierd_manager *manager)
{
	int r = tierd_bus_new(manager, manager->event, &manager->bus);

	if (r == -EEXIST) {
		return fail(TIERD_EXIT_FAILURE, 0, NULL,
			"another tierd is running: the name " TIERD_BUS_NAME
			" is taken on the system bus");
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
		return fail(TIERD_EXIT_FAILURE, 0, NULL,
			"tierd-restore is at work, or another tierd: " TIERD_JOURNAL_DIR
			" is locked");
	}
	if (r < 0)
		return fail(
			r == -EACCES || r == -EROFS ? TIERD_EXIT_NOPERM : TIERD_EXIT_OS,
			r, NULL, "cannot keep a journal in " TIERD_JOURNAL_DIR);
	return 0;
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
		.on_drift = tierd_manager_tell_drift,
		.drift_userdata = manager,
	};
	int r = tierd_enforcer_new(&config, &manager->enforcer);

	if (r < 0)
		return r;
	tierd_writer_systemd_attach(manager->writer_systemd, manager->enforcer);
	tierd_writer_cgroupfs_attach(manager->writer_cgroupfs, manager->enforcer);
	return tierd_gates_new(manager, &manager->gates);
}

static int start_metrics(struct tierd_manager *manager)
{
	int r = tierd_metrics_new(manager, manager->event, &manager->metrics);

	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot set up metrics");
	tierd_metrics_configure(manager->metrics, &manager->config);
	return 0;
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

static int admit_groups(struct tierd_manager *manager)
{
	char *error = NULL;
	int r;

	r = tierd_manager_admit_policies(manager, manager->policies, &error);
	if (r < 0)
		return fail(r == -ENOSPC ? TIERD_EXIT_CONFIG : TIERD_EXIT_OS, r, error,
			"cannot add up all DRAMMin=");
	tierd_manager_manage_admitted(manager);
	return 0;
}

int tierd_manager_start(struct tierd_manager *manager)
{
	int r;

	r = tierd_root_open("/", &manager->root);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot open /");
	if ((r = read_configuration(manager)) != 0 || (r = read_machine(manager)) != 0 ||
		(r = check_privileges(manager)) != 0 ||
		(r = start_migrator(manager)) != 0)
		return r;
	log_tiers(manager);
	/* With the name on the bus there is no other tierd whose journal it could be. */
	if ((r = open_bus(manager)) != 0 || (r = open_journal(manager)) != 0)
		return r;
	if ((r = tierd_sampling_start(manager)) != 0 ||
		(r = start_enforcer(manager)) != 0 || (r = start_metrics(manager)) != 0)
		return r;
	tierd_manager_set_context(manager);
	r = admit_groups(manager);
	if (r != 0)
		return r;
	tierd_manager_set_kernel_tiering(manager);
	r = tierd_manager_start_ticking(manager);
	if (r < 0)
		return fail(TIERD_EXIT_OS, r, NULL, "cannot set up the event loop");
	return 0;
}
