/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl set-enforcement: how a group's quota is kept, until tierd reads its policies.
 */
#include "resolve.h"
#include "tierctl.h"
#include "verbs.h"

static int print_text(
	struct tierctl *ctl, const struct tierctl_group *group, const char *enforcement)
{
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = tierctl_printable(&ctl->style, group->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	if (ctl->legend)
		printf("%s: enforcement %s (was %s)\n", cgroup, enforcement,
			group->enforcement);
	return TIERCTL_EXIT_OK;
}

static int print_json(
	struct tierctl *ctl, const struct tierctl_group *group, const char *enforcement)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_string(json, "enforcement", enforcement);
	tierctl_json_string(json, "previous_enforcement", group->enforcement);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_set_enforcement(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	int r;

	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_set_enforcement(ctl->bus, &group, argv[1], &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, &group, argv[1]);
	return print_json(ctl, &group, argv[1]);
}
