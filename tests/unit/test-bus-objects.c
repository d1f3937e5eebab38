/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects that come and go, how they introspect, and names of odd bytes. */
#include "bus-world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	struct bus_world *w = *state;
	struct tierd_group *gups = w->manager.groups[0];
	const char *added[8], *removed[8], *path;
	size_t n_added, n_removed;

	assert_return_code(tierd_bus_group_added(w->bus, gups), 0);
	w->manager.groups[0] = w->manager.groups[--w->manager.n_groups];
	assert_return_code(tierd_bus_group_removed(w->bus, gups), 0);
	bus_flush(w);
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
	struct bus_world *w = *state;

	w->manager.groups[0] = w->manager.groups[--w->manager.n_groups];
	assert_error(call_gups(w, "Counters", ""), SD_BUS_ERROR_UNKNOWN_OBJECT);
	assert_error(call(w, TIERD_BUS_GROUP_PREFIX "/x_zz", TIERD_BUS_GROUP_INTERFACE,
			     "Counters", ""),
		SD_BUS_ERROR_UNKNOWN_OBJECT);
}

static void test_managed_objects(void **state)
{
	struct bus_world *w = *state;
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
	struct bus_world *w, const char *path, const char *interface, const char *file)
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

/* ---- Names and connection ------------------------------------------------------ */

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, bus_set_up, bus_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_come_and_go),
		TEST(test_object_is_gone),
		TEST(test_managed_objects),
		TEST(test_introspection),
		cmocka_unit_test(test_no_bus),
		cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
