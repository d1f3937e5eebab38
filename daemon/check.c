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
#include "sampler/sampler.h"
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

static void check_sampler(struct tierd_findings *findings, const struct tierd_root *root,
	const struct tierd_config *config)
{
	const struct tierd_sampler_config sampler_config = {
		.source = tierd_source_to_string(config->source),
		.event = config->event,
		.root = root,
	};
	_cleanup_(freep) char *error = NULL;
	struct tierd_sampler *sampler;
	int r = tierd_sampler_open(&sampler_config, &sampler, &error);

	if (r == -EACCES || r == -EPERM)
		say(findings, TIERD_CONDITION_NO_PRIVILEGE, r, error);
	else if (r < 0)
		say(findings, TIERD_CONDITION_NO_PMU, r, error);
	else
		tierd_sampler_free(sampler);
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
	check_sampler(ret, &root, &config);
	tierd_root_close(&root);
}
