/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cgroup tree of plain directories and files: finding it, identity, memory per node,
 * processes, the walk and its bounds.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "fake-root.h"

#define TOP "/sys/fs/cgroup"

static const char unified[] =
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
	"31 22 0:28 / /sys/fs/cgroup rw,nosuid shared:9 master:2 - cgroup2 cgroup2 rw\n";

struct world {
	struct fake_root fake;
	struct tierd_cgroup_root cgroups;
};

static void world_init(struct world *world)
{
	char *error = NULL;

	fake_root_init(&world->fake);
	fake_root_write(&world->fake, "/proc/self/mountinfo", unified);
	fake_root_write(&world->fake, TOP "/cgroup.controllers", "cpuset cpu memory\n");
	fake_root_write(&world->fake, TOP "/cgroup.procs", "1\n");
	if (tierd_cgroup_root_open(&world->fake.root, &world->cgroups, &error) < 0)
		fail_msg("%s", error);
}

static void world_done(struct world *world)
{
	tierd_cgroup_root_close(&world->cgroups);
	fake_root_done(&world->fake);
}

static struct tierd_cgroup *open_cgroup(struct world *world, const char *path)
{
	struct tierd_cgroup *cgroup = NULL;

	assert_int_equal(tierd_cgroup_open(&world->cgroups, path, &cgroup), 0);
	return cgroup;
}

static void test_find_root(_unused_ void **state)
{
	static const struct {
		const char *mountinfo;
		const char *controllers_path, *controllers;
		int r;
		const char *error;
	} cases[] = {
		{ "31 22 0:28 / /mnt/my\\040tree rw - cgroup2 cgroup2 rw\n",
			"/mnt/my tree/cgroup.controllers", "memory\n", 0, NULL },
		{ unified, TOP "/cgroup.controllers", "cpu memoryx io\n", -EOPNOTSUPP,
			TOP "/cgroup.controllers: the memory controller is missing" },
		{ unified, TOP "/cgroup.controllers", "\n", -EOPNOTSUPP,
			"the memory controller is missing" },
		{ unified, TOP "/other", "", -ENOENT,
			TOP "/cgroup.controllers: No such" },
		{ unified, "/nothing", "", -ENOENT, TOP ": No such file" },
		{ "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
			"/nothing", "", -ENODEV, "No cgroup2 file system is mounted" },
		{ "31 - cgroup2 cgroup2 rw\n", "/nothing", "", -ENODEV, "No cgroup2" },
		{ "", "/nothing", "", -ENODEV, "No cgroup2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_cgroup_root cgroups = { 77 };
		struct fake_root fake;
		char *error = NULL;
		int r;

		fake_root_init(&fake);
		fake_root_write(&fake, "/proc/self/mountinfo", cases[i].mountinfo);
		fake_root_write(&fake, cases[i].controllers_path, cases[i].controllers);
		r = tierd_cgroup_root_open(&fake.root, &cgroups, &error);
		if (r != cases[i].r)
			fail_msg("case %zu: %d", i, r);
		if (r < 0) {
			assert_error_contains(&error, cases[i].error);
			assert_int_equal(cgroups.fd, 77);
		} else {
			tierd_cgroup_root_close(&cgroups);
		}
		fake_root_done(&fake);
	}
}

static void test_no_mountinfo(_unused_ void **state)
{
	struct tierd_cgroup_root cgroups;
	struct fake_root fake;
	char *error = NULL;

	fake_root_init(&fake);
	assert_int_equal(tierd_cgroup_root_open(&fake.root, &cgroups, &error), -ENOENT);
	assert_error_contains(&error, "/proc/self/mountinfo: No such file");
	fake_root_done(&fake);
}

static void test_open(_unused_ void **state)
{
	static const struct {
		const char *path;
		int r;
	} bad[] = {
		{ "/nothing", -ENOENT },
		{ "a.slice", -EINVAL },
		{ "", -EINVAL },
		{ "/..", -EINVAL },
		{ "/a.slice/../a.slice", -EINVAL },
		{ "/a.slice/cgroup.procs", -ENOTDIR },
	};
	struct tierd_cgroup *cgroup;
	struct world world;
	struct stat st;
	char path[128];

	world_init(&world);
	fake_root_write(&world.fake, TOP "/a.slice/cgroup.procs", "");
	fake_root_write(&world.fake, TOP "/a.slice/..b/cgroup.procs", "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cgroup = NULL;
		assert_int_equal(tierd_cgroup_open(&world.cgroups, bad[i].path, &cgroup),
			bad[i].r);
		assert_null(cgroup);
	}
	tierd_cgroup_free(open_cgroup(&world, "/a.slice/..b"));
	cgroup = open_cgroup(&world, "/a.slice");
	assert_string_equal(tierd_cgroup_path(cgroup), "/a.slice");
	snprintf(path, sizeof(path), "%s" TOP "/a.slice", world.fake.path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(tierd_cgroup_id(cgroup), st.st_ino);
	tierd_cgroup_free(cgroup);
	world_done(&world);
}

/* A group of the same name is another group. */
static void test_made_again(_unused_ void **state)
{
	struct tierd_cgroup_memory memory;
	struct tierd_cgroup *cgroup;
	struct world world;
	pid_t pids[4];
	size_t n = 77;

	world_init(&world);
	fake_root_write(&world.fake, TOP "/a/cgroup.procs", "12\n");
	cgroup = open_cgroup(&world, "/a");
	assert_true(tierd_cgroup_is_alive(cgroup));
	fake_root_remove(&world.fake, TOP "/a");
	fake_root_write(&world.fake, TOP "/a/cgroup.procs", "13\n");
	assert_false(tierd_cgroup_is_alive(cgroup));
	assert_int_equal(tierd_cgroup_read_memory(cgroup, &memory), -ENODEV);
	assert_int_equal(tierd_cgroup_list_processes(cgroup, pids, 4, &n), -ENODEV);
	assert_int_equal(n, 77);
	tierd_cgroup_free(cgroup);
	world_done(&world);
}

static const char numa_stat[] =
	"anon N0=1000 N1=2000\n"
	"file N0=500 N1=900\n"
	"kernel_stack N0=16 N1=0\n"
	"pagetables N0=32 N1=1\n"
	"sec_pagetables N0=0 N1=2\n"
	"shmem N0=100 N1=200\n"
	"file_mapped N0=150 N1=1000\n"
	"file_dirty N0=7 N1=7\n"
	"anon_thp N0=64 N1=64\n"
	"slab_reclaimable N0=64 N1=4\n"
	"slab_unreclaimable N0=128 N1=8\n"
	"some_future_counter garbage\n";

static void test_memory(_unused_ void **state)
{
	struct tierd_cgroup_memory memory;
	struct tierd_cgroup *cgroup;
	struct world world;

	world_init(&world);
	fake_root_write(&world.fake, TOP "/a/cgroup.procs", "");
	fake_root_write(&world.fake, TOP "/a/memory.numa_stat", numa_stat);
	cgroup = open_cgroup(&world, "/a");
	memset(&memory, 0x77, sizeof(memory));
	assert_int_equal(tierd_cgroup_read_memory(cgroup, &memory), 0);
	assert_int_equal(memory.nodes[0].anon_bytes, 1000);
	assert_int_equal(memory.nodes[0].file_bytes, 500);
	assert_int_equal(memory.nodes[0].shmem_bytes, 100);
	assert_int_equal(memory.nodes[0].file_mapped_bytes, 150);
	assert_int_equal(memory.nodes[0].movable_bytes, 1150);
	assert_int_equal(memory.nodes[0].unmovable_bytes, 350 + 16 + 32 + 64 + 128);
	/* More mapped than there is: the counters were read one after the other. */
	assert_int_equal(memory.nodes[1].file_mapped_bytes, 900);
	assert_int_equal(memory.nodes[1].movable_bytes, 2900);
	assert_int_equal(memory.nodes[1].unmovable_bytes, 1 + 2 + 4 + 8);
	assert_int_equal(memory.nodes[2].movable_bytes, 0);
	assert_int_equal(memory.nodes[63].unmovable_bytes, 0);
	tierd_cgroup_free(cgroup);
	world_done(&world);
}

static void test_bad_memory(_unused_ void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "", -EBADMSG },
		{ "anon N0=1\n", -EBADMSG },
		{ "anon N0=1\nfile N0=1\n", -EBADMSG },
		{ "anon N0=1\nfile N0=1\nfile_mapped N0\n", -EBADMSG },
		{ "anon N0=1\nfile N0=1\nfile_mapped N0=\n", -EBADMSG },
		{ "anon N0=1\nfile N0=1\nfile_mapped 0=1\n", -EBADMSG },
		{ "anon N0=1\nfile N0=1\nfile_mapped N=1\n", -EBADMSG },
		{ "anon N0=1\nfile N0=1\nfile_mapped N0=-1\n", -EBADMSG },
		{ "anon N0=1\nfile N0=1\nfile_mapped N0=99999999999999999999\n",
			-EBADMSG },
		{ "anon N0=1\nfile N0=1\nfile_mapped N64=1\n", -ERANGE },
		{ "anon N0=1  N1=1\nfile N0=1\nfile_mapped N0=1\n", -EBADMSG },
		{ NULL, -ENOENT },
	};
	struct tierd_cgroup *cgroup;
	struct world world;

	world_init(&world);
	fake_root_write(&world.fake, TOP "/a/cgroup.procs", "");
	cgroup = open_cgroup(&world, "/a");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tierd_cgroup_memory memory = { .nodes[0].anon_bytes = 77 };
		int r;

		if (cases[i].text)
			fake_root_write(
				&world.fake, TOP "/a/memory.numa_stat", cases[i].text);
		else
			fake_root_remove(&world.fake, TOP "/a/memory.numa_stat");
		r = tierd_cgroup_read_memory(cgroup, &memory);
		if (r != cases[i].r)
			fail_msg("case %zu: %d", i, r);
		assert_int_equal(memory.nodes[0].anon_bytes, 77);
	}
	tierd_cgroup_free(cgroup);
	world_done(&world);
}

static void test_memory_of_many_nodes(_unused_ void **state)
{
	char text[16384] = "";
	struct tierd_cgroup_memory memory;
	struct tierd_cgroup *cgroup;
	struct world world;
	size_t used = 0;

	for (int line = 0; line < 3; line++) {
		static const char *const names[] = { "anon", "file", "file_mapped" };

		used += sprintf(text + used, "%s", names[line]);
		for (int node = 0; node < TIERD_NODES_MAX; node++)
			used += sprintf(
				text + used, " N%d=%llu", node, 1000000000000ULL + node);
		used += sprintf(text + used, "\n");
	}
	world_init(&world);
	fake_root_write(&world.fake, TOP "/a/memory.numa_stat", text);
	cgroup = open_cgroup(&world, "/a");
	assert_int_equal(tierd_cgroup_read_memory(cgroup, &memory), 0);
	assert_int_equal(memory.nodes[63].movable_bytes, 2 * UINT64_C(1000000000063));
	tierd_cgroup_free(cgroup);
	world_done(&world);
}

static void test_processes(_unused_ void **state)
{
	static const pid_t expected[] = { 3, 12, 200, 4194304 };
	struct tierd_cgroup *cgroup;
	struct world world;
	pid_t pids[8];
	size_t n = 77;

	world_init(&world);
	fake_root_write(&world.fake, TOP "/other/cgroup.procs", "99\n");
	fake_root_write(&world.fake, TOP "/a/cgroup.procs", "200\n3\n0\n");
	fake_root_write(&world.fake, TOP "/a/b/cgroup.procs", "12\n");
	fake_root_write(&world.fake, TOP "/a/b/c/cgroup.procs", "3\n4194304\n");
	fake_root_mkdir(&world.fake, TOP "/a/vanishing");
	fake_root_link(&world.fake, TOP "/a/link", "../other");
	cgroup = open_cgroup(&world, "/a");
	assert_int_equal(
		tierd_cgroup_list_processes(cgroup, pids, ARRAY_SIZE(pids), &n), 0);
	assert_int_equal(n, ARRAY_SIZE(expected));
	assert_memory_equal(pids, expected, sizeof(expected));
	/* Two of them found is full, whichever they are. */
	assert_int_equal(tierd_cgroup_list_processes(cgroup, pids, 2, &n), 1);
	assert_int_equal(n, 2);
	assert_int_equal(pids[0], 3);
	assert_int_equal(pids[1], 200);
	tierd_cgroup_free(cgroup);
	world_done(&world);
}

static void test_bad_processes(_unused_ void **state)
{
	static const char *const texts[] = { "x\n", "-1\n", "12\n\n13\n", "12 13\n",
		"2147483648\n", "99999999999999999999\n" };
	struct tierd_cgroup *cgroup;
	struct world world;

	world_init(&world);
	fake_root_mkdir(&world.fake, TOP "/a");
	cgroup = open_cgroup(&world, "/a");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		size_t n = 77;
		pid_t pids[8];

		fake_root_write(&world.fake, TOP "/a/cgroup.procs", texts[i]);
		assert_int_equal(
			tierd_cgroup_list_processes(cgroup, pids, 8, &n), -EBADMSG);
		assert_int_equal(n, 77);
	}
	tierd_cgroup_free(cgroup);
	world_done(&world);
}

/* depth directories named "d" below TOP "/deep". */
static void make_deep(struct world *world, unsigned depth)
{
	char path[512] = TOP "/deep";

	for (unsigned i = 0; i < depth; i++)
		strcat(path, "/d");
	strcat(path, "/cgroup.procs");
	fake_root_write(&world->fake, path, "42\n");
}

static void test_depth(_unused_ void **state)
{
	struct tierd_cgroup *cgroup;
	struct world world;
	pid_t pids[8];
	size_t n;

	world_init(&world);
	fake_root_write(&world.fake, TOP "/deep/cgroup.procs", "41\n");
	make_deep(&world, TIERD_CGROUP_DEPTH_MAX);
	cgroup = open_cgroup(&world, "/deep");
	assert_int_equal(tierd_cgroup_list_processes(cgroup, pids, 8, &n), 0);
	assert_int_equal(n, 2);
	make_deep(&world, TIERD_CGROUP_DEPTH_MAX + 1);
	assert_int_equal(tierd_cgroup_list_processes(cgroup, pids, 8, &n), 1);
	assert_int_equal(n, 2);
	tierd_cgroup_free(cgroup);
	world_done(&world);
}

struct visit {
	char paths[512];
	int result;
};

static int note_path(const char *path, void *userdata)
{
	struct visit *visit = userdata;

	strcat(visit->paths, path);
	strcat(visit->paths, " ");
	return visit->result;
}

static void test_walk(_unused_ void **state)
{
	struct visit visit = {};
	struct world world;

	world_init(&world);
	assert_int_equal(tierd_cgroup_walk(&world.cgroups, note_path, &visit), 0);
	assert_string_equal(visit.paths, "");
	fake_root_mkdir(&world.fake, TOP "/a/b/c");
	assert_int_equal(tierd_cgroup_walk(&world.cgroups, note_path, &visit), 0);
	assert_string_equal(visit.paths, "/a /a/b /a/b/c ");
	visit = (struct visit){};
	fake_root_remove(&world.fake, TOP "/a/b/c");
	fake_root_mkdir(&world.fake, TOP "/d");
	assert_int_equal(tierd_cgroup_walk(&world.cgroups, note_path, &visit), 0);
	assert_non_null(strstr(visit.paths, "/a /a/b "));
	assert_non_null(strstr(visit.paths, "/d "));
	visit = (struct visit){ .result = -ENOMEM };
	assert_int_equal(tierd_cgroup_walk(&world.cgroups, note_path, &visit), -ENOMEM);
	assert_null(strchr(visit.paths + 1, '/'));
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_root),
		cmocka_unit_test(test_no_mountinfo),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_made_again),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_bad_memory),
		cmocka_unit_test(test_memory_of_many_nodes),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_bad_processes),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
