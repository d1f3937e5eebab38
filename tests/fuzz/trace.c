/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces. An input that begins with 'f' is a file, which a checksum protects from most of
 * what a fuzzer can think of; one that begins with 'r' is the records of a file, which is
 * made around them. What was read is written and read again, and must be the same.
 */
#include <string.h>
#include <zstd.h>

#include "fuzz.h"
#include "libtier.h"
#include "trace/format.h"

#define FRAME_BYTES 4096 /* records may cross frames here, which is an error */
#define BYTES_MAX   (1024 * 1024)

struct bytes {
	uint8_t *data;
	size_t size;
	size_t pos;
};

static int take(void *userdata, const void *data, size_t size)
{
	struct bytes *bytes = userdata;

	FUZZ_CHECK(bytes->size + size <= BYTES_MAX);
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
	return 0;
}

static ssize_t give(void *userdata, void *buffer, size_t size)
{
	struct bytes *bytes = userdata;

	size = TIER_MIN(size, bytes->size - bytes->pos);
	if (size > 0)
		memcpy(buffer, bytes->data + bytes->pos, size);
	bytes->pos += size;
	return (ssize_t)size;
}

static void wrap_records(struct fuzz_part records, struct bytes *ret)
{
	static const char preamble[TRACE_PREAMBLE_SIZE] = TRACE_MAGIC;

	take(ret, preamble, sizeof(preamble));
	ret->data[TRACE_PREAMBLE_SIZE - 1] = TRACE_VERSION;
	while (records.size > 0) {
		size_t size = TIER_MIN(records.size, FRAME_BYTES + 0u);
		size_t n = ZSTD_compress(ret->data + ret->size, BYTES_MAX - ret->size,
			records.data, size, 1);

		FUZZ_CHECK(!ZSTD_isError(n));
		ret->size += n;
		records.data += size;
		records.size -= size;
	}
}

/* Reads a trace to its end and, if there is a writer, hands on what is in it. */
static int read_all(struct bytes *bytes, struct tier_trace_writer *writer, size_t *ret_n)
{
	struct tier_trace_reader *reader;
	struct tier_trace_record record;
	uint64_t frame;
	uint32_t place;
	int r;

	*ret_n = 0;
	bytes->pos = 0;
	FUZZ_CHECK(tier_trace_reader_new(give, bytes, &reader) == 0);
	while ((r = tier_trace_reader_next(reader, &record)) == TIER_TRACE_RECORD) {
		++*ret_n;
		FUZZ_CHECK(tier_trace_type_to_string(record.type));
		if (writer)
			FUZZ_CHECK(tier_trace_writer_add(writer, &record) == 0);
	}
	tier_trace_reader_where(reader, &frame, &place);
	FUZZ_CHECK(frame <= bytes->size && place <= TRACE_FRAME_MAX);
	FUZZ_CHECK(tier_trace_reader_next(reader, &record) == r);
	tier_trace_reader_free(reader);
	return r;
}

static bool read_meta(struct bytes *bytes, struct tier_trace_meta *ret)
{
	struct tier_trace_reader *reader;
	int r;

	bytes->pos = 0;
	FUZZ_CHECK(tier_trace_reader_new(give, bytes, &reader) == 0);
	r = tier_trace_reader_get_meta(reader, ret);
	tier_trace_reader_free(reader);
	return r == 0;
}

/* A copy of a trace, and the number of its records. */
static size_t copy(struct bytes *from, struct bytes *to)
{
	struct tier_trace_writer *writer;
	struct tier_trace_meta meta;
	size_t n;

	if (!read_meta(from, &meta)) {
		FUZZ_CHECK(read_all(from, NULL, &n) != TIER_TRACE_END && n == 0);
		return 0;
	}
	to->size = 0;
	FUZZ_CHECK(tier_trace_writer_new(&meta, take, to, &writer) == 0);
	read_all(from, writer, &n);
	FUZZ_CHECK(tier_trace_writer_finish(writer) == 0);
	tier_trace_writer_free(writer);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buffers[3][BYTES_MAX];
	struct bytes given = { buffers[0] }, first = { buffers[1] },
		     second = { buffers[2] };
	size_t n;

	if (size > 0 && size < BYTES_MAX / 4 && data[0] == 'f')
		take(&given, data + 1, size - 1);
	else if (size > 0 && size < BYTES_MAX / 4 && data[0] == 'r')
		wrap_records((struct fuzz_part){ data + 1, size - 1 }, &given);
	else
		return 0;
	n = copy(&given, &first);
	if (first.size == 0)
		return 0;
	FUZZ_CHECK(copy(&first, &second) == n);
	FUZZ_CHECK(first.size == second.size);
	FUZZ_CHECK(memcmp(first.data, second.data, first.size) == 0);
	return 0;
}
