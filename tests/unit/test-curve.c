/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The curve of a hot set, when layouts come and go between the samples it rests on. */
#include <math.h>
#include <string.h>

#include "unit.h"

#include "core/curve.h"
#include "libtier.h"

#define HOT_PAGES  16384
#define COLD_PAGES (3 * HOT_PAGES)
#define COLD_BIN   10

/* A layout with the hot pages in @hot_bin, and samples by it: nine of ten on those. */
static void lay_out(struct tier_scores *scores, unsigned hot_bin, unsigned samples)
{
	static struct tier_layout layout;

	memset(&layout, 0, sizeof(layout));
	layout.mean[hot_bin] = HOT_PAGES;
	layout.mean[COLD_BIN] = COLD_PAGES;
	tier_scores_update(scores, &layout, 0.25);
	scores->bins[hot_bin] += samples * 0.9;
	scores->bins[COLD_BIN] += samples * 0.1;
}

/* Point 16 of 64 is a quarter of the pages: all the hot ones. */
static void assert_curve(const struct tier_scores *scores)
{
	struct tier_curve curve;

	tier_scores_get(scores, &curve);
	assert_int_equal(curve.pages[TIER_CURVE_POINTS - 1], HOT_PAGES + COLD_PAGES);
	assert_true(fabs(curve.share[0]) < 1e-9);
	assert_true(fabs(curve.share[8] - 0.45) < 1e-9);
	assert_true(fabs(curve.share[16] - 0.9) < 1e-9);
	assert_true(fabs(curve.share[40] - 0.95) < 1e-9);
	assert_true(fabs(curve.share[TIER_CURVE_POINTS - 1] - 1) < 1e-9);
}

static void half_of_what_is_equally_hot_brings_half(void **state)
{
	struct tier_scores scores = { 0 };

	(void)state;
	lay_out(&scores, 200, 1000);
	assert_curve(&scores);
}

/* Where no page is any more there are still samples. */
static void pages_that_change_their_bin_promise_nothing_for_free(void **state)
{
	struct tier_scores scores = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		lay_out(&scores, 200 - i % 7, 100 + i);
	assert_curve(&scores);
}

/* Nor does it take samples by the last layout for a curve. */
static void a_new_layout_keeps_what_older_ones_scored(void **state)
{
	struct tier_scores scores = { 0 };

	(void)state;
	lay_out(&scores, 200, 1000);
	lay_out(&scores, 190, 0);
	assert_curve(&scores);
}

static void without_samples_there_is_no_curve(void **state)
{
	struct tier_scores scores = { 0 };
	struct tier_curve curve;

	(void)state;
	lay_out(&scores, 200, 0);
	tier_scores_get(&scores, &curve);
	assert_true(curve.samples == 0);
	for (unsigned i = 0; i < TIER_CURVE_POINTS; i++)
		assert_true(isnan(curve.share[i]));
	assert_int_equal(curve.pages[TIER_CURVE_POINTS - 1], HOT_PAGES + COLD_PAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_of_what_is_equally_hot_brings_half),
		cmocka_unit_test(pages_that_change_their_bin_promise_nothing_for_free),
		cmocka_unit_test(a_new_layout_keeps_what_older_ones_scored),
		cmocka_unit_test(without_samples_there_is_no_curve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
