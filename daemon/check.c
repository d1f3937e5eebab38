/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What would keep tierd from working here: each of the things it cannot do without is
 * tried by itself, so that all that is missing is found at once, and nothing is started
 * or changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "doctor.h"
#include "sampler/registry.h"
#include "settings/config.h"
#include "settings/policy.h"
#include "settings/root.h"
#include "topology.h"

static void say(struct tierd_findings *findings, enum tierd_condition condition, int r,
	const char *error)
{
	tierd_findings_add(findings, condition, NULL, "%s", error ? error : strerror(-r));
}

static void check_configuration(struct tierd_findings *findings,
	const struct tierd_root *root, const char *path, struct tierd_config *ret)
{
	_cleanup_(freep) char *error = NULL, *policy_error = NULL;
	struct tierd_policies *policies;
	int r;

	tierd_config_defaults(ret);
	r = tierd_config_load(root, path, ret, &error);
	if (r < 0)
		say(findings, TIERD_CONDITION_CONFIGURATION, r, error);
	r = tierd_policies_load(root, &policies, &policy_error);
	if (r < 0)
		say(findings, TIERD_CONDITION_CONFIGURATION, r, policy_error);
	else
		tierd_policies_free(policies);
}

static void check_tiers(struct tierd_findings *findings, const struct tierd_root *root,
	const struct tierd_config *config)
{
	_cleanup_(freep) char *error = NULL;
	struct tierd_topology topology;
	int r;

	r = tierd_topology_read(root, config->tiers, &topology, &error);
	if (r < 0)
		say(findings, TIERD_CONDITION_CONFIGURATION, r, error);
	else if (topology.n_tiers < 2)
		tierd_findings_add(findings, TIERD_CONDITION_ONE_TIER, NULL,
			"this machine has one memory tier");
}

static void check_cgroups(struct tierd_findings *findings, const struct tierd_root *root)
{
	_cleanup_(freep) char *error = NULL;
	struct tierd_cgroup_root cgroups = { .fd = -EBADF };
	int r = tierd_cgroup_root_open(root, &cgroups, &error);

	if (r < 0)
		say(findings, TIERD_CONDITION_CGROUP, r, error);
	else
		tierd_cgroup_root_close(&cgroups);
}

static enum tierd_condition condition_of(int error, bool others_work)
{
	if (others_work)
		return TIERD_CONDITION_SOURCE;
	return error == -EACCES || error == -EPERM ? TIERD_CONDITION_NO_PRIVILEGE
						   : TIERD_CONDITION_NO_SOURCE;
}

static bool can_sample(const struct tierd_sampler_config *config)
{
	const struct tierd_sampler_ops *const *sources = tierd_sampler_registry();

	for (; *sources; sources++)
		if (tierd_sampler_is_allowed(*sources, config->source) &&
			tierd_sampler_probe(*sources, config, NULL) >= 0)
			return true;
	return false;
}

/* Of those before the first that works; of all, if none does. */
static void check_sources(struct tierd_findings *findings, const struct tierd_root *root,
	const struct tierd_config *config)
{
	const struct tierd_sampler_ops *const *sources = tierd_sampler_registry();
	const struct tierd_sampler_config sampler_config = {
		.source = tierd_source_to_string(config->source),
		.event = config->event,
		.replay = config->replay,
		.root = root,
	};
	bool works = can_sample(&sampler_config);

	for (; *sources; sources++) {
		_cleanup_(freep) char *error = NULL;
		int r;

		if (!tierd_sampler_is_allowed(*sources, sampler_config.source))
			continue;
		r = tierd_sampler_probe(*sources, &sampler_config, &error);
		if (r >= 0)
			return;
		tierd_findings_add(findings, condition_of(r, works), NULL,
			"source '%s': %s", (*sources)->name,
			error ? error : strerror(-r));
	}
}

void tierd_doctor_check(const char *config_path, struct tierd_findings *ret)
{
	struct tierd_root root = { -EBADF };
	struct tierd_machine_health machine = {
		.capabilities = tierd_doctor_capabilities(),
	};
	struct tierd_config config;
	int r = tierd_root_open("/", &root);

	*ret = (struct tierd_findings){ 0 };
	if (r < 0) {
		say(ret, TIERD_CONDITION_NO_PRIVILEGE, r, NULL);
		return;
	}
	check_configuration(ret, &root, config_path, &config);
	tierd_doctor_see_machine(ret, &machine);
	check_tiers(ret, &root, &config);
	check_cgroups(ret, &root);
	check_sources(ret, &root, &config);
	tierd_root_close(&root);
}
