/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The calls that change something. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "bus-call.h"
#include "bus-client.h"

static int change(sd_bus *bus, const struct tierctl_call *c, sd_bus_error *error,
	const char *types, ...)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	va_list arguments;
	int r;

	r = tierctl_new_call(bus, c, &message);
	if (r < 0)
		return r;
	va_start(arguments, types);
	r = sd_bus_message_appendv(message, types, arguments);
	va_end(arguments);
	if (r < 0)
		return r;
	return tierctl_send_change(bus, message, NULL, error);
}

static int change_manager(sd_bus *bus, const char *member, sd_bus_error *error)
{
	const struct tierctl_call c = { TIERCTL_MANAGER_PATH, TIERCTL_MANAGER_INTERFACE,
		member };

	return change(bus, &c, error, "");
}

int tierctl_reload(sd_bus *bus, sd_bus_error *error)
{
	return change_manager(bus, "Reload", error);
}

int tierctl_pause(sd_bus *bus, sd_bus_error *error)
{
	return change_manager(bus, "Pause", error);
}

int tierctl_resume(sd_bus *bus, sd_bus_error *error)
{
	return change_manager(bus, "Resume", error);
}

int tierctl_set_quota(sd_bus *bus, const struct tierctl_group *group, uint64_t bytes,
	sd_bus_error *error)
{
	const struct tierctl_call c = { group->path, TIERCTL_GROUP_INTERFACE,
		"SetQuota" };

	return change(bus, &c, error, "t", bytes);
}

int tierctl_set_enforcement(sd_bus *bus, const struct tierctl_group *group,
	const char *enforcement, sd_bus_error *error)
{
	const struct tierctl_call c = { group->path, TIERCTL_GROUP_INTERFACE,
		"SetEnforcement" };

	return change(bus, &c, error, "s", enforcement);
}

int tierctl_remove_group(
	sd_bus *bus, const struct tierctl_group *group, sd_bus_error *error)
{
	const struct tierctl_call c = { TIERCTL_MANAGER_PATH, TIERCTL_MANAGER_INTERFACE,
		"RemoveGroup" };

	return change(bus, &c, error, "s", group->cgroup);
}

static int append_settings(sd_bus_message *message,
	const struct tierctl_setting *settings, size_t n_settings)
{
	int r;

	r = sd_bus_message_open_container(message, 'a', "{sv}");
	if (r < 0)
		return r;
	for (size_t i = 0; i < n_settings; i++) {
		const struct tierctl_setting *setting = &settings[i];

		r = setting->text ? sd_bus_message_append(message, "{sv}", setting->name,
					    "s", setting->text)
				  : sd_bus_message_append(message, "{sv}", setting->name,
					    "t", setting->number);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(message);
}

int tierctl_add_group(sd_bus *bus, const char *cgroup,
	const struct tierctl_setting *settings, size_t n_settings, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	const struct tierctl_call c = { TIERCTL_MANAGER_PATH, TIERCTL_MANAGER_INTERFACE,
		"AddGroup" };
	int r;

	r = tierctl_new_call(bus, &c, &message);
	if (r < 0)
		return r;
	r = sd_bus_message_append(message, "s", cgroup);
	if (r < 0)
		return r;
	r = append_settings(message, settings, n_settings);
	if (r < 0)
		return r;
	return tierctl_send_change(bus, message, NULL, error);
}

/* Like a change, it may be asked for a password. The reply's descriptor goes with it. */
int tierctl_record(sd_bus *bus, const struct tierctl_group *group, uint64_t duration_usec,
	int *ret_fd, sd_bus_error *error)
{
	const struct tierctl_call c = { group->path, TIERCTL_GROUP_INTERFACE, "Record" };
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
	int fd, r;

	r = tierctl_new_call(bus, &c, &message);
	if (r < 0)
		return r;
	r = sd_bus_message_append(message, "t", duration_usec);
	if (r < 0)
		return r;
	r = tierctl_send_change(bus, message, &reply, error);
	if (r < 0)
		return r;
	r = sd_bus_message_read(reply, "h", &fd);
	if (r < 0)
		return r;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}
