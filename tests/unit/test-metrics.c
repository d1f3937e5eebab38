/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tierd tells a monitoring system: that the text is OpenMetrics to a strict reader,
 * which is itself shown to refuse what is not; what is in it; and the file and the socket
 * it goes to, whose clients may do what they like. The dashboard names no metric that
 * there is not.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "fake-manager.h"
#include "metrics-text.h"
#include "metrics.h"
#include "openmetrics.h"
#include "settings/config.h"

#define DASHBOARD SOURCE_ROOT "/conf/grafana-dashboard.json"

DEFINE_CLEANUP(json_object *, json_object_put)

static struct openmetrics metrics;

/* ---- The reader ---------------------------------------------------------------- */

#define HEAD  "# TYPE a gauge\n# HELP a X.\n"
#define COUNT "# TYPE a counter\n# HELP a X.\n"

static void test_reader(_unused_ void **state)
{
	static const struct {
		const char *text;
		const char *error; /* NULL: it is good */
	} rows[] = {
		{ "# EOF\n", NULL },
		{ HEAD "a 1\n# EOF\n", NULL },
		{ HEAD "a{b=\"\\\\\\\"\\n\"} NaN\na{b=\"\"} +Inf\n# EOF\n", NULL },
		{ "# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes X.\n"
		  "a_bytes_total 1e3\n# EOF\n",
			NULL },
		{ "", "no # EOF" },
		{ HEAD "a 1\n", "no # EOF" },
		{ HEAD "a 1\n# EOF", "something follows" },
		{ HEAD "a 1\n# EOF\n\n", "something follows" },
		{ HEAD "\na 1\n# EOF\n", "not a sample" },
		{ HEAD "a_total 1\n# EOF\n", "not a sample" },
		{ HEAD "b 1\n# EOF\n", "not a sample" },
		{ COUNT "a 1\n# EOF\n", "not a sample" },
		{ COUNT "a_total -1\n# EOF\n", "negative" },
		{ COUNT "a_total NaN\n# EOF\n", "negative" },
		{ "# TYPE a_total counter\n# EOF\n", "suffix" },
		{ "# TYPE a gauge\na 1\n# EOF\n", "no help" },
		{ "# HELP a X.\na 1\n# EOF\n", "no type" },
		{ "# TYPE a histogram\n# EOF\n", "none of ours" },
		{ HEAD "# UNIT a bytes\n# EOF\n", "end in its unit" },
		{ HEAD "a 1\n# UNIT a a\n# EOF\n", "after the family's samples" },
		{ HEAD "a 1\na 2\n# EOF\n", "a" },
		{ HEAD "a{b=\"1\"} 1\na{b=\"1\"} 1\n# EOF\n", "a{b=\"1\"}" },
		{ HEAD "# TYPE b gauge\n# HELP b X.\n" HEAD "# EOF\n", "was there" },
		{ HEAD HEAD "# EOF\n", "a second type" },
		{ HEAD "a 1 2\n# EOF\n", "no value" },
		{ HEAD "a 0x1\n# EOF\n", "no value" },
		{ HEAD "a inf\n# EOF\n", "no value" },
		{ HEAD "a{b=\"\\t\"} 1\n# EOF\n", "bad labels" },
		{ HEAD "a{b=\"1\",b=\"2\"} 1\n# EOF\n", "bad labels" },
		{ HEAD "a{__b=\"1\"} 1\n# EOF\n", "bad labels" },
		{ HEAD "a{b=\"1} 1\n# EOF\n", "bad labels" },
		{ HEAD "a{b=\"\xff\"} 1\n# EOF\n", "not UTF-8" },
		{ "# TYPE a gauge\n# HELP a \"X\".\n# EOF\n", "escaped" },
		{ "# a comment\n# EOF\n", "not TYPE" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool is_good =
			openmetrics_parse(&metrics, rows[i].text, strlen(rows[i].text));

		if (is_good != !rows[i].error ||
			(!is_good && !strstr(metrics.error, rows[i].error)))
			fail_msg("case %zu: %s", i, metrics.error);
		openmetrics_done(&metrics);
	}
}

/* ---- The text ------------------------------------------------------------------ */

static void format(const struct tierd_manager *manager, uint64_t n_refused)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;

	assert_int_equal(tierd_metrics_format(manager, n_refused, &text, &size), 0);
	assert_int_equal(strlen(text), size);
	if (!openmetrics_parse(&metrics, text, size))
		fail_msg("%s", metrics.error);
}

static double value(const char *series)
{
	const struct openmetrics_series *found = openmetrics_find(&metrics, series);

	if (!found)
		fail_msg("there is no %s", series);
	return found->value;
}

#define OF_GUPS "{cgroup=\"/system.slice/gups.service\"}"
#define IN_GUPS "{cgroup=\"/system.slice/gups.service\","

static void test_values(_unused_ void **state)
{
	static const struct {
		const char *series;
		double value;
	} rows[] = {
		{ "tierd_version{version=\"1.2.3\"}", 1 },
		{ "tierd_uptime_seconds", 11520 },
		{ "tierd_cpu_seconds_total", 138 },
		{ "tierd_paused", 0 },
		{ "tierd_samples_total", 12345678 },
		{ "tierd_samples_lost_total", 17 },
		{ "tierd_sample_period", 49 },
		{ "tierd_samples_wanted", 20000 },
		{ "tierd_samples_target", 15000 },
		{ "tierd_loop_cpu_seconds_total", 100 },
		{ "tierd_sampling_overhead_seconds_total", 4 },
		{ "tierd_node_total_bytes{node=\"3\",tier=\"1\"}", 2147483648 },
		{ "tierd_node_free_bytes{node=\"0\",tier=\"0\"}", 312 << 20 },
		{ "tierd_groups", 4 },
		{ "tierd_metrics_groups_omitted", 0 },
		{ "tierd_metrics_clients_refused_total", 5 },
		{ "tierd_group_dram_quota_bytes" OF_GUPS, 700 << 20 },
		{ "tierd_group_dram_bytes" OF_GUPS, 712 << 20 },
		{ "tierd_group_slow_bytes" OF_GUPS, 1348 << 20 },
		{ "tierd_group_uncovered_bytes" OF_GUPS, 3 << 20 },
		{ "tierd_group_processes" OF_GUPS, 2 },
		{ "tierd_group_hit_ratio" OF_GUPS, 0.9375 },
		{ "tierd_group_promoted_bytes_total" OF_GUPS, 402 << 20 },
		{ "tierd_group_filtered_pages_total" IN_GUPS "why=\"warm\"}", 99 },
		{ "tierd_group_tried_pages_total" IN_GUPS "direction=\"demote\"}", 70 },
		{ "tierd_group_result_pages_total" IN_GUPS
		  "direction=\"promote\",result=\"busy\"}",
			40 },
		{ "tierd_group_result_pages_total" IN_GUPS
		  "direction=\"collapse\",result=\"done\"}",
			1024 },
		{ "tierd_group_planned_pages_total" IN_GUPS "reason=\"exchange\"}", 7 },
		{ "tierd_group_samples_total" IN_GUPS "where=\"slow\"}", 1 },
		{ "tierd_group_dram_quota_bytes{cgroup=\"" FAKE_POSTGRES "\"}",
			INFINITY },
	};
	struct tierd_manager manager;

	fake_manager_fill(&manager);
	format(&manager, 5);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (value(rows[i].series) != rows[i].value)
			fail_msg("%s is %f", rows[i].series, value(rows[i].series));
	assert_true(isnan(value("tierd_group_hit_ratio{cgroup=\"" FAKE_POSTGRES "\"}")));
	openmetrics_done(&metrics);
}

/* Names of cgroups are anybody's. */
static void test_names(_unused_ void **state)
{
	struct tierd_manager manager;

	fake_manager_fill(&manager);
	manager.groups[1]->view.cgroup = "/a\"} 1\n# EOF\n\\x";
	format(&manager, 0);
	assert_true(
		value("tierd_group_dram_bytes{cgroup="
		      "\"/a\\\"} 1\\n# EOF\\n\\\\x\"}") == (double)(UINT64_C(4) << 30));
	assert_true(value("tierd_group_dram_bytes{cgroup=\"/user.slice/k\303\244se "
			  "\033[31m\\\\xff.scope\"}") == (double)(UINT64_C(4) << 30));
	openmetrics_done(&metrics);
}

static void test_bounds(_unused_ void **state)
{
	static struct tierd_group many[FAKE_GROUPS_MAX];
	struct tierd_manager manager;
	char names[FAKE_GROUPS_MAX][16];

	_Static_assert(FAKE_GROUPS_MAX > TIERD_METRICS_GROUPS_MAX, "no more than fit");
	fake_manager_fill(&manager);
	for (size_t i = 0; i < FAKE_GROUPS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "/%03zu", i);
		many[i].view = manager.groups[0]->view;
		many[i].view.cgroup = names[i];
	}
	for (size_t i = 0; i < FAKE_GROUPS_MAX; i++)
		manager.groups[i] = &many[i];
	manager.n_groups = FAKE_GROUPS_MAX;
	format(&manager, 0);
	assert_true(value("tierd_groups") == FAKE_GROUPS_MAX);
	assert_true(value("tierd_metrics_groups_omitted") ==
		    FAKE_GROUPS_MAX - TIERD_METRICS_GROUPS_MAX);
	assert_non_null(
		openmetrics_find(&metrics, "tierd_group_plans_total{cgroup=\"/255\"}"));
	assert_null(
		openmetrics_find(&metrics, "tierd_group_plans_total{cgroup=\"/256\"}"));
	openmetrics_done(&metrics);
	manager.n_groups = 0;
	format(&manager, 0);
	assert_false(openmetrics_has_name(&metrics, "tierd_group_plans_total"));
	openmetrics_done(&metrics);
}

/* ---- The dashboard ------------------------------------------------------------- */

/* Every name in an expression that begins with tierd_ has to be one of a series. */
static unsigned check_expression(const char *text)
{
	unsigned n = 0;

	while ((text = strstr(text, "tierd_"))) {
		size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz_");
		char name[OPENMETRICS_NAME_MAX];

		assert_true(length < sizeof(name));
		memcpy(name, text, length);
		name[length] = '\0';
		if (!openmetrics_has_name(&metrics, name))
			fail_msg("the dashboard names %s", name);
		text += length;
		n++;
	}
	return n;
}

static unsigned check_expressions(json_object *object)
{
	unsigned n = 0;

	if (json_object_is_type(object, json_type_string))
		return check_expression(json_object_get_string(object));
	if (json_object_is_type(object, json_type_array))
		for (size_t i = 0; i < json_object_array_length(object); i++)
			n += check_expressions(json_object_array_get_idx(object, i));
	if (json_object_is_type(object, json_type_object)) {
		json_object_object_foreach (object, key, member) {
			(void)key;
			n += check_expressions(member);
		}
	}
	return n;
}

static void test_dashboard(_unused_ void **state)
{
	_cleanup_(json_object_putp) json_object *dashboard =
		json_object_from_file(DASHBOARD);
	struct tierd_manager manager;

	assert_non_null(dashboard);
	fake_manager_fill(&manager);
	format(&manager, 0);
	assert_true(check_expressions(dashboard) >= 15);
	openmetrics_done(&metrics);
}

/* ---- Where it goes ------------------------------------------------------------- */

struct world {
	char directory[32];
	struct tierd_manager manager;
	struct tierd_config config;
	sd_event *event;
	struct tierd_metrics *metrics;
};

static void world_init(struct world *world)
{
	*world = (struct world){};
	strcpy(world->directory, "/tmp/test-metrics-XXXXXX");
	assert_non_null(mkdtemp(world->directory));
	fake_manager_fill(&world->manager);
	tierd_config_defaults(&world->config);
	world->config.metrics_interval_ns = 1000000;
	snprintf(world->config.metrics_file, sizeof(world->config.metrics_file),
		"%s/tierd.prom", world->directory);
	snprintf(world->config.metrics_socket, sizeof(world->config.metrics_socket),
		"%s/socket", world->directory);
	assert_true(sd_event_new(&world->event) >= 0);
	assert_int_equal(
		tierd_metrics_new(&world->manager, world->event, &world->metrics), 0);
}

/* Nothing is left behind. */
static void world_done(struct world *world)
{
	tierd_metrics_free(world->metrics);
	sd_event_unref(world->event);
	assert_return_code(rmdir(world->directory), errno);
}

/* For 20 ms: timers of 1 ms run several times. */
static void run_loop(struct world *world)
{
	for (int i = 0; i < 20; i++)
		assert_true(sd_event_run(world->event, 1000) >= 0);
}

static void assert_file(const struct world *world)
{
	_cleanup_(fclosep) FILE *f = fopen(world->config.metrics_file, "re");
	static char text[1 << 20];
	struct stat st;
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text), f);
	if (!openmetrics_parse(&metrics, text, n))
		fail_msg("%s", metrics.error);
	openmetrics_done(&metrics);
	assert_return_code(fstat(fileno(f), &st), errno);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static ino_t inode(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? 0 : st.st_ino;
}

static void test_file(_unused_ void **state)
{
	_cleanup_(freep) char *temporary = NULL;
	mode_t mask = umask(0077);
	struct world world;
	ino_t first;

	world_init(&world);
	assert_true(asprintf(&temporary, "%s.new", world.config.metrics_file) > 0);
	assert_return_code(symlink("/nowhere", temporary), errno); /* in the way */
	run_loop(&world);
	assert_int_equal(inode(world.config.metrics_file), 0);
	tierd_metrics_configure(world.metrics, &world.config);
	run_loop(&world);
	assert_file(&world);
	assert_int_equal(inode(temporary), 0);
	first = inode(world.config.metrics_file);
	{
		/* Who has it open keeps the old one whole. */
		_cleanup_(closep) int fd =
			open(world.config.metrics_file, O_RDONLY | O_CLOEXEC);
		struct stat st;

		run_loop(&world);
		assert_return_code(fstat(fd, &st), errno);
		assert_int_equal(st.st_ino, first);
		assert_int_equal(st.st_nlink, 0);
	}
	assert_file(&world);
	world.config.metrics_file[0] = '\0';
	tierd_metrics_configure(world.metrics, &world.config);
	run_loop(&world);
	world_done(&world);
	umask(mask);
}

/* A directory that is not there is complained of, and no more. */
static void test_file_fails(_unused_ void **state)
{
	struct world world;

	world_init(&world);
	strcpy(world.config.metrics_file, "/nowhere/tierd.prom");
	tierd_metrics_configure(world.metrics, &world.config);
	run_loop(&world);
	world_done(&world);
}

static int connect_to(const struct world *world)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_return_code(fd, errno);
	strcpy(address.sun_path, world->config.metrics_socket);
	assert_return_code(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), errno);
	return fd;
}

/* All that comes until the other end hangs up. */
static size_t read_all(struct world *world, int fd, char *text, size_t size)
{
	size_t n = 0;

	for (int i = 0; i < 10000; i++) {
		ssize_t got = recv(fd, text + n, size - n, MSG_DONTWAIT);

		if (got == 0)
			return n;
		if (got > 0)
			n += (size_t)got;
		else
			assert_true(errno == EAGAIN);
		assert_true(sd_event_run(world->event, 1000) >= 0);
	}
	fail_msg("no end after %zu bytes", n);
	return 0;
}

static void test_socket(_unused_ void **state)
{
	_cleanup_(closep) int fd = -EBADF;
	static char text[1 << 20];
	struct world world;
	struct stat st;
	size_t n;

	world_init(&world);
	world.config.metrics_file[0] = '\0';
	tierd_metrics_configure(world.metrics, &world.config);
	assert_return_code(lstat(world.config.metrics_socket, &st), errno);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0666);
	fd = connect_to(&world);
	n = read_all(&world, fd, text, sizeof(text));
	if (!openmetrics_parse(&metrics, text, n))
		fail_msg("%s", metrics.error);
	assert_true(value("tierd_groups") == 4);
	openmetrics_done(&metrics);
	world_done(&world);
}

static bool is_hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

/* Clients that do not read take their places, and no more than that: those beyond are
 * turned away at once, and nothing waits. */
static void test_clients(_unused_ void **state)
{
	static struct tierd_group many[TIERD_METRICS_GROUPS_MAX];
	int fds[TIERD_METRICS_CLIENTS_MAX + 2];
	static char text[4 << 20];
	struct world world;
	size_t n;

	world_init(&world);
	world.config.metrics_file[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		many[i].view.cgroup = FAKE_GUPS;
		world.manager.groups[i] = &many[i];
	}
	world.manager.n_groups = ARRAY_SIZE(many);
	tierd_metrics_configure(world.metrics, &world.config);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_to(&world);
		run_loop(&world);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		assert_int_equal(is_hung_up(fds[i]), i >= TIERD_METRICS_CLIENTS_MAX);
	n = read_all(&world, fds[0], text, sizeof(text));
	assert_memory_equal(text + n - 6, "# EOF\n", 6);
	close(fds[0]);
	close(fds[1]); /* in the middle of it */
	run_loop(&world);
	fds[0] = connect_to(&world);
	fds[1] = connect_to(&world);
	run_loop(&world);
	n = read_all(&world, fds[1], text, sizeof(text));
	assert_non_null(memmem(text, n, "clients_refused_total ", 22));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	run_loop(&world);
	world_done(&world);
}

/* What lies at the socket's path is replaced if it is a socket, else left alone. */
static void test_socket_in_the_way(_unused_ void **state)
{
	_cleanup_(closep) int fd = -EBADF;
	struct world world;
	ino_t found;

	world_init(&world);
	world.config.metrics_file[0] = '\0';
	fd = open(world.config.metrics_socket, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_return_code(fd, errno);
	found = inode(world.config.metrics_socket);
	tierd_metrics_configure(world.metrics, &world.config);
	run_loop(&world);
	assert_int_equal(inode(world.config.metrics_socket), found);
	world.metrics = tierd_metrics_free(world.metrics);
	assert_return_code(unlink(world.config.metrics_socket), errno);
	world_done(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_dashboard),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_fails),
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_socket_in_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
