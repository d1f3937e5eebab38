/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records to bytes and back, as format.h describes them. Encoder and decoder go through a
 * trace with the same state, that of the last record. Neither allocates nor reads beyond
 * the buffer it is given; frames and files are the reader's and writer's affair.
 */
#ifndef TIER_TRACE_CODEC_H
#define TIER_TRACE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "libtier.h"
#include "trace/format.h"

struct tier_trace_state {
	unsigned n_tiers;
	uint64_t n_records;
	uint64_t space;
	uint64_t time_ns;
	uint64_t address;
	uint64_t block;
};

/* Whether a meta or record can be written at all: 0 or -EINVAL. */
int tier_trace_check_meta(const struct tier_trace_meta *meta);
int tier_trace_check_record(
	const struct tier_trace_state *state, const struct tier_trace_record *record);

/*
 * Encode something checked at @p, where there is room for TRACE_RECORD_MAX bytes, and
 * return the end of it.
 */
uint8_t *tier_trace_encode_meta(
	struct tier_trace_state *state, uint8_t *p, const struct tier_trace_meta *meta);
uint8_t *tier_trace_encode_record(struct tier_trace_state *state, uint8_t *p,
	const struct tier_trace_record *record);
uint8_t *tier_trace_encode_end(const struct tier_trace_state *state, uint8_t *p);

/*
 * Decode what begins at *p, and move *p behind it; never looks at or beyond @end.
 * -EBADMSG for what format.h does not allow. The record decoder returns 1 for a record
 * and 0 for END.
 */
int tier_trace_decode_meta(struct tier_trace_state *state, const uint8_t **p,
	const uint8_t *end, struct tier_trace_meta *ret);
int tier_trace_decode_record(struct tier_trace_state *state, const uint8_t **p,
	const uint8_t *end, struct tier_trace_record *ret);

#endif
