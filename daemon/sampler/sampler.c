/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/util.h"
#include "settings/errtext.h"
#include "sampler/registry.h"
#include "sampler/sampler.h"

int tierd_sampler_open(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	const struct tierd_sampler_ops *ops = tierd_sampler_find(config->source);

	if (!ops)
		return tierd_error(
			ret_error, -ENOENT, "there is no sampler '%s'", config->source);
	return ops->open(config, ret, ret_error);
}

struct tierd_sampler *tierd_sampler_free(struct tierd_sampler *sampler)
{
	if (sampler)
		sampler->ops->free(sampler);
	return NULL;
}

int tierd_sampler_probe(const struct tierd_sampler_ops *ops,
	const struct tierd_sampler_config *config, char **ret_error)
{
	struct tierd_sampler *sampler;
	int r;

	if (ops->probe)
		return ops->probe(config, ret_error);
	r = ops->open(config, &sampler, ret_error);
	if (r >= 0)
		tierd_sampler_free(sampler);
	return r;
}

void tierd_sampler_get_fds(
	struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n)
{
	sampler->ops->get_fds(sampler, ret_fds, ret_n);
}

int tierd_sampler_drain(struct tierd_sampler *sampler, unsigned max_records,
	const struct tierd_sampler_sink *sink)
{
	return sampler->ops->drain(sampler, max_records, sink);
}

int tierd_sampler_set_period(struct tierd_sampler *sampler, uint64_t period)
{
	return sampler->ops->set_period(sampler, period);
}

int tierd_sampler_set_rate(
	struct tierd_sampler *sampler, uint64_t target_per_s, uint64_t interval_ns)
{
	return sampler->ops->set_rate(sampler, target_per_s, interval_ns);
}

int tierd_sampler_check(struct tierd_sampler *sampler, char **ret_error)
{
	return sampler->ops->check ? sampler->ops->check(sampler, ret_error) : 0;
}

int tierd_sampler_follow(struct tierd_sampler *sampler, const pid_t *pids, size_t n,
	const struct tierd_sampler_sink *sink)
{
	return sampler->ops->follow ? sampler->ops->follow(sampler, pids, n, sink) : 0;
}

void tierd_sampler_get_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	static const size_t counts[] = {
		offsetof(struct tierd_sampler_stats, samples),
		offsetof(struct tierd_sampler_stats, stores),
		offsetof(struct tierd_sampler_stats, lost),
		offsetof(struct tierd_sampler_stats, throttled),
		offsetof(struct tierd_sampler_stats, unthrottled),
		offsetof(struct tierd_sampler_stats, outside_user),
		offsetof(struct tierd_sampler_stats, unattributed),
		offsetof(struct tierd_sampler_stats, other_records),
		offsetof(struct tierd_sampler_stats, malformed),
		offsetof(struct tierd_sampler_stats, drained_bytes),
		offsetof(struct tierd_sampler_stats, wakeups),
		offsetof(struct tierd_sampler_stats, overhead_ns),
	};

	sampler->ops->stats(sampler, ret);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		*(uint64_t *)((char *)ret + counts[i]) +=
			*(const uint64_t *)((const char *)&sampler->before + counts[i]);
}

bool tierd_sampler_skips_policy(const struct tierd_sampler *sampler)
{
	return sampler->ops->skips_policy;
}

bool tierd_sampler_tells_pages(const struct tierd_sampler *sampler)
{
	return sampler->ops->tells_pages;
}
