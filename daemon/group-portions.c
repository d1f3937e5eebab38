/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lab notes' "dram portion per gb": what share of each GiB of a process's resident
 * memory is in DRAM, in the order of addresses.
 */
#include <stdlib.h>
#include <errno.h>

#include "base/util.h"
#include "group-internal.h"

static size_t count_blocks_of(const struct tier_block_info *blocks, size_t n)
{
	size_t i = 0;

	while (i < n && blocks[i].space == blocks[0].space)
		i++;
	return i;
}

/* One process's blocks, in the order of addresses, cut into GiB of resident memory. */
static int portion_blocks(const struct tier_block_info *blocks, size_t n,
	struct tierd_process_portions *ret)
{
	const uint64_t whole = UINT64_C(1) << 30;
	struct tierd_portion *portions = calloc(n, sizeof(*portions));
	size_t last = 0;

	if (!portions)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (portions[last].resident_bytes >= whole)
			last++;
		portions[last].resident_bytes +=
			blocks[i].resident_pages * TIER_PAGE_SIZE;
		portions[last].dram_bytes += blocks[i].fast_pages * TIER_PAGE_SIZE;
	}
	ret->portions = portions;
	ret->n_portions = last + 1;
	return 0;
}

static int compare_portions(const void *a, const void *b)
{
	const struct tierd_process_portions *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int tierd_group_get_portions(
	struct tierd_group *group, struct tierd_process_portions **ret, size_t *ret_n)
{
	_cleanup_(freep) struct tier_block_info *blocks = NULL;
	struct tierd_process_portions *portions;
	size_t n_blocks, n = 0, n_of;
	int r;

	r = tier_group_list_blocks(group->heat, &blocks, &n_blocks);
	if (r < 0)
		return r;
	portions = calloc(group->n_spaces + 1, sizeof(*portions));
	if (!portions)
		return -ENOMEM;
	for (size_t i = 0; i < n_blocks && n < group->n_spaces; i += n_of) {
		n_of = count_blocks_of(blocks + i, n_blocks - i);
		portions[n].pid = tierd_group_pid_of(group, blocks[i].space);
		r = portion_blocks(blocks + i, n_of, &portions[n]);
		if (r < 0) {
			tierd_process_portions_free(portions, n);
			return r;
		}
		n++;
	}
	qsort(portions, n, sizeof(*portions), compare_portions);
	*ret = portions;
	*ret_n = n;
	return 0;
}

void tierd_process_portions_free(struct tierd_process_portions *portions, size_t n)
{
	for (size_t i = 0; portions && i < n; i++)
		free(portions[i].portions);
	free(portions);
}
