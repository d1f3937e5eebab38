/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System V ABI: rdi, rsi, rdx; perf numbers rdx before rsi. */
#include <asm/perf_regs.h>

#include "sampler/registers.h"

const struct tierd_argument_registers tierd_argument_registers = {
	.mask = 1 << PERF_REG_X86_DX | 1 << PERF_REG_X86_SI,
	.second = 1,
	.third = 0,
};
