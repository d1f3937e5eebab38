/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl list: a row for each managed group. */
#include <inttypes.h>

#include "group-view.h"
#include "verbs.h"

static int print_text(struct tierctl *ctl, const struct tierctl_groups *groups)
{
	char dram[TIERCTL_TEXT_MAX], slow[TIERCTL_TEXT_MAX];
	struct tierctl_totals totals = tierctl_groups_totals(groups);
	int r;

	r = tierctl_print_groups(ctl, groups);
	if (r < 0)
		return tierctl_failed(r, "print the groups");
	if (ctl->legend && groups->n_items == 0)
		printf("No groups are managed. Policies go to /etc/tierd/policies.d, see "
		       "tierd.policy(5).\n");
	else if (ctl->legend)
		printf("\n%zu group%s, %s in DRAM, %s in slow memory.\n", groups->n_items,
			groups->n_items == 1 ? "" : "s",
			tierctl_format_size(totals.dram_bytes, dram),
			tierctl_format_size(totals.slow_bytes, slow));
	return TIERCTL_EXIT_OK;
}

static int print_json(struct tierctl *ctl, const struct tierctl_groups *groups)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_groups_to_json(json, NULL, groups);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_list(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_groups_done) struct tierctl_groups groups = {};
	int r;

	r = tierctl_get_groups(ctl->bus, &groups, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, &groups);
	return print_json(ctl, &groups);
}
