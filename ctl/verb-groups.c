/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl add, tierctl remove: which cgroups are managed, until tierd reads its policies.
 */
#include <string.h>

#include "base/size.h"
#include "resolve.h"
#include "tierctl.h"
#include "verbs.h"

#define SETTINGS_MAX 8

static const struct {
	const char *name;
	bool is_text;
} known[] = {
	{ "DRAMQuota", false },
	{ "DRAMMin", false },
	{ "BandwidthMax", false },
	{ "Enforcement", true },
	{ "Engine", true },
};

static int parse_number(const char *text, uint64_t *ret)
{
	if (strcmp(text, "infinity") != 0)
		return tier_parse_size(text, ret);
	*ret = UINT64_MAX;
	return 0;
}

/* "Name=value", as in a policy; cut in two. False if it is none. */
static bool parse_setting(char *argument, struct tierctl_setting *ret)
{
	char *value = argument;
	const char *name = strsep(&value, "=");

	if (!value)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(known[i].name, name) != 0)
			continue;
		*ret = (struct tierctl_setting){ .name = known[i].name };
		if (!known[i].is_text)
			return parse_number(value, &ret->number) >= 0;
		ret->text = value;
		return true;
	}
	return false;
}

static int print_cgroup(struct tierctl *ctl, const char *cgroup, bool is_managed)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	if (ctl->json == TIERCTL_JSON_OFF)
		return TIERCTL_EXIT_OK;
	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", cgroup);
	tierctl_json_bool(json, "managed", is_managed);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_add(struct tierctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	struct tierctl_setting settings[SETTINGS_MAX];
	int r;

	for (int i = 1; i < argc; i++) {
		if (i <= SETTINGS_MAX && parse_setting(argv[i], &settings[i - 1]))
			continue;
		tierctl_error(
			"'%s' is no setting, or has no such value: there are "
			"DRAMQuota=, DRAMMin=, BandwidthMax= (sizes), "
			"Enforcement= and Engine=",
			argv[i]);
		return TIERCTL_EXIT_USAGE;
	}
	r = tierctl_add_group(ctl->bus, argv[0], settings, argc - 1, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	return print_cgroup(ctl, argv[0], true);
}

int tierctl_verb_remove(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	int r;

	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_remove_group(ctl->bus, &group, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	return print_cgroup(ctl, group.cgroup, false);
}
