/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hint fault takes from a program. It differs by two orders of magnitude among
 * processors, and more with virtual machines and emulators, so it is measured.
 */
#ifndef TIERD_SAMPLER_HINT_COST_H
#define TIERD_SAMPLER_HINT_COST_H

#include <stdint.h>

/*
 * Has page faults of its own, a few hundred, on pages that it maps for this. They are of
 * another kind: they clear a page and look no policy up; the way into the kernel and back
 * is the same. To be called with page faults being sampled, so that this is part of it.
 * *ret_ns is at least 1. Errors: those of mmap(2).
 */
int tierd_hint_measure_fault(uint64_t *ret_ns);

#endif
