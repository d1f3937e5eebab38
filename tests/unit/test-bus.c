/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's bus objects over a fake manager: a client and the objects at the two ends
 * of a socket pair, in one event loop. What the bus's own policy lets through is tested
 * with tierctl.
 */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/socket.h>

#include "bus-internal.h"
#include "fake-manager.h"

#define TIMEOUT_USEC UINT64_C(10000000)

#define GUPS_PATH   TIERD_BUS_GROUP_PREFIX "/_2fsystem_2eslice_2fgups_2eservice"
#define SIGNALS_MAX 16

struct world {
	struct tierd_manager manager;
	sd_event *event;
	struct tierd_bus *bus;
	sd_bus *client;
	sd_bus_message *reply;
	size_t n_signals;
	sd_bus_message *signals[SIGNALS_MAX];
};

static int on_signal(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	struct world *w = userdata;

	if (!sd_bus_message_is_signal(message, NULL, NULL))
		return 0;
	assert_true(w->n_signals < SIGNALS_MAX);
	w->signals[w->n_signals++] = sd_bus_message_ref(message);
	return 1;
}

static void forget_signals(struct world *w)
{
	for (size_t i = 0; i < w->n_signals; i++)
		sd_bus_message_unref(w->signals[i]);
	w->n_signals = 0;
}

/* uid is whom the server takes the client for. */
static void connect_as(struct world *w, uid_t uid)
{
	_cleanup_(sd_bus_unrefp) sd_bus *server = NULL;
	sd_id128_t id;
	int fds[2];

	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(seteuid(getuid()), 0);

	assert_return_code(sd_id128_randomize(&id), 0);
	assert_return_code(sd_bus_new(&server), 0);
	assert_return_code(sd_bus_set_fd(server, fds[0], fds[0]), 0);
	assert_return_code(sd_bus_set_server(server, true, id), 0);
	assert_return_code(sd_bus_set_anonymous(server, true), 0);
	assert_return_code(sd_bus_start(server), 0);

	assert_return_code(sd_bus_new(&w->client), 0);
	assert_return_code(sd_bus_set_fd(w->client, fds[1], fds[1]), 0);
	assert_return_code(sd_bus_set_anonymous(w->client, true), 0);
	assert_return_code(sd_bus_start(w->client), 0);

	assert_return_code(sd_event_new(&w->event), 0);
	assert_return_code(tierd_bus_new_on(&w->manager, w->event, server, &w->bus), 0);
	assert_return_code(sd_bus_attach_event(w->client, w->event, 0), 0);
	assert_return_code(sd_bus_add_filter(w->client, NULL, on_signal, w), 0);
}

static struct world *world_new(uid_t uid)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	fake_manager_fill(&w->manager);
	connect_as(w, uid);
	return w;
}

static int set_up(void **state)
{
	*state = world_new(geteuid());
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	forget_signals(w);
	sd_bus_message_unref(w->reply);
	sd_bus_detach_event(w->client);
	sd_bus_close_unref(w->client);
	tierd_bus_free(w->bus);
	sd_event_unref(w->event);
	free(w);
	return 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	struct world *w = userdata;

	w->reply = sd_bus_message_ref(reply);
	return 0;
}

/* The reply, or error, belongs to the world until the next call. */
static sd_bus_message *call(struct world *w, const char *path, const char *interface,
	const char *member, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	va_list arguments;

	w->reply = sd_bus_message_unref(w->reply);
	assert_return_code(sd_bus_message_new_method_call(
				   w->client, &message, NULL, path, interface, member),
		0);
	va_start(arguments, types);
	assert_return_code(sd_bus_message_appendv(message, types, arguments), 0);
	va_end(arguments);
	assert_return_code(
		sd_bus_call_async(w->client, NULL, message, on_reply, w, TIMEOUT_USEC),
		0);
	while (!w->reply)
		assert_true(sd_event_run(w->event, TIMEOUT_USEC) > 0);
	return w->reply;
}

#define call_manager(w, ...) \
	call(w, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE, __VA_ARGS__)
#define call_gups(w, ...) call(w, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, __VA_ARGS__)

static void assert_ok(sd_bus_message *reply)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (error)
		fail_msg("%s: %s", error->name, error->message);
}

static void assert_error(sd_bus_message *reply, const char *name)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	assert_non_null(error);
	assert_string_equal(error->name, name);
}

/* Signals come before the reply to a call made after them. */
static void flush(struct world *w)
{
	assert_ok(
		call(w, TIERD_BUS_MANAGER_PATH, "org.freedesktop.DBus.Peer", "Ping", ""));
}

static sd_bus_message *get(
	struct world *w, const char *path, const char *interface, const char *property)
{
	sd_bus_message *reply = call(w, path, "org.freedesktop.DBus.Properties", "Get",
		"ss", interface, property);

	assert_ok(reply);
	return reply;
}

static uint64_t get_u64(
	struct world *w, const char *path, const char *interface, const char *property)
{
	uint64_t value;

	assert_return_code(
		sd_bus_message_read(get(w, path, interface, property), "v", "t", &value),
		0);
	return value;
}

static double get_double(struct world *w, const char *path, const char *property)
{
	double value;

	assert_return_code(
		sd_bus_message_read(get(w, path, TIERD_BUS_GROUP_INTERFACE, property),
			"v", "d", &value),
		0);
	return value;
}

static const char *get_string(
	struct world *w, const char *path, const char *interface, const char *property)
{
	const char *value;

	assert_return_code(
		sd_bus_message_read(get(w, path, interface, property), "v", "s", &value),
		0);
	return value;
}

/* ---- Manager ------------------------------------------------------------------- */

static void test_manager_numbers(void **state)
{
	static const struct {
		const char *property;
		uint64_t value;
	} rows[] = {
		{ "Samples", 12345678 },
		{ "SamplesLost", 17 },
		{ "SamplerThrottled", 2 },
		{ "SamplePeriod", 49 },
		{ "CPUTimeUSec", 138000000 },
		{ "UptimeUSec", 11520000000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(get_u64(*state, TIERD_BUS_MANAGER_PATH,
					 TIERD_BUS_MANAGER_INTERFACE, rows[i].property),
			rows[i].value);
}

static void test_manager_strings(void **state)
{
	static const struct {
		const char *property;
		const char *value;
	} rows[] = {
		{ "Version", "1.2.3" },
		{ "SamplerSource", "pmu" },
		{ "SamplerEvent", "tier_mem/latency=1/" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(
			get_string(*state, TIERD_BUS_MANAGER_PATH,
				TIERD_BUS_MANAGER_INTERFACE, rows[i].property),
			rows[i].value);
}

static void test_no_event(void **state)
{
	struct world *w = *state;

	w->manager.sampler = (struct tierd_sampler_stats){ .source = "none" };
	assert_string_equal(get_string(w, TIERD_BUS_MANAGER_PATH,
				    TIERD_BUS_MANAGER_INTERFACE, "SamplerEvent"),
		"");
}

static void test_tiers(void **state)
{
	sd_bus_message *m =
		get(*state, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE, "Tiers");
	uint32_t tier, a, b;
	uint64_t total, available;

	assert_return_code(sd_bus_message_enter_container(m, 'v', "a(uautt)"), 0);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "(uautt)"), 0);
	assert_return_code(
		sd_bus_message_read(m, "(uautt)", &tier, 1, &a, &total, &available), 0);
	assert_int_equal(tier, 0);
	assert_int_equal(a, 0);
	assert_int_equal(total, UINT64_C(1) << 30);
	assert_int_equal(available, UINT64_C(312) << 20);
	assert_return_code(
		sd_bus_message_read(m, "(uautt)", &tier, 2, &a, &b, &total, &available),
		0);
	assert_int_equal(tier, 1);
	assert_int_equal(a, 1);
	assert_int_equal(b, 3);
	assert_int_equal(total, UINT64_C(5) << 30);
	assert_int_equal(available, UINT64_C(3) << 30);
	assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_list_groups(void **state)
{
	static const char *const cgroups[] = { FAKE_GUPS, FAKE_POSTGRES, FAKE_TWIN,
		"/user.slice/k\303\244se \033[31m\\xff.scope" };
	sd_bus_message *m = call_manager(*state, "ListGroups", "");
	const char *cgroup, *path;

	assert_ok(m);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "(so)"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cgroups); i++) {
		assert_true(sd_bus_message_read(m, "(so)", &cgroup, &path) > 0);
		assert_string_equal(cgroup, cgroups[i]);
		if (i == 0)
			assert_string_equal(path, GUPS_PATH);
	}
	assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_get_group(void **state)
{
	sd_bus_message *m = call_manager(*state, "GetGroup", "s", FAKE_GUPS);
	const char *path;

	assert_ok(m);
	assert_return_code(sd_bus_message_read(m, "o", &path), 0);
	assert_string_equal(path, GUPS_PATH);
	m = call_manager(*state, "GetGroup", "s", "/system.slice");
	assert_error(m, TIERD_BUS_ERROR_NO_SUCH_GROUP);
	assert_non_null(strstr(sd_bus_message_get_error(m)->message, "'/system.slice'"));
}

static void test_reload(void **state)
{
	struct world *w = *state;

	assert_ok(call_manager(w, "Reload", ""));
	assert_int_equal(w->manager.n_reloads, 1);
	assert_int_equal(w->n_signals, w->manager.n_groups);
	for (size_t i = 0; i < w->n_signals; i++)
		assert_true(sd_bus_message_is_signal(w->signals[i],
			"org.freedesktop.DBus.Properties", "PropertiesChanged"));
}

static void test_reload_refused(void **state)
{
	struct world *w = *state;
	sd_bus_message *m;

	w->manager.reload_result = -EINVAL;
	w->manager.reload_error = "/etc/tierd/\377.conf:3: no such key";
	m = call_manager(w, "Reload", "");
	assert_error(m, TIERD_BUS_ERROR_INVALID_CONFIGURATION);
	assert_string_equal(sd_bus_message_get_error(m)->message,
		"/etc/tierd/\\xff.conf:3: no such key");
	w->manager.reload_result = -ENOMEM;
	w->manager.reload_error = NULL;
	assert_error(call_manager(w, "Reload", ""), SD_BUS_ERROR_NO_MEMORY);
	assert_int_equal(w->n_signals, 0);
}

/* ---- Groups -------------------------------------------------------------------- */

static void test_group_properties(void **state)
{
	static const struct {
		const char *property;
		uint64_t value;
	} numbers[] = {
		{ "DRAMQuota", UINT64_C(700) << 20 },
		{ "DRAMMin", UINT64_C(100) << 20 },
		{ "DRAMBytes", UINT64_C(712) << 20 },
		{ "SlowBytes", UINT64_C(1348) << 20 },
		{ "UncoveredBytes", UINT64_C(3) << 20 },
		{ "PromotedBytes", UINT64_C(402) << 20 },
		{ "DemotedBytes", UINT64_C(390) << 20 },
	};
	static const struct {
		const char *property;
		const char *value;
	} strings[] = {
		{ "CGroup", FAKE_GUPS },
		{ "Policy", "/etc/tierd/policies.d/50-gups.conf" },
		{ "Enforcement", "soft" },
		{ "Engine", "rank" },
	};
	uint32_t processes;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_int_equal(get_u64(*state, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE,
					 numbers[i].property),
			numbers[i].value);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		assert_string_equal(
			get_string(*state, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE,
				strings[i].property),
			strings[i].value);
	assert_true(get_double(*state, GUPS_PATH, "HitRatio") == 0.9375);
	assert_true(get_double(*state, GUPS_PATH, "Coverage") == 0.875);
	assert_true(get_double(*state, GUPS_PATH, "MeanRate") == 12.5);
	assert_true(get_double(*state, GUPS_PATH, "CutRate") == 50);
	assert_return_code(
		sd_bus_message_read(
			get(*state, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "Processes"),
			"v", "u", &processes),
		0);
	assert_int_equal(processes, 2);
}

static void test_no_limit_no_samples(void **state)
{
	static const char path[] =
		TIERD_BUS_GROUP_PREFIX "/_2fsystem_2eslice_2fpostgresql_2eservice";

	assert_int_equal(get_u64(*state, path, TIERD_BUS_GROUP_INTERFACE, "DRAMQuota"),
		UINT64_MAX);
	assert_true(isnan(get_double(*state, path, "HitRatio")));
}

static void test_set_quota(void **state)
{
	struct world *w = *state;
	const char *interface, *property;
	uint64_t bytes;

	assert_ok(call_gups(w, "SetQuota", "t", UINT64_C(500) << 20));
	assert_int_equal(get_u64(w, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "DRAMQuota"),
		UINT64_C(500) << 20);
	assert_int_equal(w->n_signals, 1);
	assert_string_equal(sd_bus_message_get_path(w->signals[0]), GUPS_PATH);
	assert_return_code(sd_bus_message_read(w->signals[0], "sa{sv}as", &interface, 1,
				   &property, "t", &bytes, 0),
		0);
	assert_string_equal(interface, TIERD_BUS_GROUP_INTERFACE);
	assert_string_equal(property, "DRAMQuota");
	assert_int_equal(bytes, UINT64_C(500) << 20);
	assert_ok(call_gups(w, "SetQuota", "t", UINT64_MAX));
	assert_int_equal(w->manager.groups[0]->view.dram_quota_bytes, UINT64_MAX);
}

static void test_quota_below_minimum(void **state)
{
	struct world *w = *state;
	sd_bus_message *m = call_gups(w, "SetQuota", "t", UINT64_C(4096));

	assert_error(m, TIERD_BUS_ERROR_INVALID_QUOTA);
	assert_non_null(strstr(sd_bus_message_get_error(m)->message, "104857600"));
	assert_int_equal(
		w->manager.groups[0]->view.dram_quota_bytes, UINT64_C(700) << 20);
	assert_int_equal(w->n_signals, 0);
}

static void test_properties_are_read_only(void **state)
{
	struct world *w = *state;

	assert_error(call(w, GUPS_PATH, "org.freedesktop.DBus.Properties", "Set", "ssv",
			     TIERD_BUS_GROUP_INTERFACE, "DRAMQuota", "t", UINT64_C(0)),
		SD_BUS_ERROR_PROPERTY_READ_ONLY);
	assert_int_equal(
		w->manager.groups[0]->view.dram_quota_bytes, UINT64_C(700) << 20);
}

static void test_histogram(void **state)
{
	sd_bus_message *m = call_gups(*state, "Histogram", "");
	const struct tier_histogram *expected;
	struct world *w = *state;
	uint64_t bin, dram, slow;

	assert_ok(m);
	expected = &w->manager.groups[0]->histogram;
	assert_return_code(sd_bus_message_enter_container(m, 'a', "(ttt)"), 0);
	for (unsigned i = 0; i < TIER_HISTOGRAM_BINS; i++) {
		assert_true(sd_bus_message_read(m, "(ttt)", &bin, &dram, &slow) > 0);
		assert_int_equal(bin, tier_histogram_bin_floor(i));
		assert_int_equal(dram, expected->fast_pages[i]);
		assert_int_equal(slow, expected->slow_pages[i]);
	}
	assert_int_equal(sd_bus_message_at_end(m, false), 1);
}

static void test_residency(void **state)
{
	sd_bus_message *m = call_gups(*state, "Residency", "");
	uint32_t first, second;
	uint64_t r[4], d[4];

	assert_ok(m);
	assert_return_code(sd_bus_message_read(m, "a(ua(tt))", 2, &first, 3, &r[0], &d[0],
				   &r[1], &d[1], &r[2], &d[2], &second, 1, &r[3], &d[3]),
		0);
	assert_int_equal(first, 1234);
	assert_int_equal(r[0], UINT64_C(1) << 30);
	assert_int_equal(d[0], UINT64_C(1) << 30);
	assert_int_equal(d[1], 0);
	assert_int_equal(r[2], UINT64_C(12) << 20);
	assert_int_equal(d[2], UINT64_C(6) << 20);
	assert_int_equal(second, 1240);
	assert_int_equal(r[3], UINT64_C(8) << 20);
	assert_int_equal(d[3], UINT64_C(1) << 20);
}

/* Asks anew each time: a dictionary may be read once only. */
static uint64_t counter(struct world *w, const char *name)
{
	sd_bus_message *m = call_gups(w, "Counters", "");
	uint64_t value, found = UINT64_MAX;
	unsigned n = 0;
	const char *key;

	assert_ok(m);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "{st}"), 0);
	while (sd_bus_message_read(m, "{st}", &key, &value) > 0) {
		if (strcmp(key, name) != 0)
			continue;
		found = value;
		n++;
	}
	assert_int_equal(n, 1);
	return found;
}

static void test_counters(void **state)
{
	static const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "promotion_tried", 1005 },
		{ "promotion_tried_failure", 105 },
		{ "promotion_tried_failure_nomem", 60 },
		{ "promotion_tried_failure_busy", 40 },
		{ "promotion_tried_failure_gone", 0 },
		{ "promoted", 900 },
		{ "promoted_bytes", UINT64_C(402) << 20 },
		{ "demotion_scanned_filtered_warm", 99 },
		{ "demotion_tried", 70 },
		{ "demotion_tried_failure", 0 },
		{ "demoted", 70 },
		{ "collapse_tried", 2048 },
		{ "collapse_tried_failure", 1024 },
		{ "collapse_tried_failure_nomem", 512 },
		{ "collapse_tried_failure_busy", 0 },
		{ "collapse_tried_failure_unsupported", 512 },
		{ "collapsed", 1024 },
		{ "planned_exchange", 7 },
		{ "planned_quota", 0 },
		{ "samples_dram", 15 },
		{ "samples_slow", 1 },
		{ "coolings", 3 },
		{ "phase_changes", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(counter(*state, rows[i].name), rows[i].value);
}

/* ---- Objects ------------------------------------------------------------------- */

/* The interfaces in an array of names or a dictionary by name, sorted. */
static size_t read_interfaces(
	sd_bus_message *m, bool is_added, const char *names[static 8])
{
	size_t n = 0;

	assert_return_code(
		sd_bus_message_enter_container(m, 'a', is_added ? "{sa{sv}}" : "s"), 0);
	while (!sd_bus_message_at_end(m, false)) {
		assert_true(n < 8);
		if (is_added)
			assert_return_code(
				sd_bus_message_enter_container(m, 'e', "sa{sv}"), 0);
		assert_return_code(sd_bus_message_read(m, "s", &names[n++]), 0);
		if (!is_added)
			continue;
		assert_return_code(sd_bus_message_skip(m, "a{sv}"), 0);
		assert_return_code(sd_bus_message_exit_container(m), 0);
	}
	return n;
}

static bool contains(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void test_come_and_go(void **state)
{
	struct world *w = *state;
	struct tierd_group *gups = w->manager.groups[0];
	const char *added[8], *removed[8], *path;
	size_t n_added, n_removed;

	assert_return_code(tierd_bus_group_added(w->bus, gups), 0);
	w->manager.groups[0] = w->manager.groups[--w->manager.n_groups];
	assert_return_code(tierd_bus_group_removed(w->bus, gups), 0);
	flush(w);
	assert_int_equal(w->n_signals, 2);
	assert_string_equal(sd_bus_message_get_member(w->signals[0]), "InterfacesAdded");
	assert_string_equal(
		sd_bus_message_get_path(w->signals[0]), TIERD_BUS_MANAGER_PATH);
	assert_return_code(sd_bus_message_read(w->signals[0], "o", &path), 0);
	assert_string_equal(path, GUPS_PATH);
	assert_string_equal(
		sd_bus_message_get_member(w->signals[1]), "InterfacesRemoved");
	assert_return_code(sd_bus_message_read(w->signals[1], "o", &path), 0);
	assert_string_equal(path, GUPS_PATH);

	n_added = read_interfaces(w->signals[0], true, added);
	n_removed = read_interfaces(w->signals[1], false, removed);
	assert_int_equal(n_added, n_removed);
	assert_true(contains(added, n_added, TIERD_BUS_GROUP_INTERFACE));
	for (size_t i = 0; i < n_added; i++)
		assert_true(contains(removed, n_removed, added[i]));
}

static void test_object_is_gone(void **state)
{
	struct world *w = *state;

	w->manager.groups[0] = w->manager.groups[--w->manager.n_groups];
	assert_error(call_gups(w, "Counters", ""), SD_BUS_ERROR_UNKNOWN_OBJECT);
	assert_error(call(w, TIERD_BUS_GROUP_PREFIX "/x_zz", TIERD_BUS_GROUP_INTERFACE,
			     "Counters", ""),
		SD_BUS_ERROR_UNKNOWN_OBJECT);
}

static void test_managed_objects(void **state)
{
	struct world *w = *state;
	sd_bus_message *m = call(w, TIERD_BUS_MANAGER_PATH,
		"org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "");
	bool found = false;
	const char *path;

	assert_ok(m);
	assert_return_code(sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}"), 0);
	while (sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}") > 0) {
		assert_return_code(sd_bus_message_read(m, "o", &path), 0);
		found = found || strcmp(path, GUPS_PATH) == 0;
		assert_return_code(sd_bus_message_skip(m, "a{sa{sv}}"), 0);
		assert_return_code(sd_bus_message_exit_container(m), 0);
	}
	assert_true(found);
}

/* ---- Introspection ------------------------------------------------------------- */

static char *read_file(const char *path)
{
	_cleanup_(fclosep) FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	assert_true(getdelim(&text, &size, '\0', f) > 0);
	return text;
}

/* Cuts the element of an interface out of a document, indentation left out. */
static char *cut_interface(const char *xml, const char *interface)
{
	_cleanup_(freep) char *begin_tag = NULL;
	const char *begin, *end;
	char *cut, *to;

	assert_true(asprintf(&begin_tag, "<interface name=\"%s\">", interface) > 0);
	begin = strstr(xml, begin_tag);
	assert_non_null(begin);
	end = strstr(begin, "</interface>");
	assert_non_null(end);
	cut = to = calloc(1, end - begin + 1);
	assert_non_null(cut);
	for (const char *from = begin; from < end; from++)
		if (*from != '\n' && (*from != ' ' || from[1] != ' ') &&
			(*from != ' ' || from[1] != '<'))
			*to++ = *from;
	return cut;
}

static void compare_interface(
	struct world *w, const char *path, const char *interface, const char *file)
{
	_cleanup_(freep) char *committed = read_file(file);
	_cleanup_(freep) char *expected = cut_interface(committed, interface);
	_cleanup_(freep) char *actual = NULL;
	const char *xml;
	sd_bus_message *m =
		call(w, path, "org.freedesktop.DBus.Introspectable", "Introspect", "");

	assert_ok(m);
	assert_return_code(sd_bus_message_read(m, "s", &xml), 0);
	actual = cut_interface(xml, interface);
	assert_string_equal(actual, expected);
}

static void test_introspection(void **state)
{
	compare_interface(*state, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE,
		SOURCE_ROOT "/dbus/org.tierd.Tierd1.Manager.xml");
	compare_interface(*state, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE,
		SOURCE_ROOT "/dbus/org.tierd.Tierd1.Group.xml");
}

/* ---- Privilege and connection -------------------------------------------------- */

static void test_unprivileged(_unused_ void **state)
{
	struct world *w;
	void *world;

	if (geteuid() != 0) {
		print_message("becoming another user takes root\n");
		skip();
	}
	w = world = world_new(65534);
	assert_error(
		call_gups(w, "SetQuota", "t", UINT64_MAX), SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(call_manager(w, "Reload", ""), SD_BUS_ERROR_ACCESS_DENIED);
	assert_int_equal(w->manager.n_reloads, 0);
	assert_int_equal(
		w->manager.groups[0]->view.dram_quota_bytes, UINT64_C(700) << 20);
	assert_ok(call_manager(w, "ListGroups", ""));
	assert_ok(call_manager(w, "GetGroup", "s", FAKE_GUPS));
	assert_ok(call_gups(w, "Histogram", ""));
	assert_ok(call_gups(w, "Residency", ""));
	assert_ok(call_gups(w, "Counters", ""));
	assert_int_equal(get_u64(w, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "DRAMQuota"),
		UINT64_C(700) << 20);
	tear_down(&world);
}

static void test_no_bus(_unused_ void **state)
{
	_cleanup_(sd_event_unrefp) sd_event *event = NULL;
	struct tierd_manager manager;
	struct tierd_bus *bus = (struct tierd_bus *)&manager;

	fake_manager_fill(&manager);
	assert_int_equal(
		setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent", 1), 0);
	assert_return_code(sd_event_new(&event), 0);
	assert_int_equal(tierd_bus_new(&manager, event, &bus), -ENOENT);
	assert_ptr_equal(bus, &manager);
	assert_null(tierd_bus_free(NULL));
}

static void test_escape(_unused_ void **state)
{
	static const struct {
		const char *text;
		const char *escaped;
	} rows[] = {
		{ "", "" },
		{ "/a b\\c", "/a b\\c" },
		{ "k\303\244se \342\202\254 \360\237\230\200",
			"k\303\244se \342\202\254 \360\237\230\200" },
		{ "\377", "\\xff" },
		{ "a\303", "a\\xc3" },                          /* cut short */
		{ "\300\257", "\\xc0\\xaf" },                   /* over-long */
		{ "\340\237\277", "\\xe0\\x9f\\xbf" },          /* over-long */
		{ "\355\240\200", "\\xed\\xa0\\x80" },          /* a surrogate */
		{ "\364\220\200\200", "\\xf4\\x90\\x80\\x80" }, /* beyond U+10FFFF */
		{ "\342\202x", "\\xe2\\x82x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(freep) char *escaped = NULL;

		assert_return_code(tierd_bus_escape(rows[i].text, &escaped), 0);
		assert_string_equal(escaped, rows[i].escaped);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_manager_numbers),
		TEST(test_manager_strings),
		TEST(test_no_event),
		TEST(test_tiers),
		TEST(test_list_groups),
		TEST(test_get_group),
		TEST(test_reload),
		TEST(test_reload_refused),
		TEST(test_group_properties),
		TEST(test_no_limit_no_samples),
		TEST(test_set_quota),
		TEST(test_quota_below_minimum),
		TEST(test_properties_are_read_only),
		TEST(test_histogram),
		TEST(test_residency),
		TEST(test_counters),
		TEST(test_come_and_go),
		TEST(test_object_is_gone),
		TEST(test_managed_objects),
		TEST(test_introspection),
		cmocka_unit_test(test_unprivileged),
		cmocka_unit_test(test_no_bus),
		cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
