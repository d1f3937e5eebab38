/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/rates.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Blocks differ if a test of dispersion says so by this many standard errors: it is
 * asked again at every tick. */
#define BLOCK_ERRORS 5.0

/* Pages within blocks differ if their pooled spread is this far above chance. */
#define PAGE_ERRORS 4.0

/* A block is known once an average one would have been sampled this often. */
#define KNOWN_SAMPLES 1.0

/* Standard deviations by which a newcomer is believed less, and a victim more. */
#define SIGNIFICANCE 0.5

/* More samples than this make nothing clearer: they tell a rate to a tenth. */
#define SAMPLES_ENOUGH 100.0

/* The grids: relative rates from 2^-10 and 2^-8 on. */
#define BLOCK_LOWEST     0x1p-10
#define BLOCK_PER_OCTAVE 6
#define PAGE_LOWEST      0x1p-8
#define PAGE_PER_OCTAVE  8
#define PAGE_TAIL        0.001

/* Expectations, and counts of blocks, are told apart in steps from 2^-8 on: so many an
 * octave to learn from and for pages, and so many for blocks. */
#define FIRST_OCTAVE           (-8)
#define STEPS_PER_OCTAVE       4
#define BLOCK_STEPS            128
#define BLOCK_STEPS_PER_OCTAVE 8

/* With less than this part more samples there is nothing new to learn. */
#define NEWS_DIVISOR 32

static void forget_blocks(struct tier_rates *rates)
{
	tier_mixture_init(&rates->blocks, BLOCK_LOWEST, BLOCK_PER_OCTAVE, 0);
}

/* A few pages may be hotter than others by orders of magnitude, blocks seldom are. */
static void forget_pages(struct tier_rates *rates)
{
	tier_mixture_init(&rates->pages, PAGE_LOWEST, PAGE_PER_OCTAVE, PAGE_TAIL);
}

void tier_rates_init(struct tier_rates *rates)
{
	*rates = (struct tier_rates){ 0 };
	forget_blocks(rates);
	forget_pages(rates);
}

/* ---- Cohorts ------------------------------------------------------------------- */

/* Exposure of a cohort's blocks, in the units of their own epoch. */
static double exposure_of(
	const struct tier_rates *rates, const struct tier_cohort *cohort)
{
	if (rates->skips_policy && cohort->key.has_policy)
		return 0;
	return fmax(0,
		tier_exposure_in_epoch(rates->exposure, rates->epoch, cohort->key.epoch) -
			cohort->born);
}

static double resident_of(const struct tier_cohort *cohort)
{
	return tier_cohort_mean(cohort, cohort->resident_pages);
}

/*
 * The relative variance of page rates within a block of the cohort, from the pairs of
 * samples that share a page, and the variance of that estimate when all pages are alike.
 */
static bool own_spread(
	const struct tier_cohort *cohort, double *ret_spread, double *ret_variance)
{
	double sum = tier_cohort_mean(cohort, cohort->sum);
	double pairs = sum * (sum - 1);

	if (sum < 2 || cohort->key.huge)
		return false;
	*ret_spread =
		resident_of(cohort) * tier_cohort_mean(cohort, cohort->pairs) / pairs - 1;
	*ret_variance = 2 * resident_of(cohort) / pairs;
	return true;
}

/* A block's own spread as far as its samples carry it, and the pooled one beyond. */
static double spread_of(const struct tier_rates *rates, const struct tier_cohort *cohort)
{
	double spread, variance, weight;

	if (!own_spread(cohort, &spread, &variance))
		return cohort->key.huge ? 0 : rates->page_spread;
	weight = 1 / (1 + variance);
	return fmax(0, weight * spread + (1 - weight) * rates->page_spread);
}

/* What a block's samples say of it, relative to the mean. */
static struct tier_evidence evidence_of(
	const struct tier_rates *rates, const struct tier_cohort *cohort)
{
	double sum = tier_cohort_mean(cohort, cohort->sum);
	double resident = resident_of(cohort);
	double expected = rates->mean * resident * exposure_of(rates, cohort);
	double effect = 1 + TIER_MAX(sum, expected) *
				    (spread_of(rates, cohort) / fmax(resident, 1) +
					    1 / SAMPLES_ENOUGH);

	return (struct tier_evidence){
		.count = sum / effect,
		.expected = expected / effect,
		.things = cohort->n_blocks,
	};
}

/* ---- Fitting ------------------------------------------------------------------- */

static void fit_mean(struct tier_rates *rates, const struct tier_census *census)
{
	double samples = 0, exposure = 0;

	for (const struct tier_cohort *c = census->cohorts; c; c = c->hh.next) {
		int lag = (int)(rates->epoch - c->key.epoch);

		samples += ldexp(c->sum, -lag);
		exposure += ldexp(c->resident_pages * exposure_of(rates, c), -lag);
	}
	rates->samples = samples;
	rates->mean = exposure > 0 ? samples / exposure : 0;
}

static void fit_page_spread(struct tier_rates *rates, const struct tier_census *census)
{
	double weights = 0, sum = 0, noise = 0;

	for (const struct tier_cohort *c = census->cohorts; c; c = c->hh.next) {
		double spread, variance, weight;

		if (!own_spread(c, &spread, &variance))
			continue;
		weight = 1 / (1 + variance);
		weights += c->n_blocks * weight;
		sum += c->n_blocks * weight * spread;
		noise += c->n_blocks * weight * weight * variance;
	}
	rates->page_spread = 0;
	if (weights > 0 && sum > PAGE_ERRORS * sqrt(noise))
		rates->page_spread = sum / weights;
}

/*
 * Whether blocks vary by more than chance, and how much: Pearson's index of dispersion,
 * whose variance at small expectations is 2 + 1/m a block, brought to a standard error by
 * the cube root (Wilson and Hilferty, "The distribution of chi-square", 1931).
 */
static void fit_block_spread(struct tier_rates *rates, const struct tier_census *census)
{
	double dispersion = 0, blocks = 0, variance = 0, excess = 0, squares = 0, freedom;

	for (const struct tier_cohort *c = census->cohorts; c; c = c->hh.next) {
		struct tier_evidence e = evidence_of(rates, c);
		double difference = e.count - e.expected;

		if (e.expected <= 0)
			continue;
		dispersion += e.things * difference * difference / e.expected;
		variance += e.things * (2 + 1 / e.expected);
		blocks += e.things;
		excess += e.things * (difference * difference - e.count);
		squares += e.things * e.expected * e.expected;
	}
	rates->block_spread = 0;
	if (blocks < 2)
		return;
	freedom = 2 * blocks * blocks / variance;
	if (cbrt(dispersion / blocks) - (1 - 2 / (9 * freedom)) >
		BLOCK_ERRORS * sqrt(2 / (9 * freedom)))
		rates->block_spread = fmax(excess / squares, 0);
}

/* Evidence brought together where it is nearly the same. */
struct pool {
	struct tier_evidence cells[TIER_FACTOR_STEPS][TIER_FACTOR_STEPS]; /* sums */
	struct tier_evidence evidence[TIER_FACTOR_STEPS * TIER_FACTOR_STEPS];
	size_t n;
};

/* Step 0 is what is less than 2^FIRST_OCTAVE, above all zero. */
static unsigned step_of(double value, unsigned per_octave, unsigned n_steps)
{
	double step;

	if (value <= 0)
		return 0;
	step = (log2(value) - FIRST_OCTAVE) * per_octave;
	return step > 0 ? TIER_MIN((unsigned)step + 1, n_steps - 1) : 0;
}

static double middle_of(unsigned step, unsigned per_octave)
{
	return exp2(FIRST_OCTAVE + (step - 0.5) / per_octave);
}

static unsigned coarse_step(double value)
{
	return step_of(value, STEPS_PER_OCTAVE, TIER_FACTOR_STEPS);
}

static void pool_add(struct pool *pool, unsigned step, unsigned count_step,
	const struct tier_evidence *evidence)
{
	struct tier_evidence *cell = &pool->cells[step][count_step];

	cell->count += evidence->things * evidence->count;
	cell->expected += evidence->things * evidence->expected;
	cell->things += evidence->things;
}

static int pool_teach(struct pool *pool, struct tier_mixture *mixture)
{
	const struct tier_evidence *cells = pool->cells[0];

	for (size_t i = 0; i < ARRAY_SIZE(pool->evidence); i++)
		if (cells[i].things > 0)
			pool->evidence[pool->n++] = (struct tier_evidence){
				.count = cells[i].count / cells[i].things,
				.expected = cells[i].expected / cells[i].things,
				.things = cells[i].things,
			};
	return tier_mixture_learn(mixture, pool->evidence, pool->n);
}

static int teach_blocks(struct tier_rates *rates, const struct tier_census *census)
{
	_cleanup_(freep) struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	for (const struct tier_cohort *c = census->cohorts; c; c = c->hh.next) {
		struct tier_evidence e = evidence_of(rates, c);

		if (e.expected > 0)
			pool_add(pool, coarse_step(e.expected), coarse_step(e.count), &e);
	}
	return pool_teach(pool, &rates->blocks);
}

static void pool_add_pages(
	struct pool *pool, const struct tier_cohort *cohort, double expected)
{
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		struct tier_evidence e = {
			.count = tier_histogram_bin_floor(bin),
			.expected = expected,
		};

		for (unsigned tier = 0; tier < TIER_TIERS_MAX; tier++)
			e.things += cohort->cells[tier][bin].pages;
		if (e.things > 0)
			pool_add(pool, coarse_step(expected), bin, &e);
	}
}

static int teach_pages(struct tier_rates *rates, const struct tier_census *census)
{
	_cleanup_(freep) struct tier_beliefs *beliefs = malloc(sizeof(*beliefs));
	_cleanup_(freep) struct pool *pool = calloc(1, sizeof(*pool));

	if (!beliefs || !pool)
		return -ENOMEM;
	tier_beliefs_init(beliefs, rates);
	for (const struct tier_cohort *c = census->cohorts; c; c = c->hh.next) {
		struct tier_cohort_rate rate;

		if (c->key.huge)
			continue;
		tier_beliefs_of_cohort(beliefs, c, &rate);
		if (rate.expected > 0)
			pool_add_pages(pool, c, rate.expected);
	}
	return pool_teach(pool, &rates->pages);
}

static bool there_is_news(const struct tier_rates *rates)
{
	return rates->epoch != rates->taught_epoch ||
	       rates->samples > rates->taught + rates->taught / NEWS_DIVISOR;
}

/* Mixtures are taught while they are in use, and start anew when they come into use. */
int tier_rates_fit(struct tier_rates *rates, const struct tier_census *census)
{
	bool blocks_differed = rates->block_spread > 0;
	bool pages_differed = rates->page_spread > 0;
	bool is_new;
	int r;

	fit_mean(rates, census);
	fit_page_spread(rates, census);
	fit_block_spread(rates, census);
	if (!blocks_differed)
		forget_blocks(rates);
	if (!pages_differed)
		forget_pages(rates);
	is_new = there_is_news(rates);
	if (rates->block_spread > 0 && (is_new || !blocks_differed)) {
		r = teach_blocks(rates, census);
		if (r < 0)
			return r;
	}
	if (rates->page_spread > 0 && (is_new || !pages_differed)) {
		r = teach_pages(rates, census);
		if (r < 0)
			return r;
	}
	if (is_new) {
		rates->taught = rates->samples;
		rates->taught_epoch = rates->epoch;
	}
	return 0;
}

/* ---- Asking -------------------------------------------------------------------- */

void tier_beliefs_init(struct tier_beliefs *beliefs, const struct tier_rates *rates)
{
	memset(beliefs, 0, sizeof(*beliefs));
	beliefs->rates = rates;
}

static unsigned fine_step(double value)
{
	return step_of(value, BLOCK_STEPS_PER_OCTAVE, BLOCK_STEPS);
}

static double fine_middle(unsigned step)
{
	return step > 0 ? middle_of(step, BLOCK_STEPS_PER_OCTAVE) : 0;
}

static struct tier_belief believe_block(
	struct tier_beliefs *beliefs, const struct tier_evidence *evidence)
{
	unsigned step = fine_step(evidence->expected) + 1;
	unsigned count_step = fine_step(evidence->count);
	__auto_type place =
		&beliefs->blocks[(step * BLOCK_STEPS + count_step) % TIER_BELIEFS];

	if (beliefs->rates->block_spread <= 0)
		return (struct tier_belief){ .mean = 1 };
	if (place->step != step || place->count_step != count_step) {
		place->step = step;
		place->count_step = count_step;
		place->belief = tier_mixture_believe(&beliefs->rates->blocks,
			fine_middle(count_step), fine_middle(step - 1));
	}
	return place->belief;
}

void tier_beliefs_of_cohort(struct tier_beliefs *beliefs,
	const struct tier_cohort *cohort, struct tier_cohort_rate *ret)
{
	const struct tier_rates *rates = beliefs->rates;
	struct tier_evidence evidence = evidence_of(rates, cohort);
	struct tier_belief belief = believe_block(beliefs, &evidence);
	double doubt = SIGNIFICANCE * belief.deviation;

	*ret = (struct tier_cohort_rate){
		.mean = rates->mean * belief.mean,
		.low = rates->mean * fmax(0, belief.mean - doubt),
		.high = rates->mean * (belief.mean + doubt),
		.expected = rates->mean * belief.mean * exposure_of(rates, cohort),
		.is_known = rates->mean * TIER_BLOCK_PAGES * exposure_of(rates, cohort) >=
			    KNOWN_SAMPLES,
	};
}

double tier_beliefs_page_factor(
	struct tier_beliefs *beliefs, double expected, unsigned count_bin)
{
	unsigned step = coarse_step(expected);
	float *factor = &beliefs->pages[step][count_bin];

	if (beliefs->rates->page_spread <= 0)
		return 1;
	if (*factor == 0)
		*factor = tier_mixture_believe(&beliefs->rates->pages,
			tier_histogram_bin_floor(count_bin),
			middle_of(step, STEPS_PER_OCTAVE))
				  .mean;
	return *factor;
}

/* Pages of a huge page are not told apart. */
struct tier_cohort_rate tier_beliefs_scale(struct tier_beliefs *beliefs,
	const struct tier_cohort *cohort, const struct tier_cohort_rate *rate,
	unsigned count_bin)
{
	struct tier_cohort_rate scaled = *rate;
	double factor = cohort->key.huge ? 1
					 : tier_beliefs_page_factor(
						   beliefs, rate->expected, count_bin);

	scaled.mean *= factor;
	scaled.low *= factor;
	scaled.high *= factor;
	return scaled;
}

void tier_beliefs_of_page(struct tier_beliefs *beliefs, const struct tier_cohort *cohort,
	unsigned count_bin, struct tier_cohort_rate *ret)
{
	struct tier_cohort_rate rate;

	tier_beliefs_of_cohort(beliefs, cohort, &rate);
	*ret = tier_beliefs_scale(beliefs, cohort, &rate, count_bin);
}
