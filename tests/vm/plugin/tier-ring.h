/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tier-ring.h: the memory through which the emulator tells the guest about accesses.
 *
 * One shared PCI device holds one ring per virtual CPU. The plugin fills a ring while its
 * virtual CPU runs user code and the guest's kernel module empties it on that same CPU,
 * so the two never run at the same time and a ring needs no locks and no barriers. The
 * layout is the contract; what a miss is and what becomes of a record is no matter of
 * this file.
 */

#include <linux/types.h>

#define TIER_RING_CPUS      16
#define TIER_RING_BYTES     (256 * 1024)
#define TIER_RING_SHM_BYTES (TIER_RING_CPUS * TIER_RING_BYTES)

struct tier_ring_record {
	__u64 va;
	__u64 pa;
	__u64 ip;
	__u32 latency_ns;
	__u8 node;
	__u8 is_store;
	__u16 unused;
};

struct tier_ring {
	__u64 head;    /* records ever written; the plugin's */
	__u64 tail;    /* records ever taken; the guest's */
	__u64 period;  /* one record per so many misses, 0 for none; the guest's */
	__u64 dropped; /* records that found the ring full; the plugin's */
	__u64 loads;   /* misses, sampled or not; the plugin's */
	__u64 stores;
	__u64 unused[2];
	struct tier_ring_record records[];
};

#define TIER_RING_RECORDS \
	((TIER_RING_BYTES - sizeof(struct tier_ring)) / sizeof(struct tier_ring_record))
