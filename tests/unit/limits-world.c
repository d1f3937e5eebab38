/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "limits-world.h"

#define NODES_MAX 2

static int begin_write(void *userdata, const struct tierd_held *held)
{
	struct limits_world *world = userdata;

	assert_false(world->is_busy);
	world->is_busy = true;
	world->job = *held;
	return 0;
}

static const struct tierd_writer_ops ops = { .write = begin_write };

static uint64_t clock_of(void *userdata)
{
	return *(uint64_t *)userdata;
}

/* Only below box.service: the rest of a unit is systemd's. */
static int is_delegated(_unused_ void *userdata, const char *path)
{
	return strcmp(path, "/system.slice/box.service") == 0;
}

static void put(
	struct limits_world *world, const char *path, const char *file, const char *value)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), LIMITS_CGROUPS "%s/%s", path, file);
	fake_root_write(&world->fake, full, value);
}

void limits_make_cgroup(struct limits_world *world, const char *path)
{
	put(world, path, "memory.high", "max\n");
	put(world, path, "memory.swap.max", "max\n");
	put(world, path, "memory.swap.current", "4096\n");
	put(world, path, "memory.events", "high 0\n");
	put(world, path, "memory.stat", "pgsteal_direct 0\n");
	put(world, path, "cpuset.mems", "\n");
}

void limits_hold(struct limits_world *world, uint64_t dram_mib, uint64_t slow_mib)
{
	char text[256];

	snprintf(text, sizeof(text),
		"anon N0=%" PRIu64 " N1=%" PRIu64
		"\nfile N0=0 N1=0\n"
		"file_mapped N0=0 N1=0\n",
		dram_mib * LIMITS_MIB, slow_mib * LIMITS_MIB);
	put(world, LIMITS_GROUP, "memory.numa_stat", text);
	snprintf(text, sizeof(text), "%" PRIu64 "\n", (dram_mib + slow_mib) * LIMITS_MIB);
	put(world, LIMITS_GROUP, "memory.current", text);
	if (world->group)
		assert_return_code(tierd_group_read_memory(world->group), 0);
}

static void open_enforcer(struct limits_world *world)
{
	assert_return_code(tierd_root_open_file(&world->fake.root, LIMITS_CGROUPS,
				   O_PATH | O_DIRECTORY, &world->cgroup_fd),
		0);
	assert_return_code(tierd_journal_open(&world->fake.root, &world->journal), 0);
	assert_return_code(
		tierd_enforcer_new(
			&(struct tierd_enforcer_config){
				.root = &world->fake.root,
				.cgroup_fd = world->cgroup_fd,
				.journal = world->journal,
				.has_systemd = true,
				.writers = { { &ops, world }, { &ops, world } },
				.clock = clock_of,
				.clock_data = &world->now_ns,
				.is_delegated = is_delegated,
			},
			&world->enforcer),
		0);
}

static void make_group(struct limits_world *world)
{
	const struct tierd_cgroup_root cgroups = { .fd = world->cgroup_fd };
	struct tierd_cgroup *cgroup;

	world->context = (struct tierd_group_context){
		.root = &world->fake.root,
		.topology = &world->topology,
		.dram_total_bytes = UINT64_C(1) << 30,
		.bandwidth_max_bytes = UINT64_MAX,
		.enforcer = world->enforcer,
	};
	tierd_policy_defaults(&world->policy);
	world->policy.enforcement = TIERD_ENFORCEMENT_HARD;
	world->policy.dram_quota =
		(struct tierd_amount){ TIERD_AMOUNT_BYTES, 300 * LIMITS_MIB };
	assert_return_code(tierd_cgroup_open(&cgroups, LIMITS_GROUP, &cgroup), 0);
	assert_return_code(
		tierd_group_new(&world->context, cgroup, &world->policy, &world->group),
		0);
}

void limits_world_init(struct limits_world *world)
{
	*world = (struct limits_world){ .now_ns = UINT64_C(100000000000) };
	world->topology = (struct tierd_topology){ .n_tiers = 2, .n_nodes = NODES_MAX };
	for (unsigned i = 0; i < NODES_MAX; i++) {
		world->topology.nodes[i].id = i;
		world->topology.nodes[i].tier = i;
	}
	fake_root_init(&world->fake);
	fake_root_mkdir(&world->fake, "/run");
	limits_make_cgroup(world, LIMITS_GROUP);
	limits_hold(world, 0, 0);
	open_enforcer(world);
	make_group(world);
}

void limits_world_done(struct limits_world *world)
{
	tierd_group_free(world->group);
	tierd_enforcer_free(world->enforcer);
	tierd_journal_close(world->journal);
	close(world->cgroup_fd);
	fake_root_done(&world->fake);
}

void limits_set_policy(struct limits_world *world)
{
	tierd_group_set_policy(world->group, &world->policy);
}

/* As the kernel would, which shows an empty list of nodes for none. */
static void end_write(struct limits_world *world)
{
	const char *file = tierd_attribute_file(world->job.attribute);
	size_t length = strlen(world->last);

	world->is_busy = false;
	world->n_writes++;
	put(world, world->job.path, file, world->job.wanted);
	snprintf(world->last + length, sizeof(world->last) - length, "%s=%s ", file,
		world->job.wanted);
	tierd_enforcer_written(world->enforcer,
		*world->job.unit ? TIERD_OWNER_SYSTEMD : TIERD_OWNER_CGROUPFS, 0,
		world->now_ns);
}

void limits_pass(struct limits_world *world, uint64_t ms)
{
	world->now_ns += ms * 1000000;
	tierd_enforcer_dispatch(world->enforcer, world->now_ns);
	while (world->is_busy)
		end_write(world);
}

void assert_limit(struct limits_world *world, const char *file, const char *value)
{
	_cleanup_(freep) char *line = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), LIMITS_CGROUPS LIMITS_GROUP "/%s", file);
	assert_return_code(tierd_root_read_line(&world->fake.root, path, &line), 0);
	assert_string_equal(line, value);
}

uint64_t limits_high_mib(struct limits_world *world)
{
	uint64_t bytes;

	assert_return_code(tierd_root_read_u64(&world->fake.root,
				   LIMITS_CGROUPS LIMITS_GROUP "/memory.high", &bytes),
		0);
	return bytes / LIMITS_MIB;
}
