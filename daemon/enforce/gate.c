/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>

#include "base/util.h"
#include "enforce/gate.h"

#define NSEC UINT64_C(1000000000)
#define MIB  (UINT64_C(1) << 20)
#define PAGE UINT64_C(4096)

/* So much lower than what the group has is memory.high at most. */
#define BITE_MAX 0.05

/* A group whose size stays within this is not growing. */
#define GROWTH_MIN_BYTES MIB
#define QUIET_NS         (5 * NSEC)

/* Some threads that touch new memory, huge pages of it: so many bytes a nanosecond. */
#define GROWTH_MAX UINT64_C(8)

/* Below the quota there is always room for so much: what is not in DRAM grows, too. */
#define ROOM_MIN_BYTES MIB

/* memory.high follows in steps of at least so much. */
#define STEP_BYTES (MIB / 2)

#define STUCK_NS     (30 * NSEC)
#define SUSPENDED_NS (60 * NSEC)

#define RECLAIM_MIN_BYTES (64 * MIB)
#define RECLAIM_DIVISOR   8

#define SLACK_NS        (NSEC / 10)
#define SLACK_MIN_BYTES (4 * MIB)
#define SLACK_MAX_BYTES (12 * MIB)
#define SLACK_DIVISOR   32

#define RESERVE_SLACKS  3
#define RESERVE_DIVISOR 8

static const char *const state_names[TIERD_GATE_MAX] = {
	[TIERD_GATE_OFF] = "off",
	[TIERD_GATE_WATCHING] = "watching",
	[TIERD_GATE_OPEN] = "open",
	[TIERD_GATE_CLOSED] = "closed",
	[TIERD_GATE_SUSPENDED] = "suspended",
};

bool tierd_gate_is_up(const struct tierd_gate *gate)
{
	return gate->state == TIERD_GATE_OPEN || gate->state == TIERD_GATE_CLOSED;
}

uint64_t tierd_gate_reclaim_max(uint64_t quota_bytes)
{
	return TIER_MAX(RECLAIM_MIN_BYTES, quota_bytes / RECLAIM_DIVISOR);
}

uint64_t tierd_gate_slack(uint64_t quota_bytes, double copy_ns)
{
	double moved = copy_ns > 0 ? SLACK_NS / copy_ns * PAGE : SLACK_MAX_BYTES;
	double most = TIER_MAX(SLACK_MAX_BYTES, quota_bytes / SLACK_DIVISOR);

	moved = TIER_MIN(moved, most);
	return TIER_MAX((uint64_t)moved, SLACK_MIN_BYTES);
}

/* ---- The law ------------------------------------------------------------------- */

static uint64_t law(const struct tierd_gate_sample *sample)
{
	double part;

	if (sample->dram_bytes <= sample->quota_bytes)
		return sample->current_bytes +
		       TIER_MAX(sample->quota_bytes - sample->dram_bytes, ROOM_MIN_BYTES);
	part = (double)(sample->dram_bytes - sample->quota_bytes) / sample->slack_bytes;
	return sample->current_bytes * (1 - BITE_MAX * TIER_MIN(part, 1.0));
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The kernel counts in pages, and shows what it made of a value. */
static void set_high(struct tierd_gate *gate, const struct tierd_gate_sample *sample)
{
	uint64_t high_bytes = law(sample) / PAGE * PAGE;

	if (gate->high_bytes == 0 || distance(high_bytes, gate->high_bytes) >= STEP_BYTES)
		gate->high_bytes = high_bytes;
}

/* ---- States -------------------------------------------------------------------- */

bool tierd_gate_sees_growth(const struct tierd_gate *gate, uint64_t current_bytes)
{
	return current_bytes > gate->seen_bytes + GROWTH_MIN_BYTES;
}

/* What shrinks may grow again without being new. */
static void note_growth(struct tierd_gate *gate, const struct tierd_gate_sample *sample)
{
	if (tierd_gate_sees_growth(gate, sample->current_bytes)) {
		gate->grew_ns = sample->now_ns;
		gate->seen_bytes = sample->current_bytes;
	}
	gate->seen_bytes =
		TIER_MIN(gate->seen_bytes, sample->current_bytes + GROWTH_MIN_BYTES / 2);
}

static bool is_growing(const struct tierd_gate *gate, uint64_t now_ns)
{
	return gate->grew_ns > 0 && now_ns - gate->grew_ns < QUIET_NS;
}

/* The rest is what a burst may take before anybody looks. */
static uint64_t near_bytes(uint64_t quota_bytes)
{
	return quota_bytes / 2;
}

uint64_t tierd_gate_rest_ns(uint64_t quota_bytes, uint64_t dram_bytes)
{
	if (quota_bytes == UINT64_MAX)
		return UINT64_MAX;
	return tier_saturating_sub(near_bytes(quota_bytes), dram_bytes) / GROWTH_MAX;
}

static bool is_near(const struct tierd_gate *gate, const struct tierd_gate_sample *sample)
{
	uint64_t quota_bytes = sample->quota_bytes;

	if (quota_bytes == UINT64_MAX)
		return false;
	return sample->dram_bytes >= near_bytes(quota_bytes) ||
	       (gate->state != TIERD_GATE_OFF &&
		       sample->dram_bytes >= quota_bytes / 8 * 3);
}

static enum tierd_gate_state state_for(
	const struct tierd_gate *gate, const struct tierd_gate_sample *sample)
{
	if (gate->state == TIERD_GATE_SUSPENDED && sample->now_ns < gate->suspended_ns)
		return TIERD_GATE_SUSPENDED;
	if (!is_near(gate, sample))
		return TIERD_GATE_OFF;
	if (!is_growing(gate, sample->now_ns))
		return TIERD_GATE_WATCHING;
	return sample->dram_bytes > sample->quota_bytes ? TIERD_GATE_CLOSED
							: TIERD_GATE_OPEN;
}

/* Why it should be given up, if it should. */
static enum tierd_gate_reason failure(
	struct tierd_gate *gate, const struct tierd_gate_sample *sample)
{
	uint64_t excess;

	if (sample->reclaimed_bytes - gate->reclaimed_from >
		tierd_gate_reclaim_max(sample->quota_bytes))
		return TIERD_GATE_REASON_RECLAIM;
	if (gate->state != TIERD_GATE_CLOSED)
		return TIERD_GATE_REASON_NONE;
	excess = sample->dram_bytes - sample->quota_bytes;
	if (excess < gate->excess_bytes) {
		gate->excess_bytes = excess;
		gate->shrank_ns = sample->now_ns;
	}
	return sample->now_ns - gate->shrank_ns > STUCK_NS ? TIERD_GATE_REASON_STUCK
							   : TIERD_GATE_REASON_NONE;
}

static void suspend(struct tierd_gate *gate, uint64_t now_ns)
{
	gate->state = TIERD_GATE_SUSPENDED;
	gate->suspended_ns = now_ns + SUSPENDED_NS;
	gate->n_suspended++;
}

static void enter(struct tierd_gate *gate, enum tierd_gate_state state,
	const struct tierd_gate_sample *sample)
{
	bool was_up = tierd_gate_is_up(gate);

	if (state == gate->state)
		return;
	gate->state = state;
	if (tierd_gate_is_up(gate) && !was_up) {
		gate->reason = TIERD_GATE_REASON_NONE;
		gate->reclaimed_from = sample->reclaimed_bytes;
		gate->high_bytes = 0;
	}
	if (state == TIERD_GATE_CLOSED) {
		gate->n_closed++;
		gate->excess_bytes = sample->dram_bytes - sample->quota_bytes;
		gate->shrank_ns = sample->now_ns;
	}
}

bool tierd_gate_update(struct tierd_gate *gate, const struct tierd_gate_sample *sample)
{
	enum tierd_gate_state before = gate->state;

	note_growth(gate, sample);
	enter(gate, state_for(gate, sample), sample);
	if (tierd_gate_is_up(gate)) {
		gate->reason = failure(gate, sample);
		if (gate->reason != TIERD_GATE_REASON_NONE)
			suspend(gate, sample->now_ns);
		else
			set_high(gate, sample);
	}
	/* What was reclaimed in this time counts, whatever the state is by now. */
	if (before == TIERD_GATE_OPEN || before == TIERD_GATE_CLOSED)
		gate->reclaimed_bytes += sample->reclaimed_bytes - gate->counted_to;
	gate->counted_to = sample->reclaimed_bytes;
	return gate->state != before;
}

void tierd_gate_reset(struct tierd_gate *gate)
{
	gate->state = TIERD_GATE_OFF;
	gate->reason = TIERD_GATE_REASON_NONE;
	gate->high_bytes = 0;
}

uint64_t tierd_gate_reserve(uint64_t quota_bytes, uint64_t slack_bytes)
{
	return TIER_MIN(RESERVE_SLACKS * slack_bytes, quota_bytes / RESERVE_DIVISOR);
}

const char *tierd_gate_state_to_string(enum tierd_gate_state state)
{
	return state >= 0 && state < TIERD_GATE_MAX ? state_names[state] : NULL;
}
