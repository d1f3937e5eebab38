/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blocks that nothing tells apart are counted together, in cohorts: same age, same
 * cooling, about as many samples, about as unevenly spread. Whatever is estimated or
 * decided is worked out for cohorts, of which there are some hundreds, however much
 * memory there is; only blocks that changed are looked at, and blocks that have pages to
 * move.
 *
 * The census knows stocks, and neither rates nor tiers' meaning.
 */
#ifndef TIER_CORE_CENSUS_H
#define TIER_CORE_CENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uthash.h>

#include "core/blockmap.h"

/* What the blocks of a cohort have in common; equal keys are equal bytes. */
struct tier_cohort_key {
	int64_t born;       /* in steps of 2^born_step … */
	int32_t born_step;  /* … which is a fraction of the age they had then */
	uint32_t epoch;     /* up to which they have been cooled */
	uint8_t sum;        /* binned, as all of these */
	uint8_t spread;     /* of counts over pages, beyond chance */
	uint8_t resident;   /* pages */
	uint8_t huge;       /* whether they move whole */
	uint8_t tiers;      /* bit k: some pages are in tier k */
	uint8_t coldest;    /* count bin in tier 0 */
	uint8_t hottest;    /* count bin in other tiers */
	uint8_t has_policy; /* whether the program asked for its nodes */
};

/* Pages of a cohort that nothing tells apart: same tier, same count bin. */
struct tier_cell {
	uint32_t pages;
	uint8_t low;  /* layout bins of the rate that is expected of each, as the last
			 plan had them: at least, … */
	uint8_t high; /* … at most, … */
	uint8_t mean; /* … and by the mean */
};

struct tier_cohort {
	struct tier_cohort_key key;
	UT_hash_handle hh;
	uint32_t first; /* of its blocks, TIER_BLOCK_NONE at the end */
	uint32_t last;
	uint32_t n_blocks;
	bool is_laid_out; /* a plan has been made since it appeared, … */
	bool is_known;    /* … to which it was watched long enough */
	double born;      /* of each, in its epoch */
	uint64_t sum;     /* over its blocks, as what follows */
	uint64_t pairs;
	uint64_t resident_pages;
	struct tier_cell cells[TIER_TIERS_MAX][TIER_HISTOGRAM_BINS];
};

struct tier_census {
	struct tier_cohort *cohorts; /* a hash table, iterated in a fixed order */
};

void tier_census_done(struct tier_census *census);

/* The group's exposure seen from a block's or cohort's own epoch. */
double tier_exposure_in_epoch(double exposure, uint32_t now, uint32_t epoch);

/*
 * Takes stock of the changed blocks of @map and counts them anew. @exposure and @epoch
 * are the group's. Errors: -ENOMEM; what is left then is still on the list.
 */
int tier_census_update(struct tier_census *census, struct tier_blockmap *map,
	double exposure, uint32_t epoch);

/* Strikes a block that is about to be removed. */
void tier_census_strike(
	struct tier_census *census, struct tier_blockmap *map, struct tier_block *block);

/* Averages over a cohort's blocks. */
static inline double tier_cohort_mean(const struct tier_cohort *cohort, double sum)
{
	return sum / cohort->n_blocks;
}

size_t tier_census_bytes(const struct tier_census *census);

#endif
