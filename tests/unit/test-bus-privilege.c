/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what: over a connection of one's own, and over a bus with a polkit that says
 * what the test wants it to; that floods are cut off; and that a bus that goes away and
 * comes back finds tierd on it again. tierd, polkit and the client share one event loop,
 * so whatever waited for an answer would wait for ever.
 */
#include "bus-world.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "private-bus.h"

#define NOBODY       65534
#define TIMEOUT_USEC UINT64_C(10000000)
#define CALLS_MAX    32
#define MS           UINT64_C(1000000)

enum verdict {
	YES,
	NO,
	CHALLENGE,
	SILENCE,
	ABSENT,
};

struct town {
	struct private_bus bus;
	struct tierd_manager manager;
	sd_event *event;
	struct tierd_bus *tierd;
	sd_bus *client;
	sd_bus *polkit;
	enum verdict verdict;
	unsigned n_questions;
	char action[64];
	char subject[64];
	uint32_t flags;
	size_t n_replies;
	sd_bus_message *replies[CALLS_MAX];
};

/* ---- A polkit ------------------------------------------------------------------ */

static int check_authorization(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	const char *kind, *key, *subject, *action;
	struct town *t = userdata;

	assert_return_code(sd_bus_message_read(message, "(sa{sv})sa{ss}u", &kind, 1, &key,
				   "s", &subject, &action, 0, &t->flags),
		0);
	assert_string_equal(kind, "system-bus-name");
	assert_string_equal(key, "name");
	snprintf(t->action, sizeof(t->action), "%s", action);
	snprintf(t->subject, sizeof(t->subject), "%s", subject);
	t->n_questions++;
	if (t->verdict == SILENCE)
		return 1;
	return sd_bus_reply_method_return(
		message, "(bba{ss})", t->verdict == YES, t->verdict == CHALLENGE, 0);
}

static const sd_bus_vtable polkit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})",
		check_authorization, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

static void start_polkit(struct town *t)
{
	assert_return_code(sd_bus_open_system(&t->polkit), 0);
	assert_return_code(
		sd_bus_add_object_vtable(t->polkit, NULL,
			"/org/freedesktop/PolicyKit1/Authority",
			"org.freedesktop.PolicyKit1.Authority", polkit_vtable, t),
		0);
	assert_return_code(
		sd_bus_request_name(t->polkit, "org.freedesktop.PolicyKit1", 0), 0);
	assert_return_code(sd_bus_attach_event(t->polkit, t->event, 0), 0);
}

/* ---- A town of them ------------------------------------------------------------ */

static void connect_client(struct town *t, uid_t uid)
{
	assert_int_equal(seteuid(uid), 0);
	assert_return_code(sd_bus_open_system(&t->client), 0);
	/* A call to the bus itself, so that it has seen whose connection this is. */
	assert_return_code(sd_bus_get_unique_name(t->client, &(const char *){ NULL }), 0);
	assert_int_equal(seteuid(getuid()), 0);
	assert_return_code(sd_bus_attach_event(t->client, t->event, 0), 0);
}

static struct town *town_new(uid_t uid, enum verdict verdict)
{
	struct town *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->verdict = verdict;
	private_bus_start(&t->bus);
	fake_manager_fill(&t->manager);
	assert_return_code(sd_event_new(&t->event), 0);
	assert_return_code(tierd_bus_new(&t->manager, t->event, &t->tierd), 0);
	if (verdict != ABSENT)
		start_polkit(t);
	connect_client(t, uid);
	return t;
}

static void forget_replies(struct town *t)
{
	for (size_t i = 0; i < t->n_replies; i++)
		sd_bus_message_unref(t->replies[i]);
	t->n_replies = 0;
}

static void town_free(struct town *t)
{
	forget_replies(t);
	sd_bus_flush_close_unref(t->client);
	sd_bus_flush_close_unref(t->polkit);
	tierd_bus_free(t->tierd);
	sd_event_unref(t->event);
	private_bus_remove(&t->bus);
	free(t);
}

static int on_reply(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	struct town *t = userdata;

	assert_true(t->n_replies < CALLS_MAX);
	t->replies[t->n_replies++] = sd_bus_message_ref(reply);
	return 0;
}

static void send_call(struct town *t, bool is_interactive, const char *path,
	const char *interface, const char *member, const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	va_list arguments;

	assert_return_code(sd_bus_message_new_method_call(t->client, &message,
				   TIERD_BUS_NAME, path, interface, member),
		0);
	assert_return_code(sd_bus_message_set_allow_interactive_authorization(
				   message, is_interactive),
		0);
	va_start(arguments, types);
	assert_return_code(sd_bus_message_appendv(message, types, arguments), 0);
	va_end(arguments);
	assert_return_code(
		sd_bus_call_async(t->client, NULL, message, on_reply, t, TIMEOUT_USEC),
		0);
}

#define send_set_quota(t, is_interactive, bytes)                                       \
	send_call(t, is_interactive, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "SetQuota", \
		"t", bytes)

static void await(struct town *t, size_t n_replies)
{
	while (t->n_replies < n_replies)
		assert_true(sd_event_run(t->event, TIMEOUT_USEC) > 0);
}

static void pass_time(struct town *t, uint64_t ns)
{
	uint64_t until_ns = tierd_now_ns() + ns;

	while (tierd_now_ns() < until_ns)
		assert_true(sd_event_run(t->event, 10000) >= 0);
}

static uint64_t quota(const struct town *t)
{
	return t->manager.groups[0]->view.dram_quota_bytes;
}

/* ---- polkit's verdicts --------------------------------------------------------- */

static void test_verdicts(_unused_ void **state)
{
	static const struct {
		uid_t uid;
		enum verdict verdict;
		const char *error; /* NULL: allowed */
		unsigned n_questions;
	} rows[] = {
		{ 0, NO, NULL, 0 },
		{ 0, ABSENT, NULL, 0 },
		{ NOBODY, YES, NULL, 1 },
		{ NOBODY, NO, SD_BUS_ERROR_ACCESS_DENIED, 1 },
		{ NOBODY, CHALLENGE, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, 1 },
		{ NOBODY, ABSENT, SD_BUS_ERROR_ACCESS_DENIED, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct town *t = town_new(rows[i].uid, rows[i].verdict);

		send_set_quota(t, false, UINT64_C(500) << 20);
		await(t, 1);
		if (rows[i].error)
			assert_error(t->replies[0], rows[i].error);
		else
			assert_ok(t->replies[0]);
		assert_int_equal(
			quota(t) >> 20, rows[i].error ? UINT64_C(700) : UINT64_C(500));
		assert_int_equal(t->n_questions, rows[i].n_questions);
		town_free(t);
	}
}

static void test_question(_unused_ void **state)
{
	struct town *t = town_new(NOBODY, YES);
	const char *name;

	assert_return_code(sd_bus_get_unique_name(t->client, &name), 0);
	send_set_quota(t, true, UINT64_MAX);
	await(t, 1);
	assert_string_equal(t->subject, name);
	assert_string_equal(t->action, TIERD_BUS_ACTION_SET_QUOTA);
	assert_int_equal(t->flags, 1);
	send_call(t, false, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE, "Pause",
		"");
	await(t, 2);
	assert_ok(t->replies[1]);
	assert_string_equal(t->action, TIERD_BUS_ACTION_PAUSE);
	assert_int_equal(t->flags, 0);
	assert_true(t->manager.is_paused);
	town_free(t);
}

/* The group goes while polkit thinks. */
static void test_group_goes(_unused_ void **state)
{
	struct town *t = town_new(NOBODY, YES);

	send_set_quota(t, false, UINT64_MAX);
	while (t->n_questions == 0)
		assert_true(sd_event_run(t->event, TIMEOUT_USEC) > 0);
	t->manager.groups[0] = t->manager.groups[--t->manager.n_groups];
	await(t, 1);
	assert_error(t->replies[0], SD_BUS_ERROR_UNKNOWN_OBJECT);
	/* And what waited for it is forgotten: there is room for as many again. */
	for (unsigned i = 0; i < TIERD_POLKIT_SENDER_WAITING_MAX; i++)
		send_call(t, false, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE,
			"Resume", "");
	await(t, 1 + TIERD_POLKIT_SENDER_WAITING_MAX);
	town_free(t);
}

static size_t count_errors(const struct town *t, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_replies; i++)
		n += sd_bus_message_is_method_error(t->replies[i], name) > 0;
	return n;
}

/* A polkit that never answers: some calls wait, the others are told so; reading goes on.
 */
static void test_silence(_unused_ void **state)
{
	struct town *t = town_new(NOBODY, SILENCE);
	const size_t n = TIERD_POLKIT_SENDER_WAITING_MAX + 4;

	for (size_t i = 0; i < n; i++)
		send_set_quota(t, false, UINT64_MAX);
	await(t, n - TIERD_POLKIT_USER_WAITING_MAX);
	assert_int_equal(count_errors(t, TIERD_BUS_ERROR_LIMIT_EXCEEDED),
		n - TIERD_POLKIT_USER_WAITING_MAX);
	assert_int_equal(t->n_questions, TIERD_POLKIT_USER_WAITING_MAX);
	forget_replies(t);
	send_call(t, false, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "Curve", "");
	await(t, 1);
	assert_ok(t->replies[0]);
	assert_int_equal(quota(t), UINT64_C(700) << 20);
	town_free(t);
}

/* What the arguments say is looked at before anybody is asked. */
static void test_arguments_first(_unused_ void **state)
{
	struct town *t = town_new(NOBODY, YES);

	send_call(t, false, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE,
		"AddGroup", "sa{sv}", "/a/../b", 0);
	await(t, 1);
	assert_error(t->replies[0], TIERD_BUS_ERROR_INVALID_ARGUMENT);
	assert_int_equal(t->n_questions, 0);
	send_call(t, false, TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE,
		"AddGroup", "sa{sv}", FAKE_NEW, 1, "DRAMQuota", "t", UINT64_C(4096));
	await(t, 2);
	assert_ok(t->replies[1]);
	assert_string_equal(t->action, TIERD_BUS_ACTION_MANAGE_GROUPS);
	assert_int_equal(t->manager.added_policy.dram_quota.value, 4096);
	town_free(t);
}

/* ---- Without a bus ------------------------------------------------------------- */

static void test_unprivileged(_unused_ void **state)
{
	struct bus_world *w;
	void *world;

	w = world = bus_world_new(NOBODY);
	assert_error(
		call_gups(w, "SetQuota", "t", UINT64_MAX), SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(call_manager(w, "Reload", ""), SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(call_gups(w, "SetEnforcement", "s", "advise"),
		SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(call_manager(w, "AddGroup", "sa{sv}", FAKE_NEW, 0),
		SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(call_manager(w, "RemoveGroup", "s", FAKE_GUPS),
		SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(call_manager(w, "Pause", ""), SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(
		call_manager(w, "ExplainPage", "ut", (uint32_t)FAKE_PID, FAKE_ADDRESS),
		SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(
		call_gups(w, "Record", "t", UINT64_C(1000)), SD_BUS_ERROR_ACCESS_DENIED);
	assert_error(call_manager(w, "Resume", ""), SD_BUS_ERROR_ACCESS_DENIED);
	assert_int_equal(w->manager.recorded_ns, 0);
	assert_int_equal(w->manager.n_reloads, 0);
	assert_int_equal(w->manager.n_groups, 4);
	assert_false(w->manager.is_paused);
	assert_int_equal(
		w->manager.groups[0]->view.dram_quota_bytes, UINT64_C(700) << 20);
	assert_ok(call_manager(w, "ListGroups", ""));
	assert_ok(call_gups(w, "Explain", ""));
	assert_ok(call_manager(w, "GetGroup", "s", FAKE_GUPS));
	assert_ok(call_gups(w, "Histogram", ""));
	assert_ok(call_gups(w, "Residency", ""));
	assert_ok(call_gups(w, "Counters", ""));
	assert_ok(call_gups(w, "Curve", ""));
	assert_ok(call_gups(w, "Heatmap", ""));
	assert_int_equal(get_u64(w, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "DRAMQuota"),
		UINT64_C(700) << 20);
	bus_tear_down(&world);
}

/* ---- Floods, and a bus that goes ----------------------------------------------- */

static void test_flood(_unused_ void **state)
{
	struct bus_world *w = bus_world_new(geteuid());
	void *world = w;

	w->bus->limits.total = (struct tierd_bus_budget){ -1000000000, tierd_now_ns() };
	w->bus->limits.has_begun = true;
	tierd_bus_charge(&w->bus->limits, "", 2000000000, tierd_now_ns());
	assert_error(call_manager(w, "ListGroups", ""), TIERD_BUS_ERROR_LIMIT_EXCEEDED);
	assert_error(call_gups(w, "SetQuota", "t", UINT64_MAX),
		TIERD_BUS_ERROR_LIMIT_EXCEEDED);
	w->bus->limits = (struct tierd_bus_limits){ 0 };
	assert_ok(call_manager(w, "ListGroups", ""));
	/* What it has cost was taken down. */
	assert_int_equal(w->bus->limits.n_clients, 1);
	assert_ok(call_manager(w, "ListGroups", ""));
	assert_true(w->bus->limits.total.ns < TIERD_BUS_TOTAL_SAVED_NS);
	bus_tear_down(&world);
}

static void test_bus_restart(_unused_ void **state)
{
	struct town *t = town_new(0, ABSENT);

	send_set_quota(t, false, UINT64_C(600) << 20);
	await(t, 1);
	private_bus_stop(&t->bus);
	sd_bus_detach_event(t->client);
	t->client = sd_bus_close_unref(t->client);
	pass_time(t, 700 * MS);
	assert_int_equal(tierd_bus_samples_lost(t->tierd, 1, 2), -ENOTCONN);
	private_bus_restart(&t->bus);
	connect_client(t, 0);
	for (unsigned i = 0;; i++) {
		assert_true(i < WAIT_STEPS);
		send_call(t, false, GUPS_PATH, TIERD_BUS_GROUP_INTERFACE, "Counters", "");
		forget_replies(t);
		await(t, 1);
		if (!sd_bus_message_is_method_error(t->replies[0], NULL))
			break;
		pass_time(t, 50 * MS);
	}
	send_set_quota(t, false, UINT64_C(500) << 20);
	await(t, 2);
	assert_ok(t->replies[1]);
	assert_int_equal(quota(t), UINT64_C(500) << 20);
	town_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_group_goes),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_arguments_first),
		cmocka_unit_test(test_unprivileged),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_bus_restart),
	};

	if (geteuid() != 0 || !private_bus_is_possible()) {
		fprintf(stderr, "this test takes root and dbus-daemon\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
