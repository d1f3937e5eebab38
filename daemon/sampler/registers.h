/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which registers hold the second and third argument of a kernel function at its entry,
 * in perf's terms. There is one file of them for each architecture.
 */
#ifndef TIERD_SAMPLER_REGISTERS_H
#define TIERD_SAMPLER_REGISTERS_H

#include <stdint.h>

struct tierd_argument_registers {
	uint64_t mask;   /* for sample_regs_intr; 0: not known here */
	unsigned second; /* places among those of the mask */
	unsigned third;
};

extern const struct tierd_argument_registers tierd_argument_registers;

#endif
