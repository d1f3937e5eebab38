/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is managed: cgroups for which there is a policy, and the processes in them. A
 * process belongs to the deepest managed group above it, so that nested groups do not
 * pull at the same pages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"
#include "log.h"
#include "manager-internal.h"
#include "sampling.h"

/* ---- Groups -------------------------------------------------------------------- */

static int compare_groups(const void *a, const void *b)
{
	return strcmp(tierd_group_path(*(struct tierd_group *const *)a),
		tierd_group_path(*(struct tierd_group *const *)b));
}

static int insert_group(struct tierd_manager *manager, struct tierd_group *group)
{
	struct tierd_group **groups = reallocarray(
		manager->groups, manager->n_groups + 1, sizeof(*manager->groups));

	if (!groups)
		return -ENOMEM;
	manager->groups = groups;
	groups[manager->n_groups++] = group;
	qsort(groups, manager->n_groups, sizeof(*groups), compare_groups);
	return 0;
}

DEFINE_CLEANUP(struct tierd_group *, tierd_group_free)

static int new_group(struct tierd_manager *manager, const char *path,
	const struct tierd_policy *policy, struct tierd_group **ret)
{
	_cleanup_(tierd_cgroup_freep) struct tierd_cgroup *cgroup = NULL;
	_cleanup_(tierd_group_freep) struct tierd_group *group = NULL;
	int r;

	r = tierd_cgroup_open(&manager->cgroups, path, &cgroup);
	if (r < 0)
		return r;
	r = tierd_group_new(&manager->context, cgroup, policy, &group);
	if (r < 0)
		return r;
	cgroup = NULL;
	r = tierd_group_read_memory(group);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(group);
	return 0;
}

/* Takes the group over on success. */
static int join(struct tierd_manager *manager, struct tierd_group *group,
	const char *path, const struct tierd_policy *policy)
{
	int r;

	r = insert_group(manager, group);
	if (r < 0)
		return r;
	manager->processes_changed = true;
	tierd_log_event(TIERD_EVENT_MANAGED, 0,
		TIERD_FIELDS({ "TIERD_CGROUP", path }, { "TIERD_POLICY", policy->path }),
		"%s: managed by %s", path, policy->path);
	if (manager->bus)
		(void)tierd_bus_group_added(manager->bus, group);
	return 0;
}

/* A latecomer for whose DRAMMin= there is no room is managed without. */
static int add_group(struct tierd_manager *manager, const char *path,
	const struct tierd_policy *policy)
{
	_cleanup_(tierd_group_freep) struct tierd_group *group = NULL;
	_cleanup_(freep) char *error = NULL;
	int r;

	r = new_group(manager, path, policy, &group);
	if (r < 0)
		return r == -ENOENT || r == -ENODEV ? 0 : r;
	if (!manager->is_admitted) {
		r = tierd_manager_admit_group(manager, group, &error);
		if (r < 0) {
			tierd_log_event(TIERD_EVENT_GUARANTEE_REFUSED, error ? 0 : r,
				TIERD_FIELDS({ "TIERD_CGROUP", path },
					{ "TIERD_POLICY", policy->path }),
				"%s: nothing is guaranteed: %s", path,
				error ? error : "cannot add up all DRAMMin=");
			tierd_group_waive_min(group);
		}
	}
	r = join(manager, group, path, policy);
	if (r < 0)
		return r;
	group = NULL;
	return 0;
}

static const struct tierd_policy *find_policy(
	const struct tierd_manager *manager, const char *path)
{
	return tierd_overrides_find(&manager->overrides, manager->policies, path);
}

static int visit_cgroup(const char *path, void *userdata)
{
	struct tierd_manager *manager = userdata;
	const struct tierd_policy *policy = find_policy(manager, path);
	int r;

	tierd_gates_watch_cgroups(manager->gates, path);
	if (!policy || tierd_manager_find_group(manager, path))
		return 0;
	r = add_group(manager, path, policy);
	if (r < 0)
		tierd_log_in_loop(r, "%s: cannot manage it", path);
	return 0;
}

/* Frees the group, or sets it aside until its job is back. */
static void retire_group(struct tierd_manager *manager, struct tierd_group *group)
{
	struct tierd_group **leaving;

	tierd_group_release(group);
	if (!tierd_group_has_job(group)) {
		tierd_group_free(group);
		return;
	}
	leaving = reallocarray(
		manager->leaving, manager->n_leaving + 1, sizeof(*manager->leaving));
	if (!leaving)
		return; /* it is lost, but nothing points at freed memory */
	manager->leaving = leaving;
	leaving[manager->n_leaving++] = group;
}

void tierd_manager_free_leaving(struct tierd_manager *manager)
{
	size_t kept = 0;

	for (size_t i = 0; i < manager->n_leaving; i++) {
		if (tierd_group_has_job(manager->leaving[i]))
			manager->leaving[kept++] = manager->leaving[i];
		else
			tierd_group_free(manager->leaving[i]);
	}
	manager->n_leaving = kept;
}

static void log_release(const struct tierd_group *group, const char *why)
{
	const char *path = tierd_group_path(group);

	tierd_log_event(TIERD_EVENT_RELEASED, 0, TIERD_FIELDS({ "TIERD_CGROUP", path }),
		"%s: %s", path, why);
}

static bool keep_group(struct tierd_manager *manager, struct tierd_group *group)
{
	if (!tierd_cgroup_is_alive(tierd_group_cgroup(group))) {
		log_release(group, "is gone");
		tierd_overrides_forget(&manager->overrides, tierd_group_path(group));
		return false;
	}
	if (!find_policy(manager, tierd_group_path(group))) {
		log_release(group, "not managed any more");
		return false;
	}
	return true;
}

/* Moves the groups that go to the end of the list; returns how many stay. */
static size_t partition_groups(struct tierd_manager *manager)
{
	size_t kept = 0;

	for (size_t i = 0; i < manager->n_groups; i++) {
		struct tierd_group *group = manager->groups[i];

		if (!keep_group(manager, group))
			continue;
		memmove(&manager->groups[kept + 1], &manager->groups[kept],
			(i - kept) * sizeof(*manager->groups));
		manager->groups[kept++] = group;
	}
	return kept;
}

static void drop_groups(struct tierd_manager *manager)
{
	size_t n = manager->n_groups;

	manager->n_groups = partition_groups(manager);
	if (manager->n_groups == n)
		return;
	tierd_manager_look_for_processes(manager);
	for (size_t i = manager->n_groups; i < n; i++) {
		if (manager->bus)
			(void)tierd_bus_group_removed(manager->bus, manager->groups[i]);
		retire_group(manager, manager->groups[i]);
	}
}

void tierd_manager_look_for_groups(struct tierd_manager *manager)
{
	int r;

	drop_groups(manager);
	if (manager->policies->n_items == 0 && manager->overrides.n_items == 0)
		return;
	r = tierd_cgroup_walk(&manager->cgroups, visit_cgroup, manager);
	if (r < 0)
		tierd_log_in_loop(r, "cannot walk the cgroup tree");
	else if (r > 0)
		tierd_log_in_loop(0, "there are more cgroups than tierd looks at (%d)",
			TIERD_CGROUPS_MAX);
}

void tierd_manager_apply_policies(struct tierd_manager *manager)
{
	tierd_manager_look_for_groups(manager);
	for (size_t i = 0; i < manager->n_groups; i++)
		tierd_group_set_policy(manager->groups[i],
			find_policy(manager, tierd_group_path(manager->groups[i])));
}

/* ---- Over the bus -------------------------------------------------------------- */

int tierd_manager_add_group(struct tierd_manager *manager, const char *cgroup,
	const struct tierd_policy *policy, struct tierd_group **ret, char **ret_error)
{
	_cleanup_(tierd_group_freep) struct tierd_group *group = NULL;
	int r;

	if (tierd_manager_find_group(manager, cgroup))
		return -EEXIST;
	r = new_group(manager, cgroup, policy, &group);
	if (r < 0)
		return r;
	r = tierd_manager_admit_group(manager, group, ret_error);
	if (r < 0)
		return r;
	r = tierd_overrides_set(&manager->overrides, cgroup, policy);
	if (r < 0)
		return r;
	r = join(manager, group, cgroup, policy);
	if (r < 0) {
		tierd_overrides_forget(&manager->overrides, cgroup);
		return r;
	}
	*ret = TAKE_PTR(group);
	return 0;
}

int tierd_manager_remove_group(struct tierd_manager *manager, struct tierd_group *group)
{
	int r;

	r = tierd_overrides_set(&manager->overrides, tierd_group_path(group), NULL);
	if (r < 0)
		return r;
	drop_groups(manager);
	return 0;
}

/* ---- Processes ----------------------------------------------------------------- */

struct tierd_attribution *tierd_manager_attribute(
	const struct tierd_manager *manager, pid_t pid)
{
	struct tierd_attribution *attribution;

	HASH_FIND_INT(manager->attributions, &pid, attribution);
	return attribution;
}

static void forget_attributions(struct tierd_manager *manager)
{
	struct tierd_attribution *attribution, *next;

	HASH_ITER(hh, manager->attributions, attribution, next)
	{
		HASH_DEL(manager->attributions, attribution);
		free(attribution);
	}
}

static int attribute_group(struct tierd_manager *manager, struct tierd_group *group)
{
	for (size_t i = 0; i < tierd_group_n_spaces(group); i++) {
		struct tierd_attribution *attribution = calloc(1, sizeof(*attribution));

		if (!attribution)
			return -ENOMEM;
		attribution->space = tierd_group_space(group, i);
		attribution->group = group;
		attribution->pid = attribution->space->pid;
		HASH_ADD_INT(manager->attributions, pid, attribution);
	}
	return 0;
}

/* Leaves in @pids those that no deeper group has claimed. */
static size_t unclaimed(const struct tierd_manager *manager, pid_t *pids, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!tierd_manager_attribute(manager, pids[i]))
			pids[kept++] = pids[i];
	return kept;
}

static int look_at_group(
	struct tierd_manager *manager, struct tierd_group *group, pid_t *pids)
{
	size_t n;
	int r;

	r = tierd_cgroup_list_processes(
		tierd_group_cgroup(group), pids, TIERD_CGROUP_PROCESS_MAX, &n);
	if (r < 0)
		return r;
	r = tierd_group_set_processes(group, pids, unclaimed(manager, pids, n));
	if (r < 0)
		return r;
	return attribute_group(manager, group);
}

void tierd_manager_look_for_processes(struct tierd_manager *manager)
{
	_cleanup_(freep) pid_t *pids = malloc(TIERD_CGROUP_PROCESS_MAX * sizeof(*pids));

	forget_attributions(manager);
	manager->processes_changed = false;
	if (!pids) {
		tierd_log_in_loop(-ENOMEM, "cannot list processes");
		return;
	}
	/* Paths are sorted, so children come after their parents. */
	for (size_t i = manager->n_groups; i-- > 0;) {
		struct tierd_group *group = manager->groups[i];
		int r = look_at_group(manager, group, pids);

		if (r < 0 && r != -ENODEV && r != -ENOENT)
			tierd_log_in_loop(r, "%s: cannot follow its processes",
				tierd_group_path(group));
	}
	tierd_sampling_follow(manager);
}

/* Once nothing migrates any more. */
void tierd_manager_free_groups(struct tierd_manager *manager)
{
	forget_attributions(manager);
	for (size_t i = 0; i < manager->n_groups; i++)
		tierd_group_free(manager->groups[i]);
	for (size_t i = 0; i < manager->n_leaving; i++)
		tierd_group_free(manager->leaving[i]);
	free(manager->groups);
	free(manager->leaving);
}
