/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which policy a cgroup falls under. Four kinds of match, each more specific than the
 * next: a literal path, a literal unit, a glob of units, a glob of paths. Globs of one
 * kind are told apart by what they say before their first wildcard.
 */
#include <fnmatch.h>
#include <string.h>

#include "settings/policy.h"

#define WILDCARDS "*?["

/* Backslashes are part of names here: systemd escapes with them. */
#define MATCH_FLAGS (FNM_PATHNAME | FNM_NOESCAPE)

enum kind {
	KIND_CGROUP_GLOB,
	KIND_UNIT_GLOB,
	KIND_UNIT,
	KIND_CGROUP,
};

/* Whether all that is above the last part of the path is slices. */
static bool is_below_slices(const char *cgroup_path, const char *last)
{
	static const char suffix[] = ".slice/";
	size_t length = sizeof(suffix) - 1;

	for (const char *p = cgroup_path + 1, *slash; p < last; p = slash + 1) {
		slash = strchr(p, '/');
		if (slash - p < length || strncmp(slash + 1 - length, suffix, length))
			return false;
	}
	return true;
}

/*
 * Wherever systemd has put the unit: which slices are above it is its own affair. What is
 * below a unit that is no slice was named by whoever runs there, such as a user's own
 * manager. Names that would collide with the kernel's files carry a '_' in front.
 */
static bool match_unit(const char *unit, const char *cgroup_path)
{
	const char *name = strrchr(cgroup_path, '/') + 1;

	if (!is_below_slices(cgroup_path, name))
		return false;
	if (*name == '_')
		name++;
	return fnmatch(unit, name, MATCH_FLAGS) == 0;
}

bool tierd_policy_match(const struct tierd_policy *policy, const char *cgroup_path)
{
	if (*policy->unit)
		return match_unit(policy->unit, cgroup_path);
	return fnmatch(policy->cgroup, cgroup_path, MATCH_FLAGS) == 0;
}

bool tierd_policy_is_literal(const struct tierd_policy *policy)
{
	return !strpbrk(*policy->unit ? policy->unit : policy->cgroup, WILDCARDS);
}

static enum kind kind_of(const struct tierd_policy *policy)
{
	if (*policy->unit)
		return tierd_policy_is_literal(policy) ? KIND_UNIT : KIND_UNIT_GLOB;
	return tierd_policy_is_literal(policy) ? KIND_CGROUP : KIND_CGROUP_GLOB;
}

static size_t literal_length(const struct tierd_policy *policy)
{
	return strcspn(*policy->unit ? policy->unit : policy->cgroup, WILDCARDS);
}

static bool is_less_specific(const struct tierd_policy *a, const struct tierd_policy *b)
{
	if (kind_of(a) != kind_of(b))
		return kind_of(a) < kind_of(b);
	return literal_length(a) < literal_length(b);
}

const struct tierd_policy *tierd_policies_find(
	const struct tierd_policies *policies, const char *cgroup_path)
{
	const struct tierd_policy *best = NULL;

	for (size_t i = 0; i < policies->n_items; i++) {
		const struct tierd_policy *policy = &policies->items[i];

		if (!tierd_policy_match(policy, cgroup_path))
			continue;
		if (!best || !is_less_specific(policy, best))
			best = policy;
	}
	return best;
}
