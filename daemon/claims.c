/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who claims how much DRAM: gathered from the cgroup tree for policies that are to come
 * into force, and from the managed groups for one more that is to join them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "manager-internal.h"
#include "settings/errtext.h"

struct claims {
	struct tierd_claim *items;
	size_t n_items, n_allocated;
	const struct tierd_manager *manager;
	const struct tierd_policies *policies;
	bool owns_paths;
};

static void claims_done(struct claims *claims)
{
	for (size_t i = 0; claims->owns_paths && i < claims->n_items; i++)
		free((char *)claims->items[i].cgroup);
	free(claims->items);
}

static int append(struct claims *claims, const struct tierd_claim *claim)
{
	if (claims->n_items == claims->n_allocated) {
		size_t n = claims->n_allocated ? claims->n_allocated * 2 : 16;
		struct tierd_claim *items =
			reallocarray(claims->items, n, sizeof(*items));

		if (!items)
			return -ENOMEM;
		claims->items = items;
		claims->n_allocated = n;
	}
	claims->items[claims->n_items++] = *claim;
	return 0;
}

/* What the fast nodes hold, page cache that is given up for the asking left out. */
static int read_dram(const struct tierd_manager *manager, struct tierd_dram *ret)
{
	struct tierd_node_memory memory[TIERD_NODES_MAX] = { 0 };
	struct tierd_dram dram = { 0 };
	int r;

	r = tierd_nodes_memory_read(&manager->root, &manager->topology, memory);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < manager->topology.n_nodes; i++) {
		uint64_t spare = memory[i].free_bytes + memory[i].reclaimable_bytes;

		if (manager->topology.nodes[i].tier != 0)
			continue;
		dram.total_bytes += memory[i].total_bytes;
		dram.used_bytes +=
			memory[i].total_bytes - TIER_MIN(memory[i].total_bytes, spare);
	}
	*ret = dram;
	return 0;
}

static int admit(struct claims *claims, char **ret_error)
{
	struct tierd_dram dram;
	int r;

	r = read_dram(claims->manager, &dram);
	if (r < 0)
		return tierd_error(ret_error, r, "cannot read the nodes' memory");
	return tierd_admit(claims->items, claims->n_items, &dram, ret_error);
}

/* ---- For policies that are to come into force ---------------------------------- */

static uint64_t dram_of(
	const struct tierd_topology *topology, const struct tierd_cgroup_memory *memory)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < topology->n_nodes; i++)
		if (topology->nodes[i].tier == 0)
			bytes += memory->nodes[topology->nodes[i].id].movable_bytes;
	return bytes;
}

static int claim_for(
	const struct claims *claims, const char *path, struct tierd_claim *ret)
{
	const struct tierd_manager *manager = claims->manager;
	_cleanup_(tierd_cgroup_freep) struct tierd_cgroup *cgroup = NULL;
	struct tierd_cgroup_memory memory;
	int r;

	r = tierd_cgroup_open(&manager->cgroups, path, &cgroup);
	if (r < 0)
		return r;
	r = tierd_cgroup_read_memory(cgroup, &memory);
	if (r < 0)
		return r;
	ret->cgroup = strdup(path);
	if (!ret->cgroup)
		return -ENOMEM;
	ret->dram_bytes = dram_of(&manager->topology, &memory);
	return 0;
}

/* Cgroups whose memory cannot be read cannot be managed either. */
static int visit(const char *path, void *userdata)
{
	struct claims *claims = userdata;
	const struct tierd_policy *policy = tierd_policies_find(claims->policies, path);
	struct tierd_claim claim;
	int r;

	if (!policy)
		return 0;
	claim.policy = policy->path;
	claim.min_bytes =
		tierd_policy_min_bytes(policy, claims->manager->context.dram_total_bytes);
	r = claim_for(claims, path, &claim);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return 0;
	r = append(claims, &claim);
	if (r < 0)
		free((char *)claim.cgroup);
	return r;
}

static bool guarantee_anything(const struct tierd_policies *policies)
{
	for (size_t i = 0; i < policies->n_items; i++)
		if (policies->items[i].dram_min.value > 0)
			return true;
	return false;
}

int tierd_manager_admit_policies(const struct tierd_manager *manager,
	const struct tierd_policies *policies, char **ret_error)
{
	_cleanup_(claims_done) struct claims claims = {
		.manager = manager,
		.policies = policies,
		.owns_paths = true,
	};
	int r;

	if (!guarantee_anything(policies))
		return 0;
	r = tierd_cgroup_walk(&manager->cgroups, visit, &claims);
	if (r < 0)
		return tierd_error(ret_error, r, "cannot walk the cgroup tree");
	return admit(&claims, ret_error);
}

/* ---- For one more group -------------------------------------------------------- */

static int claim_group(struct claims *claims, const struct tierd_group *group)
{
	struct tierd_group_view view;

	tierd_group_get_view(group, &view);
	return append(claims, &(struct tierd_claim){
				      .cgroup = view.cgroup,
				      .policy = view.policy,
				      .min_bytes = view.dram_min_bytes,
				      .dram_bytes = view.dram_bytes,
			      });
}

int tierd_manager_admit_group(const struct tierd_manager *manager,
	const struct tierd_group *group, char **ret_error)
{
	_cleanup_(claims_done) struct claims claims = { .manager = manager };
	struct tierd_group_view view;
	int r;

	tierd_group_get_view(group, &view);
	if (view.dram_min_bytes == 0)
		return 0;
	for (size_t i = 0; i < manager->n_groups; i++) {
		r = claim_group(&claims, manager->groups[i]);
		if (r < 0)
			return r;
	}
	r = claim_group(&claims, group);
	if (r < 0)
		return r;
	return admit(&claims, ret_error);
}
