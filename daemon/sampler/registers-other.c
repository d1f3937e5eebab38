/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/registers.h"

const struct tierd_argument_registers tierd_argument_registers = { 0 };
