/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding a group by what the user calls it, and saying so when that is not clear. */
#include <string.h>

#include "resolve.h"
#include "tierctl.h"

static bool is_meant(const char *cgroup, const char *name)
{
	size_t cgroup_length = strlen(cgroup), name_length = strlen(name);

	if (name[0] == '/')
		return strcmp(cgroup, name) == 0;
	return name_length > 0 && cgroup_length > name_length &&
	       cgroup[cgroup_length - name_length - 1] == '/' &&
	       strcmp(cgroup + cgroup_length - name_length, name) == 0;
}

enum tierctl_match tierctl_match_group(
	const struct tierctl_groups *groups, const char *name, size_t *ret_index)
{
	size_t n = 0;

	for (size_t i = groups->n_items; i-- > 0;) {
		if (!is_meant(groups->items[i].cgroup, name))
			continue;
		*ret_index = i;
		n++;
	}
	return n == 0   ? TIERCTL_MATCH_NONE
	       : n == 1 ? TIERCTL_MATCH_ONE
			: TIERCTL_MATCH_SEVERAL;
}

static void list_matches(struct tierctl *ctl, const struct tierctl_groups *groups,
	size_t first, const char *name)
{
	tierctl_error("several groups are called '%s', give one's path:", name);
	for (size_t i = first; i < groups->n_items; i++) {
		_cleanup_(freep) char *text = NULL;

		if (is_meant(groups->items[i].cgroup, name) &&
			tierctl_printable(&ctl->style, groups->items[i].cgroup, &text) >=
				0)
			fprintf(stderr, "  %s\n", text);
	}
}

int tierctl_find_group(struct tierctl *ctl, const char *name, struct tierctl_group *ret)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_groups_done) struct tierctl_groups groups = {};
	size_t i;
	int r;

	r = tierctl_get_groups(ctl->bus, &groups, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	switch (tierctl_match_group(&groups, name, &i)) {
	case TIERCTL_MATCH_ONE:
		*ret = groups.items[i];
		groups.items[i] = (struct tierctl_group){};
		return TIERCTL_EXIT_OK;
	case TIERCTL_MATCH_SEVERAL:
		list_matches(ctl, &groups, i, name);
		return TIERCTL_EXIT_NO_SUCH_GROUP;
	default:
		tierctl_error("no managed group is called '%s' (see tierctl list)", name);
		return TIERCTL_EXIT_NO_SUCH_GROUP;
	}
}
