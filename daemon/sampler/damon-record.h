/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tracepoint damon:damon_aggregated, one record a region and aggregation: where its
 * fields are is what the kernel says in tracefs (Documentation/trace/events.rst, "Event
 * formats"), and differs between kernels.
 */
#ifndef TIERD_SAMPLER_DAMON_RECORD_H
#define TIERD_SAMPLER_DAMON_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "settings/root.h"
#include "sampler/damon-spread.h"

struct tierd_damon_field {
	uint16_t offset; /* in the record's raw data */
	uint16_t size;   /* 1, 2, 4 or 8 */
};

struct tierd_damon_format {
	uint64_t id; /* perf_event_attr.config */
	struct tierd_damon_field target;
	struct tierd_damon_field start;
	struct tierd_damon_field end;
	struct tierd_damon_field accesses;
};

/* Errors: -ENODEV without the tracepoint, -EACCES, -EBADMSG for a format that lacks a
 * field; with the reason in *ret_error. */
int tierd_damon_format_read(
	const struct tierd_root *root, struct tierd_damon_format *ret, char **ret_error);

/* Of a format file's text. Errors: -EBADMSG. */
int tierd_damon_format_parse(const char *text, struct tierd_damon_format *ret);

/* Errors: -EBADMSG for data too short, or a region that is none. */
int tierd_damon_record_decode(const struct tierd_damon_format *format,
	const uint8_t *data, size_t size, struct tierd_damon_region *ret);

#endif
