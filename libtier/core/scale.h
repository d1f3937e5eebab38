/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A logarithmic scale of rates, eight bins an octave, around a rate of the group's.
 */
#ifndef TIER_CORE_SCALE_H
#define TIER_CORE_SCALE_H

#define TIER_RATE_BINS       256
#define TIER_BINS_PER_OCTAVE 8

struct tier_scale {
	double unit;   /* the rate on the middle bin */
	float inverse; /* of the unit; 0: there is none */
};

struct tier_scale tier_scale_around(double unit);

/* The lowest bin also takes all that is less, the highest all above. */
unsigned tier_scale_bin(const struct tier_scale *scale, double rate);
double tier_scale_floor(const struct tier_scale *scale, unsigned bin);

#endif
