/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The law of the growth gate of Enforcement=hard: what memory.high should be, given what
 * a group holds. It keeps no time of its own, reads and writes nothing.
 *
 * memory.high limits all growth, not that of DRAM: below the quota it allows as much as
 * the quota still does, above it is a little lower than what the group has, in proportion
 * to the excess, and the kernel holds up whoever allocates. Migrators make room behind
 * it. The group pays with reclaim: what that takes is counted, and past a bound, or when
 * nothing helps, the gate opens for a while. It is gone while nothing grows.
 */
#ifndef TIERD_ENFORCE_GATE_H
#define TIERD_ENFORCE_GATE_H

#include <stdbool.h>
#include <stdint.h>

enum tierd_gate_state {
	TIERD_GATE_OFF,       /* far from the quota */
	TIERD_GATE_WATCHING,  /* near it, and nothing grows */
	TIERD_GATE_OPEN,      /* growth is limited to what the quota allows */
	TIERD_GATE_CLOSED,    /* over quota: growth is held up */
	TIERD_GATE_SUSPENDED, /* given up for a while */
	TIERD_GATE_MAX,
	TIERD_GATE_INVALID = -22,
};

/* Why a gate was suspended. */
enum tierd_gate_reason {
	TIERD_GATE_REASON_NONE,
	TIERD_GATE_REASON_RECLAIM, /* the kernel reclaimed past the bound */
	TIERD_GATE_REASON_STUCK,   /* the excess did not shrink */
};

struct tierd_gate_sample {
	uint64_t now_ns;
	uint64_t quota_bytes;
	uint64_t dram_bytes;
	uint64_t current_bytes;
	uint64_t reclaimed_bytes; /* since the cgroup exists */
	uint64_t slack_bytes;     /* the excess at which growth is held up most */
};

struct tierd_gate {
	enum tierd_gate_state state;
	enum tierd_gate_reason reason;
	uint64_t high_bytes;      /* what memory.high should be */
	uint64_t seen_bytes;      /* the most the group had lately */
	uint64_t grew_ns;         /* when that last rose */
	uint64_t reclaimed_from;  /* the counter when the gate came into being */
	uint64_t reclaimed_bytes; /* under this gate, in all */
	uint64_t counted_to;      /* the counter when it was last looked at */
	uint64_t excess_bytes;    /* the least since it closed */
	uint64_t shrank_ns;       /* when it last shrank */
	uint64_t suspended_ns;    /* until then */
	uint64_t n_closed;
	uint64_t n_suspended;
};

/* Takes what was seen; true if the state is another now. */
bool tierd_gate_update(struct tierd_gate *gate, const struct tierd_gate_sample *sample);

/* No gate any more: another quota, or another enforcement. */
void tierd_gate_reset(struct tierd_gate *gate);

/* Whether memory.high is the gate's, and swap has to be held still. */
bool tierd_gate_is_up(const struct tierd_gate *gate);

/*
 * How long a group whose gate is off may be left alone, in nanoseconds: until it could be
 * near its quota if it grew as fast as memory can be touched. UINT64_MAX: for ever.
 */
uint64_t tierd_gate_rest_ns(uint64_t quota_bytes, uint64_t dram_bytes);

/* Whether a group of so much has grown since the gate saw it. */
bool tierd_gate_sees_growth(const struct tierd_gate *gate, uint64_t current_bytes);

/* How much the kernel may reclaim under one gate before it is suspended. */
uint64_t tierd_gate_reclaim_max(uint64_t quota_bytes);

/*
 * The slack for a group whose pages take @copy_ns each to move: what is moved in a tenth
 * of a second, within bounds that the quota sets; 0: not known yet.
 */
uint64_t tierd_gate_slack(uint64_t quota_bytes, double copy_ns);

/*
 * What migrators keep free below the quota while the gate is up, so that growth has room
 * to go on while they work: held up at the quota itself it would wait for every batch.
 */
uint64_t tierd_gate_reserve(uint64_t quota_bytes, uint64_t slack_bytes);

const char *tierd_gate_state_to_string(enum tierd_gate_state state);

#endif
