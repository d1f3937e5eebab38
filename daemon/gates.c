/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>

#include "gates.h"
#include "log.h"
#include "manager-internal.h"

#define LOOK_NS  (50 * UINT64_C(1000000))
#define CHECK_NS TIERD_NSEC

/* Who is far from the quota is looked at as often as it could come near, but so many of
 * them less often: a look takes about a hundredth of this. */
#define FAR_NS UINT64_C(1000000)

/* A tick out of turn comes so long after the last. */
#define TICK_AGAIN_NS (25 * UINT64_C(1000000))

struct tierd_gates {
	struct tierd_manager *manager;
	int inotify_fd;
	sd_event_source *source;
	sd_event_source *timer;
	bool has_new_cgroups;
	uint64_t checked_ns;
	uint64_t far_looked_ns;
};

/* ---- Groups -------------------------------------------------------------------- */

static void watch_events(struct tierd_gates *gates, struct tierd_group *group)
{
	char path[64];
	int watch;

	if (tierd_group_watch(group) >= 0 || !tierd_group_is_gated(group))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/memory.events",
		tierd_cgroup_fd(tierd_group_cgroup(group)));
	watch = inotify_add_watch(gates->inotify_fd, path, IN_MODIFY);
	if (watch < 0)
		tierd_log_in_loop(-errno, "%s: cannot watch its memory.events",
			tierd_group_path(group));
	else
		tierd_group_set_watch(group, watch);
}

void tierd_gates_update_group(
	struct tierd_gates *gates, struct tierd_group *group, uint64_t now_ns)
{
	if (!tierd_group_is_gated(group) || tierd_group_read_memory(group) < 0)
		return;
	watch_events(gates, group);
	tierd_group_update_gate(group, now_ns);
}

/* Whether the group waits for a plan that the next tick would make too late. */
static bool is_urgent(
	const struct tierd_gates *gates, const struct tierd_group *group, uint64_t now_ns)
{
	return tierd_group_is_waiting(group, now_ns) &&
	       now_ns - gates->manager->ticked_ns >= TICK_AGAIN_NS;
}

/* ---- Between ticks ------------------------------------------------------------- */

static bool is_far(const struct tierd_group *group)
{
	return tierd_group_is_gated(group) &&
	       tierd_group_gate_state(group) == TIERD_GATE_OFF;
}

static bool wants_looks(const struct tierd_gates *gates)
{
	const struct tierd_manager *manager = gates->manager;

	for (size_t i = 0; i < manager->n_groups; i++)
		if (tierd_group_is_gated(manager->groups[i]) &&
			!is_far(manager->groups[i]))
			return true;
	return gates->has_new_cgroups;
}

/* How long those that are far may be left alone; UINT64_MAX: there are none. */
static uint64_t rest_ns(const struct tierd_gates *gates)
{
	const struct tierd_manager *manager = gates->manager;
	uint64_t least_ns = UINT64_MAX;
	size_t n = 0;

	for (size_t i = 0; i < manager->n_groups; i++) {
		if (!is_far(manager->groups[i]))
			continue;
		n++;
		least_ns =
			TIER_MIN(least_ns, tierd_group_gate_rest_ns(manager->groups[i]));
	}
	return TIER_MAX(TIER_MAX(least_ns, n * FAR_NS), LOOK_NS);
}

static void schedule(struct tierd_gates *gates)
{
	uint64_t after_ns = wants_looks(gates) ? LOOK_NS : rest_ns(gates);
	int r;

	if (after_ns == UINT64_MAX)
		return;
	r = sd_event_source_set_time_relative(gates->timer, after_ns / 1000);
	if (r >= 0)
		r = sd_event_source_set_enabled(gates->timer, SD_EVENT_ONESHOT);
	if (r < 0)
		tierd_log_in_loop(r, "cannot set the gates' timer");
}

static void look_at_group(struct tierd_gates *gates, struct tierd_group *group,
	bool look_at_far, uint64_t now_ns)
{
	enum tierd_gate_state state = tierd_group_gate_state(group);

	if (state == TIERD_GATE_OFF && !(look_at_far && is_far(group)))
		return;
	if ((state == TIERD_GATE_OFF || state == TIERD_GATE_WATCHING) &&
		!tierd_group_has_grown(group))
		return;
	tierd_gates_update_group(gates, group, now_ns);
}

static int on_look(
	_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
	struct tierd_gates *gates = userdata;
	struct tierd_manager *manager = gates->manager;
	uint64_t now_ns = tierd_now_ns();
	bool look_at_far = now_ns - gates->far_looked_ns >= rest_ns(gates);
	bool want_tick = false;

	if (gates->has_new_cgroups) {
		gates->has_new_cgroups = false;
		tierd_manager_look_for_groups(manager);
		look_at_far = true;
	}
	if (look_at_far)
		gates->far_looked_ns = now_ns;
	for (size_t i = 0; i < manager->n_groups; i++) {
		look_at_group(gates, manager->groups[i], look_at_far, now_ns);
		want_tick |= is_urgent(gates, manager->groups[i], now_ns);
	}
	if (want_tick)
		tierd_manager_tick(manager);
	schedule(gates);
	return 0;
}

static void take_event(
	struct tierd_gates *gates, const struct inotify_event *event, uint64_t now_ns)
{
	struct tierd_manager *manager = gates->manager;

	if (event->mask & (IN_CREATE | IN_Q_OVERFLOW))
		gates->has_new_cgroups = true;
	for (size_t i = 0; i < manager->n_groups && !(event->mask & IN_IGNORED); i++)
		if (tierd_group_watch(manager->groups[i]) == event->wd)
			tierd_gates_update_group(gates, manager->groups[i], now_ns);
}

static int on_inotify(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
	void *userdata)
{
	struct tierd_gates *gates = userdata;
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(fd, buffer, sizeof(buffer));
	uint64_t now_ns = tierd_now_ns();

	for (char *p = buffer; n > 0 && p < buffer + n;) {
		const struct inotify_event *event = (const struct inotify_event *)p;

		take_event(gates, event, now_ns);
		p += sizeof(*event) + event->len;
	}
	schedule(gates);
	return 0;
}

void tierd_gates_watch_cgroups(struct tierd_gates *gates, const char *path)
{
	char full[PATH_MAX];
	int n;

	/* Without a gate to put up a cgroup that comes can wait for the next walk, and
	 * the kernel need not watch the whole tree. */
	if (!tierd_policies_gate_growth(gates->manager->policies))
		return;
	n = snprintf(full, sizeof(full), "/proc/self/fd/%d%s", gates->manager->cgroups.fd,
		path);
	/* One that is gone, or past the limit, is found by the next walk. */
	if (n < (int)sizeof(full))
		(void)inotify_add_watch(gates->inotify_fd, full, IN_CREATE | IN_ONLYDIR);
}

/* ---- With the tick ------------------------------------------------------------- */

void tierd_gates_update(struct tierd_gates *gates, uint64_t now_ns)
{
	struct tierd_manager *manager = gates->manager;

	for (size_t i = 0; i < manager->n_groups; i++) {
		watch_events(gates, manager->groups[i]);
		tierd_group_update_gate(manager->groups[i], now_ns);
	}
	if (now_ns - gates->checked_ns >= CHECK_NS) {
		gates->checked_ns = now_ns;
		tierd_enforcer_check(manager->enforcer, now_ns);
	}
	schedule(gates);
}

int tierd_gates_new(struct tierd_manager *manager, struct tierd_gates **ret)
{
	struct tierd_gates *gates = calloc(1, sizeof(*gates));
	int r;

	if (!gates)
		return -ENOMEM;
	gates->manager = manager;
	gates->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	r = gates->inotify_fd < 0
		    ? -errno
		    : sd_event_add_io(manager->event, &gates->source, gates->inotify_fd,
			      EPOLLIN, on_inotify, gates);
	if (r >= 0)
		r = sd_event_add_time_relative(manager->event, &gates->timer,
			CLOCK_MONOTONIC, UINT64_C(1000000), 5000, on_look, gates);
	if (r < 0) {
		tierd_gates_free(gates);
		return r;
	}
	*ret = gates;
	return 0;
}

struct tierd_gates *tierd_gates_free(struct tierd_gates *gates)
{
	if (!gates)
		return NULL;
	sd_event_source_disable_unref(gates->timer);
	sd_event_source_disable_unref(gates->source);
	closep(&gates->inotify_fd);
	free(gates);
	return NULL;
}
