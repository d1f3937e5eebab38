/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The source that delivers nothing, so that whoever holds a sampler always holds one.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "sampler/registry.h"

static int none_open(_unused_ const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, _unused_ char **ret_error)
{
	struct tierd_sampler *sampler = calloc(1, sizeof(*sampler));

	if (!sampler)
		return -ENOMEM;
	sampler->ops = &tierd_sampler_none_ops;
	*ret = sampler;
	return 0;
}

static void none_get_fds(
	_unused_ struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n)
{
	*ret_fds = NULL;
	*ret_n = 0;
}

static int none_drain(_unused_ struct tierd_sampler *sampler,
	_unused_ unsigned max_records, _unused_ const struct tierd_sampler_sink *sink)
{
	return 0;
}

static int none_set_period(
	_unused_ struct tierd_sampler *sampler, _unused_ uint64_t period)
{
	return 0;
}

static int none_set_rate(_unused_ struct tierd_sampler *sampler,
	_unused_ uint64_t target_per_s, _unused_ uint64_t interval_ns)
{
	return 0;
}

static void none_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	*ret = (struct tierd_sampler_stats){ .source = sampler->ops->name };
}

static void none_free(struct tierd_sampler *sampler)
{
	free(sampler);
}

const struct tierd_sampler_ops tierd_sampler_none_ops = {
	.name = "none",
	.open = none_open,
	.get_fds = none_get_fds,
	.drain = none_drain,
	.set_period = none_set_period,
	.set_rate = none_set_rate,
	.stats = none_stats,
	.free = none_free,
};
