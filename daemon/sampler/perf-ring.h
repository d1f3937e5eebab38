/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decodes the ring in which perf hands over records, straight from shared memory. It
 * opens and maps nothing, makes no system call, and believes nothing it reads: whatever
 * the ring holds, a drain ends within its budget and inside the ring.
 */
#ifndef TIERD_SAMPLER_PERF_RING_H
#define TIERD_SAMPLER_PERF_RING_H

#include <stddef.h>
#include <stdint.h>

#include "sampler/sampler.h"

struct perf_event_header;
struct perf_event_mmap_page;

/* Where the fields of a sample are, from the start of the record; 0: not there. */
struct tierd_perf_layout {
	uint16_t size;
	uint16_t tid;
	uint16_t time;
	uint16_t address;
	uint16_t period;
	uint16_t weight;
	uint16_t data_src;
	uint16_t physical;
	uint16_t cgroup;
};

/* What the records so far were, summed over all rings that share it. */
struct tierd_perf_counts {
	uint64_t samples;
	uint64_t stores; /* of these */
	uint64_t lost;
	uint64_t throttled;
	uint64_t unthrottled;
	uint64_t outside_user;
	uint64_t unattributed;
	uint64_t other_records;
	uint64_t malformed;
	uint64_t bytes;
};

struct tierd_perf_ring {
	struct perf_event_mmap_page *page;
	const uint8_t *data;
	uint64_t size; /* of data, a power of two */
	int cpu;
	uint64_t period; /* of samples that do not carry their own */
	struct tierd_perf_layout layout;
};

/* The layout of samples of this type. TID and ADDR must be among its fields (else
 * -EINVAL), and none that varies in length (else -EOPNOTSUPP). */
int tierd_perf_layout_init(struct tierd_perf_layout *ret, uint64_t sample_type);

/* A whole record; of one longer than 256 bytes that goes over the ring's end, so much. */
typedef void (*tierd_perf_record_t)(
	void *userdata, const struct perf_event_header *header, const uint8_t *record);

/* Hands over at most max_records records as they are, for those who asked for other
 * fields than a layout has, and gives their space back. Of counts only malformed and
 * bytes are kept. Returns how many there were, as below. */
unsigned tierd_perf_ring_walk(struct tierd_perf_ring *ring, unsigned max_records,
	tierd_perf_record_t on_record, void *userdata, struct tierd_perf_counts *counts);

/* Decodes at most max_records records and gives their space back to the kernel. Returns
 * how many there were; fewer than max_records means that the ring is empty. */
unsigned tierd_perf_ring_drain(struct tierd_perf_ring *ring, unsigned max_records,
	const struct tierd_sampler_sink *sink, struct tierd_perf_counts *counts);

#endif
