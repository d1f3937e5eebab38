/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unpacks a frame at a time into a buffer of the size that format.h allows, and takes
 * records from there. Whatever the trace claims, memory stays as it is: zstd is held to
 * the format's window and never sees a frame that is not of its present format.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/util.h"
#include "trace/codec.h"

#define INPUT_SIZE 32768

/* What zstd's frames begin with, RFC 8878, 3.1.1. */
static const uint8_t frame_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

struct tier_trace_reader {
	tier_trace_read_t read;
	void *userdata;
	int fd;     /* the userdata of read_fd() */
	int result; /* TIER_TRACE_RECORD, or what all has come to */
	ZSTD_DCtx *context;
	struct tier_trace_state state;
	struct tier_trace_meta meta;
	bool has_meta;
	uint64_t frame_offset; /* of the frame at hand, from the trace's start */
	uint64_t input_offset; /* of input[begin] */
	size_t begin, end;     /* what is in input and not yet used */
	size_t frame_size;
	const uint8_t *p; /* the next record in frame */
	uint8_t input[INPUT_SIZE];
	uint8_t frame[TRACE_FRAME_MAX];
};

DEFINE_CLEANUP(struct tier_trace_reader *, tier_trace_reader_free)

static ssize_t read_fd(void *userdata, void *buffer, size_t size)
{
	const int *fd = userdata;
	ssize_t n;

	do
		n = read(*fd, buffer, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

_public_ int tier_trace_reader_new(
	tier_trace_read_t read_data, void *userdata, struct tier_trace_reader **ret)
{
	_cleanup_(tier_trace_reader_freep) struct tier_trace_reader *reader = NULL;

	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->context = ZSTD_createDCtx();
	if (!reader->context)
		return -ENOMEM;
	if (ZSTD_isError(ZSTD_DCtx_setParameter(
		    reader->context, ZSTD_d_windowLogMax, TRACE_WINDOW_LOG)))
		return -EINVAL;
	reader->read = read_data;
	reader->userdata = userdata;
	reader->result = TIER_TRACE_RECORD;
	reader->p = reader->frame;
	*ret = TAKE_PTR(reader);
	return 0;
}

_public_ int tier_trace_reader_new_fd(int fd, struct tier_trace_reader **ret)
{
	int r = tier_trace_reader_new(read_fd, NULL, ret);

	if (r < 0)
		return r;
	(*ret)->fd = fd;
	(*ret)->userdata = &(*ret)->fd;
	return 0;
}

_public_ struct tier_trace_reader *tier_trace_reader_free(
	struct tier_trace_reader *reader)
{
	if (!reader)
		return NULL;
	ZSTD_freeDCtx(reader->context);
	free(reader);
	return NULL;
}

_public_ void tier_trace_reader_where(
	const struct tier_trace_reader *reader, uint64_t *ret_frame, uint32_t *ret_record)
{
	*ret_frame = reader->frame_offset;
	*ret_record = (uint32_t)(reader->p - reader->frame);
}

/* ---- Input --------------------------------------------------------------------- */

static size_t n_input(const struct tier_trace_reader *reader)
{
	return reader->end - reader->begin;
}

static void use_input(struct tier_trace_reader *reader, size_t size)
{
	reader->begin += size;
	reader->input_offset += size;
}

/* Sees to it that @size bytes are there. Less than that is the end, and no error. */
static int want_input(struct tier_trace_reader *reader, size_t size)
{
	if (n_input(reader) >= size)
		return 0;
	memmove(reader->input, reader->input + reader->begin, n_input(reader));
	reader->end -= reader->begin;
	reader->begin = 0;
	while (reader->end < size) {
		size_t room = INPUT_SIZE - reader->end;
		ssize_t n =
			reader->read(reader->userdata, reader->input + reader->end, room);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return 0;
		if ((size_t)n > room)
			return -EINVAL;
		reader->end += (size_t)n;
	}
	return 0;
}

/* TIER_TRACE_RECORD when @magic is next, TIER_TRACE_CUT when only its beginning is. */
static int expect_magic(struct tier_trace_reader *reader, const void *magic, size_t size)
{
	int r;

	r = want_input(reader, size);
	if (r < 0)
		return r;
	if (memcmp(reader->input + reader->begin, magic,
		    TIER_MIN(n_input(reader), size)) != 0)
		return -EBADMSG;
	return n_input(reader) < size ? TIER_TRACE_CUT : TIER_TRACE_RECORD;
}

/* ---- Frames -------------------------------------------------------------------- */

static int read_preamble(struct tier_trace_reader *reader)
{
	int r;

	r = expect_magic(reader, TRACE_MAGIC, TRACE_PREAMBLE_SIZE - 1);
	if (r != TIER_TRACE_RECORD)
		return r;
	r = want_input(reader, TRACE_PREAMBLE_SIZE);
	if (r < 0)
		return r;
	if (n_input(reader) < TRACE_PREAMBLE_SIZE)
		return TIER_TRACE_CUT;
	if (reader->input[reader->begin + TRACE_PREAMBLE_SIZE - 1] != TRACE_VERSION)
		return -EPROTONOSUPPORT;
	use_input(reader, TRACE_PREAMBLE_SIZE);
	return TIER_TRACE_RECORD;
}

static int error_of_zstd(size_t code)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_memory_allocation:
		return -ENOMEM;
	case ZSTD_error_frameParameter_windowTooLarge:
		return -EFBIG;
	default:
		return -EBADMSG;
	}
}

/* What is there of the frame; 0 when that was the last of it. */
static int unpack_some(struct tier_trace_reader *reader, ZSTD_outBuffer *output)
{
	ZSTD_inBuffer input = { reader->input + reader->begin, n_input(reader), 0 };
	size_t before = output->pos;
	size_t left = ZSTD_decompressStream(reader->context, output, &input);

	if (ZSTD_isError(left))
		return error_of_zstd(left);
	use_input(reader, input.pos);
	if (left != 0 && input.pos == 0 && output->pos == before)
		return -EFBIG; /* it has more than there is room for */
	return left != 0;
}

static int read_frame(struct tier_trace_reader *reader)
{
	ZSTD_outBuffer output = { reader->frame, sizeof(reader->frame), 0 };
	int r;

	reader->frame_offset = reader->input_offset;
	reader->frame_size = 0;
	reader->p = reader->frame;
	r = expect_magic(reader, frame_magic, sizeof(frame_magic));
	if (r != TIER_TRACE_RECORD)
		return r;
	do {
		r = want_input(reader, 1);
		if (r < 0)
			return r;
		if (n_input(reader) == 0)
			return TIER_TRACE_CUT;
		r = unpack_some(reader, &output);
		if (r < 0)
			return r;
	} while (r > 0);
	reader->frame_size = output.pos;
	return TIER_TRACE_RECORD;
}

static const uint8_t *frame_end(const struct tier_trace_reader *reader)
{
	return reader->frame + reader->frame_size;
}

/* Sees to it that there is a record to take: frames may be empty. */
static int want_record(struct tier_trace_reader *reader)
{
	while (reader->p == frame_end(reader)) {
		int r = read_frame(reader);

		if (r != TIER_TRACE_RECORD)
			return r;
	}
	return TIER_TRACE_RECORD;
}

/* ---- Records ------------------------------------------------------------------- */

static int read_meta(struct tier_trace_reader *reader)
{
	int r;

	if (reader->has_meta)
		return TIER_TRACE_RECORD;
	r = read_preamble(reader);
	if (r != TIER_TRACE_RECORD)
		return r;
	r = want_record(reader);
	if (r != TIER_TRACE_RECORD)
		return r;
	r = tier_trace_decode_meta(
		&reader->state, &reader->p, frame_end(reader), &reader->meta);
	if (r < 0)
		return r;
	reader->has_meta = true;
	return TIER_TRACE_RECORD;
}

/* Behind END. */
static int expect_nothing(struct tier_trace_reader *reader)
{
	int r;

	if (reader->p != frame_end(reader))
		return -EBADMSG;
	r = want_input(reader, 1);
	if (r < 0)
		return r;
	return n_input(reader) == 0 ? TIER_TRACE_END : -EBADMSG;
}

static int read_record(struct tier_trace_reader *reader, struct tier_trace_record *ret)
{
	int r;

	r = read_meta(reader);
	if (r != TIER_TRACE_RECORD)
		return r;
	r = want_record(reader);
	if (r != TIER_TRACE_RECORD)
		return r;
	r = tier_trace_decode_record(&reader->state, &reader->p, frame_end(reader), ret);
	if (r < 0)
		return r;
	return r > 0 ? TIER_TRACE_RECORD : expect_nothing(reader);
}

_public_ int tier_trace_reader_next(
	struct tier_trace_reader *reader, struct tier_trace_record *ret)
{
	if (reader->result == TIER_TRACE_RECORD)
		reader->result = read_record(reader, ret);
	return reader->result;
}

_public_ int tier_trace_reader_get_meta(
	struct tier_trace_reader *reader, struct tier_trace_meta *ret)
{
	if (!reader->has_meta && reader->result == TIER_TRACE_RECORD)
		reader->result = read_meta(reader);
	if (!reader->has_meta)
		return reader->result;
	*ret = reader->meta;
	return 0;
}
