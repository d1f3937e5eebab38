/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define HASH_NONFATAL_OOM      1
#define uthash_nonfatal_oom(e) (void)(e)

#include "core/census.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Ages within a cohort differ by at most one part in 2^AGE_BITS. */
#define AGE_BITS      3
#define YOUNG_DIVISOR 256

/* ---- Keys ---------------------------------------------------------------------- */

/* Exact up to 15, then eight bins an octave. */
static uint8_t bin_of_number(uint32_t number)
{
	unsigned octave;

	if (number < 16)
		return number;
	octave = 31 - __builtin_clz(number);
	return octave * 8 + (number >> (octave - 3) & 7) - 16;
}

/* Of the spread of pages' rates as far as the counts show it: see rates.h. 0: none,
 * then two bins an octave. */
static uint8_t bin_of_spread(const struct tier_block *block)
{
	double pairs = (double)block->sum * (block->sum - 1.0);
	int bin;

	if (block->pairs == 0 || block->huge)
		return 0;
	bin = (int)(2 * log2(block->resident_pages * block->pairs / pairs)) + 2;
	return TIER_MAX(bin, 0);
}

/* @exposure is the group's in the block's epoch. Of the very young not even the age is
 * told apart. */
static void set_born(struct tier_cohort_key *key, double exposure, double born)
{
	double age = fmax(exposure - born, exposure / YOUNG_DIVISOR);
	int exponent;

	if (age <= 0)
		return;
	frexp(age, &exponent);
	key->born_step = exponent - 1 - AGE_BITS;
	key->born = (int64_t)floor(ldexp(born, -key->born_step));
}

static double born_of(const struct tier_cohort_key *key)
{
	return key->born > 0 ? ldexp(key->born + 0.5, key->born_step) : 0;
}

static struct tier_cohort_key key_of(const struct tier_block *block, double exposure)
{
	struct tier_cohort_key key = {
		.epoch = block->epoch,
		.sum = bin_of_number(block->sum),
		.spread = bin_of_spread(block),
		.resident = bin_of_number(block->resident_pages),
		.huge = block->huge,
		.has_policy = block->has_policy,
		.coldest = TIER_HISTOGRAM_BINS,
	};

	set_born(&key, exposure, block->born);
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
		key.tiers |= (block->tier_pages[tier] > 0) << tier;
	for (unsigned bin = TIER_HISTOGRAM_BINS; bin-- > 0;)
		if (tier_block_class_pages(block, 0, bin) > 0)
			key.coldest = bin;
	for (unsigned tier = 1; tier < TIER_TIERS_MAX; tier++)
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
			if (tier_block_class_pages(block, tier, bin) > 0)
				key.hottest = TIER_MAX(key.hottest, (uint8_t)bin);
	return key;
}

/* ---- Members ------------------------------------------------------------------- */

/* Adds the block's stock to its cohort's sums, or takes it away. */
static void count(struct tier_cohort *cohort, const struct tier_block *block, int sign)
{
	cohort->n_blocks += sign;
	cohort->sum += (int64_t)sign * block->sum;
	cohort->pairs += (int64_t)sign * block->pairs;
	cohort->resident_pages += (int64_t)sign * block->resident_pages;
	for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++) {
		if (block->tier_pages[tier] == 0)
			continue;
		for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++)
			cohort->cells[tier][bin].pages +=
				sign * (int)tier_block_class_pages(block, tier, bin);
	}
}

static void append(
	struct tier_cohort *cohort, struct tier_blockmap *map, struct tier_block *block)
{
	block->cohort = cohort;
	block->next = TIER_BLOCK_NONE;
	block->previous = cohort->last;
	if (cohort->last == TIER_BLOCK_NONE)
		cohort->first = block->index;
	else
		tier_blockmap_at(map, cohort->last)->next = block->index;
	cohort->last = block->index;
}

static void unlink_block(struct tier_blockmap *map, struct tier_block *block)
{
	struct tier_cohort *cohort = block->cohort;

	if (block->previous == TIER_BLOCK_NONE)
		cohort->first = block->next;
	else
		tier_blockmap_at(map, block->previous)->next = block->next;
	if (block->next == TIER_BLOCK_NONE)
		cohort->last = block->previous;
	else
		tier_blockmap_at(map, block->next)->previous = block->previous;
	block->cohort = NULL;
}

void tier_census_strike(
	struct tier_census *census, struct tier_blockmap *map, struct tier_block *block)
{
	struct tier_cohort *cohort = block->cohort;

	if (!cohort)
		return;
	unlink_block(map, block);
	count(cohort, block, -1);
	if (cohort->n_blocks > 0)
		return;
	HASH_DEL(census->cohorts, cohort);
	free(cohort);
}

static int find_cohort(struct tier_census *census, const struct tier_cohort_key *key,
	struct tier_cohort **ret)
{
	struct tier_cohort *cohort;

	HASH_FIND(hh, census->cohorts, key, sizeof(*key), cohort);
	if (!cohort) {
		cohort = calloc(1, sizeof(*cohort));
		if (!cohort)
			return -ENOMEM;
		cohort->key = *key;
		cohort->born = born_of(key);
		cohort->first = cohort->last = TIER_BLOCK_NONE;
		HASH_ADD(hh, census->cohorts, key, sizeof(cohort->key), cohort);
		if (!cohort->hh.tbl) {
			free(cohort);
			return -ENOMEM;
		}
	}
	*ret = cohort;
	return 0;
}

static int recount(struct tier_census *census, struct tier_blockmap *map,
	struct tier_block *block, double exposure)
{
	struct tier_cohort_key key;
	struct tier_cohort *cohort;
	int r;

	tier_census_strike(census, map, block);
	tier_block_take_stock(block);
	key = key_of(block, exposure);
	r = find_cohort(census, &key, &cohort);
	if (r < 0)
		return r;
	append(cohort, map, block);
	count(cohort, block, 1);
	return 0;
}

double tier_exposure_in_epoch(double exposure, uint32_t now, uint32_t epoch)
{
	return ldexp(exposure, (int)(now - epoch));
}

int tier_census_update(struct tier_census *census, struct tier_blockmap *map,
	double exposure, uint32_t epoch)
{
	struct tier_block *block;

	while ((block = tier_blockmap_take_changed(map))) {
		int r = recount(census, map, block,
			tier_exposure_in_epoch(exposure, epoch, block->epoch));

		if (r < 0) {
			tier_blockmap_put_back(map, block);
			return r;
		}
	}
	return 0;
}

void tier_census_done(struct tier_census *census)
{
	struct tier_cohort *cohort, *next;

	HASH_ITER(hh, census->cohorts, cohort, next)
	{
		HASH_DEL(census->cohorts, cohort);
		free(cohort);
	}
}

size_t tier_census_bytes(const struct tier_census *census)
{
	return HASH_COUNT(census->cohorts) * sizeof(struct tier_cohort) +
	       HASH_OVERHEAD(hh, census->cohorts);
}
