/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sees the kernel's NUMA scanner at work: a probe, opened through perf, at the entry of
 * change_prot_numa(vma, start, end), by which a task protects a range of its own memory.
 * Nothing is left behind in the kernel when the descriptors are closed, however that
 * comes about.
 */
#ifndef TIERD_SAMPLER_HINT_PROBE_H
#define TIERD_SAMPLER_HINT_PROBE_H

#include <stdint.h>

struct tierd_hint_probe;
struct tierd_root;

/* Opens the probe on all CPUs that are online. Errors, with a text: -EOPNOTSUPP on a
 * processor whose registers are not known, -ENODEV without probes in the kernel, -EACCES,
 * -EPERM, -EMFILE, others. */
int tierd_hint_probe_open(
	const struct tierd_root *root, struct tierd_hint_probe **ret, char **ret_error);
struct tierd_hint_probe *tierd_hint_probe_free(struct tierd_hint_probe *probe);

/* Hands over all that was protected since the last time. */
void tierd_hint_probe_drain(struct tierd_hint_probe *probe,
	void (*on_protect)(void *userdata, uint32_t pid, uint64_t start, uint64_t end,
		uint64_t time_ns),
	void *userdata);

/* Ranges that were not seen, as there was no room in the rings. */
uint64_t tierd_hint_probe_lost(const struct tierd_hint_probe *probe);

#endif
