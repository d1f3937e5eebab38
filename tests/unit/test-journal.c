/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal and what is put back by it: torn, cut off, replayed twice, grown too long;
 * values that are ours, somebody else's, gone, or on their way when tierd died.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "enforce/journal.h"
#include "enforce/journal-record.h"
#include "enforce/restore.h"
#include "enforce/beneath.h"
#include "fake-root.h"

#define CGROUPS "/sys/fs/cgroup"
#define POD     "/pods/a"
#define UNIT    "/system.slice/x.service"
#define SYSCTL  "/proc/sys/kernel/numa_balancing"
#define CONTROL "/run/systemd/system.control/x.service.d/50-MemoryHigh.conf"
#define NODES   "/run/systemd/transient/x.service.d/50-AllowedMemoryNodes.conf"

struct world {
	struct fake_root fake;
	int cgroup_fd;
	int set_result;
	unsigned n_set;
	char set[TIERD_VALUE_SIZE];
};

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	fake_root_init(&world->fake);
	fake_root_write(&world->fake, CGROUPS POD "/memory.high", "max\n");
	fake_root_write(&world->fake, CGROUPS UNIT "/memory.high", "max\n");
	fake_root_write(&world->fake, CGROUPS UNIT "/cpuset.mems", "\n");
	fake_root_write(&world->fake, SYSCTL, "1\n");
	fake_root_mkdir(&world->fake, "/run");
	assert_return_code(tierd_root_open_file(&world->fake.root, CGROUPS,
				   O_PATH | O_DIRECTORY, &world->cgroup_fd),
		0);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	close(world->cgroup_fd);
	fake_root_done(&world->fake);
	free(world);
	return 0;
}

/* What systemd would do: the kernel's file follows the property, unless it is empty. */
static int set_property(void *userdata, const char *unit, enum tierd_attribute attribute,
	const char *value)
{
	struct world *world = userdata;
	char path[PATH_MAX], text[TIERD_VALUE_SIZE + 1];

	assert_string_equal(unit, "x.service");
	if (world->set_result < 0)
		return world->set_result;
	world->n_set++;
	snprintf(world->set, sizeof(world->set), "%s", value);
	snprintf(path, sizeof(path), CGROUPS UNIT "/%s", tierd_attribute_file(attribute));
	snprintf(text, sizeof(text), "%s\n", value);
	if (*value)
		fake_root_write(&world->fake, path, text);
	return 0;
}

static void say(_unused_ void *userdata, _unused_ const struct tierd_held *held,
	_unused_ int error, _unused_ const char *what)
{
}

static const struct tierd_restore_ops ops = { set_property, say };

static struct tierd_restore_counts restore(struct world *world, int want)
{
	struct tierd_restore_counts counts = { 0 };

	assert_int_equal(
		tierd_restore(&world->fake.root, world->cgroup_fd, &ops, world, &counts),
		want);
	return counts;
}

static void assert_holds(struct world *world, const char *path, const char *value)
{
	_cleanup_(freep) char *line = NULL;

	assert_return_code(tierd_root_read_line(&world->fake.root, path, &line), 0);
	assert_string_equal(line, value);
}

static bool exists(struct world *world, const char *path)
{
	return faccessat(world->fake.root.fd, path + 1, F_OK, 0) == 0;
}

static struct tierd_held pod(struct world *world, const char *held, const char *wanted)
{
	struct tierd_held result = { .path = POD, .before = "max" };
	struct stat st;

	assert_return_code(fstatat(world->cgroup_fd, POD + 1, &st, 0), errno);
	result.id = st.st_ino;
	strcpy(result.held, held);
	strcpy(result.wanted, wanted);
	return result;
}

static struct tierd_held unit(enum tierd_attribute attribute, const char *before,
	const char *held, const char *wanted)
{
	struct tierd_held result = {
		.attribute = attribute, .path = UNIT, .unit = "x.service"
	};

	strcpy(result.before, before);
	strcpy(result.held, held);
	strcpy(result.wanted, wanted);
	return result;
}

static struct tierd_held sysctl(void)
{
	return (struct tierd_held){ .attribute = TIERD_ATTRIBUTE_SYSCTL,
		.path = SYSCTL,
		.before = "1",
		.wanted = "0" };
}

/* A daemon's life that ends in the middle: the journal stays. */
static void leave(struct world *world, const struct tierd_held *held, size_t n)
{
	_cleanup_(tierd_journal_closep) struct tierd_journal *journal = NULL;

	assert_return_code(tierd_journal_open(&world->fake.root, &journal), 0);
	for (size_t i = 0; i < n; i++)
		assert_return_code(tierd_journal_hold(journal, &held[i]), 0);
}

static void append_text(struct world *world, const char *text)
{
	struct stat st;

	assert_return_code(
		fstatat(world->fake.root.fd, TIERD_JOURNAL_PATH + 1, &st, 0), errno);
	fake_root_write_at(
		&world->fake, TIERD_JOURNAL_PATH, st.st_size, text, strlen(text));
}

/* ---- Records ------------------------------------------------------------------- */

static void test_record_round_trip(_unused_ void **state)
{
	static const struct tierd_held awkward[] = {
		{ .path = "/a b/%41/\n\t\x7f/k\303\244se", .before = "" },
		{ .path = "-", .unit = "-", .before = "-", .held = "0-1,3", .id = 7 },
		{ .path = "/x",
			.unit = "x@y.service",
			.id = UINT64_MAX,
			.keeps_drop_in = true,
			.wanted = "12" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(awkward); i++) {
		char line[TIERD_JOURNAL_LINE_SIZE];
		struct tierd_held_list list = { 0 };
		size_t size, skipped;

		assert_return_code(
			tierd_journal_record_print(&awkward[i], false, line, &size), 0);
		assert_int_equal(strlen(line), size);
		assert_int_equal(strchr(line, '\n') - line, size - 1);
		assert_return_code(tierd_journal_parse(line, size, &list, &skipped), 0);
		assert_int_equal(skipped, 0);
		assert_int_equal(list.n_items, 1);
		assert_memory_equal(&list.items[0], &awkward[i], sizeof(awkward[i]));
		tierd_held_list_done(&list);
	}
}

static void test_record_of_longest(_unused_ void **state)
{
	struct tierd_held held = { 0 };
	char line[TIERD_JOURNAL_LINE_SIZE];
	size_t size;

	memset(held.path, '\n', sizeof(held.path) - 1);
	memset(held.unit, '\n', sizeof(held.unit) - 1);
	memset(held.before, '\n', sizeof(held.before) - 1);
	memset(held.held, '\n', sizeof(held.held) - 1);
	memset(held.wanted, '\n', sizeof(held.wanted) - 1);
	assert_return_code(tierd_journal_record_print(&held, true, line, &size), 0);
}

/* A journal cut off at any byte says what it said up to the last whole line. */
static void test_cut_anywhere(void **state)
{
	struct world *world = *state;
	struct tierd_held held[] = { pod(world, "", "100"), pod(world, "100", "200"),
		unit(0, "max", "", "300") };
	char whole[4 * TIERD_JOURNAL_LINE_SIZE];
	size_t ends[3], total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		assert_return_code(tierd_journal_record_print(
					   &held[i], false, whole + total, &ends[i]),
			0);
		total = ends[i] += total;
	}
	for (size_t size = 0; size <= total; size++) {
		char copy[sizeof(whole)];
		struct tierd_held_list list = { 0 };
		size_t skipped;

		memcpy(copy, whole, size);
		assert_return_code(tierd_journal_parse(copy, size, &list, &skipped), 0);
		assert_int_equal(list.n_items, (size >= ends[0]) + (size >= ends[2]));
		assert_int_equal(skipped, size != 0 && size != ends[0] &&
						  size != ends[1] && size != ends[2]);
		if (size >= ends[1])
			assert_string_equal(list.items[0].wanted, "200");
		tierd_held_list_done(&list);
	}
}

static void test_changed_byte(void **state)
{
	struct tierd_held held = pod(*state, "", "100");
	char line[TIERD_JOURNAL_LINE_SIZE], copy[TIERD_JOURNAL_LINE_SIZE];
	size_t size;

	assert_return_code(tierd_journal_record_print(&held, false, line, &size), 0);
	for (size_t i = 0; i < size; i++) {
		struct tierd_held_list list = { 0 };
		size_t skipped;

		memcpy(copy, line, size);
		copy[i] ^= 1;
		assert_return_code(tierd_journal_parse(copy, size, &list, &skipped), 0);
		assert_int_equal(list.n_items, 0);
		assert_true(skipped > 0);
		tierd_held_list_done(&list);
	}
}

/* ---- The file ------------------------------------------------------------------ */

static void test_nothing_held_leaves_nothing(void **state)
{
	struct world *world = *state;
	_cleanup_(tierd_journal_closep) struct tierd_journal *journal = NULL;
	struct tierd_held held = pod(world, "", "100");

	assert_return_code(tierd_journal_open(&world->fake.root, &journal), 0);
	assert_return_code(tierd_journal_hold(journal, &held), 0);
	assert_int_equal(tierd_journal_n_held(journal), 1);
	assert_return_code(tierd_journal_done(journal, &held), 0);
	assert_int_equal(tierd_journal_n_held(journal), 0);
	journal = tierd_journal_close(journal);
	assert_false(exists(world, TIERD_JOURNAL_PATH));
}

static void test_one_at_a_time(void **state)
{
	struct world *world = *state;
	_cleanup_(tierd_journal_closep) struct tierd_journal *journal = NULL;
	_cleanup_(tierd_journal_closep) struct tierd_journal *second = NULL;

	assert_return_code(tierd_journal_open(&world->fake.root, &journal), 0);
	assert_int_equal(tierd_journal_open(&world->fake.root, &second), -EBUSY);
	restore(world, -EBUSY);
}

/* What was never put back is not forgotten by starting again. */
static void test_leftover_is_not_overwritten(void **state)
{
	struct world *world = *state;
	struct tierd_held held = pod(world, "", "100");
	struct tierd_journal *journal = NULL;

	leave(world, &held, 1);
	assert_int_equal(tierd_journal_open(&world->fake.root, &journal), -EEXIST);
}

static void test_stays_small(void **state)
{
	struct world *world = *state;
	_cleanup_(tierd_journal_closep) struct tierd_journal *journal = NULL;
	struct tierd_held held = pod(world, "", "");
	struct stat st;

	assert_return_code(tierd_journal_open(&world->fake.root, &journal), 0);
	for (unsigned i = 0; i < 5000; i++) {
		strcpy(held.held, held.wanted);
		snprintf(held.wanted, sizeof(held.wanted), "%u", i);
		assert_return_code(tierd_journal_hold(journal, &held), 0);
	}
	assert_return_code(
		fstatat(world->fake.root.fd, TIERD_JOURNAL_PATH + 1, &st, 0), errno);
	assert_in_range(st.st_size, 1, 128 * 1024);
	journal = tierd_journal_close(journal);
	fake_root_write(&world->fake, CGROUPS POD "/memory.high", "4999\n");
	assert_int_equal(restore(world, 0).restored, 1);
	assert_holds(world, CGROUPS POD "/memory.high", "max");
}

static void test_bounded(void **state)
{
	struct world *world = *state;
	_cleanup_(tierd_journal_closep) struct tierd_journal *journal = NULL;
	struct tierd_held held = pod(world, "", "1");

	assert_return_code(tierd_journal_open(&world->fake.root, &journal), 0);
	for (held.id = 1; held.id <= TIERD_JOURNAL_HELD_MAX; held.id++)
		assert_return_code(tierd_journal_hold(journal, &held), 0);
	assert_int_equal(tierd_journal_hold(journal, &held), -ENOBUFS);
	held.id = 1;
	assert_return_code(tierd_journal_hold(journal, &held), 0);
}

/* ---- Putting back -------------------------------------------------------------- */

static const struct {
	const char *held, *wanted, *found, *left;
	size_t restored;
} pod_cases[] = {
	{ "100", "200", "200", "max", 1 }, /* written */
	{ "100", "200", "100", "max", 1 }, /* died before the write */
	{ "100", "200", "300", "300", 0 }, /* somebody else's */
	{ "", "200", "max", "max", 0 },    /* never written */
	{ "100", "max", "max", "max", 0 }, /* let go of, but for the record */
};

static void test_cgroup(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(pod_cases); i++) {
		struct tierd_held held =
			pod(world, pod_cases[i].held, pod_cases[i].wanted);
		struct tierd_restore_counts counts;

		leave(world, &held, 1);
		fake_root_write(
			&world->fake, CGROUPS POD "/memory.high", pod_cases[i].found);
		counts = restore(world, 0);
		assert_int_equal(counts.restored, pod_cases[i].restored);
		assert_int_equal(counts.left, 1 - pod_cases[i].restored);
		assert_holds(world, CGROUPS POD "/memory.high", pod_cases[i].left);
		assert_false(exists(world, TIERD_JOURNAL_PATH));
	}
}

static void test_twice(void **state)
{
	struct world *world = *state;
	struct tierd_held held = pod(world, "", "100");

	leave(world, &held, 1);
	fake_root_write(&world->fake, CGROUPS POD "/memory.high", "100\n");
	assert_int_equal(restore(world, 0).restored, 1);
	/* It happens to be our old value, but now it is its owner's. */
	fake_root_write(&world->fake, CGROUPS POD "/memory.high", "100\n");
	assert_int_equal(restore(world, 0).restored, 0);
	assert_holds(world, CGROUPS POD "/memory.high", "100");
}

static void test_torn_tail(void **state)
{
	struct world *world = *state;
	struct tierd_held held = pod(world, "", "100");
	struct tierd_restore_counts counts;

	leave(world, &held, 1);
	append_text(world, "0badcafe hold high /pods/a - 1 remove max 100 5");
	fake_root_write(&world->fake, CGROUPS POD "/memory.high", "100\n");
	counts = restore(world, 0);
	assert_int_equal(counts.restored, 1);
	assert_int_equal(counts.skipped_lines, 1);
	assert_holds(world, CGROUPS POD "/memory.high", "max");
}

static void test_cgroup_made_again(void **state)
{
	struct world *world = *state;
	struct tierd_held held = pod(world, "", "100");

	held.id++;
	leave(world, &held, 1);
	fake_root_write(&world->fake, CGROUPS POD "/memory.high", "100\n");
	assert_int_equal(restore(world, 0).left, 1);
	assert_holds(world, CGROUPS POD "/memory.high", "100");
}

static void test_no_way_out_of_the_hierarchy(void **state)
{
	static const char *const paths[] = { "/../../../etc", "/link", "/pods/../.." };
	struct world *world = *state;

	fake_root_write(&world->fake, "/etc/memory.high", "100\n");
	fake_root_link(&world->fake, CGROUPS "/link", "../../../etc");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int fd;

		assert_true(tierd_cgroup_open_beneath(
				    world->cgroup_fd, paths[i], 0, &fd) < 0);
	}
	assert_holds(world, "/etc/memory.high", "100");
}

static void test_sysctl(void **state)
{
	struct world *world = *state;
	struct tierd_held held = sysctl();

	leave(world, &held, 1);
	fake_root_write(&world->fake, SYSCTL, "0\n");
	assert_int_equal(restore(world, 0).restored, 1);
	assert_holds(world, SYSCTL, "1");

	leave(world, &held, 1);
	fake_root_write(&world->fake, SYSCTL, "2\n");
	assert_int_equal(restore(world, 0).left, 1);
	assert_holds(world, SYSCTL, "2");
}

static void test_unit(void **state)
{
	struct world *world = *state;
	struct tierd_held held = unit(0, "max", "100", "200");

	leave(world, &held, 1);
	fake_root_write(&world->fake, CGROUPS UNIT "/memory.high", "200\n");
	fake_root_write(
		&world->fake, CONTROL, "# by systemd\n[Service]\nMemoryHigh=200\n");
	assert_int_equal(restore(world, 0).restored, 1);
	assert_string_equal(world->set, "max");
	assert_holds(world, CGROUPS UNIT "/memory.high", "max");
	assert_false(exists(world, CONTROL));
	assert_false(exists(world, "/run/systemd/system.control/x.service.d"));
}

/* systemctl set-property --runtime came after us: same file, not our value. */
static void test_unit_changed_by_its_owner(void **state)
{
	struct world *world = *state;
	struct tierd_held held = unit(0, "max", "100", "200");

	leave(world, &held, 1);
	fake_root_write(&world->fake, CGROUPS UNIT "/memory.high", "500\n");
	fake_root_write(&world->fake, CONTROL, "[Service]\nMemoryHigh=500\n");
	assert_int_equal(restore(world, 0).left, 1);
	assert_int_equal(world->n_set, 0);
	assert_holds(world, CGROUPS UNIT "/memory.high", "500");
	assert_true(exists(world, CONTROL));
}

/* Written past systemd: the value stays, our drop-in does not. */
static void test_unit_written_past_systemd(void **state)
{
	struct world *world = *state;
	struct tierd_held held = unit(0, "max", "100", "200");

	leave(world, &held, 1);
	fake_root_write(&world->fake, CGROUPS UNIT "/memory.high", "500\n");
	fake_root_write(&world->fake, CONTROL, "[Service]\nMemoryHigh=200\n");
	assert_int_equal(restore(world, 0).restored, 1);
	assert_int_equal(world->n_set, 0);
	assert_holds(world, CGROUPS UNIT "/memory.high", "500");
	assert_false(exists(world, CONTROL));
}

/* What the owner had set at run time before us is what stays on disk. */
static void test_unit_keeps_its_own_drop_in(void **state)
{
	struct world *world = *state;
	struct tierd_held held = unit(0, "500", "100", "200");

	held.keeps_drop_in = true;
	leave(world, &held, 1);
	fake_root_write(&world->fake, CGROUPS UNIT "/memory.high", "200\n");
	fake_root_write(&world->fake, CONTROL, "[Service]\nMemoryHigh=200\n");
	assert_int_equal(restore(world, 0).restored, 1);
	assert_string_equal(world->set, "500");
	assert_true(exists(world, CONTROL));
}

static void test_unit_gone(void **state)
{
	struct world *world = *state;
	struct tierd_held held = unit(0, "max", "100", "200");

	leave(world, &held, 1);
	fake_root_remove(&world->fake, CGROUPS UNIT);
	fake_root_write(&world->fake, CONTROL, "[Service]\nMemoryHigh=200\n");
	world->set_result = -ENOENT;
	assert_int_equal(restore(world, 0).restored, 1);
	assert_false(exists(world, CONTROL));
}

static void test_unit_without_systemd_is_kept_for_later(void **state)
{
	struct world *world = *state;
	struct tierd_held held[] = { unit(0, "max", "100", "200"), sysctl() };
	struct tierd_restore_counts counts;

	leave(world, held, 2);
	fake_root_write(&world->fake, CGROUPS UNIT "/memory.high", "200\n");
	fake_root_write(&world->fake, SYSCTL, "0\n");
	world->set_result = -ECONNREFUSED;
	counts = restore(world, -EIO);
	assert_int_equal(counts.failed, 1);
	assert_int_equal(counts.restored, 1);
	assert_holds(world, SYSCTL, "1");

	world->set_result = 0;
	assert_int_equal(restore(world, 0).restored, 1);
	assert_holds(world, CGROUPS UNIT "/memory.high", "max");
}

/* systemd does not write "no nodes": what it leaves behind is written past it. */
static void test_unit_nodes(void **state)
{
	struct world *world = *state;
	struct tierd_held held = unit(TIERD_ATTRIBUTE_CPUSET_MEMS, "", "", "1-2");

	leave(world, &held, 1);
	fake_root_write(&world->fake, CGROUPS UNIT "/cpuset.mems", "1-2\n");
	fake_root_write(&world->fake, NODES,
		"[Service]\nAllowedMemoryNodes=\nAllowedMemoryNodes=1 2\n");
	assert_int_equal(restore(world, 0).restored, 1);
	assert_int_equal(world->n_set, 1);
	assert_string_equal(world->set, "");
	assert_holds(world, CGROUPS UNIT "/cpuset.mems", "");
	assert_false(exists(world, NODES));
}

static void test_no_journal(void **state)
{
	struct tierd_restore_counts counts = restore(*state, 0);

	assert_int_equal(counts.restored + counts.left + counts.failed, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* As some things can only be put back after others: see restore_all(). */
static void test_what_is_held_stays_in_order(_unused_ void **state)
{
	static const char *const paths[] = { "/a", "/b", "/c", "/d" };
	struct tierd_held_list list = { 0 };
	struct tierd_held held = { .attribute = TIERD_ATTRIBUTE_SYSCTL };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		strcpy(held.path, paths[i]);
		assert_int_equal(tierd_held_list_put(&list, &held), 0);
	}
	strcpy(held.path, "/b");
	tierd_held_list_remove(&list, &held);
	tierd_held_list_remove(&list, &held);
	assert_int_equal(list.n_items, 3);
	assert_string_equal(list.items[0].path, "/a");
	assert_string_equal(list.items[1].path, "/c");
	assert_string_equal(list.items[2].path, "/d");
	tierd_held_list_done(&list);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_round_trip),
		cmocka_unit_test(test_record_of_longest),
		cmocka_unit_test(test_what_is_held_stays_in_order),
		TEST(test_cut_anywhere),
		TEST(test_changed_byte),
		TEST(test_nothing_held_leaves_nothing),
		TEST(test_one_at_a_time),
		TEST(test_leftover_is_not_overwritten),
		TEST(test_stays_small),
		TEST(test_bounded),
		TEST(test_cgroup),
		TEST(test_twice),
		TEST(test_torn_tail),
		TEST(test_cgroup_made_again),
		TEST(test_no_way_out_of_the_hierarchy),
		TEST(test_sysctl),
		TEST(test_unit),
		TEST(test_unit_changed_by_its_owner),
		TEST(test_unit_written_past_systemd),
		TEST(test_unit_keeps_its_own_drop_in),
		TEST(test_unit_gone),
		TEST(test_unit_without_systemd_is_kept_for_later),
		TEST(test_unit_nodes),
		TEST(test_no_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
