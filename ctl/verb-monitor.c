/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl monitor: what tierd announces, a line each, until interrupted. Which values a
 * signal has is in a table; properties that change bring their names along. A tierd that
 * stops and starts again is an event like the others.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "bus-call.h"
#include "tierctl.h"
#include "verbs.h"

#define GROUP_PREFIX "/org/tierd/Tierd1/group"
#define VALUES_MAX   16

struct value {
	const char *name;
	const char *text; /* NULL: it is a number */
	uint64_t number;
	bool is_size;
};

struct event {
	const char *name;
	const char *path; /* of the object it is about */
	struct value values[VALUES_MAX];
	size_t n_values;
};

static const struct {
	const char *member;
	struct {
		const char *name;
		char type; /* 'b': bytes */
	} values[4];
} signals[] = {
	{ "QuotaExceeded", { { "dram_bytes", 'b' }, { "quota_bytes", 'b' } } },
	{ "QuotaRestored", { { "dram_bytes", 'b' }, { "quota_bytes", 'b' } } },
	{ "Drift", { { "attribute", 's' }, { "expected", 's' }, { "found", 's' } } },
	{ "SampleLoss", { { "lost", 't' }, { "taken", 't' } } },
};

/* ---- Reading ------------------------------------------------------------------- */

static int read_value(sd_bus_message *message, const char *name, char type, bool is_size,
	struct event *event)
{
	struct value value = { .name = name, .is_size = is_size };
	int r, truth;

	if (type == 's') {
		r = sd_bus_message_read(message, "s", &value.text);
	} else if (type == 'b') {
		r = sd_bus_message_read(message, "b", &truth);
		value.text = r >= 0 && truth ? "yes" : "no";
	} else {
		r = sd_bus_message_read(message, "t", &value.number);
	}
	if (r < 0)
		return r;
	if (event->n_values < VALUES_MAX)
		event->values[event->n_values++] = value;
	return 0;
}

static int read_property(sd_bus_message *message, struct event *event)
{
	const char *name, *types;
	char type;
	int r;

	r = sd_bus_message_read(message, "s", &name);
	if (r < 0)
		return r;
	r = sd_bus_message_peek_type(message, &type, &types);
	if (r < 0)
		return r;
	if (strcmp(types, "s") != 0 && strcmp(types, "t") != 0 && strcmp(types, "b") != 0)
		return sd_bus_message_skip(message, "v");
	r = sd_bus_message_enter_container(message, 'v', types);
	if (r < 0)
		return r;
	r = read_value(message, name, *types, *types == 't', event);
	if (r < 0)
		return r;
	return sd_bus_message_exit_container(message);
}

static int read_properties(sd_bus_message *message, struct event *event)
{
	int r;

	r = sd_bus_message_skip(message, "s");
	if (r < 0)
		return r;
	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		r = read_property(message, event);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return r;
}

/* Positive for a signal that is none of tierd's own. */
static int read_event(sd_bus_message *message, struct event *ret)
{
	int r;

	*ret = (struct event){
		.name = sd_bus_message_get_member(message),
		.path = sd_bus_message_get_path(message),
	};
	if (strcmp(ret->name, "PropertiesChanged") == 0)
		return read_properties(message, ret);
	if (strcmp(ret->name, "InterfacesAdded") == 0 ||
		strcmp(ret->name, "InterfacesRemoved") == 0)
		return sd_bus_message_read(message, "o", &ret->path) < 0 ? -EBADMSG : 0;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (strcmp(signals[i].member, ret->name) != 0)
			continue;
		for (size_t j = 0; signals[i].values[j].name; j++) {
			char type = signals[i].values[j].type;

			r = read_value(message, signals[i].values[j].name,
				type == 's' ? 's' : 't', type == 'b', ret);
			if (r < 0)
				return r;
		}
		return 0;
	}
	return 1;
}

/* ---- Printing ------------------------------------------------------------------ */

static int print_text(struct tierctl *ctl, const struct event *event, const char *cgroup)
{
	_cleanup_(freep) char *group = NULL;
	time_t now = time(NULL);
	char clock[16], size[TIERCTL_TEXT_MAX];
	struct tm tm;
	int r;

	r = tierctl_printable(&ctl->style, cgroup ? cgroup : "tierd", &group);
	if (r < 0)
		return r;
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	printf("%s %s %s%s%s", clock, group, tierctl_colour(&ctl->style, TIERCTL_BOLD),
		event->name, tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	for (size_t i = 0; i < event->n_values; i++) {
		const struct value *value = &event->values[i];
		_cleanup_(freep) char *text = NULL;

		if (value->text) {
			r = tierctl_printable(&ctl->style, value->text, &text);
			if (r < 0)
				return r;
			printf(" %s=%s", value->name, text);
		} else if (value->is_size) {
			printf(" %s=%s", value->name,
				tierctl_format_limit(value->number, size));
		} else {
			printf(" %s=%" PRIu64, value->name, value->number);
		}
	}
	return printf("\n") < 0 || fflush(stdout) == EOF ? -EIO : 0;
}

static int print_json(struct tierctl *ctl, const struct event *event, const char *cgroup)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	struct timespec now;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return r;
	clock_gettime(CLOCK_REALTIME, &now);
	tierctl_json_open_object(json, NULL);
	tierctl_json_u64(json, "realtime_usec",
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	tierctl_json_string(json, "event", event->name);
	if (cgroup)
		tierctl_json_string(json, "cgroup", cgroup);
	tierctl_json_open_object(json, "values");
	for (size_t i = 0; i < event->n_values; i++) {
		const struct value *value = &event->values[i];

		if (value->text)
			tierctl_json_string(json, value->name, value->text);
		else
			tierctl_json_limit(json, value->name, value->number);
	}
	tierctl_json_close(json);
	tierctl_json_close(json);
	r = tierctl_json_print(json, ctl->json, stdout);
	if (r < 0)
		return r;
	return fflush(stdout) == EOF ? -EIO : 0;
}

static int print_event(struct tierctl *ctl, const struct event *event)
{
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = sd_bus_path_decode(event->path, GROUP_PREFIX, &cgroup);
	if (r < 0)
		return r;
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, event, cgroup);
	return print_json(ctl, event, cgroup);
}

/* ---- Listening ----------------------------------------------------------------- */

static int on_signal(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	struct event event;
	int r;

	r = read_event(message, &event);
	if (r == 0)
		r = print_event(userdata, &event);
	return r < 0 ? r : 0;
}

static int on_owner(sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	struct event event = { .path = TIERCTL_MANAGER_PATH };
	const char *name, *before, *after;
	int r;

	r = sd_bus_message_read(message, "sss", &name, &before, &after);
	if (r < 0)
		return r;
	event.name = *after ? "Started" : "Stopped";
	r = print_event(userdata, &event);
	return r < 0 ? r : 0;
}

static int listen(struct tierctl *ctl)
{
	int r;

	r = sd_bus_match_signal(
		ctl->bus, NULL, TIERCTL_SERVICE, NULL, NULL, NULL, on_signal, ctl);
	if (r < 0)
		return r;
	return sd_bus_add_match(ctl->bus, NULL,
		"type='signal',sender='org.freedesktop.DBus',"
		"interface='org.freedesktop.DBus',member='NameOwnerChanged',"
		"arg0='" TIERCTL_SERVICE "'",
		on_owner, ctl);
}

int tierctl_verb_monitor(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	int r;

	r = listen(ctl);
	while (r >= 0) {
		r = sd_bus_process(ctl->bus, NULL);
		if (r == 0)
			r = sd_bus_wait(ctl->bus, UINT64_MAX);
	}
	return tierctl_failed(r, "listen to tierd");
}
