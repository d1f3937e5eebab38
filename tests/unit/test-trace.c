/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces there and back: random records through every size of read, a trace cut at every
 * byte and with every bit flipped, and by hand what no writer would write.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>

#include "base/util.h"
#include "core/hash.h"
#include "libtier.h"
#include "trace/format.h"
#include "unit.h"

#define BYTES_MAX   (4 * 1024 * 1024)
#define RECORDS_MAX 60000

/* What a sink has taken, and a source gives in pieces of at most so many bytes. */
struct bytes {
	uint8_t *data;
	size_t size;
	size_t pos;
	size_t piece;
	int error; /* instead of taking or giving anything once pos reaches error_at */
	size_t error_at;
};

static void bytes_done(struct bytes *bytes)
{
	free(bytes->data);
}

static struct bytes bytes_new(void)
{
	struct bytes bytes = { .data = malloc(BYTES_MAX), .piece = BYTES_MAX };

	assert_non_null(bytes.data);
	return bytes;
}

static int take(void *userdata, const void *data, size_t size)
{
	struct bytes *bytes = userdata;

	if (bytes->error && bytes->size + size > bytes->error_at)
		return bytes->error;
	assert_true(bytes->size + size <= BYTES_MAX);
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
	return 0;
}

static ssize_t give(void *userdata, void *buffer, size_t size)
{
	struct bytes *bytes = userdata;
	size_t n = TIER_MIN(size, bytes->size - bytes->pos);

	if (bytes->error && bytes->pos >= bytes->error_at)
		return bytes->error;
	n = TIER_MIN(n, bytes->piece);
	memcpy(buffer, bytes->data + bytes->pos, n);
	bytes->pos += n;
	return (ssize_t)n;
}

/* ---- Random records ------------------------------------------------------------ */

/* Small, large and extreme numbers alike. */
static uint64_t any_number(struct tier_random *random)
{
	uint64_t value = tier_random_next(random);

	return value >> tier_random_next(random) % 64;
}

static void any_pages(
	struct tier_random *random, unsigned n_tiers, struct tier_residency *ret)
{
	unsigned run_max = 1u << tier_random_next(random) % 10;
	unsigned page = 0;

	ret->huge = tier_random_next(random) & 1;
	ret->has_policy = tier_random_next(random) & 1;
	while (page < TIER_BLOCK_PAGES) {
		unsigned kind = tier_random_next(random) % (n_tiers + 1);
		unsigned end = page + 1 + tier_random_next(random) % run_max;

		for (; page < TIER_MIN(end, TIER_BLOCK_PAGES + 0u); page++)
			if (kind < n_tiers)
				tier_residency_add(ret, page, kind);
	}
}

static struct tier_trace_record any_record(struct tier_random *random, unsigned n_tiers)
{
	struct tier_trace_record record = { .type = tier_random_next(random) %
						    TIER_TRACE_TYPE_MAX };
	bool few = tier_random_next(random) & 1;

	switch (record.type) {
	case TIER_TRACE_SPACE_BEGIN:
	case TIER_TRACE_SPACE_END:
		record.space = few ? 7 : any_number(random);
		break;
	case TIER_TRACE_SAMPLE:
		record.sample.access = (struct tier_sample){
			.space = few ? 7 : any_number(random),
			.address = any_number(random),
			.time_ns = few ? 0 : any_number(random),
			.is_store = tier_random_next(random) & 1,
		};
		record.sample.latency = few ? 0 : (uint32_t)any_number(random);
		record.sample.tier = few ? TIER_TRACE_TIER_UNKNOWN
					 : tier_random_next(random) % n_tiers;
		break;
	case TIER_TRACE_RESIDENCY:
		record.residency.space = few ? 7 : any_number(random);
		record.residency.address = any_number(random) & -TIER_BLOCK_SIZE;
		any_pages(random, n_tiers, &record.residency.pages);
		break;
	case TIER_TRACE_ADVANCE:
		record.advance.now_ns = any_number(random);
		record.advance.exposure = (double)any_number(random) / 1e9;
		break;
	default:
		record.limits = (struct tier_limits){
			.now_ns = any_number(random),
			.fast_pages = any_number(random),
			.quota_pages = few ? TIER_UNLIMITED_PAGES : any_number(random),
			.owed_pages = any_number(random),
			.budget_pages = any_number(random),
		};
		for (unsigned i = 0; i < n_tiers; i++)
			record.limits.room_pages[i] = any_number(random);
		break;
	}
	return record;
}

static void assert_same(
	const struct tier_trace_record *a, const struct tier_trace_record *b)
{
	assert_int_equal(a->type, b->type);
	switch (a->type) {
	case TIER_TRACE_SPACE_BEGIN:
	case TIER_TRACE_SPACE_END:
		assert_int_equal(a->space, b->space);
		break;
	case TIER_TRACE_SAMPLE:
		assert_int_equal(a->sample.access.space, b->sample.access.space);
		assert_int_equal(a->sample.access.address, b->sample.access.address);
		assert_int_equal(a->sample.access.time_ns, b->sample.access.time_ns);
		assert_int_equal(a->sample.access.is_store, b->sample.access.is_store);
		assert_int_equal(a->sample.latency, b->sample.latency);
		assert_int_equal(a->sample.tier, b->sample.tier);
		break;
	case TIER_TRACE_RESIDENCY:
		assert_int_equal(a->residency.space, b->residency.space);
		assert_int_equal(a->residency.address, b->residency.address);
		assert_memory_equal(&a->residency.pages, &b->residency.pages,
			sizeof(a->residency.pages));
		break;
	case TIER_TRACE_ADVANCE:
		assert_int_equal(a->advance.now_ns, b->advance.now_ns);
		assert_memory_equal(
			&a->advance.exposure, &b->advance.exposure, sizeof(double));
		break;
	default:
		assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
		break;
	}
}

static const struct tier_trace_meta metas[] = {
	{ .n_tiers = 2,
		.latency_ns = { 80, 300 },
		.period = 199,
		.source = "cpu/mem-loads/P" },
	{ .n_tiers = 3, .latency_ns = { 80, 300, UINT64_MAX } },
};

/* A whole trace of so many random records, flushed now and then if @flush_every. */
static void write_trace(struct bytes *bytes, const struct tier_trace_meta *meta,
	struct tier_trace_record *records, size_t n, size_t flush_every, uint64_t seed)
{
	struct tier_random random = { seed };
	struct tier_trace_writer *writer;

	assert_int_equal(tier_trace_writer_new(meta, take, bytes, &writer), 0);
	for (size_t i = 0; i < n; i++) {
		records[i] = any_record(&random, meta->n_tiers);
		assert_int_equal(tier_trace_writer_add(writer, &records[i]), 0);
		if (flush_every && i % flush_every == 0)
			assert_int_equal(tier_trace_writer_flush(writer), 0);
	}
	assert_int_equal(tier_trace_writer_finish(writer), 0);
	assert_null(tier_trace_writer_free(writer));
}

/* Reads all there is, which must be a beginning of @records, and returns the end. */
static int read_trace(struct bytes *bytes, const struct tier_trace_record *records,
	size_t n, size_t *ret_n, uint64_t *ret_frame)
{
	struct tier_trace_reader *reader;
	struct tier_trace_record record;
	uint32_t place;
	int r;

	*ret_n = 0;
	bytes->pos = 0;
	assert_int_equal(tier_trace_reader_new(give, bytes, &reader), 0);
	while ((r = tier_trace_reader_next(reader, &record)) == TIER_TRACE_RECORD) {
		assert_true(*ret_n < n);
		assert_same(&record, &records[(*ret_n)++]);
	}
	assert_int_equal(tier_trace_reader_next(reader, &record), r);
	tier_trace_reader_where(reader, ret_frame, &place);
	assert_null(tier_trace_reader_free(reader));
	return r;
}

static struct tier_trace_record records[RECORDS_MAX];

static void test_round_trip(_unused_ void **state)
{
	static const struct {
		size_t n, flush_every, piece;
	} cases[] = {
		{ 0, 0, BYTES_MAX },
		{ 1, 0, 1 },
		{ 2000, 0, 1 },
		{ 2000, 1, 7 },
		{ 20000, 500, 4099 },
		{ RECORDS_MAX, 0, BYTES_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t m = 0; m < ARRAY_SIZE(metas); m++) {
			_cleanup_(bytes_done) struct bytes bytes = bytes_new();
			uint64_t frame;
			size_t n;

			bytes.piece = cases[i].piece;
			write_trace(&bytes, &metas[m], records, cases[i].n,
				cases[i].flush_every, i * 10 + m);
			assert_int_equal(
				read_trace(&bytes, records, cases[i].n, &n, &frame),
				TIER_TRACE_END);
			assert_int_equal(n, cases[i].n);
		}
}

/* Through a file, the meta first. */
static void test_descriptors(_unused_ void **state)
{
	_cleanup_(closep) int fd = memfd_create("trace", MFD_CLOEXEC);
	struct tier_random random = { 5 };
	struct tier_trace_writer *writer;
	struct tier_trace_reader *reader;
	struct tier_trace_record record, read;
	struct tier_trace_meta meta = {};

	assert_int_equal(tier_trace_writer_new_fd(&metas[0], fd, &writer), 0);
	record = any_record(&random, 2);
	assert_int_equal(tier_trace_writer_add(writer, &record), 0);
	assert_int_equal(tier_trace_writer_finish(writer), 0);
	tier_trace_writer_free(writer);

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(tier_trace_reader_new_fd(fd, &reader), 0);
	assert_int_equal(tier_trace_reader_get_meta(reader, &meta), 0);
	assert_memory_equal(&meta, &metas[0], sizeof(meta));
	assert_int_equal(tier_trace_reader_next(reader, &read), TIER_TRACE_RECORD);
	assert_same(&read, &record);
	assert_int_equal(tier_trace_reader_next(reader, &read), TIER_TRACE_END);
	assert_int_equal(tier_trace_reader_get_meta(reader, &meta), 0);
	tier_trace_reader_free(reader);

	assert_int_equal(tier_trace_reader_new_fd(-1, &reader), 0);
	assert_int_equal(tier_trace_reader_get_meta(reader, &meta), -EBADF);
	assert_int_equal(tier_trace_reader_next(reader, &read), -EBADF);
	tier_trace_reader_free(reader);
}

/* ---- Damage -------------------------------------------------------------------- */

#define SHORT 40

static void test_cut_anywhere(_unused_ void **state)
{
	_cleanup_(bytes_done) struct bytes bytes = bytes_new();
	size_t n, whole, last = 0;
	uint64_t frame;

	write_trace(&bytes, &metas[1], records, SHORT, 10, 3);
	whole = bytes.size;
	for (bytes.size = 0; bytes.size < whole; bytes.size++) {
		assert_int_equal(
			read_trace(&bytes, records, SHORT, &n, &frame), TIER_TRACE_CUT);
		assert_true(n >= last && frame <= bytes.size);
		last = n;
	}
	/* All but the frame with END had arrived. */
	assert_true(last > SHORT - 10);
}

static void test_any_bit_flipped(_unused_ void **state)
{
	_cleanup_(bytes_done) struct bytes bytes = bytes_new();

	write_trace(&bytes, &metas[0], records, SHORT, 10, 4);
	for (size_t bit = 0; bit < bytes.size * 8; bit++) {
		uint64_t frame;
		size_t n;
		int r;

		bytes.data[bit / 8] ^= 1 << bit % 8;
		/* Whatever comes out is what went in, as far as it goes. */
		r = read_trace(&bytes, records, SHORT, &n, &frame);
		assert_true(frame <= bytes.size);
		if (bit / 8 == TRACE_PREAMBLE_SIZE - 1)
			assert_int_equal(r, -EPROTONOSUPPORT);
		else if (bit / 8 < TRACE_PREAMBLE_SIZE)
			assert_int_equal(r, -EBADMSG);
		else if (r == TIER_TRACE_END)
			assert_int_equal(n, SHORT);
		else if (r != TIER_TRACE_CUT && r != -EFBIG)
			assert_int_equal(r, -EBADMSG);
		bytes.data[bit / 8] ^= 1 << bit % 8;
	}
}

/* ---- By hand ------------------------------------------------------------------- */

#define META "\x00\x0c\x15\x02\x50\x80\x02\x00\x00"
#define U64  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"

static void begin_by_hand(struct bytes *bytes)
{
	static const char preamble[TRACE_PREAMBLE_SIZE] = TRACE_MAGIC;

	take(bytes, preamble, TRACE_PREAMBLE_SIZE);
	bytes->data[TRACE_PREAMBLE_SIZE - 1] = TRACE_VERSION;
}

static void add_frame(struct bytes *bytes, const void *content, size_t size)
{
	size_t n = ZSTD_compress(
		bytes->data + bytes->size, BYTES_MAX - bytes->size, content, size, 1);

	assert_false(ZSTD_isError(n));
	bytes->size += n;
}

struct by_hand {
	const char *what;
	const char *content;
	size_t size;
	int expected; /* in the end */
	size_t n;     /* records before that */
	uint32_t place;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct by_hand by_hand[] = {
	{ "nothing", BYTES(META "\x01\x01"), TIER_TRACE_END, 0, 11 },
	{ "a sample", BYTES(META "\x04\x02\x04\x06\x01\x02"), TIER_TRACE_END, 1, 15 },
	{ "no meta", BYTES("\x01\x00"), -EBADMSG, 0, 0 },
	{ "meta twice", BYTES(META META), -EBADMSG, 0, 9 },
	{ "meta cut", BYTES("\x00\x0c\x15\x02\x50"), -EBADMSG, 0, 0 },
	{ "pages of 8 KiB", BYTES("\x00\x0d\x15\x02\x50\x80\x02\x00\x00\x01\x01"),
		-EBADMSG, 0, 0 },
	{ "blocks of 4 MiB", BYTES("\x00\x0c\x16\x02\x50\x80\x02\x00\x00\x01\x01"),
		-EBADMSG, 0, 0 },
	{ "one tier", BYTES("\x00\x0c\x15\x01\x50\x00\x00\x01\x01"), -EBADMSG, 0, 0 },
	{ "four tiers", BYTES("\x00\x0c\x15\x04\x01\x02\x03\x04\x00\x00\x01\x01"),
		-EBADMSG, 0, 0 },
	{ "source too long",
		BYTES("\x00\x0c\x15\x02\x50\x50\x00\x20"
		      "01234567890123456789012345678901"
		      "\x01\x01"),
		-EBADMSG, 0, 0 },
	{ "source with a NUL", BYTES("\x00\x0c\x15\x02\x50\x50\x00\x01\x00\x01\x01"),
		-EBADMSG, 0, 0 },
	{ "wrong count", BYTES(META "\x01\x02"), -EBADMSG, 0, 9 },
	{ "more behind the end", BYTES(META "\x01\x01\x0a"), -EBADMSG, 0, 11 },
	{ "no end", BYTES(META "\x02\x0e"), TIER_TRACE_CUT, 1, 0 },
	{ "record without its last byte", BYTES(META "\x02"), -EBADMSG, 0, 9 },
	{ "record cut", BYTES(META "\x02\x0e\x04\x02"), -EBADMSG, 1, 11 },
	{ "unknown flag", BYTES(META "\x12\x0e\x01\x02"), -EBADMSG, 0, 9 },
	{ "flag of another kind", BYTES(META "\x45\x02\x02\xfc\x0f\x01\x02"), -EBADMSG, 0,
		9 },
	{ "64 bits", BYTES(META "\x02" U64 "\x01\x02"), TIER_TRACE_END, 1, 22 },
	{ "65 bits", BYTES(META "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x03\x01\x02"),
		-EBADMSG, 0, 9 },
	{ "a number without end",
		BYTES(META "\x02\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00\x01\x02"),
		-EBADMSG, 0, 9 },
	{ "latency of 33 bits",
		BYTES(META "\x44\x02\x04\x06\x80\x80\x80\x80\x10\x01\x02"), -EBADMSG, 0,
		9 },
	{ "sample in tier 2", BYTES(META "\x84\x02\x04\x06\x02\x01\x02"), -EBADMSG, 0,
		9 },
	{ "sample in tier 1", BYTES(META "\x84\x02\x04\x06\x01\x01\x02"), TIER_TRACE_END,
		1, 16 },
	{ "block in one run", BYTES(META "\x05\x02\x02\xfc\x0f\x01\x02"), TIER_TRACE_END,
		1, 16 },
	{ "run beyond the block", BYTES(META "\x05\x02\x02\x80\x10\x01\x02"), -EBADMSG, 0,
		9 },
	{ "second run beyond it", BYTES(META "\x05\x02\x02\x00\xfc\x0f\x01\x02"),
		-EBADMSG, 0, 9 },
	{ "page in tier 2", BYTES(META "\x05\x02\x02\xfe\x0f\x01\x02"), -EBADMSG, 0, 9 },
	{ "block beyond memory", BYTES(META "\x05\x02\x01\xfc\x0f\x01\x02"), -EBADMSG, 0,
		9 },
	{ "exposure 1", BYTES(META "\x06\x02\x00\x00\x00\x00\x00\x00\xf0\x3f\x01\x02"),
		TIER_TRACE_END, 1, 21 },
	{ "exposure -1", BYTES(META "\x06\x02\x00\x00\x00\x00\x00\x00\xf0\xbf\x01\x02"),
		-EBADMSG, 0, 9 },
	{ "exposure infinite",
		BYTES(META "\x06\x02\x00\x00\x00\x00\x00\x00\xf0\x7f\x01\x02"), -EBADMSG,
		0, 9 },
	{ "exposure not a number",
		BYTES(META "\x06\x02\x00\x00\x00\x00\x00\x00\xf8\x7f\x01\x02"), -EBADMSG,
		0, 9 },
};

/* Behind an empty frame, which means nothing. */
static void test_by_hand(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(by_hand); i++) {
		const struct by_hand *c = &by_hand[i];
		_cleanup_(bytes_done) struct bytes bytes = bytes_new();
		struct tier_trace_reader *reader;
		struct tier_trace_record record;
		uint64_t frame;
		uint32_t place;
		size_t n = 0;
		int r;

		begin_by_hand(&bytes);
		add_frame(&bytes, "", 0);
		add_frame(&bytes, c->content, c->size);
		assert_int_equal(tier_trace_reader_new(give, &bytes, &reader), 0);
		while ((r = tier_trace_reader_next(reader, &record)) == TIER_TRACE_RECORD)
			n++;
		tier_trace_reader_where(reader, &frame, &place);
		tier_trace_reader_free(reader);
		if (r != c->expected || n != c->n || place != c->place)
			fail_msg("%s: %d after %zu records, at %u", c->what, r, n, place);
	}
}

static void test_versions(_unused_ void **state)
{
	for (unsigned version = 0; version < 256; version++) {
		_cleanup_(bytes_done) struct bytes bytes = bytes_new();
		struct tier_trace_reader *reader;
		struct tier_trace_meta meta;

		begin_by_hand(&bytes);
		bytes.data[TRACE_PREAMBLE_SIZE - 1] = version;
		add_frame(&bytes, BYTES(META "\x01\x01"));
		assert_int_equal(tier_trace_reader_new(give, &bytes, &reader), 0);
		assert_int_equal(tier_trace_reader_get_meta(reader, &meta),
			version == TRACE_VERSION ? 0 : -EPROTONOSUPPORT);
		tier_trace_reader_free(reader);
	}
}

/* In one piece, so that the frame states its size, or with a window and no size. */
static void add_big_frame(struct bytes *bytes, size_t size, int window_log)
{
	_cleanup_(freep) char *content = malloc(size);
	ZSTD_outBuffer output = { bytes->data + bytes->size, BYTES_MAX / 2, 0 };
	ZSTD_inBuffer input = { content, size, 0 };
	ZSTD_CCtx *context = ZSTD_createCCtx();

	assert_true(content && context);
	memset(content, 0x0a, size); /* the same space begins again */
	memcpy(content, BYTES(META));
	if (window_log == 0) {
		add_frame(bytes, content, size);
	} else {
		ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
		ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush);
		assert_int_equal(
			ZSTD_compressStream2(context, &output, &input, ZSTD_e_end), 0);
		assert_int_equal(input.pos, size);
		bytes->size += output.pos;
	}
	ZSTD_freeCCtx(context);
}

/* Frames at the bound, above it, and far above it in a few bytes. */
static void test_oversized(_unused_ void **state)
{
	static const struct {
		size_t size;
		int window_log;
		int expected;
	} cases[] = {
		{ TRACE_FRAME_MAX, 0, TIER_TRACE_CUT },
		{ TRACE_FRAME_MAX + 1, 0, -EFBIG },
		{ 64 * 1024 * 1024, 0, -EFBIG },
		{ TRACE_FRAME_MAX, TRACE_WINDOW_LOG, TIER_TRACE_CUT },
		{ TRACE_FRAME_MAX + 1, TRACE_WINDOW_LOG, -EFBIG },
		{ 64 * 1024 * 1024, TRACE_WINDOW_LOG, -EFBIG },
		{ 1000, TRACE_WINDOW_LOG + 1, -EFBIG },
		{ 1000, 27, -EFBIG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(bytes_done) struct bytes bytes = bytes_new();
		struct tier_trace_reader *reader;
		struct tier_trace_record record;
		uint64_t frame;
		uint32_t place;
		int r;

		begin_by_hand(&bytes);
		add_big_frame(&bytes, cases[i].size, cases[i].window_log);
		assert_int_equal(tier_trace_reader_new(give, &bytes, &reader), 0);
		while ((r = tier_trace_reader_next(reader, &record)) == TIER_TRACE_RECORD)
			;
		assert_int_equal(r, cases[i].expected);
		tier_trace_reader_where(reader, &frame, &place);
		assert_int_equal(
			frame, r == -EFBIG ? TRACE_PREAMBLE_SIZE : (int)bytes.size);
		tier_trace_reader_free(reader);
	}
}

static void test_more_behind_the_end(_unused_ void **state)
{
	_cleanup_(bytes_done) struct bytes bytes = bytes_new();
	uint64_t frame;
	size_t n;

	write_trace(&bytes, &metas[0], records, SHORT, 0, 6);
	take(&bytes, "", 1);
	assert_int_equal(read_trace(&bytes, records, SHORT, &n, &frame), -EBADMSG);
	assert_int_equal(n, SHORT);
}

/* ---- Callers' mistakes and their files' ------------------------------------------ */

static void test_refusals(_unused_ void **state)
{
	_cleanup_(bytes_done) struct bytes bytes = bytes_new();
	const struct tier_trace_record bad[] = {
		{ .type = TIER_TRACE_TYPE_MAX },
		{ .type = TIER_TRACE_TYPE_INVALID },
		{ .type = TIER_TRACE_SAMPLE, .sample.tier = 2 },
		{ .type = TIER_TRACE_RESIDENCY, .residency.address = 4096 },
		{ .type = TIER_TRACE_RESIDENCY,
			.residency.pages = { .resident = { 1 }, .tier = { {}, { 1 } } } },
		{ .type = TIER_TRACE_ADVANCE, .advance.exposure = -1 },
		{ .type = TIER_TRACE_ADVANCE, .advance.exposure = NAN },
	};
	struct tier_trace_meta meta = metas[0];
	struct tier_trace_record good = { .type = TIER_TRACE_SPACE_BEGIN, .space = 3 };
	struct tier_trace_writer *writer;
	uint64_t frame;
	size_t n;

	for (meta.n_tiers = 0; meta.n_tiers < 6;
		meta.n_tiers += 1 + 2 * (meta.n_tiers == 1))
		assert_int_equal(
			tier_trace_writer_new(&meta, take, &bytes, &writer), -EINVAL);
	meta.n_tiers = 2;
	memset(meta.source, 'x', sizeof(meta.source));
	assert_int_equal(tier_trace_writer_new(&meta, take, &bytes, &writer), -EINVAL);

	assert_int_equal(tier_trace_writer_new(&metas[0], take, &bytes, &writer), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(tier_trace_writer_add(writer, &bad[i]), -EINVAL);
	assert_int_equal(tier_trace_writer_add(writer, &good), 0);
	assert_int_equal(tier_trace_writer_finish(writer), 0);
	assert_int_equal(tier_trace_writer_finish(writer), -ESHUTDOWN);
	assert_int_equal(tier_trace_writer_add(writer, &good), -ESHUTDOWN);
	tier_trace_writer_free(writer);
	assert_int_equal(read_trace(&bytes, &good, 1, &n, &frame), TIER_TRACE_END);
	assert_int_equal(n, 1);
}

/* A full disk, wherever it comes, is an error then and ever after. */
static void test_failing_sink(_unused_ void **state)
{
	_cleanup_(bytes_done) struct bytes bytes = bytes_new();
	struct tier_trace_record record = { .type = TIER_TRACE_SPACE_BEGIN, .space = 3 };
	struct tier_trace_writer *writer;

	for (bytes.error_at = 0; bytes.error_at < 80; bytes.error_at += 8) {
		int r = 0, before;

		bytes.size = 0;
		bytes.error = -ENOSPC;
		assert_int_equal(
			tier_trace_writer_new(&metas[0], take, &bytes, &writer), 0);
		for (unsigned i = 0; i < 8 && r == 0; i++) {
			record.space = i * UINT64_C(0x123456789abcdef);
			assert_int_equal(tier_trace_writer_add(writer, &record), 0);
			r = tier_trace_writer_flush(writer);
		}
		assert_int_equal(r, -ENOSPC);
		before = (int)bytes.size;
		bytes.error = 0;
		assert_int_equal(tier_trace_writer_add(writer, &record), -ENOSPC);
		assert_int_equal(tier_trace_writer_flush(writer), -ENOSPC);
		assert_int_equal(tier_trace_writer_finish(writer), -ENOSPC);
		assert_int_equal(bytes.size, before);
		tier_trace_writer_free(writer);
	}
}

static void test_failing_source(_unused_ void **state)
{
	_cleanup_(bytes_done) struct bytes bytes = bytes_new();
	uint64_t frame;
	size_t n;

	write_trace(&bytes, &metas[0], records, SHORT, 10, 6);
	bytes.piece = 1;
	bytes.error = -EIO;
	for (bytes.error_at = 0; bytes.error_at < bytes.size; bytes.error_at++)
		assert_int_equal(read_trace(&bytes, records, SHORT, &n, &frame), -EIO);
}

/* What is flushed can be read although the writer never came to an end. */
static void test_flush(_unused_ void **state)
{
	_cleanup_(bytes_done) struct bytes bytes = bytes_new();
	struct tier_random random = { 8 };
	struct tier_trace_writer *writer;

	assert_int_equal(tier_trace_writer_new(&metas[0], take, &bytes, &writer), 0);
	for (size_t i = 0; i < 20; i++) {
		uint64_t frame;
		size_t n;

		records[i] = any_record(&random, 2);
		assert_int_equal(tier_trace_writer_add(writer, &records[i]), 0);
		assert_int_equal(tier_trace_writer_flush(writer), 0);
		assert_int_equal(tier_trace_writer_flush(writer), 0);
		assert_int_equal(
			read_trace(&bytes, records, i + 1, &n, &frame), TIER_TRACE_CUT);
		assert_int_equal(n, i + 1);
	}
	tier_trace_writer_free(writer);
}

/* A second of sampling 14 GiB at random, which nothing compresses well. */
static void test_compact(_unused_ void **state)
{
	_cleanup_(bytes_done) struct bytes bytes = bytes_new();
	struct tier_trace_record record = { .type = TIER_TRACE_SAMPLE };
	struct tier_random random = { 9 };
	struct tier_trace_writer *writer;
	const size_t n = 8300;

	record.sample.tier = TIER_TRACE_TIER_UNKNOWN;
	record.sample.access.space = 1;
	assert_int_equal(tier_trace_writer_new(&metas[0], take, &bytes, &writer), 0);
	for (size_t i = 0; i < n; i++) {
		record.sample.access.time_ns += tier_random_next(&random) % 240000;
		record.sample.access.address =
			0x7f0000000000 + tier_random_next(&random) % (UINT64_C(14) << 30);
		assert_int_equal(tier_trace_writer_add(writer, &record), 0);
	}
	assert_int_equal(tier_trace_writer_finish(writer), 0);
	tier_trace_writer_free(writer);
	assert_true(bytes.size < 9 * n);
}

static void test_names(_unused_ void **state)
{
	for (int type = 0; type < TIER_TRACE_TYPE_MAX; type++)
		assert_non_null(tier_trace_type_to_string(type));
	assert_null(tier_trace_type_to_string(TIER_TRACE_TYPE_MAX));
	assert_null(tier_trace_type_to_string(TIER_TRACE_TYPE_INVALID));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_any_bit_flipped),
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_oversized),
		cmocka_unit_test(test_more_behind_the_end),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_failing_sink),
		cmocka_unit_test(test_failing_source),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
