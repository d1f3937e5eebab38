/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/curve.h"

#include <math.h>
#include <string.h>

#include "base/util.h"

/* Scores are those of about the last so many seconds. */
#define MEMORY_S 30.0

static double count_samples(const struct tier_scores *scores)
{
	double samples = 0;

	for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++)
		samples += scores->bins[bin];
	return samples;
}

void tier_scores_update(
	struct tier_scores *scores, const struct tier_layout *layout, double seconds)
{
	double kept = exp(-seconds / MEMORY_S);
	double samples = count_samples(scores);
	double scored = samples - scores->samples;

	for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++) {
		scores->bins[bin] *= kept;
		scores->pages[bin] += scored * scores->laid_out[bin];
		scores->pages[bin] *= kept;
	}
	scores->samples = samples * kept;
	memcpy(scores->laid_out, layout->mean, sizeof(scores->laid_out));
}

/* ---- The curve ----------------------------------------------------------------- */

struct walk {
	const double *bins;
	double pages[TIER_RATE_BINS]; /* that samples of each bin fell on */
	int bin;                      /* the hottest that is not wholly passed */
	double above;                 /* pages of hotter bins */
	double samples;               /* of hotter bins */
};

/* Averages pages over the layouts, and has them add up to @pages, which there are now. */
static void begin_walk(struct walk *walk, const struct tier_scores *scores,
	double samples, uint64_t pages)
{
	double scored = samples - scores->samples, total = 0;

	walk->bins = scores->bins;
	walk->bin = TIER_RATE_BINS - 1;
	walk->above = walk->samples = 0;
	for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++) {
		walk->pages[bin] = scores->pages[bin] + scored * scores->laid_out[bin];
		total += walk->pages[bin];
	}
	for (unsigned bin = 0; total > 0 && bin < TIER_RATE_BINS; bin++)
		walk->pages[bin] *= pages / total;
}

/* Samples on the hottest @pages; a bin's are spread evenly over its pages. */
static double walk_to(struct walk *walk, double pages)
{
	while (walk->bin > 0 && walk->above + walk->pages[walk->bin] <= pages) {
		walk->above += walk->pages[walk->bin];
		walk->samples += walk->bins[walk->bin--];
	}
	if (walk->pages[walk->bin] == 0)
		return walk->samples;
	return walk->samples +
	       walk->bins[walk->bin] *
		       fmin(1, (pages - walk->above) / walk->pages[walk->bin]);
}

void tier_scores_get(const struct tier_scores *scores, struct tier_curve *ret)
{
	double samples = count_samples(scores);
	uint64_t pages = 0;
	struct walk walk;

	for (unsigned bin = 0; bin < TIER_RATE_BINS; bin++)
		pages += scores->laid_out[bin];
	begin_walk(&walk, scores, samples, pages);
	ret->samples = samples;
	for (unsigned i = 0; i < TIER_CURVE_POINTS; i++) {
		ret->pages[i] = pages * i / (TIER_CURVE_POINTS - 1);
		ret->share[i] = samples > 0
					? fmin(1, walk_to(&walk, ret->pages[i]) / samples)
					: NAN;
	}
}
