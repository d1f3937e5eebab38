/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Claims are sorted so that a group is followed by all that is below it; one pass then
 * adds them up as a tree.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "base/size.h"
#include "base/util.h"
#include "settings/errtext.h"

/* As strcmp(), but '/' before everything: "/a/b" comes before "/a-b". */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (!*a || !*b)
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a - (unsigned char)*b;
}

static int compare_claims(const void *a, const void *b)
{
	const struct tierd_claim *x = a, *y = b;

	return compare_paths(x->cgroup, y->cgroup);
}

static bool is_below(const char *cgroup, const char *above)
{
	size_t length = strlen(above);

	return strncmp(cgroup, above, length) == 0 && cgroup[length] == '/';
}

static uint64_t saturating_add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* What the claim at *i and those below it come to; moves *i beyond them. */
static uint64_t claimed_by(const struct tierd_claim *claims, size_t n, size_t *i)
{
	const struct tierd_claim *claim = &claims[(*i)++];
	uint64_t below_bytes = 0;

	while (*i < n && is_below(claims[*i].cgroup, claim->cgroup))
		below_bytes = saturating_add(below_bytes, claimed_by(claims, n, i));
	return TIER_MAX(claim->min_bytes, below_bytes);
}

static const struct tierd_claim *largest(const struct tierd_claim *claims, size_t n)
{
	const struct tierd_claim *largest = &claims[0];

	for (size_t i = 1; i < n; i++)
		if (claims[i].min_bytes > largest->min_bytes)
			largest = &claims[i];
	return largest;
}

static int refuse(const struct tierd_claim *claims, size_t n, uint64_t claimed_bytes,
	const struct tierd_dram *dram, uint64_t others_bytes, char **ret_error)
{
	const struct tierd_claim *most = largest(claims, n);
	char claimed[TIER_SIZE_TEXT_MAX], total[TIER_SIZE_TEXT_MAX];
	char others[TIER_SIZE_TEXT_MAX], share[TIER_SIZE_TEXT_MAX];

	return tierd_error(ret_error, -ENOSPC,
		"%s: DRAMMin= is over-committed: it adds up to %s (%" PRIu64
		" bytes), but of %s of DRAM others use %s, which leaves %" PRIu64
		" bytes; the largest is %s for %s",
		most->policy, tier_format_size(claimed_bytes, claimed), claimed_bytes,
		tier_format_size(dram->total_bytes, total),
		tier_format_size(others_bytes, others), dram->total_bytes - others_bytes,
		tier_format_size(most->min_bytes, share), most->cgroup);
}

int tierd_admit(struct tierd_claim *claims, size_t n, const struct tierd_dram *dram,
	char **ret_error)
{
	uint64_t claimed_bytes = 0, managed_bytes = 0, others_bytes;

	if (n == 0)
		return 0;
	qsort(claims, n, sizeof(*claims), compare_claims);
	for (size_t i = 0; i < n;) {
		managed_bytes = saturating_add(managed_bytes, claims[i].dram_bytes);
		claimed_bytes = saturating_add(claimed_bytes, claimed_by(claims, n, &i));
	}
	others_bytes = dram->used_bytes - TIER_MIN(dram->used_bytes, managed_bytes);
	others_bytes = TIER_MIN(others_bytes, dram->total_bytes);
	if (claimed_bytes == 0 || claimed_bytes <= dram->total_bytes - others_bytes)
		return 0;
	return refuse(claims, n, claimed_bytes, dram, others_bytes, ret_error);
}
