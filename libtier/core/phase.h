/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notices that a group's accesses have moved elsewhere: the share of samples that land in
 * fast memory falls well below its own recent level. It compares with that level and not
 * with what the model predicts, which is optimistic about the pages the model chose.
 */
#ifndef TIER_CORE_PHASE_H
#define TIER_CORE_PHASE_H

#include <stdbool.h>
#include <stdint.h>

struct tier_phase {
	uint64_t fast; /* samples of the window being filled */
	uint64_t slow;
	double level;     /* moving average of the windows' shares */
	unsigned windows; /* that went into it, up to a limit */
	unsigned falls;   /* windows in a row that fell below it */
};

/*
 * Looks at the window if it holds enough samples. True if accesses have moved: then the
 * level starts anew.
 */
bool tier_phase_has_changed(struct tier_phase *phase);

/* The recent share of samples in fast memory; NAN if none were seen. */
double tier_phase_share(const struct tier_phase *phase);

/* Forgets the level: it is about to change for a known reason. */
void tier_phase_reset(struct tier_phase *phase);

#endif
