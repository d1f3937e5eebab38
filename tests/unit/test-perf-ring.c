/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rings made by hand: what each record turns into, at every place where one can wrap, cut
 * at every byte, and full of garbage. The data is a heap block of exactly the ring's
 * size, so that a sanitizer sees any look beyond its end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "base/util.h"
#include "sampler/perf-ring.h"

#define RING_BYTES 4096
#define USER       0x7f0000001000
#define NOTES_MAX  64
#define ALL        1000

#define TYPE_USUAL                                                                    \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_PERIOD | \
		PERF_SAMPLE_WEIGHT | PERF_SAMPLE_DATA_SRC)

struct note {
	char kind;
	uint32_t pid;
	uint32_t parent;
	struct tierd_access access;
};

struct world {
	struct perf_event_mmap_page page;
	uint8_t *data;
	struct tierd_perf_ring ring;
	struct tierd_perf_counts counts;
	struct tierd_sampler_sink sink;
	struct note notes[NOTES_MAX];
	size_t n_notes;
};

static struct note *take_note(void *userdata, char kind, uint32_t pid)
{
	struct world *w = userdata;
	struct note *note = &w->notes[w->n_notes % NOTES_MAX];

	w->n_notes++;
	*note = (struct note){ .kind = kind, .pid = pid };
	return note;
}

static void note_sample(void *userdata, const struct tierd_access *access)
{
	take_note(userdata, 's', access->pid)->access = *access;
}

static void note_exec(void *userdata, uint32_t pid)
{
	take_note(userdata, 'e', pid);
}

static void note_exit(void *userdata, uint32_t pid)
{
	take_note(userdata, 'x', pid);
}

static void note_fork(void *userdata, uint32_t parent, uint32_t child)
{
	take_note(userdata, 'f', child)->parent = parent;
}

static struct world *world_new(uint64_t sample_type, uint64_t start)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->data = malloc(RING_BYTES);
	assert_non_null(w->data);
	memset(w->data, 0xff, RING_BYTES);
	w->page.data_head = w->page.data_tail = start;
	w->ring = (struct tierd_perf_ring){
		.page = &w->page,
		.data = w->data,
		.size = RING_BYTES,
		.cpu = 3,
		.period = 77,
	};
	assert_int_equal(tierd_perf_layout_init(&w->ring.layout, sample_type), 0);
	w->sink = (struct tierd_sampler_sink){ w, note_sample, note_exec, note_exit,
		note_fork };
	return w;
}

static void world_free(struct world *w)
{
	free(w->data);
	free(w);
}

static unsigned drain(struct world *w, unsigned max_records)
{
	return tierd_perf_ring_drain(&w->ring, max_records, &w->sink, &w->counts);
}

static void put_bytes(struct world *w, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		w->data[w->page.data_head++ % RING_BYTES] = ((const uint8_t *)bytes)[i];
}

static void put_record(
	struct world *w, uint32_t type, uint16_t misc, const void *body, size_t body_size)
{
	struct perf_event_header header = { type, misc, sizeof(header) + body_size };

	put_bytes(w, &header, sizeof(header));
	put_bytes(w, body, body_size);
}

/* In the order of TYPE_USUAL. */
struct usual_sample {
	uint32_t pid, tid;
	uint64_t time, address, period, weight, data_src;
};

static void put_sample(struct world *w, uint32_t pid, uint64_t address)
{
	struct usual_sample s = { pid, pid + 1, 1000, address, 199, 300,
		PERF_MEM_S(OP, LOAD) };

	put_record(w, PERF_RECORD_SAMPLE, 0, &s, sizeof(s));
}

static void put_task(
	struct world *w, uint32_t type, uint32_t pid, uint32_t ppid, uint32_t tid)
{
	struct {
		uint32_t pid, ppid, tid, ptid;
		uint64_t time;
	} body = { pid, ppid, tid, ppid, 5 };

	put_record(w, type, 0, &body, sizeof(body));
}

static void put_comm(struct world *w, uint16_t misc, uint32_t pid)
{
	struct {
		uint32_t pid, tid;
		char comm[16];
	} body = { pid, pid, "gups" };

	put_record(w, PERF_RECORD_COMM, misc, &body, sizeof(body));
}

static void put_words(struct world *w, uint32_t type, size_t n, const uint64_t *words)
{
	put_record(w, type, 0, words, n * sizeof(*words));
}

static void test_layout_follows_the_kernels_order(_unused_ void **state)
{
	struct tierd_perf_layout layout;

	assert_int_equal(tierd_perf_layout_init(&layout,
				 TYPE_USUAL | PERF_SAMPLE_IP | PERF_SAMPLE_IDENTIFIER |
					 PERF_SAMPLE_CPU | PERF_SAMPLE_PHYS_ADDR |
					 PERF_SAMPLE_CGROUP),
		0);
	assert_int_equal(layout.tid, 24);
	assert_int_equal(layout.time, 32);
	assert_int_equal(layout.address, 40);
	assert_int_equal(layout.period, 56);
	assert_int_equal(layout.weight, 64);
	assert_int_equal(layout.data_src, 72);
	assert_int_equal(layout.physical, 80);
	assert_int_equal(layout.cgroup, 88);
	assert_int_equal(layout.size, 96);
}

static void test_layout_refuses_what_it_cannot_decode(_unused_ void **state)
{
	struct tierd_perf_layout layout;

	assert_int_equal(tierd_perf_layout_init(&layout, PERF_SAMPLE_TID), -EINVAL);
	assert_int_equal(tierd_perf_layout_init(&layout, PERF_SAMPLE_ADDR), -EINVAL);
	assert_int_equal(tierd_perf_layout_init(&layout, TYPE_USUAL | PERF_SAMPLE_RAW),
		-EOPNOTSUPP);
	assert_int_equal(tierd_perf_layout_init(&layout, TYPE_USUAL | PERF_SAMPLE_READ),
		-EOPNOTSUPP);
}

static void test_sample_fields(_unused_ void **state)
{
	const uint64_t type = TYPE_USUAL | PERF_SAMPLE_PHYS_ADDR | PERF_SAMPLE_CGROUP;
	const struct {
		struct usual_sample usual;
		uint64_t physical, cgroup;
	} body = {
		{ 42, 43, 1234567, USER + 8, 199, 0x123456789, PERF_MEM_S(OP, STORE) },
		0x40001000,
		99,
	};
	struct world *w = world_new(type, 0);
	const struct tierd_access *a = &w->notes[0].access;

	put_record(w, PERF_RECORD_SAMPLE, 0, &body, sizeof(body));
	assert_int_equal(drain(w, ALL), 1);
	assert_int_equal(w->n_notes, 1);
	assert_int_equal(a->pid, 42);
	assert_int_equal(a->tid, 43);
	assert_int_equal(a->time_ns, 1234567);
	assert_int_equal(a->address, USER + 8);
	assert_int_equal(a->period, 199);
	assert_int_equal(a->latency, UINT32_MAX);
	assert_true(a->is_store);
	assert_int_equal(a->physical, 0x40001000);
	assert_int_equal(a->cgroup_id, 99);
	assert_int_equal(a->cpu, 3);
	assert_int_equal(w->counts.samples, 1);
	assert_int_equal(w->counts.stores, 1);
	assert_int_equal(w->counts.bytes, 8 + sizeof(body));
	world_free(w);
}

static void test_fields_not_asked_for_are_unknown(_unused_ void **state)
{
	struct world *w = world_new(PERF_SAMPLE_TID | PERF_SAMPLE_ADDR, 0);
	const struct tierd_access *a = &w->notes[0].access;

	put_words(w, PERF_RECORD_SAMPLE, 2, (uint64_t[]){ 43ULL << 32 | 42, USER });
	assert_int_equal(drain(w, ALL), 1);
	assert_int_equal(a->pid, 42);
	assert_int_equal(a->tid, 43);
	assert_int_equal(a->address, USER);
	assert_int_equal(a->period, 77);
	assert_int_equal(a->time_ns, 0);
	assert_int_equal(a->latency, 0);
	assert_int_equal(a->physical, 0);
	assert_int_equal(a->cgroup_id, 0);
	assert_false(a->is_store);
	assert_int_equal(w->counts.stores, 0);
	world_free(w);
}

static void test_only_accesses_of_processes_to_user_space(_unused_ void **state)
{
	struct world *w = world_new(TYPE_USUAL, 0);

	put_sample(w, 42, 0);
	put_sample(w, 42, 0xffff888000001000);
	put_sample(w, 42, 0x8000000000000000);
	put_sample(w, 0, USER);
	put_sample(w, UINT32_MAX, USER);
	assert_int_equal(drain(w, ALL), 5);
	assert_int_equal(w->n_notes, 0);
	assert_int_equal(w->counts.samples, 0);
	assert_int_equal(w->counts.outside_user, 3);
	assert_int_equal(w->counts.unattributed, 2);

	put_sample(w, 42, 0x7fffffffffffffff);
	put_sample(w, 42, 1);
	assert_int_equal(drain(w, ALL), 2);
	assert_int_equal(w->counts.samples, 2);
	world_free(w);
}

static void test_tasks(_unused_ void **state)
{
	struct world *w = world_new(TYPE_USUAL, 0);

	put_task(w, PERF_RECORD_FORK, 50, 42, 50);
	put_task(w, PERF_RECORD_FORK, 42, 42, 51); /* a thread */
	put_comm(w, 0, 50);                        /* a change of name */
	put_comm(w, PERF_RECORD_MISC_COMM_EXEC, 50);
	put_task(w, PERF_RECORD_EXIT, 42, 42, 51); /* a thread */
	put_task(w, PERF_RECORD_EXIT, 50, 42, 50);
	put_task(w, PERF_RECORD_FORK, 0, 42, 0); /* of another pid namespace */
	assert_int_equal(drain(w, ALL), 7);

	assert_int_equal(w->n_notes, 3);
	assert_int_equal(w->notes[0].kind, 'f');
	assert_int_equal(w->notes[0].parent, 42);
	assert_int_equal(w->notes[0].pid, 50);
	assert_int_equal(w->notes[1].kind, 'e');
	assert_int_equal(w->notes[1].pid, 50);
	assert_int_equal(w->notes[2].kind, 'x');
	assert_int_equal(w->notes[2].pid, 50);
	assert_int_equal(w->counts.other_records, 4);
	world_free(w);
}

static void test_counts(_unused_ void **state)
{
	struct world *w = world_new(TYPE_USUAL, 0);

	put_words(w, PERF_RECORD_LOST, 2, (uint64_t[]){ 7, 1000 });
	put_words(w, PERF_RECORD_LOST_SAMPLES, 1, (uint64_t[]){ 23 });
	put_words(w, PERF_RECORD_THROTTLE, 3, (uint64_t[3]){});
	put_words(w, PERF_RECORD_THROTTLE, 3, (uint64_t[3]){});
	put_words(w, PERF_RECORD_UNTHROTTLE, 3, (uint64_t[3]){});
	put_words(w, PERF_RECORD_MMAP2, 4, (uint64_t[4]){});
	put_words(w, 200, 1, (uint64_t[1]){});
	assert_int_equal(drain(w, ALL), 7);
	assert_int_equal(w->counts.lost, 1023);
	assert_int_equal(w->counts.throttled, 2);
	assert_int_equal(w->counts.unthrottled, 1);
	assert_int_equal(w->counts.other_records, 2);
	assert_int_equal(w->counts.malformed, 0);
	assert_int_equal(w->n_notes, 0);
	world_free(w);
}

static void test_callbacks_may_be_missing(_unused_ void **state)
{
	struct world *w = world_new(TYPE_USUAL, 0);

	w->sink = (struct tierd_sampler_sink){};
	put_sample(w, 42, USER);
	put_comm(w, PERF_RECORD_MISC_COMM_EXEC, 50);
	put_task(w, PERF_RECORD_FORK, 50, 42, 50);
	put_task(w, PERF_RECORD_EXIT, 50, 42, 50);
	assert_int_equal(drain(w, ALL), 4);
	assert_int_equal(w->counts.samples, 1);
	assert_int_equal(w->counts.other_records, 0);
	world_free(w);
}

static void put_one_of_each(struct world *w)
{
	put_sample(w, 42, USER);
	put_task(w, PERF_RECORD_FORK, 50, 42, 50);
	put_comm(w, PERF_RECORD_MISC_COMM_EXEC, 50);
	put_words(w, PERF_RECORD_LOST, 2, (uint64_t[]){ 7, 1000 });
	put_task(w, PERF_RECORD_EXIT, 50, 42, 50);
	put_sample(w, 44, USER + 4096);
}

static void assert_one_of_each(const struct world *w)
{
	static const char kinds[] = "sfexs";

	assert_int_equal(w->n_notes, strlen(kinds));
	for (size_t i = 0; i < w->n_notes; i++)
		assert_int_equal(w->notes[i].kind, kinds[i]);
	assert_int_equal(w->notes[0].access.address, USER);
	assert_int_equal(w->notes[0].access.latency, 300);
	assert_int_equal(w->notes[1].parent, 42);
	assert_int_equal(w->notes[2].pid, 50);
	assert_int_equal(w->notes[3].pid, 50);
	assert_int_equal(w->notes[4].access.address, USER + 4096);
	assert_int_equal(w->notes[4].access.tid, 45);
	assert_int_equal(w->counts.lost, 1000);
	assert_int_equal(w->counts.malformed, 0);
	assert_int_equal(w->counts.other_records, 0);
}

static void test_wraps_anywhere(_unused_ void **state)
{
	for (uint64_t start = 0; start < RING_BYTES; start += 8) {
		struct world *w = world_new(TYPE_USUAL, 5 * RING_BYTES + start);

		put_one_of_each(w);
		assert_int_equal(drain(w, ALL), 6);
		assert_one_of_each(w);
		assert_int_equal(w->page.data_tail, w->page.data_head);
		world_free(w);
	}
}

static void test_counters_wrap_around(_unused_ void **state)
{
	struct world *w = world_new(TYPE_USUAL, UINT64_MAX - 103);

	put_one_of_each(w);
	assert_true(w->page.data_head < RING_BYTES);
	assert_int_equal(drain(w, ALL), 6);
	assert_one_of_each(w);
	world_free(w);
}

static void test_a_full_ring_is_decoded_to_the_last_byte(_unused_ void **state)
{
	struct world *w = world_new(TYPE_USUAL, 40);
	unsigned n = 0;

	for (; w->page.data_head - w->page.data_tail + 56 <= RING_BYTES; n++)
		put_sample(w, 42, USER);
	put_words(w, 200, (RING_BYTES - n * 56 - 8) / 8, (uint64_t[8]){});
	assert_int_equal(w->page.data_head - w->page.data_tail, RING_BYTES);
	assert_int_equal(drain(w, ALL), n + 1);
	assert_int_equal(w->counts.samples, n);
	assert_int_equal(w->counts.malformed, 0);
	world_free(w);
}

/* A later kernel may append fields; a name or mapping record may be larger than any copy.
 */
static void test_records_longer_than_expected(_unused_ void **state)
{
	static uint8_t body[3000];

	for (uint64_t start = 0; start < RING_BYTES; start += 8) {
		struct world *w = world_new(TYPE_USUAL, start);
		struct usual_sample s = { 42, 42, 0, USER, 1, 1, 0 };

		memcpy(body, &s, sizeof(s));
		put_record(w, PERF_RECORD_SAMPLE, 0, body, sizeof(body));
		put_sample(w, 43, USER);
		assert_int_equal(drain(w, ALL), 2);
		assert_int_equal(w->counts.samples, 2);
		assert_int_equal(w->notes[0].access.address, USER);
		assert_int_equal(w->notes[1].pid, 43);
		world_free(w);
	}
}

/* Each kind with a body too short for it, as the last bytes of the ring. */
static void test_records_too_short_for_their_kind(_unused_ void **state)
{
	static const uint8_t shorter_by_8[] = {
		[PERF_RECORD_LOST] = 24,
		[PERF_RECORD_COMM] = 16,
		[PERF_RECORD_EXIT] = 24,
		[PERF_RECORD_FORK] = 24,
		[PERF_RECORD_SAMPLE] = 56,
		[PERF_RECORD_LOST_SAMPLES] = 16,
	};
	const uint8_t body[64] = { 1 };

	for (uint32_t type = 0; type < ARRAY_SIZE(shorter_by_8); type++)
		for (unsigned size = 8; size < shorter_by_8[type]; size += 8) {
			struct world *w = world_new(TYPE_USUAL, RING_BYTES - size);

			put_record(w, type, PERF_RECORD_MISC_COMM_EXEC, body, size - 8);
			assert_int_equal(drain(w, ALL), 1);
			assert_int_equal(w->n_notes, 0);
			assert_int_equal(w->counts.lost, 0);
			assert_int_equal(w->counts.other_records, 1);
			world_free(w);
		}
}

static void test_cut_at_every_byte(_unused_ void **state)
{
	struct world *whole = world_new(TYPE_USUAL, 4000);
	uint64_t start = whole->page.data_tail, end;

	put_one_of_each(whole);
	end = whole->page.data_head;

	for (uint64_t cut = start; cut < end; cut++) {
		struct world *w = world_new(TYPE_USUAL, start);
		unsigned n;

		put_one_of_each(w);
		w->page.data_head = cut;
		n = drain(w, ALL);
		assert_true(n < 6);
		assert_int_equal(w->page.data_tail, cut);
		assert_int_equal(w->n_notes, n - (n >= 4));
		assert_int_equal(w->counts.bytes, cut - start);
		world_free(w);
	}
	world_free(whole);
}

static void test_a_cut_record_is_counted_and_the_ring_goes_on(_unused_ void **state)
{
	struct world *w = world_new(TYPE_USUAL, 0);

	put_sample(w, 42, USER);
	put_sample(w, 43, USER);
	w->page.data_head -= 8;
	assert_int_equal(drain(w, ALL), 1);
	assert_int_equal(w->counts.malformed, 1);

	put_sample(w, 44, USER);
	assert_int_equal(drain(w, ALL), 1);
	assert_int_equal(w->counts.malformed, 1);
	assert_int_equal(w->notes[1].pid, 44);
	world_free(w);
}

static void test_impossible_sizes(_unused_ void **state)
{
	static const uint16_t sizes[] = { 0, 1, 7, 9, 20, 60, 1024, 65528, 65535 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct world *w = world_new(TYPE_USUAL, 0);

		put_sample(w, 42, USER);
		put_sample(w, 43, USER);
		put_sample(w, 44, USER);
		memcpy(w->data + 56 + offsetof(struct perf_event_header, size), &sizes[i],
			sizeof(sizes[i]));
		assert_int_equal(drain(w, ALL), 1);
		assert_int_equal(w->n_notes, 1);
		assert_int_equal(w->counts.malformed, 1);
		assert_int_equal(w->page.data_tail, w->page.data_head);
		world_free(w);
	}
}

static void test_impossible_positions(_unused_ void **state)
{
	static const struct {
		uint64_t head, tail;
	} cases[] = {
		{ RING_BYTES + 8, 0 },
		{ 0, 8 },
		{ UINT64_MAX, 0 },
		{ 100, 99 },
		{ 67, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world *w = world_new(TYPE_USUAL, 0);

		put_one_of_each(w);
		w->page.data_head = cases[i].head;
		w->page.data_tail = cases[i].tail;
		assert_int_equal(drain(w, ALL), 0);
		assert_int_equal(w->counts.malformed, 1);
		assert_int_equal(w->page.data_tail, cases[i].head);
		assert_int_equal(drain(w, ALL), 0);
		assert_int_equal(w->counts.malformed, 1);
		world_free(w);
	}
}

static void test_budget(_unused_ void **state)
{
	struct world *w = world_new(TYPE_USUAL, 4072);

	put_one_of_each(w);
	assert_int_equal(drain(w, 0), 0);
	assert_int_equal(w->page.data_tail, 4072);
	assert_int_equal(drain(w, 2), 2);
	assert_int_equal(w->n_notes, 2);
	assert_int_equal(w->page.data_tail, 4072 + 56 + 32);
	assert_int_equal(drain(w, 4), 4);
	assert_one_of_each(w);
	assert_int_equal(drain(w, 4), 0);
	assert_int_equal(w->page.data_tail, w->page.data_head);
	world_free(w);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Bytes by chance; `plausible` makes headers whose kinds and sizes could be true. */
static void fill_with_garbage(struct world *w, uint64_t *seed, bool plausible)
{
	for (size_t i = 0; i < RING_BYTES; i += 8) {
		uint64_t word = next_random(seed);
		struct perf_event_header header = { word >> 40 & 15, word,
			(word >> 20 & 15) * 8 };

		memcpy(w->data + i, plausible ? (const void *)&header : &word, 8);
	}
}

static void test_garbage(_unused_ void **state)
{
	uint64_t seed = 88172645463325252;

	for (unsigned i = 0; i < 20000; i++) {
		struct world *w = world_new(TYPE_USUAL | PERF_SAMPLE_CGROUP, 0);
		unsigned budget = next_random(&seed) % 600;

		fill_with_garbage(w, &seed, i % 2);
		w->page.data_tail = next_random(&seed);
		if (i % 4 < 2)
			w->page.data_tail &= ~7ULL;
		w->page.data_head =
			w->page.data_tail + next_random(&seed) % (RING_BYTES + 64);

		assert_true(drain(w, budget) <= budget);
		for (size_t k = 0; k < TIER_MIN(w->n_notes, (size_t)NOTES_MAX); k++) {
			assert_int_not_equal(w->notes[k].pid, 0);
			if (w->notes[k].kind == 's')
				assert_true((int64_t)w->notes[k].access.address > 0);
		}
		assert_true(w->counts.bytes <= RING_BYTES + 64);
		assert_true(drain(w, ALL) <= RING_BYTES / 8);
		assert_int_equal(w->page.data_tail, w->page.data_head);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_follows_the_kernels_order),
		cmocka_unit_test(test_layout_refuses_what_it_cannot_decode),
		cmocka_unit_test(test_sample_fields),
		cmocka_unit_test(test_fields_not_asked_for_are_unknown),
		cmocka_unit_test(test_only_accesses_of_processes_to_user_space),
		cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_callbacks_may_be_missing),
		cmocka_unit_test(test_wraps_anywhere),
		cmocka_unit_test(test_counters_wrap_around),
		cmocka_unit_test(test_a_full_ring_is_decoded_to_the_last_byte),
		cmocka_unit_test(test_records_longer_than_expected),
		cmocka_unit_test(test_records_too_short_for_their_kind),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_a_cut_record_is_counted_and_the_ring_goes_on),
		cmocka_unit_test(test_impossible_sizes),
		cmocka_unit_test(test_impossible_positions),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
