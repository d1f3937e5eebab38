/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records to bytes (codec.h). */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "trace/codec.h"

static uint8_t *put_number(uint8_t *p, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)value;
	return p;
}

static uint8_t *put_difference(uint8_t *p, uint64_t *last, uint64_t value)
{
	uint64_t difference = value - *last;

	*last = value;
	return put_number(p, difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0));
}

/* Sets the flag at *tag instead, if it is the last one. */
static uint8_t *put_space(
	struct tier_trace_state *state, uint8_t *tag, uint8_t *p, uint64_t space)
{
	if (space == state->space) {
		*tag |= TRACE_SAME_SPACE;
		return p;
	}
	return put_difference(p, &state->space, space);
}

/* The page's number in runs; what is not resident has no tier. */
static unsigned page_kind(const struct tier_residency *pages, unsigned page)
{
	unsigned word = page / 64, bit = page % 64;

	if (!(pages->resident[word] >> bit & 1))
		return TRACE_RUN_ABSENT;
	return (unsigned)(pages->tier[0][word] >> bit & 1) |
	       (unsigned)(pages->tier[1][word] >> bit & 1) << 1;
}

int tier_trace_check_meta(const struct tier_trace_meta *meta)
{
	if (meta->n_tiers < 2 || meta->n_tiers > TIER_TIERS_MAX)
		return -EINVAL;
	if (!memchr(meta->source, '\0', sizeof(meta->source)))
		return -EINVAL;
	return 0;
}

static int check_residency(const struct tier_trace_state *state,
	const struct tier_trace_residency *residency)
{
	if (residency->address % TIER_BLOCK_SIZE)
		return -EINVAL;
	for (unsigned page = 0; page < TIER_BLOCK_PAGES; page++) {
		const struct tier_residency *pages = &residency->pages;
		bool is_resident = pages->resident[page / 64] >> page % 64 & 1;

		if (is_resident && page_kind(pages, page) >= state->n_tiers)
			return -EINVAL;
	}
	return 0;
}

int tier_trace_check_record(
	const struct tier_trace_state *state, const struct tier_trace_record *record)
{
	switch (record->type) {
	case TIER_TRACE_SPACE_BEGIN:
	case TIER_TRACE_SPACE_END:
	case TIER_TRACE_LIMITS:
		return 0;
	case TIER_TRACE_SAMPLE:
		return record->sample.tier < state->n_tiers ||
				       record->sample.tier == TIER_TRACE_TIER_UNKNOWN
			       ? 0
			       : -EINVAL;
	case TIER_TRACE_RESIDENCY:
		return check_residency(state, &record->residency);
	case TIER_TRACE_ADVANCE:
		return isfinite(record->advance.exposure) && record->advance.exposure >= 0
			       ? 0
			       : -EINVAL;
	default:
		return -EINVAL;
	}
}

uint8_t *tier_trace_encode_meta(
	struct tier_trace_state *state, uint8_t *p, const struct tier_trace_meta *meta)
{
	size_t length = strlen(meta->source);

	*state = (struct tier_trace_state){ .n_tiers = meta->n_tiers, .n_records = 1 };
	*p++ = TRACE_META;
	p = put_number(p, TIER_PAGE_SHIFT);
	p = put_number(p, TIER_BLOCK_SHIFT);
	p = put_number(p, meta->n_tiers);
	for (unsigned i = 0; i < meta->n_tiers; i++)
		p = put_number(p, meta->latency_ns[i]);
	p = put_number(p, meta->period);
	p = put_number(p, length);
	memcpy(p, meta->source, length);
	return p + length;
}

uint8_t *tier_trace_encode_end(const struct tier_trace_state *state, uint8_t *p)
{
	*p++ = TRACE_END;
	return put_number(p, state->n_records);
}

static uint8_t *encode_space(
	struct tier_trace_state *state, uint8_t *p, uint64_t space, uint8_t kind)
{
	uint8_t *tag = p++;

	*tag = kind;
	return put_space(state, tag, p, space);
}

static uint8_t *encode_sample(struct tier_trace_state *state, uint8_t *p,
	const struct tier_trace_sample *sample)
{
	const struct tier_sample *access = &sample->access;
	uint8_t *tag = p++;

	*tag = TRACE_SAMPLE | (access->is_store ? TRACE_STORE : 0);
	p = put_space(state, tag, p, access->space);
	if (access->time_ns == 0)
		*tag |= TRACE_NO_TIME;
	else
		p = put_difference(p, &state->time_ns, access->time_ns);
	p = put_difference(p, &state->address, access->address);
	if (sample->latency != 0) {
		*tag |= TRACE_LATENCY;
		p = put_number(p, sample->latency);
	}
	if (sample->tier != TIER_TRACE_TIER_UNKNOWN) {
		*tag |= TRACE_TIER;
		*p++ = sample->tier;
	}
	return p;
}

static uint8_t *encode_residency(struct tier_trace_state *state, uint8_t *p,
	const struct tier_trace_residency *residency)
{
	const struct tier_residency *pages = &residency->pages;
	unsigned begin = 0, kind = page_kind(pages, 0);
	uint8_t *tag = p++;

	*tag = TRACE_RESIDENCY | (pages->huge ? TRACE_HUGE : 0) |
	       (pages->has_policy ? TRACE_POLICY : 0);
	p = put_space(state, tag, p, residency->space);
	p = put_difference(p, &state->block, residency->address >> TIER_BLOCK_SHIFT);
	for (unsigned page = 1; page <= TIER_BLOCK_PAGES; page++) {
		if (page < TIER_BLOCK_PAGES && page_kind(pages, page) == kind)
			continue;
		p = put_number(p, (page - begin - 1) * 4 + kind);
		begin = page;
		if (page < TIER_BLOCK_PAGES)
			kind = page_kind(pages, page);
	}
	return p;
}

static uint8_t *encode_advance(struct tier_trace_state *state, uint8_t *p,
	const struct tier_trace_advance *advance)
{
	uint64_t bits;

	*p++ = TRACE_ADVANCE;
	p = put_difference(p, &state->time_ns, advance->now_ns);
	memcpy(&bits, &advance->exposure, sizeof(bits));
	for (unsigned i = 0; i < sizeof(bits); i++)
		*p++ = (uint8_t)(bits >> 8 * i);
	return p;
}

static uint8_t *encode_limits(
	struct tier_trace_state *state, uint8_t *p, const struct tier_limits *limits)
{
	*p++ = TRACE_LIMITS;
	p = put_difference(p, &state->time_ns, limits->now_ns);
	p = put_number(p, limits->fast_pages);
	p = put_number(p, limits->quota_pages);
	for (unsigned i = 0; i < state->n_tiers; i++)
		p = put_number(p, limits->room_pages[i]);
	p = put_number(p, limits->owed_pages);
	return put_number(p, limits->budget_pages);
}

uint8_t *tier_trace_encode_record(struct tier_trace_state *state, uint8_t *p,
	const struct tier_trace_record *record)
{
	state->n_records++;
	switch (record->type) {
	case TIER_TRACE_SPACE_BEGIN:
		return encode_space(state, p, record->space, TRACE_SPACE_BEGIN);
	case TIER_TRACE_SPACE_END:
		return encode_space(state, p, record->space, TRACE_SPACE_END);
	case TIER_TRACE_SAMPLE:
		return encode_sample(state, p, &record->sample);
	case TIER_TRACE_RESIDENCY:
		return encode_residency(state, p, &record->residency);
	case TIER_TRACE_ADVANCE:
		return encode_advance(state, p, &record->advance);
	default:
		return encode_limits(state, p, &record->limits);
	}
}
