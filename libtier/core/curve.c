/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/curve.h"

#include <math.h>
#include <string.h>

#include "base/util.h"

/* Scores are those of about the last so many seconds. */
#define MEMORY_S 30.0

void tier_scores_update(
	struct tier_scores *scores, const struct tier_layout *layout, double seconds)
{
	double kept = exp(-seconds / MEMORY_S);

	for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++)
		scores->bins[bin] *= kept;
	memcpy(scores->pages, layout->mean, sizeof(scores->pages));
}

struct walk {
	const struct tier_scores *scores;
	int bin;        /* the hottest that is not wholly passed */
	double above;   /* pages of hotter bins */
	double samples; /* of hotter bins */
};

/* Samples on the hottest @pages; a bin's are spread evenly over its pages. */
static double walk_to(struct walk *walk, double pages)
{
	while (walk->bin > 0 && walk->above + walk->scores->pages[walk->bin] <= pages) {
		walk->above += walk->scores->pages[walk->bin];
		walk->samples += walk->scores->bins[walk->bin--];
	}
	if (walk->scores->pages[walk->bin] == 0)
		return walk->samples;
	return walk->samples +
	       walk->scores->bins[walk->bin] *
		       fmin(1, (pages - walk->above) / walk->scores->pages[walk->bin]);
}

void tier_scores_get(const struct tier_scores *scores, struct tier_curve *ret)
{
	struct walk walk = { .scores = scores, .bin = TIER_RATE_BINS - 1 };
	uint64_t pages = 0;

	ret->samples = 0;
	for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++) {
		pages += scores->pages[bin];
		ret->samples += scores->bins[bin];
	}
	for (unsigned i = 0; i < TIER_CURVE_POINTS; i++) {
		ret->pages[i] = pages * i / (TIER_CURVE_POINTS - 1);
		ret->share[i] =
			ret->samples > 0
				? fmin(1, walk_to(&walk, ret->pages[i]) / ret->samples)
				: NAN;
	}
}
