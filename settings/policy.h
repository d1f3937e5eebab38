/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator wants for which cgroup: the *.conf files of three directories,
 * one policy each. As with systemd's own configuration a file in /etc hides one of the
 * same name in /run, and that one in /usr/lib; an empty file or a link to /dev/null hides
 * without replacing. Loading is all or nothing. Which cgroups exist, and what becomes of
 * a quota, is not known here.
 */
#ifndef TIERD_POLICY_H
#define TIERD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libtier.h"
#include "settings/amount.h"
#include "settings/policy-files.h"
#include "settings/root.h"
#include "settings/strict-ini.h"

#define TIERD_POLICY_FILE_MAX_BYTES (64 * 1024)

enum tierd_enforcement {
	TIERD_ENFORCEMENT_ADVISE,
	TIERD_ENFORCEMENT_SOFT,
	TIERD_ENFORCEMENT_HARD,
	TIERD_ENFORCEMENT_MAX,
	TIERD_ENFORCEMENT_INVALID = -22,
};

enum tierd_placement {
	TIERD_PLACEMENT_TIERED,
	TIERD_PLACEMENT_DRAM,
	TIERD_PLACEMENT_SLOW,
	TIERD_PLACEMENT_MAX,
	TIERD_PLACEMENT_INVALID = -22,
};

struct tierd_policy {
	char path[TIERD_POLICY_PATH_SIZE]; /* the file it came from */
	char unit[TIERD_INI_VALUE_SIZE];   /* name or glob; "" when cgroup is set */
	char cgroup[TIERD_INI_VALUE_SIZE]; /* path or glob below the cgroup root, or "" */
	struct tierd_amount dram_quota;    /* infinity by default */
	struct tierd_amount dram_min;      /* 0 by default */
	enum tierd_enforcement enforcement;
	enum tierd_placement placement;
	enum tier_engine engine;
	uint64_t bandwidth_max_bytes; /* per second; TIERD_BYTES_INFINITY: no limit */
};

struct tierd_policies {
	struct tierd_policy *items; /* sorted by file name */
	size_t n_items;
};

/* Everything but what it matches and where it came from: for groups made over the bus. */
void tierd_policy_defaults(struct tierd_policy *ret);

int tierd_policies_load(
	const struct tierd_root *root, struct tierd_policies **ret, char **ret_error);
struct tierd_policies *tierd_policies_free(struct tierd_policies *policies);
DEFINE_CLEANUP(struct tierd_policies *, tierd_policies_free)

/*
 * One file, or one file's text; path is what errors call it. tierd_policy_load() returns
 * 1, or 0 when the file is a mask and *ret is left alone.
 */
int tierd_policy_load(const struct tierd_root *root, const char *path,
	struct tierd_policy *ret, char **ret_error);
int tierd_policy_parse(const char *path, const char *text, size_t size,
	struct tierd_policy *ret, char **ret_error);

/* cgroup_path is relative to the cgroup root and begins with '/'. */
bool tierd_policy_match(const struct tierd_policy *policy, const char *cgroup_path);

/* True if it matches one cgroup, or one unit, by its name. */
bool tierd_policy_is_literal(const struct tierd_policy *policy);

/*
 * The most specific policy for a cgroup, or NULL: a literal CGroup= before a literal
 * Unit= before a glob of units before a glob of paths; of globs that with the longest
 * literal beginning; among equals the last by file name.
 */
const struct tierd_policy *tierd_policies_find(
	const struct tierd_policies *policies, const char *cgroup_path);

/* What it guarantees on a machine with so much DRAM: DRAMMin=, or the quota if less. */
uint64_t tierd_policy_min_bytes(
	const struct tierd_policy *policy, uint64_t dram_total_bytes);

/* Whether any of them has pages moved. */
bool tierd_policies_move_pages(const struct tierd_policies *policies);

/* Whether any of them has growth held up: Enforcement=hard. */
bool tierd_policies_gate_growth(const struct tierd_policies *policies);

/* The parsers of the keys, for values that come over the bus. */
int tierd_enforcement_from_string(const char *text, enum tierd_enforcement *ret);
int tierd_engine_from_string(const char *text, enum tier_engine *ret);
const char *tierd_enforcement_to_string(enum tierd_enforcement enforcement);
const char *tierd_placement_to_string(enum tierd_placement placement);

#endif
