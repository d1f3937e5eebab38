/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manager's methods that name a cgroup or change something. Arguments are looked at
 * first, so that what makes no sense is refused without asking anybody; then the caller
 * has to be allowed. Paths are compared with those of groups and opened beneath the
 * cgroup root.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "bus-internal.h"
#include "group.h"
#include "manager.h"

/* ---- Arguments ----------------------------------------------------------------- */

/* An absolute path of a cgroup below the root, without empty, "." or ".." parts. */
static bool is_cgroup_path(const char *path)
{
	if (strnlen(path, PATH_MAX) == PATH_MAX || *path != '/')
		return false;
	while (*path == '/') {
		size_t length = strcspn(++path, "/");

		if (length == 0 || length > NAME_MAX ||
			(path[0] == '.' &&
				(length == 1 || (length == 2 && path[1] == '.'))))
			return false;
		path += length;
	}
	return true;
}

static int read_cgroup(sd_bus_message *message, const char **ret, sd_bus_error *error)
{
	const char *cgroup;
	int r;

	r = sd_bus_message_read(message, "s", &cgroup);
	if (r < 0)
		return r;
	if (!is_cgroup_path(cgroup))
		return sd_bus_error_set(error, TIERD_BUS_ERROR_INVALID_ARGUMENT,
			"Not a path below the cgroup root: it begins with '/' and has no "
			"empty, \".\" or \"..\" parts");
	*ret = cgroup;
	return 0;
}

static int read_amount(sd_bus_message *message, struct tierd_amount *ret)
{
	uint64_t bytes;
	int r;

	r = sd_bus_message_read(message, "v", "t", &bytes);
	if (r < 0)
		return r;
	*ret = bytes == TIERD_BYTES_INFINITY
		       ? (struct tierd_amount){ TIERD_AMOUNT_INFINITY, 0 }
		       : (struct tierd_amount){ TIERD_AMOUNT_BYTES, bytes };
	return 0;
}

/* One property; -EINVAL when there is none of that name, or it has no such value. */
static int read_property(
	sd_bus_message *message, const char *name, struct tierd_policy *policy)
{
	const char *text;
	int r;

	if (strcmp(name, "DRAMQuota") == 0)
		return read_amount(message, &policy->dram_quota);
	if (strcmp(name, "DRAMMin") == 0)
		return read_amount(message, &policy->dram_min);
	if (strcmp(name, "BandwidthMax") == 0)
		return sd_bus_message_read(
			message, "v", "t", &policy->bandwidth_max_bytes);
	if (strcmp(name, "Enforcement") != 0 && strcmp(name, "Engine") != 0)
		return -EINVAL;
	r = sd_bus_message_read(message, "v", "s", &text);
	if (r < 0)
		return r;
	return *name == 'E' && name[2] == 'f'
		       ? tierd_enforcement_from_string(text, &policy->enforcement)
		       : tierd_engine_from_string(text, &policy->engine);
}

static int read_properties(
	sd_bus_message *message, struct tierd_policy *policy, sd_bus_error *error)
{
	const char *name;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		r = sd_bus_message_read(message, "s", &name);
		if (r < 0)
			return r;
		r = read_property(message, name, policy);
		if (r < 0)
			return sd_bus_error_setf(error, TIERD_BUS_ERROR_INVALID_ARGUMENT,
				"No such property, or not a value for it: %.32s (there are "
				"DRAMQuota, DRAMMin, BandwidthMax, Enforcement, Engine)",
				name);
		r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int check_policy(const struct tierd_policy *policy, sd_bus_error *error)
{
	uint64_t min_bytes = tierd_amount_resolve(policy->dram_min, 0);

	if (min_bytes > tierd_amount_resolve(policy->dram_quota, 0) ||
		min_bytes == TIERD_BYTES_INFINITY)
		return sd_bus_error_set(error, TIERD_BUS_ERROR_INVALID_QUOTA,
			"DRAMMin is above DRAMQuota, or infinite");
	if (policy->bandwidth_max_bytes == 0)
		return sd_bus_error_set(error, TIERD_BUS_ERROR_INVALID_ARGUMENT,
			"BandwidthMax is 0: use Enforcement advise to move nothing");
	return 0;
}

/* ---- Groups -------------------------------------------------------------------- */

static int no_such_group(const char *cgroup, sd_bus_error *error)
{
	return sd_bus_error_setf(error, TIERD_BUS_ERROR_NO_SUCH_GROUP,
		"No managed group has the cgroup path '%s'", cgroup);
}

static int reply_path(sd_bus_message *message, const struct tierd_group *group)
{
	_cleanup_(freep) char *path = NULL;
	int r;

	r = tierd_bus_group_path(group, &path);
	if (r < 0)
		return r;
	return sd_bus_reply_method_return(message, "o", path);
}

int tierd_bus_get_group(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	const struct tierd_group *group;
	const char *cgroup;
	int r;

	r = read_cgroup(message, &cgroup, error);
	if (r < 0)
		return r;
	group = tierd_manager_find_group(bus->manager, cgroup);
	return group ? reply_path(message, group) : no_such_group(cgroup, error);
}

/* Sets an error of its own for a text, which may hold names of any bytes. */
static int fail_with_text(const char *name, const char *text, sd_bus_error *error)
{
	_cleanup_(freep) char *escaped = NULL;
	int r;

	r = tierd_bus_escape(text, &escaped);
	if (r < 0)
		return r;
	return sd_bus_error_set(error, name, escaped);
}

static int add_failed(int r, const char *text, sd_bus_error *error)
{
	switch (r) {
	case -EEXIST:
		return sd_bus_error_set(error, TIERD_BUS_ERROR_GROUP_EXISTS,
			"The cgroup is managed already");
	case -ENOENT:
	case -ENODEV:
	case -ENOTDIR:
	case -ELOOP:
	case -EXDEV:
		return sd_bus_error_set(error, TIERD_BUS_ERROR_NO_SUCH_CGROUP,
			"There is no such cgroup, or it has no memory controller");
	case -E2BIG:
		return sd_bus_error_set(error, TIERD_BUS_ERROR_LIMIT_EXCEEDED,
			"Too many groups were added or removed since the last reload");
	case -ENOSPC:
		return fail_with_text(TIERD_BUS_ERROR_OVERCOMMITTED,
			text ? text : "DRAMMin is over-committed", error);
	default:
		return r;
	}
}

int tierd_bus_add_group(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	_cleanup_(freep) char *text = NULL;
	struct tierd_bus *bus = userdata;
	struct tierd_policy policy;
	struct tierd_group *group;
	const char *cgroup;
	int r;

	tierd_policy_defaults(&policy);
	strcpy(policy.path, TIERD_BUS_POLICY);
	r = read_cgroup(message, &cgroup, error);
	if (r < 0)
		return r;
	r = read_properties(message, &policy, error);
	if (r < 0)
		return r;
	r = check_policy(&policy, error);
	if (r < 0)
		return r;
	r = tierd_bus_authorize(message, TIERD_BUS_ACTION_MANAGE_GROUPS, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	r = tierd_manager_add_group(bus->manager, cgroup, &policy, &group, &text);
	if (r < 0)
		return add_failed(r, text, error);
	return reply_path(message, group);
}

int tierd_bus_remove_group(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	struct tierd_bus *bus = userdata;
	struct tierd_group *group;
	const char *cgroup;
	int r;

	r = read_cgroup(message, &cgroup, error);
	if (r < 0)
		return r;
	r = tierd_bus_authorize(message, TIERD_BUS_ACTION_MANAGE_GROUPS, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	group = tierd_manager_find_group(bus->manager, cgroup);
	if (!group)
		return no_such_group(cgroup, error);
	r = tierd_manager_remove_group(bus->manager, group);
	if (r < 0)
		return add_failed(r, NULL, error);
	return sd_bus_reply_method_return(message, NULL);
}

/* ---- All of it ----------------------------------------------------------------- */

int tierd_bus_reload(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	_cleanup_(freep) char *text = NULL;
	struct tierd_bus *bus = userdata;
	int r;

	r = tierd_bus_authorize(message, TIERD_BUS_ACTION_RELOAD, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	r = tierd_manager_reload(bus->manager, &text);
	if (r < 0 && text)
		return fail_with_text(r == -ENOSPC
					      ? TIERD_BUS_ERROR_OVERCOMMITTED
					      : TIERD_BUS_ERROR_INVALID_CONFIGURATION,
			text, error);
	if (r < 0)
		return r;
	r = tierd_bus_policies_changed(bus);
	if (r < 0)
		return r;
	return sd_bus_reply_method_return(message, NULL);
}

static int set_paused(sd_bus_message *message, struct tierd_bus *bus, bool is_paused,
	sd_bus_error *error)
{
	int r;

	r = tierd_bus_authorize(message, TIERD_BUS_ACTION_PAUSE, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	if (tierd_manager_is_paused(bus->manager) != is_paused) {
		tierd_manager_set_paused(bus->manager, is_paused);
		r = sd_bus_emit_properties_changed(sd_bus_message_get_bus(message),
			TIERD_BUS_MANAGER_PATH, TIERD_BUS_MANAGER_INTERFACE, "Paused",
			NULL);
		if (r < 0)
			return r;
	}
	return sd_bus_reply_method_return(message, NULL);
}

int tierd_bus_pause(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return set_paused(message, userdata, true, error);
}

int tierd_bus_resume(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	return set_paused(message, userdata, false, error);
}
