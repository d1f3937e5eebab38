/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/phase.h"

#include <math.h>

#define WINDOW_SAMPLES 200
#define LEVEL_WINDOWS  10   /* the level follows the last so many windows */
#define WINDOWS_MIN    4    /* before a level is worth comparing with */
#define FALL_MIN       0.08 /* smaller falls are not worth forgetting for */
#define FALL_ERRORS    5.0  /* and it must be this many standard errors */
#define FALLS          2    /* in so many windows in a row */

bool tier_phase_has_changed(struct tier_phase *phase)
{
	uint64_t n = phase->fast + phase->slow;
	double share, fall, error;

	if (n < WINDOW_SAMPLES)
		return false;
	share = (double)phase->fast / n;
	fall = phase->level - share;
	error = sqrt(phase->level * (1 - phase->level) / n);
	phase->fast = phase->slow = 0;

	if (phase->windows >= WINDOWS_MIN && fall > FALL_MIN &&
		fall > FALL_ERRORS * error) {
		if (++phase->falls < FALLS)
			return false;
		phase->level = share;
		phase->windows = 1;
		phase->falls = 0;
		return true;
	}
	phase->falls = 0;
	if (phase->windows < LEVEL_WINDOWS)
		phase->windows++;
	phase->level += (share - phase->level) / phase->windows;
	return false;
}

double tier_phase_share(const struct tier_phase *phase)
{
	return phase->windows > 0 ? phase->level : NAN;
}

void tier_phase_reset(struct tier_phase *phase)
{
	phase->windows = 0;
	phase->falls = 0;
	phase->level = 0;
}
