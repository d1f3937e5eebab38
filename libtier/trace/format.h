/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace format, version 1: enough to write another reader by.
 *
 * A trace is a zstd file (RFC 8878), so `zstd -dc` gives its records. It begins with a
 * skippable frame of 16 bytes: the magic number 0x184D2A57, the size 8, the seven letters
 * "tiertrc" and the version as one byte. Data frames follow and nothing else, each with a
 * checksum, a content of at most 64 KiB and a window of as much. Numbers of fixed size
 * are little-endian.
 *
 * What the data frames hold is a sequence of records. No record crosses the end of a
 * frame, so a file whose writer died is good up to its last whole frame. The first record
 * is META, the last is END, and each of them occurs once; a file that stops without END
 * was cut short, and after END there is not a byte.
 *
 * A record begins with a tag: its kind in bits 0 to 2, flags in bits 3 to 7. A flag that
 * the kind does not have is an error. Then come the kind's fields, in this order:
 *
 *   0 META         page shift (12), block shift (21), n_tiers (2 or 3), n_tiers times
 *                  latency_ns, period, length of source (0 to 31), its bytes (no NUL)
 *   1 END          number of records before this one, META included
 *   2 SPACE_BEGIN  [space]
 *   3 SPACE_END    [space]
 *   4 SAMPLE       [space], [time], address, [latency], [tier: one byte]
 *   5 RESIDENCY    [space], block, runs
 *   6 ADVANCE      time, exposure: eight bytes, an IEEE 754 double
 *   7 LIMITS       time, fast, quota, n_tiers times room, owed, budget, in pages
 *
 * All other fields are LEB128: seven bits a byte, the lowest first, bit 7 set in all
 * but the last, at most 64 bits altogether. space, time, address and block are signed
 * differences modulo 2^64 from the value in the last record that had this field, at
 * first from 0; the difference d is written as d × 2, or −d × 2 − 1 when it is negative.
 * time is in ns, address in bytes, block an address in units of 2^21 bytes.
 *
 * The flags, and what they say of the fields in brackets:
 *
 *   bit 3  the space is the last one: there is no such field     (kinds 2 to 5)
 *   bit 4  SAMPLE: a store                  RESIDENCY: a huge page
 *   bit 5  SAMPLE: has no time of its own   RESIDENCY: under a policy of the program
 *   bit 6  SAMPLE: has a latency
 *   bit 7  SAMPLE: has a tier
 *
 * Runs are the 512 pages of the block from the lowest address on. Each run is one number,
 * (pages − 1) × 4 + what they are: 0 to 2 resident in that tier, 3 not resident. They
 * end when they have covered the block, and cover no page beyond it.
 */
#ifndef TIER_TRACE_FORMAT_H
#define TIER_TRACE_FORMAT_H

#define TRACE_VERSION       1
#define TRACE_PREAMBLE_SIZE 16
#define TRACE_FRAME_MAX     65536
#define TRACE_WINDOW_LOG    16

/* The preamble but for its last byte, the version. */
#define TRACE_MAGIC        \
	"\x57\x2a\x4d\x18" \
	"\x08\x00\x00\x00" \
	"tiertrc"

/* No record is longer: RESIDENCY with a run for each page. */
#define TRACE_RECORD_MAX 1024

enum tier_trace_kind {
	TRACE_META,
	TRACE_END,
	TRACE_SPACE_BEGIN,
	TRACE_SPACE_END,
	TRACE_SAMPLE,
	TRACE_RESIDENCY,
	TRACE_ADVANCE,
	TRACE_LIMITS,
};

#define TRACE_KIND_MASK  0x07
#define TRACE_SAME_SPACE 0x08
#define TRACE_STORE      0x10
#define TRACE_HUGE       0x10
#define TRACE_NO_TIME    0x20
#define TRACE_POLICY     0x20
#define TRACE_LATENCY    0x40
#define TRACE_TIER       0x80

#define TRACE_RUN_ABSENT 3

#endif
