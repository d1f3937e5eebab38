/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Gathers records until a frame is full, compresses the frame and hands it on in one
 * piece. After an error of the latter nobody knows what has arrived, so it is final.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/util.h"
#include "trace/codec.h"

#define LEVEL 3

struct tier_trace_writer {
	tier_trace_write_t write;
	void *userdata;
	int fd; /* the userdata of write_fd() */
	int error;
	bool has_preamble;
	ZSTD_CCtx *context;
	struct tier_trace_state state;
	uint8_t *p; /* where the frame's next record goes */
	uint8_t frame[TRACE_FRAME_MAX];
	uint8_t packed[ZSTD_COMPRESSBOUND(TRACE_FRAME_MAX)];
};

DEFINE_CLEANUP(struct tier_trace_writer *, tier_trace_writer_free)

static int write_fd(void *userdata, const void *data, size_t size)
{
	const int *fd = userdata;
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(*fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int set_up(struct tier_trace_writer *writer)
{
	static const struct {
		ZSTD_cParameter parameter;
		int value;
	} settings[] = {
		{ ZSTD_c_compressionLevel, LEVEL },
		{ ZSTD_c_windowLog, TRACE_WINDOW_LOG },
		{ ZSTD_c_checksumFlag, 1 },
	};

	writer->context = ZSTD_createCCtx();
	if (!writer->context)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (ZSTD_isError(ZSTD_CCtx_setParameter(
			    writer->context, settings[i].parameter, settings[i].value)))
			return -EINVAL;
	return 0;
}

_public_ int tier_trace_writer_new(const struct tier_trace_meta *meta,
	tier_trace_write_t write_data, void *userdata, struct tier_trace_writer **ret)
{
	_cleanup_(tier_trace_writer_freep) struct tier_trace_writer *writer = NULL;
	int r;

	r = tier_trace_check_meta(meta);
	if (r < 0)
		return r;
	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return -ENOMEM;
	writer->write = write_data;
	writer->userdata = userdata;
	r = set_up(writer);
	if (r < 0)
		return r;
	writer->p = tier_trace_encode_meta(&writer->state, writer->frame, meta);
	*ret = TAKE_PTR(writer);
	return 0;
}

_public_ int tier_trace_writer_new_fd(
	const struct tier_trace_meta *meta, int fd, struct tier_trace_writer **ret)
{
	int r = tier_trace_writer_new(meta, write_fd, NULL, ret);

	if (r < 0)
		return r;
	(*ret)->fd = fd;
	(*ret)->userdata = &(*ret)->fd;
	return 0;
}

_public_ struct tier_trace_writer *tier_trace_writer_free(
	struct tier_trace_writer *writer)
{
	if (!writer)
		return NULL;
	ZSTD_freeCCtx(writer->context);
	free(writer);
	return NULL;
}

static int write_preamble(struct tier_trace_writer *writer)
{
	static const char preamble[TRACE_PREAMBLE_SIZE] = TRACE_MAGIC;
	char bytes[TRACE_PREAMBLE_SIZE];

	if (writer->has_preamble)
		return 0;
	writer->has_preamble = true;
	memcpy(bytes, preamble, sizeof(bytes));
	bytes[sizeof(bytes) - 1] = TRACE_VERSION;
	return writer->write(writer->userdata, bytes, sizeof(bytes));
}

static int write_frame(struct tier_trace_writer *writer)
{
	size_t size = (size_t)(writer->p - writer->frame);
	size_t packed;
	int r;

	if (size == 0)
		return 0;
	packed = ZSTD_compress2(writer->context, writer->packed, sizeof(writer->packed),
		writer->frame, size);
	if (ZSTD_isError(packed))
		return -ENOMEM; /* the only thing it can lack */
	r = write_preamble(writer);
	if (r < 0)
		return r;
	writer->p = writer->frame;
	return writer->write(writer->userdata, writer->packed, packed);
}

_public_ int tier_trace_writer_flush(struct tier_trace_writer *writer)
{
	int r;

	if (writer->error < 0)
		return writer->error;
	r = write_frame(writer);
	if (r < 0)
		writer->error = r;
	return r < 0 ? r : 0;
}

static int make_room(struct tier_trace_writer *writer)
{
	if (writer->frame + TRACE_FRAME_MAX - writer->p >= TRACE_RECORD_MAX)
		return writer->error;
	return tier_trace_writer_flush(writer);
}

_public_ int tier_trace_writer_add(
	struct tier_trace_writer *writer, const struct tier_trace_record *record)
{
	int r;

	if (writer->error < 0)
		return writer->error;
	r = tier_trace_check_record(&writer->state, record);
	if (r < 0)
		return r;
	r = make_room(writer);
	if (r < 0)
		return r;
	writer->p = tier_trace_encode_record(&writer->state, writer->p, record);
	return 0;
}

_public_ int tier_trace_writer_finish(struct tier_trace_writer *writer)
{
	int r;

	r = make_room(writer);
	if (r < 0)
		return r;
	writer->p = tier_trace_encode_end(&writer->state, writer->p);
	r = tier_trace_writer_flush(writer);
	if (r < 0)
		return r;
	writer->error = -ESHUTDOWN;
	return 0;
}
