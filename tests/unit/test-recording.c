/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recording a group and playing it back: what it was told comes out of the trace, in
 * order and by pid; recordings end by time, by their reader, with their group.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#include "fake-root.h"
#include "group-internal.h"
#include "recording.h"
#include "sampler/sampler.h"

#define ADDRESS (UINT64_C(0x7f00) << TIER_BLOCK_SHIFT)
#define SEC     UINT64_C(1000000000)

DEFINE_CLEANUP(struct tier_trace_reader *, tier_trace_reader_free)

static const struct tierd_topology topology = { .n_tiers = 2 };

struct fixture {
	struct tierd_root root;
	struct tierd_group_context context;
	struct tierd_policy policy;
	struct tierd_group *group;
	sd_event *event;
};

/* A group of one process, this one, and of one block with two pages. */
static int setup(void **state)
{
	static struct fixture fixture;
	struct tier_residency residency = { .anonymous = true };
	struct tierd_cgroup_root cgroups;
	struct tierd_cgroup *cgroup;
	pid_t pid = getpid();

	fixture = (struct fixture){ 0 };
	assert_int_equal(tierd_root_open("/", &fixture.root), 0);
	cgroups = (struct tierd_cgroup_root){ .fd = fixture.root.fd }; /* any folder */
	fixture.context = (struct tierd_group_context){
		.root = &fixture.root,
		.topology = &topology,
		.dram_total_bytes = UINT64_C(1) << 30,
		.bandwidth_max_bytes = UINT64_MAX,
	};
	tierd_policy_defaults(&fixture.policy);
	assert_int_equal(tierd_cgroup_open(&cgroups, "/tmp", &cgroup), 0);
	assert_int_equal(tierd_group_new(&fixture.context, cgroup, &fixture.policy,
				 &fixture.group),
		0);
	assert_int_equal(tierd_group_set_processes(fixture.group, &pid, 1), 0);
	tierd_group_space(fixture.group, 0)->is_known = true;
	tier_residency_add(&residency, 0, 0);
	tier_residency_add(&residency, 9, 1);
	assert_int_equal(
		tier_group_set_residency(tierd_group_heat(fixture.group),
			tierd_group_space(fixture.group, 0)->id, ADDRESS, &residency),
		0);
	assert_int_equal(sd_event_new(&fixture.event), 0);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	tierd_group_free(fixture->group);
	sd_event_unref(fixture->event);
	tierd_root_close(&fixture->root);
	return 0;
}

static int begin(struct fixture *fixture, uint64_t duration_ns)
{
	int fd;

	assert_int_equal(tierd_group_record(fixture->group, fixture->event, "pmu", 199,
				 duration_ns, &fd),
		0);
	assert_true(tierd_group_is_recorded(fixture->group));
	return fd;
}

static void run_until_over(struct fixture *fixture)
{
	for (int i = 0; tierd_group_is_recorded(fixture->group); i++) {
		assert_true(i < 1000);
		assert_return_code(sd_event_run(fixture->event, 100000), 0);
	}
}

static void touch(struct fixture *fixture, unsigned page, bool is_store)
{
	tierd_group_sample(fixture->group, tierd_group_space(fixture->group, 0),
		ADDRESS + page * TIER_PAGE_SIZE + 8, is_store);
	tierd_group_feed(fixture->group);
}

static void next(struct tier_trace_reader *reader, enum tier_trace_type type,
	struct tier_trace_record *ret)
{
	assert_int_equal(tier_trace_reader_next(reader, ret), TIER_TRACE_RECORD);
	assert_int_equal(ret->type, type);
}

static void test_what_is_told_is_in_the_trace(void **state)
{
	_cleanup_(tier_trace_reader_freep) struct tier_trace_reader *reader = NULL;
	struct fixture *fixture = *state;
	struct tier_trace_record record;
	struct tier_trace_meta meta;
	uint64_t pid = (uint64_t)getpid();
	int fd;

	touch(fixture, 0, false); /* before, so not in it */
	fd = begin(fixture, SEC);
	touch(fixture, 9, true);
	tierd_group_advance(fixture->group, 5 * SEC, 0.25);
	tierd_space_restart(
		tierd_group_space(fixture->group, 0), tierd_group_heat(fixture->group));
	shutdown(fd, SHUT_WR);
	run_until_over(fixture);

	assert_int_equal(tier_trace_reader_new_fd(fd, &reader), 0);
	assert_int_equal(tier_trace_reader_get_meta(reader, &meta), 0);
	assert_string_equal(meta.source, "pmu");
	assert_int_equal(meta.period, 199);
	assert_int_equal(meta.n_tiers, 2);
	next(reader, TIER_TRACE_ADVANCE, &record);
	next(reader, TIER_TRACE_RESIDENCY, &record);
	assert_int_equal(record.residency.space, pid);
	assert_int_equal(record.residency.address, ADDRESS);
	assert_int_equal(record.residency.pages.resident[0], 1 | 1 << 9);
	assert_int_equal(record.residency.pages.tier[0][0], 1 << 9);
	next(reader, TIER_TRACE_SAMPLE, &record);
	assert_int_equal(record.sample.access.space, pid);
	assert_int_equal(record.sample.access.address, ADDRESS + 9 * TIER_PAGE_SIZE + 8);
	assert_true(record.sample.access.is_store);
	next(reader, TIER_TRACE_ADVANCE, &record);
	assert_int_equal(record.advance.now_ns, 5 * SEC);
	assert_true(record.advance.exposure == 0.25);
	next(reader, TIER_TRACE_RESIDENCY, &record); /* the block goes, */
	next(reader, TIER_TRACE_SPACE_END, &record); /* and the space */
	assert_int_equal(record.space, pid);
	assert_int_equal(tier_trace_reader_next(reader, &record), TIER_TRACE_END);
	close(fd);
}

static void test_it_ends_by_itself(void **state)
{
	struct fixture *fixture = *state;
	int fd, other;

	fd = begin(fixture, SEC / 50);
	assert_int_equal(
		tierd_group_record(fixture->group, fixture->event, "pmu", 1, SEC, &other),
		-EBUSY);
	run_until_over(fixture);
	touch(fixture, 0, false); /* nobody listens */
	close(fd);
	close(begin(fixture, SEC));
}

static void test_the_reader_goes(void **state)
{
	struct fixture *fixture = *state;
	int fd = begin(fixture, 3600 * SEC);

	close(fd);
	run_until_over(fixture);
	touch(fixture, 0, false);
}

/* It gets no more than it was ready to hold, and tierd does not wait. */
static void test_the_reader_is_too_slow(void **state)
{
	struct fixture *fixture = *state;
	int fd = begin(fixture, 3600 * SEC);
	uint64_t random = 1;

	for (unsigned i = 0; i < 20000000 && tierd_group_is_recorded(fixture->group);
		i++) {
		random = random * UINT64_C(6364136223846793005) + 1;
		tierd_group_sample(fixture->group, tierd_group_space(fixture->group, 0),
			random >> 17, false);
	}
	assert_false(tierd_group_is_recorded(fixture->group));
	close(fd);
}

static void test_another_engine_ends_it(void **state)
{
	struct fixture *fixture = *state;
	struct tierd_policy tpp = fixture->policy;
	int fd = begin(fixture, 3600 * SEC);

	tpp.engine = TIER_ENGINE_TPP;
	tierd_group_set_policy(fixture->group, &tpp);
	assert_false(tierd_group_is_recorded(fixture->group));
	close(fd);
}

/* ---- Playing back ---------------------------------------------------------------- */

struct heard {
	unsigned n;
	struct tierd_access last;
};

static void on_sample(void *userdata, const struct tierd_access *access)
{
	struct heard *heard = userdata;

	heard->n++;
	heard->last = *access;
}

static void add(struct tier_trace_writer *writer, const struct tier_trace_record *record)
{
	assert_int_equal(tier_trace_writer_add(writer, record), 0);
}

static void add_sample(struct tier_trace_writer *writer, uint64_t space, uint64_t address)
{
	add(writer, &(struct tier_trace_record){
			    .type = TIER_TRACE_SAMPLE,
			    .sample = { .access = { .space = space,
						.address = address,
						.is_store = true },
				    .latency = 300,
				    .tier = TIER_TRACE_TIER_UNKNOWN },
		    });
}

static void add_tick(struct tier_trace_writer *writer, uint64_t now_ns, double exposure)
{
	add(writer, &(struct tier_trace_record){
			    .type = TIER_TRACE_ADVANCE,
			    .advance = { now_ns, exposure },
		    });
}

/* One sample at the beginning, one 40 ms later, one an hour later. */
static void write_trace(const char *path)
{
	const struct tier_trace_meta meta = { .n_tiers = 2, .source = "test" };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct tier_trace_writer *writer;

	assert_return_code(fd, errno);
	assert_int_equal(tier_trace_writer_new_fd(&meta, fd, &writer), 0);
	add_tick(writer, 1000 * SEC, 0);
	add_sample(writer, 77, 0x1000);
	add_sample(writer, UINT64_C(1) << 40, 0x1000); /* of no process */
	add_tick(writer, 1000 * SEC + SEC / 25, 0.0004);
	add_sample(writer, 78, 0x2000);
	add_tick(writer, 4600 * SEC, 1);
	add_sample(writer, 79, 0x3000);
	assert_int_equal(tier_trace_writer_finish(writer), 0);
	tier_trace_writer_free(writer);
	close(fd);
}

static void test_replay(void **state)
{
	char path[] = "/tmp/test-recording-XXXXXX";
	struct fixture *fixture = *state;
	struct tierd_sampler_config config = {
		.source = "replay", .replay = path, .root = &fixture->root
	};
	struct heard heard = { 0 };
	const struct tierd_sampler_sink sink = { &heard, on_sample, NULL, NULL, NULL };
	struct tierd_sampler_stats stats;
	struct tierd_sampler *sampler;
	char *error = NULL;

	close(mkstemp(path));
	write_trace(path);
	if (tierd_sampler_open(&config, &sampler, &error) < 0)
		fail_msg("%s", error);
	assert_int_equal(tierd_sampler_drain(sampler, 100, &sink), 0);
	assert_int_equal(heard.n, 1);
	assert_int_equal(heard.last.pid, 77);
	assert_int_equal(heard.last.address, 0x1000);
	assert_int_equal(heard.last.latency, 300);
	assert_true(heard.last.is_store);
	usleep(60000);
	assert_int_equal(tierd_sampler_drain(sampler, 1, &sink), 1);
	assert_int_equal(tierd_sampler_drain(sampler, 100, &sink), 0);
	assert_int_equal(heard.n, 2);
	assert_int_equal(heard.last.pid, 78);
	/* 40 ms at an exposure of 0.0004: one access in a hundred. */
	assert_int_equal(heard.last.period, 100);
	tierd_sampler_get_stats(sampler, &stats);
	assert_string_equal(stats.source, "replay");
	assert_string_equal(stats.event, path);
	assert_int_equal(stats.samples, 2);
	assert_int_equal(stats.unattributed, 1);
	assert_int_equal(stats.period, 100);
	tierd_sampler_free(sampler);
	unlink(path);
}

static void test_replay_refuses(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *path;
		const char *says;
	} rows[] = {
		{ "", "Replay=" },
		{ "/nonexistent.trace", "/nonexistent.trace" },
		{ "/proc/self/cmdline", "is no trace" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tierd_sampler_config config = {
			.source = "replay", .replay = rows[i].path, .root = &fixture->root
		};
		struct tierd_sampler *sampler;
		char *error = NULL;

		assert_true(tierd_sampler_open(&config, &sampler, &error) < 0);
		assert_non_null(strstr(error, rows[i].says));
		free(error);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_told_is_in_the_trace),
		TEST(test_it_ends_by_itself),
		TEST(test_the_reader_goes),
		TEST(test_the_reader_is_too_slow),
		TEST(test_another_engine_ends_it),
		TEST(test_replay),
		TEST(test_replay_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
