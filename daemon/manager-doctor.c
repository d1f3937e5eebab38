/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gathers what the doctor judges by. */
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>

#include "doctor.h"
#include "kernel-tiering.h"
#include "manager-internal.h"
#include "sampling.h"

/* What may be spent on reading of processes, over all groups: the tick waits. */
#define PROCESSES_NS (TIERD_NSEC / 10)

uint64_t tierd_doctor_capabilities(void)
{
	struct __user_cap_header_struct header = { .version =
							   _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return UINT64_MAX;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

/* What a group may hold counts in the managed group above it. */
static bool is_below_another(const struct tierd_manager *manager, const char *cgroup)
{
	for (size_t i = 0; i < manager->n_groups; i++) {
		const char *path = tierd_group_path(manager->groups[i]);
		size_t length = strlen(path);

		if (strncmp(cgroup, path, length) == 0 && cgroup[length] == '/')
			return true;
	}
	return false;
}

static uint64_t quotas_of(const struct tierd_manager *manager)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < manager->n_groups; i++) {
		struct tierd_group_view view;

		tierd_group_get_view(manager->groups[i], &view);
		if (view.dram_quota_bytes != UINT64_MAX &&
			!is_below_another(manager, view.cgroup))
			bytes += view.dram_quota_bytes;
	}
	return bytes;
}

static void see_sampler(
	const struct tierd_manager *manager, struct tierd_machine_health *machine)
{
	struct tierd_sampler_stats stats;
	struct tierd_steering_view view;

	tierd_manager_get_sampler_stats(manager, &stats);
	machine->n_cpus = stats.n_cpus;
	machine->n_cpus_heard = stats.n_cpus_heard;
	tierd_manager_get_steering(manager, &view);
	machine->limit = view.limit;
	machine->wanted_per_s = view.wanted_per_s;
	machine->target_per_s = view.target_per_s;
	machine->kernel_per_s = view.kernel_per_s;
}

void tierd_manager_doctor(struct tierd_manager *manager, struct tierd_findings *ret)
{
	uint64_t until_ns = tierd_now_ns() + PROCESSES_NS;
	struct tierd_machine_health machine = {
		.dram_bytes = manager->topology.tiers[0].total_bytes,
		.samples = manager->loss_window.taken,
		.samples_lost = manager->loss_window.lost,
		.throttled = manager->loss_window.throttled,
		.is_paused = manager->is_paused,
		.moves_pages = manager->moves_pages,
		.capabilities = tierd_doctor_capabilities(),
	};

	*ret = (struct tierd_findings){ 0 };
	see_sampler(manager, &machine);
	tierd_kernel_tiering_list(
		&manager->root, manager->journal, machine.kernel_tiering);
	tierd_doctor_see_machine(ret, &machine);
	tierd_sampling_see_sources(manager, ret);
	tierd_doctor_see_quotas(ret, &machine, quotas_of(manager));
	for (size_t i = 0; i < manager->n_groups; i++) {
		struct tierd_group_health health;
		struct tierd_group_view view;

		tierd_group_get_view(manager->groups[i], &view);
		tierd_group_get_health(manager->groups[i], until_ns, &health);
		tierd_doctor_see_group(ret, &machine, &view, &health);
	}
}
