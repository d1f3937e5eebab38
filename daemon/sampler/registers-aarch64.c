/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AAPCS64: x0, x1, x2. */
#include <asm/perf_regs.h>

#include "sampler/registers.h"

const struct tierd_argument_registers tierd_argument_registers = {
	.mask = 1 << PERF_REG_ARM64_X1 | 1 << PERF_REG_ARM64_X2,
	.second = 0,
	.third = 1,
};
