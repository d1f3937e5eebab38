/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings and writers: whose a cgroup is, that nothing is written before it is on
 * record, one write at a time, the pauses, drift, units that stop, and letting go.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "enforce/enforcer.h"
#include "enforce/journal-record.h"
#include "fake-root.h"

#define CGROUPS "/sys/fs/cgroup"
#define POD     "/pods/a"
#define UNIT    "/system.slice/x.service"
#define HIGH    CGROUPS POD "/memory.high"
#define CONTROL "/run/systemd/system.control/x.service.d/50-MemoryHigh.conf"

/* A writer whose writes end when the test says so. */
struct fake_writer {
	struct world *world;
	enum tierd_owner owner;
	bool is_busy;
	unsigned n;
	struct tierd_held job;
	bool was_on_record;
};

struct world {
	struct fake_root fake;
	int cgroup_fd;
	struct tierd_journal *journal;
	struct tierd_enforcer *enforcer;
	struct fake_writer systemd, cgroupfs;
	uint64_t now_ns;
	char drift[64]; /* the last, as it was told */
};

static void on_drift(void *userdata, const struct tierd_drift *drift)
{
	struct world *world = userdata;

	snprintf(world->drift, sizeof(world->drift), "%s %s %s %s", drift->path,
		drift->attribute, drift->expected, drift->found);
}

static bool is_on_record(struct world *world, const struct tierd_held *held)
{
	const struct tierd_held *entry = tierd_journal_find(world->journal, held);

	return entry && strcmp(entry->wanted, held->wanted) == 0;
}

static int begin_write(void *userdata, const struct tierd_held *held)
{
	struct fake_writer *writer = userdata;

	assert_false(writer->is_busy);
	writer->is_busy = true;
	writer->n++;
	writer->job = *held;
	writer->was_on_record = is_on_record(writer->world, held);
	return 0;
}

static const struct tierd_writer_ops systemd_ops = { begin_write, 100000000, 1 };
static const struct tierd_writer_ops cgroupfs_ops = { begin_write, 20000000, 0 };

static int is_delegated(_unused_ void *userdata, const char *path)
{
	return strcmp(path, "/system.slice/box.service") == 0;
}

static uint64_t clock_of(void *userdata)
{
	return *(uint64_t *)userdata;
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world->systemd = (struct fake_writer){ world, TIERD_OWNER_SYSTEMD };
	world->cgroupfs = (struct fake_writer){ world, TIERD_OWNER_CGROUPFS };
	fake_root_init(&world->fake);
	fake_root_mkdir(&world->fake, "/run");
	fake_root_write(&world->fake, HIGH, "max\n");
	fake_root_write(&world->fake, CGROUPS "/pods/b/memory.high", "max\n");
	fake_root_write(&world->fake, CGROUPS UNIT "/memory.high", "max\n");
	assert_return_code(tierd_root_open_file(&world->fake.root, CGROUPS,
				   O_PATH | O_DIRECTORY, &world->cgroup_fd),
		0);
	assert_return_code(tierd_journal_open(&world->fake.root, &world->journal), 0);
	assert_return_code(tierd_enforcer_new(
				   &(struct tierd_enforcer_config){
					   .root = &world->fake.root,
					   .cgroup_fd = world->cgroup_fd,
					   .journal = world->journal,
					   .has_systemd = true,
					   .writers = { { &systemd_ops, &world->systemd },
						   { &cgroupfs_ops, &world->cgroupfs } },
					   .clock = clock_of,
					   .clock_data = &world->now_ns,
					   .is_delegated = is_delegated,
					   .on_drift = on_drift,
					   .drift_userdata = world,
				   },
				   &world->enforcer),
		0);
	world->now_ns = UINT64_C(1000000000);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	tierd_enforcer_free(world->enforcer);
	tierd_journal_close(world->journal);
	close(world->cgroup_fd);
	fake_root_done(&world->fake);
	free(world);
	return 0;
}

static struct tierd_setting *new_setting(struct world *world, const char *path)
{
	struct tierd_setting *setting;

	assert_return_code(tierd_setting_new(world->enforcer, TIERD_ATTRIBUTE_MEMORY_HIGH,
				   path, 0, &setting),
		0);
	return setting;
}

static void assert_holds(struct world *world, const char *path, const char *value)
{
	_cleanup_(freep) char *line = NULL;

	assert_return_code(tierd_root_read_line(&world->fake.root, path, &line), 0);
	assert_string_equal(line, value);
}

/* Ends the write that is under way as the kernel would, or with an error. */
static void end_write(struct fake_writer *writer, int r)
{
	struct world *world = writer->world;
	char path[PATH_MAX];

	assert_true(writer->is_busy);
	writer->is_busy = false;
	snprintf(path, sizeof(path), CGROUPS "%s/%s", writer->job.path,
		tierd_attribute_file(writer->job.attribute));
	if (r >= 0 && *writer->job.wanted) /* systemd does not write "no nodes" */
		fake_root_write(&world->fake, path, writer->job.wanted);
	world->now_ns += 1000000;
	tierd_enforcer_written(world->enforcer, writer->owner, r, world->now_ns);
}

static void pass(struct world *world, uint64_t ms)
{
	world->now_ns += ms * 1000000;
	tierd_enforcer_dispatch(world->enforcer, world->now_ns);
}

/* ---- Ownership ----------------------------------------------------------------- */

static const struct {
	const char *path;
	int owner;
	const char *unit;
} owners[] = {
	{ "/system.slice/x.service", TIERD_OWNER_SYSTEMD, "x.service" },
	{ "/system.slice/a.slice/x@1.service", TIERD_OWNER_SYSTEMD, "x@1.service" },
	{ "/system.slice", TIERD_OWNER_SYSTEMD, "system.slice" },
	{ "/init.scope", TIERD_OWNER_SYSTEMD, "init.scope" },
	{ "/system.slice/_cpu.service", TIERD_OWNER_SYSTEMD, "cpu.service" },
	{ "/system.slice/box.service", TIERD_OWNER_SYSTEMD, "box.service" },
	{ "/system.slice/box.service/pay", TIERD_OWNER_CGROUPFS, "" },
	{ "/system.slice/box.service/pay/x.service", TIERD_OWNER_CGROUPFS, "" },
	{ "/system.slice/x.service/pay", TIERD_OWNER_NOBODY, "" },
	{ "/pods/x.service", TIERD_OWNER_CGROUPFS, "" },
	{ "/pods", TIERD_OWNER_CGROUPFS, "" },
	{ "/system.slice/odd", TIERD_OWNER_CGROUPFS, "" },
	{ "/.service", TIERD_OWNER_CGROUPFS, "" },
};

static void test_owners(_unused_ void **state)
{
	char unit[TIERD_UNIT_NAME_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		assert_int_equal(
			tierd_owner_find(owners[i].path, true, is_delegated, NULL, unit),
			owners[i].owner);
		assert_string_equal(unit, owners[i].unit);
		assert_int_equal(
			tierd_owner_find(owners[i].path, false, is_delegated, NULL, unit),
			TIERD_OWNER_CGROUPFS);
	}
}

static void test_hands_off(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting;

	assert_int_equal(tierd_setting_new(world->enforcer, TIERD_ATTRIBUTE_MEMORY_HIGH,
				 "/system.slice/x.service/pay", 0, &setting),
		-EPERM);
}

/* ---- Writing ------------------------------------------------------------------- */

static void test_on_record_first(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	assert_false(tierd_setting_is_held(setting));
	tierd_setting_want(setting, "4096");
	assert_int_equal(world->cgroupfs.n, 1);
	assert_true(world->cgroupfs.was_on_record);
	assert_string_equal(world->cgroupfs.job.before, "max");
	end_write(&world->cgroupfs, 0);
	assert_true(tierd_setting_is_done(setting));
	assert_string_equal(tierd_setting_value(setting), "4096");

	/* Nothing to write. */
	tierd_setting_want(setting, "4096");
	pass(world, 1000);
	assert_int_equal(world->cgroupfs.n, 1);
}

static void test_latest_counts(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	tierd_setting_want(setting, "4096");
	tierd_setting_want(setting, "8192");
	tierd_setting_want(setting, "12288");
	end_write(&world->cgroupfs, 0);
	pass(world, 20);
	assert_int_equal(world->cgroupfs.n, 2);
	assert_string_equal(world->cgroupfs.job.wanted, "12288");
	assert_string_equal(world->cgroupfs.job.held, "4096");
}

static void test_pauses(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, UNIT);

	tierd_setting_want(setting, "4096");
	end_write(&world->systemd, 0);
	tierd_setting_want(setting, "8192");
	pass(world, 98);
	assert_int_equal(world->systemd.n, 1);
	pass(world, 1);
	assert_int_equal(world->systemd.n, 2);

	/* A long write is followed by a rest as long. */
	world->now_ns += UINT64_C(499000000);
	end_write(&world->systemd, 0);
	tierd_setting_want(setting, "4096");
	pass(world, 499);
	assert_int_equal(world->systemd.n, 2);
	pass(world, 1);
	assert_int_equal(world->systemd.n, 3);
}

static void test_turns(void **state)
{
	struct world *world = *state;
	struct tierd_setting *a = new_setting(world, POD);
	struct tierd_setting *b = new_setting(world, "/pods/b");
	unsigned of_b = 0;

	for (unsigned i = 0; i < 10; i++) {
		tierd_setting_want(a, i % 2 ? "4096" : "8192");
		tierd_setting_want(b, i % 2 ? "4096" : "8192");
		pass(world, 100);
		of_b += strcmp(world->cgroupfs.job.path, "/pods/b") == 0;
		end_write(&world->cgroupfs, 0);
	}
	assert_in_range(of_b, 4, 6);
}

static void test_failure_is_tried_again(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	tierd_setting_want(setting, "4096");
	end_write(&world->cgroupfs, -EBUSY);
	pass(world, 900);
	assert_int_equal(world->cgroupfs.n, 1);
	pass(world, 200);
	assert_int_equal(world->cgroupfs.n, 2);
	end_write(&world->cgroupfs, 0);
	assert_true(tierd_setting_is_done(setting));
}

/* ---- Letting go ---------------------------------------------------------------- */

static void test_let_go(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	tierd_setting_let_go(setting);
	assert_int_equal(world->cgroupfs.n, 0);
	tierd_setting_want(setting, "4096");
	end_write(&world->cgroupfs, 0);
	tierd_setting_let_go(setting);
	pass(world, 100);
	assert_string_equal(world->cgroupfs.job.wanted, "max");
	end_write(&world->cgroupfs, 0);
	assert_false(tierd_setting_is_held(setting));
	assert_int_equal(tierd_journal_n_held(world->journal), 0);
	assert_holds(world, HIGH, "max");
}

static void test_let_go_during_a_write(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	tierd_setting_want(setting, "4096");
	tierd_setting_let_go(setting);
	end_write(&world->cgroupfs, 0);
	assert_int_equal(tierd_journal_n_held(world->journal), 1);
	pass(world, 100);
	end_write(&world->cgroupfs, 0);
	assert_holds(world, HIGH, "max");
	assert_int_equal(tierd_journal_n_held(world->journal), 0);
}

/* A group that goes leaves its setting to the enforcer. */
static void test_freed_while_held(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD), *again;

	tierd_setting_want(setting, "4096");
	tierd_setting_free(setting);
	end_write(&world->cgroupfs, 0);
	again = new_setting(world, POD);
	tierd_setting_want(again, "8192");
	pass(world, 100);
	assert_string_equal(world->cgroupfs.job.wanted, "max");
	end_write(&world->cgroupfs, 0);
	pass(world, 100);
	assert_string_equal(world->cgroupfs.job.wanted, "8192");
	assert_string_equal(world->cgroupfs.job.before, "max");
}

static void test_unit_lets_go_of_its_drop_in(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, UNIT);

	tierd_setting_want(setting, "4096");
	end_write(&world->systemd, 0);
	fake_root_write(&world->fake, CONTROL, "[Service]\nMemoryHigh=infinity\n");
	tierd_setting_let_go(setting);
	pass(world, 1000);
	end_write(&world->systemd, 0);
	assert_int_equal(faccessat(world->fake.root.fd, CONTROL + 1, F_OK, 0), -1);
	assert_int_equal(tierd_journal_n_held(world->journal), 0);
}

static void test_unit_lets_go_of_its_nodes(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting;

	fake_root_write(&world->fake, CGROUPS UNIT "/cpuset.mems", "\n");
	assert_return_code(tierd_setting_new(world->enforcer, TIERD_ATTRIBUTE_CPUSET_MEMS,
				   UNIT, 0, &setting),
		0);
	tierd_setting_want(setting, "1");
	end_write(&world->systemd, 0);
	assert_holds(world, CGROUPS UNIT "/cpuset.mems", "1");
	tierd_setting_let_go(setting);
	pass(world, 1000);
	end_write(&world->systemd, 0);
	assert_holds(world, CGROUPS UNIT "/cpuset.mems", "");
	assert_false(tierd_setting_is_held(setting));
	assert_int_equal(tierd_setting_drifts(setting), 0);

	/* And the other way round, at once. */
	tierd_setting_want(setting, "0");
	pass(world, 1000);
	end_write(&world->systemd, 0);
	assert_holds(world, CGROUPS UNIT "/cpuset.mems", "0");
}

/* A unit that stopped starts again with what systemd remembers. */
static void test_unit_that_stopped(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, UNIT);

	tierd_setting_want(setting, "4096");
	end_write(&world->systemd, 0);
	fake_root_remove(&world->fake, CGROUPS UNIT);
	tierd_setting_free(setting);
	pass(world, 1000);
	assert_int_equal(world->systemd.n, 2);
	assert_string_equal(world->systemd.job.wanted, "max");
	end_write(&world->systemd, -ENOENT);
	assert_int_equal(tierd_journal_n_held(world->journal), 0);
}

static void test_cgroup_that_is_gone(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	tierd_setting_want(setting, "4096");
	end_write(&world->cgroupfs, 0);
	fake_root_remove(&world->fake, CGROUPS POD);
	tierd_setting_want(setting, "8192");
	pass(world, 100);
	assert_int_equal(world->cgroupfs.n, 1);
	assert_int_equal(tierd_journal_n_held(world->journal), 0);
}

/* ---- Drift --------------------------------------------------------------------- */

static void test_drift(void **state)
{
	static const char *const theirs[] = { "100", "200", "300" };
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	tierd_setting_want(setting, "4096");
	end_write(&world->cgroupfs, 0);
	for (unsigned i = 0; i < 2; i++) {
		world->now_ns += UINT64_C(1000000000);
		tierd_enforcer_check(world->enforcer, world->now_ns);
		assert_int_equal(tierd_setting_drifts(setting), i);
		fake_root_write(&world->fake, HIGH, theirs[i]);
		tierd_enforcer_check(world->enforcer, world->now_ns);
		assert_int_equal(tierd_setting_drifts(setting), i + 1);
		end_write(&world->cgroupfs, 0);
		assert_holds(world, HIGH, "4096");
	}
	fake_root_write(&world->fake, HIGH, theirs[2]);
	tierd_enforcer_check(world->enforcer, world->now_ns);
	assert_true(tierd_setting_is_lost(setting));
	assert_int_equal(tierd_journal_n_held(world->journal), 0);
	tierd_setting_want(setting, "8192");
	pass(world, 5000);
	assert_int_equal(world->cgroupfs.n, 3);
	assert_holds(world, HIGH, theirs[2]);
}

/* The owner's own value from before counts as well, once ours was in place. */
static void test_drift_back(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	tierd_setting_want(setting, "4096");
	end_write(&world->cgroupfs, 0);
	fake_root_write(&world->fake, HIGH, "max\n");
	tierd_setting_want(setting, "8192");
	pass(world, 100);
	assert_int_equal(tierd_setting_drifts(setting), 1);
	assert_string_equal(world->drift, POD " memory.high 4096 max");
}

/* What somebody wrote meanwhile is what there will be after us. */
static void test_drift_is_put_back(void **state)
{
	struct world *world = *state;
	struct tierd_setting *setting = new_setting(world, POD);

	tierd_setting_want(setting, "4096");
	end_write(&world->cgroupfs, 0);
	fake_root_write(&world->fake, HIGH, "500\n");
	tierd_enforcer_check(world->enforcer, world->now_ns);
	end_write(&world->cgroupfs, 0);
	assert_holds(world, HIGH, "4096");
	tierd_setting_let_go(setting);
	pass(world, 1000);
	end_write(&world->cgroupfs, 0);
	assert_holds(world, HIGH, "500");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owners),
		TEST(test_hands_off),
		TEST(test_on_record_first),
		TEST(test_latest_counts),
		TEST(test_pauses),
		TEST(test_turns),
		TEST(test_failure_is_tried_again),
		TEST(test_let_go),
		TEST(test_let_go_during_a_write),
		TEST(test_freed_while_held),
		TEST(test_unit_lets_go_of_its_drop_in),
		TEST(test_unit_lets_go_of_its_nodes),
		TEST(test_unit_that_stopped),
		TEST(test_cgroup_that_is_gone),
		TEST(test_drift),
		TEST(test_drift_back),
		TEST(test_drift_is_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
