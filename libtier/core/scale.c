/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/scale.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"

/*
 * The upper bits of an IEEE 754 single are its logarithm, rounded down: the exponent and
 * three bits of the mantissa number the bins, eight an octave. FIRST_BIN is 2^-16.
 */
#define BIN_SHIFT 20
#define FIRST_BIN ((127 - 16) << 3)

struct tier_scale tier_scale_around(double unit)
{
	return (struct tier_scale){
		.unit = unit,
		.inverse = unit > 0 ? 1 / unit : 0,
	};
}

unsigned tier_scale_bin(const struct tier_scale *scale, double rate)
{
	float relative = (float)rate * scale->inverse;
	uint32_t bits;

	if (isinf(rate))
		return TIER_RATE_BINS - 1;
	memcpy(&bits, &relative, sizeof(bits));
	bits >>= BIN_SHIFT;
	if (bits <= FIRST_BIN)
		return 0;
	return TIER_MIN(bits - FIRST_BIN, TIER_RATE_BINS - 1U);
}

double tier_scale_floor(const struct tier_scale *scale, unsigned bin)
{
	uint32_t bits = (bin + FIRST_BIN) << BIN_SHIFT;
	float relative;

	if (bin == 0)
		return 0;
	memcpy(&relative, &bits, sizeof(relative));
	return relative * scale->unit;
}
