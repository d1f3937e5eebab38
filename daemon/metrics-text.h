/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tierd counts, as OpenMetrics text: the machine's nodes, the sampler, tierd itself
 * and the groups. Names and labels are a contract with dashboards and alerts. Labels that
 * are not enums are cgroup paths, and there are no more groups in it than a bound; what
 * is left out is counted.
 */
#ifndef TIERD_METRICS_TEXT_H
#define TIERD_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct tierd_manager;

/* The first so many, by cgroup path. */
#define TIERD_METRICS_GROUPS_MAX 256

/*
 * The whole text, from the first family to "# EOF"; the caller frees *ret. @n_refused is
 * how many clients of the socket were turned away. Errors: -ENOMEM.
 */
int tierd_metrics_format(const struct tierd_manager *manager, uint64_t n_refused,
	char **ret, size_t *ret_size);

#endif
