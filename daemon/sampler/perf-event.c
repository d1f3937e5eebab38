/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PMU describes itself in /sys/bus/event_source/devices/NAME: `type` is its number,
 * `format/TERM` says which bits of which config word a term fills, and `events/NAME` are
 * ready-made lists of terms. This file reads those descriptions. It does not know what an
 * event counts (perf-known.c has the ones worth looking for), nor whether the kernel will
 * let us open it.
 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/size.h"
#include "settings/errtext.h"
#include "settings/root.h"
#include "sampler/perf-event.h"
#include "sampler/perf-known.h"
#include "sampler/range-list.h"

#define DEVICES        "/sys/bus/event_source/devices"
#define NAME_MAX_BYTES 100
#define PATH_MAX_BYTES 320
#define LIST_MAX_BYTES 1024
#define TEXT_MAX       512
#define PRECISE_MAX    3

/* An event string taken apart; the pointers are into `buf`. */
struct event_text {
	char buf[TEXT_MAX];
	char *pmu;
	char *terms;
	unsigned precise;
};

/* What the terms of one event are applied to. */
struct resolution {
	const struct tierd_root *root;
	const char *pmu;
	uint64_t config[TIERD_PERF_CONFIGS];
	uint64_t period;
	char **ret_error;
};

/* A file of a PMU's; `folder` is "" or begins with a slash. Names have passed
 * is_name(). */
static void device_path(char path[static PATH_MAX_BYTES], const char *pmu,
	const char *folder, const char *name)
{
	_unused_ int n =
		snprintf(path, PATH_MAX_BYTES, DEVICES "/%s%s/%s", pmu, folder, name);

	assert(n > 0 && n < PATH_MAX_BYTES);
}

static int read_device(const struct tierd_root *root, const char *pmu, const char *folder,
	const char *name, char **ret)
{
	char path[PATH_MAX_BYTES];

	device_path(path, pmu, folder, name);
	return tierd_root_read_line(root, path, ret);
}

static bool device_has(const struct tierd_root *root, const char *pmu, const char *folder,
	const char *name)
{
	_cleanup_(closep) int fd = -EBADF;
	char path[PATH_MAX_BYTES];

	device_path(path, pmu, folder, name);
	return tierd_root_open_file(root, path, O_PATH, &fd) == 0;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* What is in a folder, for people: "a, b, c", cut where the buffer ends. */
static const char *list_folder(
	const struct tierd_root *root, const char *path, char buf[static LIST_MAX_BYTES])
{
	struct dirent **entries = NULL;
	size_t used = 0;
	int n;

	n = scandirat(root->fd, path + 1, &entries, is_visible, alphasort);
	for (int i = 0; i < n; i++) {
		if (used < LIST_MAX_BYTES)
			used += snprintf(buf + used, LIST_MAX_BYTES - used, "%s%s",
				i ? ", " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (n <= 0)
		strcpy(buf, "none");
	return buf;
}

/* Names become parts of paths. */
static bool is_name(const char *s)
{
	if (!*s || *s == '.' || strlen(s) > NAME_MAX_BYTES)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_-.", *s))
			return false;
	return true;
}

static int split_modifiers(
	struct event_text *t, const char *text, const char *modifiers, char **ret_error)
{
	unsigned precise = 0;

	for (const char *m = modifiers; *m; m++)
		switch (*m) {
		case 'p':
			precise++;
			break;
		case 'P': /* as precise as there is */
			precise = precise ? PRECISE_MAX + 1 : PRECISE_MAX;
			break;
		case 'u': /* user code only, as it is anyway */
			break;
		default:
			precise = PRECISE_MAX + 1;
			break;
		}
	if (precise > PRECISE_MAX)
		return tierd_error(ret_error, -EINVAL,
			"event '%s': after the last slash come 'P', or at most %d 'p', "
			"and 'u', not '%s': tierd samples the accesses of user code, on "
			"all CPUs, and nothing else",
			text, PRECISE_MAX, modifiers);
	t->precise = precise;
	return 0;
}

static int split_text(struct event_text *t, const char *text, char **ret_error)
{
	char *first, *last;

	if (strlen(text) >= sizeof(t->buf))
		return tierd_error(
			ret_error, -EINVAL, "event '%.40s...' is too long", text);
	strcpy(t->buf, text);

	t->pmu = t->buf;
	t->terms = t->buf + strlen(t->buf);
	t->precise = 0;

	first = strchr(t->buf, '/');
	last = strrchr(t->buf, '/');
	if (first && first == last)
		return tierd_error(ret_error, -EINVAL,
			"event '%s' has one slash: write pmu/term=value,.../", text);
	if (first) {
		int r = split_modifiers(t, text, last + 1, ret_error);

		if (r < 0)
			return r;
		*first = *last = '\0';
		t->terms = first + 1;
	}
	if (!is_name(t->pmu))
		return tierd_error(
			ret_error, -EINVAL, "event '%s' does not begin with a PMU", text);
	return 0;
}

static int parse_value(
	const struct resolution *res, const char *term, const char *text, uint64_t *ret)
{
	bool is_hex = strncasecmp(text, "0x", 2) == 0;
	int r = is_hex ? tier_parse_hex(text + 2, ret) : tier_parse_u64(text, ret);

	if (r < 0)
		return tierd_error(res->ret_error, -EINVAL,
			"PMU %s: '%s' is no number for term '%s'", res->pmu, text, term);
	return 0;
}

static int fail_no_term(const struct resolution *res, const char *term)
{
	char formats[LIST_MAX_BYTES], events[LIST_MAX_BYTES], path[PATH_MAX_BYTES];

	device_path(path, res->pmu, "", "format");
	list_folder(res->root, path, formats);
	device_path(path, res->pmu, "", "events");
	list_folder(res->root, path, events);
	return tierd_error(res->ret_error, -ENOENT,
		"PMU %s has no term '%s'; its terms: %s; its named events: %s; "
		"also period, config, config1, config2",
		res->pmu, term, formats, events);
}

/*
 * Puts the bits of value, lowest first, where the ranges say. -EINVAL when they make no
 * sense, -ERANGE when there are too few for the value.
 */
static int fill_ranges(const char *ranges, uint64_t value, uint64_t *config)
{
	uint64_t word = *config;
	unsigned first, last;
	int r;

	while ((r = tierd_range_list_next(&ranges, &first, &last)) > 0) {
		uint64_t mask;

		if (last > 63)
			return -EINVAL;
		mask = UINT64_MAX >> (63 - (last - first));
		word &= ~(mask << first);
		word |= (value & mask) << first;
		value = mask == UINT64_MAX ? 0 : value >> (last - first + 1);
	}
	if (r < 0)
		return r;
	if (value != 0)
		return -ERANGE;
	*config = word;
	return 0;
}

/* Which config word `name` is, or begins with before a colon: its index, or -ENOENT.
 */
static int config_index(const char *name, const char **ret_rest)
{
	static const char *const words[TIERD_PERF_CONFIGS] = { "config", "config1",
		"config2" };

	for (int i = 0; i < TIERD_PERF_CONFIGS; i++) {
		size_t n = strlen(words[i]);

		if (strncmp(name, words[i], n) == 0 && (!name[n] || name[n] == ':')) {
			*ret_rest = name + n;
			return i;
		}
	}
	return -ENOENT;
}

static int apply_format(
	struct resolution *res, const char *term, const char *format, uint64_t value)
{
	const char *ranges = NULL;
	int i, r;

	i = config_index(format, &ranges);
	if (i < 0 || *ranges != ':' || !ranges[1])
		r = -EINVAL;
	else
		r = fill_ranges(ranges + 1, value, &res->config[i]);

	if (r == -ERANGE)
		return tierd_error(res->ret_error, -EINVAL,
			"PMU %s: %#llx does not fit term '%s', which is %s", res->pmu,
			(unsigned long long)value, term, format);
	if (r < 0)
		return tierd_error(res->ret_error, r,
			"PMU %s describes term '%s' as '%s', which we cannot read",
			res->pmu, term, format);
	return 0;
}

/* A term the syntax itself has. Returns 1 when it was one, 0 when not. */
static int apply_builtin(struct resolution *res, const char *term, uint64_t value)
{
	const char *rest;
	int i;

	if (strcmp(term, "period") == 0) {
		if (value == 0)
			return tierd_error(
				res->ret_error, -EINVAL, "the period cannot be 0");
		res->period = value;
		return 1;
	}
	i = config_index(term, &rest);
	if (i < 0 || *rest)
		return 0;
	res->config[i] = value;
	return 1;
}

static int apply_valued_term(struct resolution *res, const char *term, const char *text)
{
	_cleanup_(freep) char *format = NULL;
	uint64_t value = 1;
	int r;

	if (text) {
		r = parse_value(res, term, text, &value);
		if (r < 0)
			return r;
	}
	r = apply_builtin(res, term, value);
	if (r != 0)
		return r < 0 ? r : 0;

	r = read_device(res->root, res->pmu, "/format", term, &format);
	if (r == -ENOENT)
		return fail_no_term(res, term);
	if (r < 0)
		return tierd_error(res->ret_error, r,
			"PMU %s: cannot read the format of term '%s': %s", res->pmu, term,
			strerror(-r));
	return apply_format(res, term, format, value);
}

static int apply_terms(struct resolution *res, char *terms, bool nested);

/* A term without a value may name an event. Returns 1 when it did, 0 when not. */
static int apply_named_event(struct resolution *res, const char *name)
{
	_cleanup_(freep) char *terms = NULL;
	int r;

	r = read_device(res->root, res->pmu, "/events", name, &terms);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return tierd_error(res->ret_error, r,
			"PMU %s: cannot read the event '%s': %s", res->pmu, name,
			strerror(-r));
	r = apply_terms(res, terms, true);
	return r < 0 ? r : 1;
}

/* Applies a list of terms, which it takes apart. What a named event consists of are no
 * named events again. */
static int apply_terms(struct resolution *res, char *terms, bool nested)
{
	char *term;

	while ((term = strsep(&terms, ","))) {
		char *value = strchr(term, '=');
		int r = 0;

		if (value)
			*value++ = '\0';
		if (!*term && !value)
			continue;
		if (!is_name(term))
			return tierd_error(res->ret_error, -EINVAL,
				"PMU %s: '%s' is no term", res->pmu, term);

		if (!value && !nested)
			r = apply_named_event(res, term);
		if (r == 0)
			r = apply_valued_term(res, term, value);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_type(
	const struct tierd_root *root, const char *pmu, uint32_t *ret, char **ret_error)
{
	_cleanup_(freep) char *text = NULL;
	char others[LIST_MAX_BYTES];
	uint64_t type;
	int r;

	r = read_device(root, pmu, "", "type", &text);
	if (r == -ENOENT)
		return tierd_error(ret_error, r, "there is no PMU '%s' in %s, only: %s",
			pmu, DEVICES, list_folder(root, DEVICES, others));
	if (r == 0)
		r = tier_parse_u64(text, &type);
	if (r == 0 && type > UINT32_MAX)
		r = -ERANGE;
	if (r < 0)
		return tierd_error(ret_error, r, "cannot read the type of PMU %s: %s",
			pmu, strerror(-r));
	*ret = type;
	return 0;
}

/* Hybrid processors have a PMU for each kind of core, and each lists its CPUs. */
static int read_cpus(
	const struct tierd_root *root, const char *pmu, char **ret, char **ret_error)
{
	int r = read_device(root, pmu, "", "cpus", ret);

	if (r < 0 && r != -ENOENT)
		return tierd_error(ret_error, r, "cannot read the CPUs of PMU %s: %s",
			pmu, strerror(-r));
	return 0;
}

/*
 * From Sapphire Rapids on, mem-loads counts only behind mem-loads-aux, which the kernel
 * then lists beside it.
 */
static int read_leader(const struct resolution *res, struct tierd_perf_event *event)
{
	struct resolution leader = {
		.root = res->root, .pmu = res->pmu, .ret_error = res->ret_error
	};
	char loads[] = "mem-loads", aux[] = "mem-loads-aux";
	struct resolution plain = leader;
	int r;

	if (!device_has(res->root, res->pmu, "/events", aux) ||
		!device_has(res->root, res->pmu, "/events", loads))
		return 0;

	r = apply_terms(&leader, aux, false);
	if (r < 0)
		return r;
	r = apply_terms(&plain, loads, false);
	if (r < 0)
		return r;

	event->has_leader = event->config[0] == plain.config[0];
	memcpy(event->leader_config, leader.config, sizeof(leader.config));
	return 0;
}

static int find_known(const struct tierd_root *root, const char **ret, char **ret_error)
{
	char looked_for[LIST_MAX_BYTES] = "";
	size_t used = 0;

	for (size_t i = 0; tierd_perf_known[i].text; i++) {
		const struct tierd_perf_known *known = &tierd_perf_known[i];

		if (device_has(root, known->pmu, known->folder, known->file)) {
			*ret = known->text;
			return 0;
		}
		if (used < sizeof(looked_for))
			used += snprintf(looked_for + used, sizeof(looked_for) - used,
				"%s%s", i ? ", " : "", known->text);
	}
	return tierd_error(ret_error, -ENODEV,
		"no event that samples memory accesses: %s has none of %s. Virtual "
		"machines often have no PMU of this kind; on other processors name an "
		"event that delivers addresses by Event= in tierd.conf",
		DEVICES, looked_for);
}

static int resolve(struct tierd_perf_event *event, const struct tierd_root *root,
	const char *text, char **ret_error)
{
	const struct tierd_perf_trait *trait;
	struct resolution res;
	struct event_text t;
	int r;

	r = split_text(&t, text, ret_error);
	if (r < 0)
		return r;
	r = read_type(root, t.pmu, &event->type, ret_error);
	if (r < 0)
		return r;

	trait = tierd_perf_trait(t.pmu);
	res = (struct resolution){ .root = root,
		.pmu = t.pmu,
		.period = trait->period,
		.ret_error = ret_error };
	r = apply_terms(&res, t.terms, false);
	if (r < 0)
		return r;

	memcpy(event->config, res.config, sizeof(res.config));
	event->precise = t.precise;
	event->bounds = trait->bounds;
	event->sample_cost_ns = trait->sample_cost_ns;
	event->period = tierd_rate_clamp(&event->bounds, res.period);
	r = read_leader(&res, event);
	if (r < 0)
		return r;
	r = read_cpus(root, t.pmu, &event->cpus, ret_error);
	if (r < 0)
		return r;

	event->text = strdup(text);
	return event->text ? 0 : -ENOMEM;
}

int tierd_perf_event_resolve(struct tierd_perf_event *ret, const struct tierd_root *root,
	const char *text, char **ret_error)
{
	struct tierd_perf_event event = {};
	int r;

	if (!text || !*text) {
		r = find_known(root, &text, ret_error);
		if (r < 0)
			return r;
	}
	text = tierd_perf_named(text);

	r = resolve(&event, root, text, ret_error);
	if (r < 0) {
		tierd_perf_event_done(&event);
		return r;
	}
	*ret = event;
	return 0;
}

void tierd_perf_event_done(struct tierd_perf_event *event)
{
	free(event->text);
	free(event->cpus);
	*event = (struct tierd_perf_event){};
}
