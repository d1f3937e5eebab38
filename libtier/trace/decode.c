/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes to records (codec.h). Nothing that is read is believed: a cursor that has met
 * something wrong, or the end, stays there and yields zeros, so that a record's fields
 * are taken one after the other and asked once whether all were good.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/util.h"
#include "trace/codec.h"

struct cursor {
	const uint8_t *p, *end;
	bool is_bad;
};

static uint64_t fail(struct cursor *cursor)
{
	cursor->is_bad = true;
	cursor->p = cursor->end;
	return 0;
}

static uint8_t take_byte(struct cursor *cursor)
{
	if (cursor->p == cursor->end)
		return (uint8_t)fail(cursor);
	return *cursor->p++;
}

static uint64_t take_number(struct cursor *cursor)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = take_byte(cursor);
		uint64_t bits = byte & 0x7f;

		if (bits << shift >> shift != bits)
			return fail(cursor);
		value |= bits << shift;
		if (!(byte & 0x80))
			return value;
	}
	return fail(cursor);
}

static uint64_t take_at_most(struct cursor *cursor, uint64_t max)
{
	uint64_t value = take_number(cursor);

	return value > max ? fail(cursor) : value;
}

static uint64_t take_difference(struct cursor *cursor, uint64_t *last)
{
	uint64_t value = take_number(cursor);

	*last += value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
	return *last;
}

static uint64_t take_space(
	struct tier_trace_state *state, struct cursor *cursor, uint8_t tag)
{
	return tag & TRACE_SAME_SPACE ? state->space
				      : take_difference(cursor, &state->space);
}

static void take_space_event(struct tier_trace_state *state, struct cursor *cursor,
	uint8_t tag, struct tier_trace_record *record)
{
	bool begins = (tag & TRACE_KIND_MASK) == TRACE_SPACE_BEGIN;

	record->type = begins ? TIER_TRACE_SPACE_BEGIN : TIER_TRACE_SPACE_END;
	record->space = take_space(state, cursor, tag);
}

static void take_sample(struct tier_trace_state *state, struct cursor *cursor,
	uint8_t tag, struct tier_trace_record *record)
{
	struct tier_trace_sample *sample = &record->sample;

	record->type = TIER_TRACE_SAMPLE;
	sample->access.is_store = tag & TRACE_STORE;
	sample->access.space = take_space(state, cursor, tag);
	if (!(tag & TRACE_NO_TIME))
		sample->access.time_ns = take_difference(cursor, &state->time_ns);
	sample->access.address = take_difference(cursor, &state->address);
	if (tag & TRACE_LATENCY)
		sample->latency = (uint32_t)take_at_most(cursor, UINT32_MAX);
	sample->tier = tag & TRACE_TIER ? take_byte(cursor) : TIER_TRACE_TIER_UNKNOWN;
	if (tag & TRACE_TIER && sample->tier >= state->n_tiers)
		fail(cursor);
}

static void take_residency(struct tier_trace_state *state, struct cursor *cursor,
	uint8_t tag, struct tier_trace_record *record)
{
	struct tier_trace_residency *residency = &record->residency;
	unsigned page = 0;
	uint64_t block;

	record->type = TIER_TRACE_RESIDENCY;
	residency->pages.huge = tag & TRACE_HUGE;
	residency->pages.has_policy = tag & TRACE_POLICY;
	residency->space = take_space(state, cursor, tag);
	block = take_difference(cursor, &state->block);
	if (block > UINT64_MAX >> TIER_BLOCK_SHIFT)
		fail(cursor);
	residency->address = block << TIER_BLOCK_SHIFT;

	while (page < TIER_BLOCK_PAGES && !cursor->is_bad) {
		uint64_t run = take_at_most(cursor, (TIER_BLOCK_PAGES - page) * 4 - 1);
		unsigned end = page + (unsigned)(run / 4) + 1, kind = run % 4;

		if (kind != TRACE_RUN_ABSENT && kind >= state->n_tiers)
			fail(cursor);
		for (; page < end; page++)
			if (kind != TRACE_RUN_ABSENT)
				tier_residency_add(&residency->pages, page, kind);
	}
}

static void take_advance(struct tier_trace_state *state, struct cursor *cursor,
	struct tier_trace_record *record)
{
	struct tier_trace_advance *advance = &record->advance;
	uint64_t bits = 0;

	record->type = TIER_TRACE_ADVANCE;
	advance->now_ns = take_difference(cursor, &state->time_ns);
	for (unsigned i = 0; i < sizeof(bits); i++)
		bits |= (uint64_t)take_byte(cursor) << 8 * i;
	memcpy(&advance->exposure, &bits, sizeof(bits));
	if (!isfinite(advance->exposure) || advance->exposure < 0)
		fail(cursor);
}

static void take_limits(struct tier_trace_state *state, struct cursor *cursor,
	struct tier_trace_record *record)
{
	struct tier_limits *limits = &record->limits;

	record->type = TIER_TRACE_LIMITS;
	limits->now_ns = take_difference(cursor, &state->time_ns);
	limits->fast_pages = take_number(cursor);
	limits->quota_pages = take_number(cursor);
	for (unsigned i = 0; i < state->n_tiers; i++)
		limits->room_pages[i] = take_number(cursor);
	limits->owed_pages = take_number(cursor);
	limits->budget_pages = take_number(cursor);
}

int tier_trace_decode_meta(struct tier_trace_state *state, const uint8_t **p,
	const uint8_t *end, struct tier_trace_meta *ret)
{
	struct cursor cursor = { .p = *p, .end = end };
	struct tier_trace_meta meta = {};
	size_t length;

	if (take_byte(&cursor) != TRACE_META)
		return -EBADMSG;
	if (take_number(&cursor) != TIER_PAGE_SHIFT ||
		take_number(&cursor) != TIER_BLOCK_SHIFT)
		return -EBADMSG;
	meta.n_tiers = (unsigned)take_at_most(&cursor, TIER_TIERS_MAX);
	for (unsigned i = 0; i < meta.n_tiers; i++)
		meta.latency_ns[i] = take_number(&cursor);
	meta.period = take_number(&cursor);
	length = take_at_most(&cursor, sizeof(meta.source) - 1);
	for (size_t i = 0; i < length; i++)
		meta.source[i] = (char)take_byte(&cursor);
	if (cursor.is_bad || meta.n_tiers < 2 || strlen(meta.source) != length)
		return -EBADMSG;
	*p = cursor.p;
	*state = (struct tier_trace_state){ .n_tiers = meta.n_tiers, .n_records = 1 };
	*ret = meta;
	return 0;
}

static bool has_known_flags(uint8_t tag)
{
	static const uint8_t flags[] = {
		[TRACE_META] = 0,
		[TRACE_END] = 0,
		[TRACE_SPACE_BEGIN] = TRACE_SAME_SPACE,
		[TRACE_SPACE_END] = TRACE_SAME_SPACE,
		[TRACE_SAMPLE] = TRACE_SAME_SPACE | TRACE_STORE | TRACE_NO_TIME |
				 TRACE_LATENCY | TRACE_TIER,
		[TRACE_RESIDENCY] = TRACE_SAME_SPACE | TRACE_HUGE | TRACE_POLICY,
		[TRACE_ADVANCE] = 0,
		[TRACE_LIMITS] = 0,
	};

	return !(tag & ~TRACE_KIND_MASK & ~flags[tag & TRACE_KIND_MASK]);
}

int tier_trace_decode_record(struct tier_trace_state *state, const uint8_t **p,
	const uint8_t *end, struct tier_trace_record *ret)
{
	struct cursor cursor = { .p = *p, .end = end };
	struct tier_trace_record record = {};
	uint8_t tag = take_byte(&cursor);
	bool is_end = false;

	if (!has_known_flags(tag))
		return -EBADMSG;
	switch (tag & TRACE_KIND_MASK) {
	case TRACE_END:
		if (take_number(&cursor) != state->n_records)
			fail(&cursor);
		is_end = true;
		break;
	case TRACE_SPACE_BEGIN:
	case TRACE_SPACE_END:
		take_space_event(state, &cursor, tag, &record);
		break;
	case TRACE_SAMPLE:
		take_sample(state, &cursor, tag, &record);
		break;
	case TRACE_RESIDENCY:
		take_residency(state, &cursor, tag, &record);
		break;
	case TRACE_ADVANCE:
		take_advance(state, &cursor, &record);
		break;
	case TRACE_LIMITS:
		take_limits(state, &cursor, &record);
		break;
	default: /* a second META */
		return -EBADMSG;
	}
	if (cursor.is_bad)
		return -EBADMSG;
	*p = cursor.p;
	if (is_end)
		return 0;
	state->n_records++;
	*ret = record;
	return 1;
}
