/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sources there are. A new one is a line here and a name in settings/config.c.
 */
#ifndef TIERD_SAMPLER_REGISTRY_H
#define TIERD_SAMPLER_REGISTRY_H

#include "sampler/sampler.h"

/* In order of preference, ending in NULL. */
const struct tierd_sampler_ops *const *tierd_sampler_registry(void);

/* NULL if there is none of this name. */
const struct tierd_sampler_ops *tierd_sampler_find(const char *name);

/* Whether Source=@source means this one: it is named, or "auto" and not one to be named.
 */
bool tierd_sampler_is_allowed(const struct tierd_sampler_ops *ops, const char *source);

extern const struct tierd_sampler_ops tierd_sampler_pmu_ops;
extern const struct tierd_sampler_ops tierd_sampler_hint_ops;
extern const struct tierd_sampler_ops tierd_sampler_damon_ops;
extern const struct tierd_sampler_ops tierd_sampler_replay_ops;

/* Takes no samples: what is left when all others fail. Not in the registry. */
extern const struct tierd_sampler_ops tierd_sampler_none_ops;

#endif
