/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every allocation of libtier fails once. A short life of a group, with all that
 * allocates, is lived again and again; in the n-th life the n-th allocation fails. What
 * fails has to say -ENOMEM, leave its outputs alone and succeed when it is asked again,
 * and the books have to be as true as if nothing had happened.
 *
 * The linker leads libtier's allocations here (--wrap).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "base/util.h"
#include "core/group.h"
#include "core/hash.h"

#define SPACE UINT64_C(7)
#define BASE  UINT64_C(0x5500000000)

/* So many that the map of blocks, its slabs and the census all have to grow. */
#define BLOCKS_MAX 1100
#define SAMPLES    6000
#define TICKS      3

/* Engines that keep a book for each block get few blocks: each is one more life. */
#define BLOCKS_WITH_BOOKS 150

static uint64_t n_blocks;

/* ---- Allocating ---------------------------------------------------------------- */

static struct {
	bool is_on;
	uint64_t n; /* allocations so far */
	uint64_t failing;
	bool failed;
} faults;

static bool may_allocate(void)
{
	if (!faults.is_on || ++faults.n != faults.failing)
		return true;
	faults.failed = true;
	return false;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t size)
{
	return may_allocate() ? __real_realloc(p, size) : NULL;
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return may_allocate() ? __real_reallocarray(p, n, size) : NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return may_allocate() ? __real_aligned_alloc(alignment, size) : NULL;
}

/*
 * Calls a function that may want memory. If it fails, that was for the fault and for no
 * other reason, its outputs are those in @untouched, and it succeeds the next time.
 */
#define ALLOCATES(call, output, untouched)                                               \
	do {                                                                             \
		int _r;                                                                  \
		faults.is_on = true;                                                     \
		faults.failed = false;                                                   \
		_r = (call);                                                             \
		faults.is_on = false;                                                    \
		if (_r < 0) {                                                            \
			assert_int_equal(_r, -ENOMEM);                                   \
			assert_true(faults.failed);                                      \
			assert_memory_equal(&(output), &(untouched), sizeof(untouched)); \
			_r = (call);                                                     \
		}                                                                        \
		assert_int_equal(_r, 0);                                                 \
	} while (0)

/* ---- A life -------------------------------------------------------------------- */

struct life {
	struct tier_group *group;
	struct tier_migrator *migrator;
	struct tier_random random;
	uint64_t now_ns;
};

/* Moves nothing and says that all moved. */
static int move_all(_unused_ void *userdata, _unused_ pid_t pid, size_t n,
	_unused_ void *const *pages, const int *nodes, int *status)
{
	for (size_t i = 0; i < n; i++)
		status[i] = nodes ? nodes[i] : 0;
	return 0;
}

static const struct tier_migrator_ops fake_ops = { .move = move_all };

static void begin(struct life *life, enum tier_engine engine)
{
	static const int nodes[] = { 0, 1 };
	struct tier_group_config config;
	void *nothing = NULL;

	*life = (struct life){ .now_ns = 1, .random = { 1 } };
	tier_group_config_default(&config);
	config.engine = engine;
	config.half_life_ns = UINT64_C(2) * 1000 * 1000 * 1000;
	ALLOCATES(tier_group_new(&config, &life->group), life->group, nothing);
	ALLOCATES(tier_migrator_new(
			  &fake_ops, NULL, nodes, ARRAY_SIZE(nodes), &life->migrator),
		life->migrator, nothing);
}

static void end(struct life *life)
{
	life->group = tier_group_free(life->group);
	life->migrator = tier_migrator_free(life->migrator);
}

/* Blocks appear over the first ticks, a few of them partial or huge. */
static void sweep(struct life *life, unsigned tick)
{
	struct tier_residency untouched;

	for (unsigned i = tick; i < n_blocks; i += TICKS) {
		struct tier_residency residency = { .huge = i % 16 == 0 };

		for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++)
			if (i % 5 > 0 || page % 3 > 0 || residency.huge)
				tier_residency_add(&residency, page, i % 2);
		untouched = residency;
		ALLOCATES(tier_group_set_residency(life->group, SPACE,
				  BASE + i * TIER_BLOCK_SIZE, &residency),
			residency, untouched);
	}
}

static void sample(struct life *life)
{
	static struct tier_sample samples[SAMPLES];

	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t chance = tier_random_next(&life->random);
		uint64_t block = chance % n_blocks;

		samples[i] = (struct tier_sample){
			.space = SPACE,
			.address = BASE + block * block / n_blocks * TIER_BLOCK_SIZE +
				   (chance >> 32) % TIER_BLOCK_SIZE,
		};
	}
	tier_group_feed(life->group, samples, SAMPLES, NULL);
}

static void submit(struct life *life, const struct tier_plan *plan)
{
	struct tier_target target = { .space = SPACE, .pid = 1, .pidfd = -1 };
	struct tier_job_config config = {
		.plan = plan,
		.targets = &target,
		.n_targets = 1,
		.slow_node = 1,
		.room_pages = TIER_UNLIMITED_PAGES,
		.bandwidth_max = UINT64_MAX,
	};
	struct tier_job_config untouched = config;

	ALLOCATES(tier_migrator_submit(life->migrator, &config), config, untouched);
}

static void complete(struct life *life)
{
	struct pollfd finished = { .fd = tier_migrator_get_fd(life->migrator),
		.events = POLLIN };
	_cleanup_(freep) struct tier_job *job = NULL;
	size_t n;

	assert_int_equal(poll(&finished, 1, 10000), 1);
	job = tier_migrator_take(life->migrator);
	assert_non_null(job);
	n = tier_job_n_moves(job);
	for (size_t i = 0; i < n; i++) {
		enum tier_result result;
		const struct tier_move *move = tier_job_move(job, i, &result);

		assert_int_equal(result, TIER_RESULT_DONE);
		tier_group_complete(life->group, move, result, life->now_ns);
	}
	job = tier_job_free(job);
}

static void plan(struct life *life)
{
	struct tier_group_stats stats;
	struct tier_limits limits = {
		.now_ns = life->now_ns,
		.quota_pages = n_blocks * TIER_BLOCK_PAGES / 2,
		.room_pages = { 4096, TIER_UNLIMITED_PAGES },
		.budget_pages = 2048,
	};
	struct tier_plan *plan = NULL, *nothing = NULL;

	tier_group_get_stats(life->group, &stats);
	limits.fast_pages = stats.tier_pages[0];
	ALLOCATES(tier_group_plan(life->group, &limits, &plan), plan, nothing);
	submit(life, plan);
	tier_plan_free(plan);
	complete(life);
}

/* ---- Books --------------------------------------------------------------------- */

static void assert_the_histogram_is_true(struct life *life)
{
	struct tier_histogram histogram, untouched;
	struct tier_group_stats stats;
	uint64_t fast = 0, all = 0;

	memset(&histogram, 0xa5, sizeof(histogram));
	untouched = histogram;
	ALLOCATES(
		tier_group_get_histogram(life->group, &histogram), histogram, untouched);
	tier_group_get_stats(life->group, &stats);
	for (unsigned bin = 0; bin < TIER_HISTOGRAM_BINS; bin++) {
		fast += histogram.fast_pages[bin];
		all += histogram.fast_pages[bin] + histogram.slow_pages[bin];
	}
	assert_int_equal(fast, stats.tier_pages[0]);
	assert_int_equal(all, stats.resident_pages);
}

static void assert_the_list_is_true(struct life *life)
{
	struct tier_block_info *blocks = NULL, *nothing = NULL;
	struct tier_group_stats stats;
	uint64_t pages = 0;
	size_t n = 0;

	ALLOCATES(tier_group_list_blocks(life->group, &blocks, &n), blocks, nothing);
	tier_group_get_stats(life->group, &stats);
	assert_int_equal(n, stats.blocks);
	for (size_t i = 0; i < n; i++)
		pages += blocks[i].resident_pages;
	assert_int_equal(pages, stats.resident_pages);
	free(blocks);
}

/* Every block is in one cohort, and every cohort has the blocks it counts. */
static void assert_the_census_is_true(const struct tier_group *group)
{
	uint64_t blocks = 0, listed = 0, pages = 0;

	for (const struct tier_cohort *c = group->census.cohorts; c; c = c->hh.next) {
		blocks += c->n_blocks;
		pages += c->resident_pages;
		for (uint32_t i = c->first; i != TIER_BLOCK_NONE;
			i = tier_blockmap_at(&group->map, i)->next)
			listed++;
	}
	assert_int_equal(blocks, group->map.n_blocks);
	assert_int_equal(listed, group->map.n_blocks);
	assert_int_equal(pages, tier_group_resident_pages(group));
}

static void tick(struct life *life, unsigned i)
{
	struct tier_curve curve;

	sweep(life, i);
	sample(life);
	life->now_ns += UINT64_C(1) * 1000 * 1000 * 1000;
	tier_group_advance(life->group, life->now_ns, 0.01);
	plan(life);
	assert_the_histogram_is_true(life);
	assert_the_list_is_true(life);
	assert_the_census_is_true(life->group);
	tier_group_get_curve(life->group, &curve);
}

static void live(enum tier_engine engine)
{
	struct life life;

	begin(&life, engine);
	for (unsigned i = 0; i < TICKS; i++)
		tick(&life, i);
	/* The table of cohorts has grown, too. */
	assert_true(
		n_blocks < BLOCKS_MAX || life.group->census.cohorts->hh.tbl->num_buckets >
						 HASH_INITIAL_NUM_BUCKETS);
	tier_group_forget_space(life.group, SPACE);
	assert_the_histogram_is_true(&life);
	end(&life);
}

/* ---- Traces -------------------------------------------------------------------- */

DEFINE_CLEANUP(struct tier_trace_writer *, tier_trace_writer_free)
DEFINE_CLEANUP(struct tier_trace_reader *, tier_trace_reader_free)

#define RECORDS 20000

struct buffer {
	uint8_t bytes[RECORDS * sizeof(struct tier_trace_record)];
	size_t n;
	size_t taken;
};

static int put(void *userdata, const void *data, size_t size)
{
	struct buffer *buffer = userdata;

	assert_true(size <= sizeof(buffer->bytes) - buffer->n);
	memcpy(buffer->bytes + buffer->n, data, size);
	buffer->n += size;
	return 0;
}

static ssize_t take(void *userdata, void *data, size_t size)
{
	struct buffer *buffer = userdata;
	size_t n = TIER_MIN(size, buffer->n - buffer->taken);

	memcpy(data, buffer->bytes + buffer->taken, n);
	buffer->taken += n;
	return n;
}

static int write_trace(struct buffer *buffer)
{
	_cleanup_(tier_trace_writer_freep) struct tier_trace_writer *writer = NULL;
	struct tier_trace_meta meta = { .n_tiers = 2, .source = "test" };
	int r;

	r = tier_trace_writer_new(&meta, put, buffer, &writer);
	if (r < 0) {
		assert_null(writer);
		return r;
	}
	for (unsigned i = 0; i < RECORDS; i++) {
		struct tier_trace_record record = {
			.type = TIER_TRACE_SAMPLE,
			.sample.access = { .space = SPACE,
				.address = BASE + tier_hash(i) % TIER_BLOCK_SIZE },
		};

		r = tier_trace_writer_add(writer, &record);
		if (r < 0)
			return r;
	}
	return tier_trace_writer_finish(writer);
}

static int read_trace(struct buffer *buffer, unsigned *ret_n)
{
	_cleanup_(tier_trace_reader_freep) struct tier_trace_reader *reader = NULL;
	struct tier_trace_record record;
	unsigned n = 0;
	int r;

	r = tier_trace_reader_new(take, buffer, &reader);
	if (r < 0) {
		assert_null(reader);
		return r;
	}
	while ((r = tier_trace_reader_next(reader, &record)) == TIER_TRACE_RECORD)
		n++;
	*ret_n = n;
	return r;
}

/* An error ends a trace for good, so that there is no second try: only the same error. */
static void live_of_traces(void)
{
	static struct buffer buffer;
	unsigned n = 0;
	int r;

	buffer.n = buffer.taken = 0;
	faults.failed = false;
	faults.is_on = true;
	r = write_trace(&buffer);
	if (r == 0)
		r = read_trace(&buffer, &n);
	faults.is_on = false;
	assert_int_equal(r, faults.failed ? -ENOMEM : TIER_TRACE_END);
	assert_true(r < 0 || n == RECORDS);
}

static void every_allocation_of_traces_fails_once(void **state)
{
	uint64_t n;

	(void)state;
	faults.failing = faults.n = 0;
	live_of_traces();
	n = faults.n;
	print_message("traces: %zu allocations\n", (size_t)n);
	assert_true(n > 0);
	for (uint64_t i = 1; i <= n; i++) {
		faults.failing = i;
		faults.n = 0;
		live_of_traces();
		assert_true(faults.failed);
	}
}

/* ---- All of it ----------------------------------------------------------------- */

static void fail_each_allocation(enum tier_engine engine)
{
	uint64_t n;

	n_blocks = engine == TIER_ENGINE_RANK ? BLOCKS_MAX : BLOCKS_WITH_BOOKS;
	faults.failing = faults.n = 0;
	live(engine);
	n = faults.n;
	print_message("%s: %zu allocations\n", tier_engine_to_string(engine), (size_t)n);
	for (uint64_t i = 1; i <= n; i++) {
		faults.failing = i;
		faults.n = 0;
		live(engine);
		assert_true(faults.n >= i);
	}
}

static void every_allocation_of_rank_fails_once(void **state)
{
	(void)state;
	fail_each_allocation(TIER_ENGINE_RANK);
}

static void every_allocation_of_memtis_fails_once(void **state)
{
	(void)state;
	fail_each_allocation(TIER_ENGINE_MEMTIS);
}

static void every_allocation_of_tpp_fails_once(void **state)
{
	(void)state;
	fail_each_allocation(TIER_ENGINE_TPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_of_rank_fails_once),
		cmocka_unit_test(every_allocation_of_memtis_fails_once),
		cmocka_unit_test(every_allocation_of_tpp_fails_once),
		cmocka_unit_test(every_allocation_of_traces_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
