/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ladder over two sources that fail and deliver as they are told, at times that the
 * test makes up.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settings/errtext.h"
#include "sampler/ladder.h"

#define SEC   UINT64_C(1000000000)
#define START (1000 * SEC)

/* What the sources do, and what became of them. */
static struct {
	const char *event; /* as configured */
	int open_error[2];
	int check_error;
	uint64_t samples; /* of each sampler so far */
	unsigned n_opened[2];
	unsigned n_alive;
	unsigned n_left;
} world;

static int open_fake(size_t i, const struct tierd_sampler_ops *ops,
	struct tierd_sampler **ret, char **ret_error)
{
	world.n_opened[i]++;
	if (world.open_error[i] < 0)
		return tierd_error(
			ret_error, world.open_error[i], "%s is out of order", ops->name);
	*ret = calloc(1, sizeof(**ret));
	assert_non_null(*ret);
	(*ret)->ops = ops;
	world.n_alive++;
	return 0;
}

static void get_no_fds(
	_unused_ struct tierd_sampler *sampler, const int **ret_fds, size_t *ret_n)
{
	*ret_fds = NULL;
	*ret_n = 0;
}

static int check(_unused_ struct tierd_sampler *sampler, char **ret_error)
{
	int r = world.check_error;

	world.check_error = 0;
	return r < 0 ? tierd_error(ret_error, r, "it broke") : 0;
}

static void stats(const struct tierd_sampler *sampler, struct tierd_sampler_stats *ret)
{
	*ret = (struct tierd_sampler_stats){ .source = sampler->ops->name,
		.samples = world.samples };
}

static void free_fake(struct tierd_sampler *sampler)
{
	world.n_alive--;
	free(sampler);
}

static int open_good(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error);
static int open_spare(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error);

#define FAKE(source, is_named, opens)                                     \
	{                                                                 \
		.name = source, .is_only_named = is_named, .open = opens, \
		.get_fds = get_no_fds, .check = check, .stats = stats,    \
		.free = free_fake,                                        \
	}

static const struct tierd_sampler_ops good = FAKE("good", false, open_good);
static const struct tierd_sampler_ops named = FAKE("named", true, open_good);
static const struct tierd_sampler_ops spare = FAKE("spare", false, open_spare);
static const struct tierd_sampler_ops *const registry[] = { &named, &good, &spare, NULL };

static int open_good(const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	return open_fake(
		0, strcmp(config->source, "named") == 0 ? &named : &good, ret, ret_error);
}

static int open_spare(_unused_ const struct tierd_sampler_config *config,
	struct tierd_sampler **ret, char **ret_error)
{
	return open_fake(1, &spare, ret, ret_error);
}

static void on_leave(_unused_ void *userdata)
{
	assert_true(world.n_alive > 0 || world.n_left > 0);
	world.n_left++;
}

static int try_new(const char *source, struct tierd_ladder **ret, char **error)
{
	const struct tierd_ladder_config config = {
		.registry = registry,
		.sampler = { .source = source, .event = world.event },
		.on_leave = on_leave,
	};

	return tierd_ladder_new(&config, ret, error);
}

static struct tierd_ladder *new_ladder(const char *source)
{
	struct tierd_ladder *ladder = NULL;

	assert_int_equal(try_new(source, &ladder, NULL), 0);
	return ladder;
}

static const char *active(struct tierd_ladder *ladder)
{
	struct tierd_sampler_stats seen;

	tierd_sampler_get_stats(tierd_ladder_sampler(ladder), &seen);
	return seen.source;
}

static int setup(_unused_ void **state)
{
	memset(&world, 0, sizeof(world));
	return 0;
}

static int teardown(_unused_ void **state)
{
	return world.n_alive == 0 ? 0 : -1;
}

static void test_takes_the_first_that_opens(_unused_ void **state)
{
	struct tierd_ladder *ladder = new_ladder("auto");
	struct tierd_rung rung;

	assert_string_equal(active(ladder), "good");
	assert_int_equal(tierd_ladder_n_rungs(ladder), 2);
	tierd_ladder_get_rung(ladder, 1, &rung);
	assert_string_equal(rung.source, "spare");
	assert_int_equal(rung.state, TIERD_RUNG_UNTRIED);
	assert_int_equal(world.n_opened[1], 0);
	tierd_ladder_free(ladder);

	world.open_error[0] = -EACCES;
	ladder = new_ladder("auto");
	assert_string_equal(active(ladder), "spare");
	tierd_ladder_get_rung(ladder, 0, &rung);
	assert_int_equal(rung.state, TIERD_RUNG_UNAVAILABLE);
	assert_string_equal(rung.reason, "good is out of order");
	tierd_ladder_free(ladder);
}

static void test_a_named_one_is_not_replaced(_unused_ void **state)
{
	struct tierd_ladder *ladder = new_ladder("named");
	char *error = NULL;

	assert_string_equal(active(ladder), "named");
	world.open_error[0] = -EBUSY;
	world.check_error = -EIO;
	assert_int_equal(tierd_ladder_step(ladder, START, 0), 1);
	assert_string_equal(active(ladder), "none");
	world.open_error[0] = 0;
	assert_int_equal(tierd_ladder_step(ladder, START + SEC, 0), 0);
	assert_int_equal(tierd_ladder_step(ladder, START + 5 * SEC, 0), 1);
	assert_string_equal(active(ladder), "named");
	tierd_ladder_free(ladder);

	assert_int_equal(try_new("nope", &ladder, &error), -ENOENT);
	assert_string_equal(error, "there is no source 'nope'");
	free(error);
}

static void test_tells_all_reasons(_unused_ void **state)
{
	struct tierd_ladder *ladder;
	char *error = NULL;

	world.open_error[0] = -ENODEV;
	world.open_error[1] = -EBUSY;
	assert_int_equal(try_new("auto", &ladder, &error), -ENODEV);
	assert_non_null(strstr(error, "good: good is out of order"));
	assert_non_null(strstr(error, "spare: spare is out of order"));
	free(error);
}

/* What was named and does not exist is a mistake, and no reason to use something else. */
static void test_a_wrong_event_is_not_passed_over(_unused_ void **state)
{
	static const int wrong[] = { -ENOENT, -EINVAL };
	struct tierd_ladder *ladder;

	for (size_t i = 0; i < 2; i++) {
		char *error = NULL;

		world.open_error[0] = wrong[i];
		world.event = "nope//";
		assert_int_equal(try_new("auto", &ladder, &error), wrong[i]);
		assert_non_null(strstr(error, "good: good is out of order"));
		free(error);
		assert_int_equal(world.n_opened[1], i);
		world.event = "";
		ladder = new_ladder("auto");
		assert_string_equal(active(ladder), "spare");
		tierd_ladder_free(ladder);
	}
	world.open_error[0] = -EACCES;
	world.event = "tier_mem//";
	ladder = new_ladder("auto");
	assert_string_equal(active(ladder), "spare");
	tierd_ladder_free(ladder);
}

static void test_falls_back_and_returns(_unused_ void **state)
{
	struct tierd_ladder *ladder = new_ladder("auto");
	struct tierd_sampler_stats seen;
	struct tierd_rung rung;

	world.samples = 7;
	assert_int_equal(tierd_ladder_step(ladder, START, 0), 0);
	world.check_error = -EIO;
	world.open_error[0] = -EMFILE;
	assert_int_equal(tierd_ladder_step(ladder, START + SEC, 0), 1);
	assert_string_equal(active(ladder), "spare");
	assert_true(world.n_left > 0);
	tierd_ladder_get_rung(ladder, 0, &rung);
	assert_string_equal(rung.reason, "it broke");
	/* Counts go on: seven of the one, seven of the other. */
	tierd_sampler_get_stats(tierd_ladder_sampler(ladder), &seen);
	assert_int_equal(seen.samples, 14);

	/* It rests, is tried, fails, and rests for twice as long. */
	world.n_opened[0] = 0;
	for (unsigned s = 2; s < 6; s++)
		assert_int_equal(tierd_ladder_step(ladder, START + s * SEC, 0), 0);
	assert_int_equal(world.n_opened[0], 0);
	assert_int_equal(tierd_ladder_step(ladder, START + 6 * SEC, 0), 0);
	assert_int_equal(world.n_opened[0], 1);
	world.open_error[0] = 0;
	assert_int_equal(tierd_ladder_step(ladder, START + 15 * SEC, 0), 0);
	assert_int_equal(tierd_ladder_step(ladder, START + 16 * SEC, 0), 1);
	assert_string_equal(active(ladder), "good");
	tierd_ladder_get_rung(ladder, 0, &rung);
	assert_string_equal(rung.reason, "");
	tierd_ladder_free(ladder);
}

static void test_is_opened_again_when_the_machine_changed(_unused_ void **state)
{
	struct tierd_ladder *ladder = new_ladder("auto");

	assert_int_equal(tierd_ladder_step(ladder, START, 0), 0);
	world.check_error = -ESTALE;
	assert_int_equal(tierd_ladder_step(ladder, START + SEC, 0), 1);
	assert_string_equal(active(ladder), "good");
	assert_int_equal(world.n_opened[0], 2);
	assert_int_equal(world.n_opened[1], 0);
	tierd_ladder_free(ladder);
}

/* Seconds until the ladder switches, with programs that use so much CPU time. */
static unsigned silence(struct tierd_ladder *ladder, uint64_t usec_per_s)
{
	for (unsigned s = 0; s < 100; s++)
		if (tierd_ladder_step(ladder, START + s * SEC, s * usec_per_s) == 1)
			return s;
	return 0;
}

static void test_silence_is_not_believed_for_long(_unused_ void **state)
{
	struct tierd_ladder *ladder = new_ladder("auto");
	struct tierd_rung rung;

	assert_in_range(silence(ladder, 1000000), 15, 16);
	assert_string_equal(active(ladder), "spare");
	tierd_ladder_get_rung(ladder, 0, &rung);
	assert_non_null(strstr(rung.reason, "it delivered nothing in"));
	tierd_ladder_free(ladder);
}

static void test_silence_of_idle_programs_is_fine(_unused_ void **state)
{
	struct tierd_ladder *ladder = new_ladder("auto");

	assert_int_equal(silence(ladder, 1000), 0);
	assert_string_equal(active(ladder), "good");
	tierd_ladder_free(ladder);
}

static void test_silence_is_better_than_nothing(_unused_ void **state)
{
	struct tierd_ladder *ladder = new_ladder("auto");

	world.open_error[1] = -ENODEV;
	assert_int_equal(silence(ladder, 1000000), 0);
	assert_string_equal(active(ladder), "good");
	tierd_ladder_free(ladder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_takes_the_first_that_opens),
		TEST(test_a_named_one_is_not_replaced),
		TEST(test_tells_all_reasons),
		TEST(test_a_wrong_event_is_not_passed_over),
		TEST(test_falls_back_and_returns),
		TEST(test_is_opened_again_when_the_machine_changed),
		TEST(test_silence_is_not_believed_for_long),
		TEST(test_silence_of_idle_programs_is_fine),
		TEST(test_silence_is_better_than_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
