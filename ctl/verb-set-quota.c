/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl set-quota: what a group may hold in DRAM, until tierd reads its policies, and,
 * with --persist, from then on as well. */
#include <errno.h>
#include <string.h>

#include "base/size.h"
#include "persist.h"
#include "resolve.h"
#include "settings/root.h"
#include "tierctl.h"
#include "verbs.h"

/* UINT64_MAX means infinity on the bus and so is not a size. */
static int parse_quota(const char *text, uint64_t *ret)
{
	uint64_t bytes;
	int r;

	if (strcmp(text, "infinity") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	r = tier_parse_size(text, &bytes);
	if (r < 0)
		return r;
	if (bytes == UINT64_MAX)
		return -ERANGE;
	*ret = bytes;
	return 0;
}

static int print_text(
	struct tierctl *ctl, const struct tierctl_group *group, uint64_t bytes)
{
	char before[TIERCTL_TEXT_MAX], after[TIERCTL_TEXT_MAX];
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = tierctl_printable(&ctl->style, group->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	if (ctl->legend)
		printf("%s: DRAM quota %s (was %s)\n", cgroup,
			tierctl_format_limit(bytes, after),
			tierctl_format_limit(group->dram_quota_bytes, before));
	return TIERCTL_EXIT_OK;
}

static int print_json(
	struct tierctl *ctl, const struct tierctl_group *group, uint64_t bytes)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_limit(json, "dram_quota_bytes", bytes);
	tierctl_json_limit(json, "previous_dram_quota_bytes", group->dram_quota_bytes);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

/* The quota is in force by now: what is said here is about what comes after a reload. */
static int persist(struct tierctl *ctl, const struct tierctl_group *group, uint64_t bytes)
{
	_cleanup_(freep) char *path = NULL, *other = NULL, *error = NULL, *text = NULL;
	struct tierd_root root;
	int r;

	r = tierd_root_open("/", &root);
	if (r < 0)
		return tierctl_failed(r, "persist it");
	r = tierctl_persist_quota(&root, group, bytes, &path, &error);
	if (r >= 0)
		r = tierctl_persist_check(&root, group, path, &other, &error);
	tierd_root_close(&root);
	if (error && tierctl_printable(&ctl->style, error, &text) >= 0)
		tierctl_error("the quota holds until a reload only: %s", text);
	else if (r < 0)
		tierctl_error("the quota holds until a reload only: %s", strerror(-r));
	else if (other)
		tierctl_error("after a reload %s counts, and not %s", other, path);
	return r < 0 || other ? TIERCTL_EXIT_FAILURE : TIERCTL_EXIT_OK;
}

int tierctl_verb_set_quota(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	uint64_t bytes;
	int r;

	r = parse_quota(argv[1], &bytes);
	if (r < 0) {
		tierctl_error(
			"'%s' is no size: give bytes, a number with K, M, G or T, or "
			"\"infinity\"",
			argv[1]);
		return TIERCTL_EXIT_USAGE;
	}
	if (ctl->persist && geteuid() != 0) {
		tierctl_error("permission denied: --persist is for root");
		return TIERCTL_EXIT_FAILURE;
	}
	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_set_quota(ctl->bus, &group, bytes, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->persist) {
		r = persist(ctl, &group, bytes);
		if (r != TIERCTL_EXIT_OK)
			return r;
	}
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, &group, bytes);
	return print_json(ctl, &group, bytes);
}
