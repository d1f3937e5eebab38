/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of backends and the dispatch to the one that was opened.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "settings/errtext.h"
#include "sampler/sampler.h"

static const struct tierd_sampler_ops *const registry[] = {
	&tierd_sampler_pmu_ops,
	NULL,
};

const struct tierd_sampler_ops *const *tierd_sampler_registry(void)
{
	return registry;
}

static bool is_auto(const char *source)
{
	return !source || !*source || strcmp(source, "auto") == 0;
}

static int open_named(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	for (size_t i = 0; registry[i]; i++)
		if (strcmp(registry[i]->name, config->source) == 0)
			return registry[i]->open(config, ret, ret_error);
	return tierd_error(
		ret_error, -ENOENT, "there is no sampler '%s'", config->source);
}

/* Of all errors that of the most preferred is the one worth telling. */
static int open_first(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	_cleanup_(freep) char *first_error = NULL;
	int first = -ENODEV;

	for (size_t i = 0; registry[i]; i++) {
		_cleanup_(freep) char *error = NULL;
		int r = registry[i]->open(config, ret, &error);

		if (r >= 0)
			return r;
		if (i == 0) {
			first = r;
			first_error = TAKE_PTR(error);
		}
	}
	if (ret_error)
		*ret_error = TAKE_PTR(first_error);
	return first;
}

int tierd_sampler_open(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	if (is_auto(config->source))
		return open_first(config, ret, ret_error);
	return open_named(config, ret, ret_error);
}

struct tierd_sampler *tierd_sampler_free(struct tierd_sampler *sampler)
{
	if (sampler)
		sampler->ops->free(sampler);
	return NULL;
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

void tierd_sampler_get_stats(
	const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	sampler->ops->stats(sampler, ret);
}
