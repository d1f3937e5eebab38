/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parses policies by the table of keys. Which files there are is policy-files.c's answer,
 * which policy a cgroup falls under policy-match.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings/errtext.h"
#include "settings/policy-files.h"
#include "settings/policy.h"

static const char *const enforcement_names[TIERD_ENFORCEMENT_MAX] = {
	[TIERD_ENFORCEMENT_ADVISE] = "advise",
	[TIERD_ENFORCEMENT_SOFT] = "soft",
	[TIERD_ENFORCEMENT_HARD] = "hard",
};

static const char *const placement_names[TIERD_PLACEMENT_MAX] = {
	[TIERD_PLACEMENT_TIERED] = "tiered",
	[TIERD_PLACEMENT_DRAM] = "dram",
	[TIERD_PLACEMENT_SLOW] = "slow",
};

static int find_name(const char *const *names, int n, const char *text)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(names[i], text))
			return i;
	return -EINVAL;
}

/* A unit as it runs: "foo.service", "foo@bar.service", not the template "foo@.service";
 * or a glob of such, but for the type at its end. */
static int parse_unit(const char *value, void *field)
{
	static const char chars[] =
		"abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@*?[]";
	static const char *const suffixes[] = { ".service", ".slice", ".scope" };
	const char *dot = strrchr(value, '.'), *at = strchr(value, '@');

	if (!dot || dot == value || value[strspn(value, chars)])
		return -EINVAL;
	if (find_name(suffixes, ARRAY_SIZE(suffixes), dot) < 0)
		return -EINVAL;
	if (at && (at == value || at + 1 == dot))
		return -EINVAL;
	strncpy(field, value, TIERD_INI_VALUE_SIZE);
	return 0;
}

static bool is_dots(const char *component, size_t length)
{
	return (length == 1 && component[0] == '.') ||
	       (length == 2 && component[0] == '.' && component[1] == '.');
}

static int parse_cgroup(const char *value, void *field)
{
	const char *p = value;

	if (*p != '/')
		return -EINVAL;
	while (*p == '/') {
		size_t length = strcspn(++p, "/");

		if (length == 0 || is_dots(p, length))
			return -EINVAL;
		p += length;
	}
	strncpy(field, value, TIERD_INI_VALUE_SIZE);
	return 0;
}

int tierd_enforcement_from_string(const char *text, enum tierd_enforcement *ret)
{
	int i = find_name(enforcement_names, TIERD_ENFORCEMENT_MAX, text);

	if (i < 0)
		return i;
	*ret = i;
	return 0;
}

static int parse_enforcement(const char *value, void *field)
{
	return tierd_enforcement_from_string(value, field);
}

static int parse_placement(const char *value, void *field)
{
	int i = find_name(placement_names, TIERD_PLACEMENT_MAX, value);

	if (i < 0)
		return i;
	*(enum tierd_placement *)field = i;
	return 0;
}

int tierd_engine_from_string(const char *text, enum tier_engine *ret)
{
	enum tier_engine engine = tier_engine_from_string(text);

	if (engine < 0)
		return engine;
	*ret = engine;
	return 0;
}

static int parse_engine(const char *value, void *field)
{
	return tierd_engine_from_string(value, field);
}

#define FIELD(member) offsetof(struct tierd_policy, member)

static const struct tierd_ini_key keys[] = {
	{ "Match", "Unit", parse_unit, FIELD(unit),
		"the full name of a unit, or a glob, ending in .service, .slice or .scope" },
	{ "Match", "CGroup", parse_cgroup, FIELD(cgroup),
		"a path or glob below the cgroup root, beginning with '/' and without empty, "
		"\".\" or \"..\" components" },
	{ "Memory", "DRAMQuota", tierd_amount_parse_field, FIELD(dram_quota),
		"bytes as in \"8G\" (K, M, G or T), a share of DRAM as in \"25%\", or "
		"infinity" },
	{ "Memory", "DRAMMin", tierd_amount_parse_finite_field, FIELD(dram_min),
		"bytes as in \"1G\" (K, M, G or T), or a share of DRAM as in \"5%\"" },
	{ "Memory", "Enforcement", parse_enforcement, FIELD(enforcement),
		"advise, soft or hard" },
	{ "Memory", "Placement", parse_placement, FIELD(placement),
		"tiered, dram or slow" },
	{ "Migration", "Engine", parse_engine, FIELD(engine), "rank, memtis or tpp" },
	{ "Migration", "BandwidthMax", tierd_bandwidth_parse_field,
		FIELD(bandwidth_max_bytes),
		"bytes per second above 0 as in \"400M\" (K, M, G or T), or infinity" },
};

void tierd_policy_defaults(struct tierd_policy *ret)
{
	*ret = (struct tierd_policy){
		.dram_quota = { TIERD_AMOUNT_INFINITY, 0 },
		.dram_min = { TIERD_AMOUNT_BYTES, 0 },
		.enforcement = TIERD_ENFORCEMENT_SOFT,
		.placement = TIERD_PLACEMENT_TIERED,
		.engine = TIER_ENGINE_RANK,
		.bandwidth_max_bytes = TIERD_BYTES_INFINITY,
	};
}

uint64_t tierd_policy_min_bytes(
	const struct tierd_policy *policy, uint64_t dram_total_bytes)
{
	return TIER_MIN(tierd_amount_resolve(policy->dram_min, dram_total_bytes),
		tierd_amount_resolve(policy->dram_quota, dram_total_bytes));
}

/* What no single line gets wrong. */
static int check_policy(const struct tierd_policy *policy, char **ret_error)
{
	const struct tierd_amount *min = &policy->dram_min, *quota = &policy->dram_quota;

	if (!*policy->unit && !*policy->cgroup)
		return tierd_error(ret_error, -EINVAL,
			"%s: matches nothing, expected Unit= or CGroup= in section [Match]",
			policy->path);
	if (*policy->unit && *policy->cgroup)
		return tierd_error(ret_error, -EINVAL,
			"%s: Unit=%s and CGroup=%s in section [Match], expected only one of them",
			policy->path, policy->unit, policy->cgroup);
	if (min->kind == quota->kind && min->value > quota->value)
		return tierd_error(ret_error, -EINVAL,
			"%s: DRAMMin= in section [Memory] is above DRAMQuota=, expected at most "
			"as much",
			policy->path);
	return 0;
}

int tierd_policy_parse(const char *path, const char *text, size_t size,
	struct tierd_policy *ret, char **ret_error)
{
	struct tierd_policy policy;
	int r;

	tierd_policy_defaults(&policy);
	snprintf(policy.path, sizeof(policy.path), "%s", path);
	r = tierd_ini_parse(path, text, size, keys, ARRAY_SIZE(keys), &policy, ret_error);
	if (r < 0)
		return r;
	r = check_policy(&policy, ret_error);
	if (r < 0)
		return r;
	*ret = policy;
	return 0;
}

static int read_policy(
	int fd, const char *path, struct tierd_policy *ret, char **ret_error)
{
	_cleanup_(freep) char *text = NULL;
	size_t size;
	int r;

	r = tierd_read_fd(fd, TIERD_POLICY_FILE_MAX_BYTES, &text, &size);
	if (r == -EFBIG)
		return tierd_error(ret_error, r, "%s: the file is larger than %d bytes",
			path, TIERD_POLICY_FILE_MAX_BYTES);
	if (r < 0)
		return tierd_error(ret_error, r, "%s: %s", path, strerror(-r));
	return tierd_policy_parse(path, text, size, ret, ret_error);
}

int tierd_policy_load(const struct tierd_root *root, const char *path,
	struct tierd_policy *ret, char **ret_error)
{
	_cleanup_(closep) int fd = -EBADF;
	int r;

	r = tierd_policy_file_open(root, path, &fd, ret_error);
	if (r <= 0)
		return r;
	r = read_policy(fd, path, ret, ret_error);
	return r < 0 ? r : 1;
}

int tierd_policies_load(
	const struct tierd_root *root, struct tierd_policies **ret, char **ret_error)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	_cleanup_(tierd_policy_files_done) struct tierd_policy_files files = {};
	int r;

	r = tierd_policy_files_list(root, &files, ret_error);
	if (r < 0)
		return r;
	policies = calloc(1, sizeof(*policies));
	if (!policies)
		return -ENOMEM;
	policies->items = calloc(files.n_items + 1, sizeof(policies->items[0]));
	if (!policies->items)
		return -ENOMEM;
	for (size_t i = 0; i < files.n_items; i++) {
		r = tierd_policy_load(root, files.items[i].path,
			&policies->items[policies->n_items], ret_error);
		if (r < 0)
			return r;
		policies->n_items += (size_t)r;
	}
	*ret = TAKE_PTR(policies);
	return 0;
}

struct tierd_policies *tierd_policies_free(struct tierd_policies *policies)
{
	if (!policies)
		return NULL;
	free(policies->items);
	free(policies);
	return NULL;
}

bool tierd_policies_move_pages(const struct tierd_policies *policies)
{
	for (size_t i = 0; i < policies->n_items; i++)
		if (policies->items[i].enforcement != TIERD_ENFORCEMENT_ADVISE)
			return true;
	return false;
}

bool tierd_policies_gate_growth(const struct tierd_policies *policies)
{
	for (size_t i = 0; i < policies->n_items; i++)
		if (policies->items[i].enforcement == TIERD_ENFORCEMENT_HARD)
			return true;
	return false;
}

const char *tierd_enforcement_to_string(enum tierd_enforcement enforcement)
{
	if (enforcement < 0 || enforcement >= TIERD_ENFORCEMENT_MAX)
		return NULL;
	return enforcement_names[enforcement];
}

const char *tierd_placement_to_string(enum tierd_placement placement)
{
	if (placement < 0 || placement >= TIERD_PLACEMENT_MAX)
		return NULL;
	return placement_names[placement];
}
