/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring as the kernel leaves it: the first eight bytes say which fields samples have,
 * where the tail is and how far ahead the head claims to be; the rest is what lies there.
 */
#include <linux/perf_event.h>
#include <string.h>

#include "fuzz.h"
#include "sampler/perf-ring.h"

#define RING_BYTES 1024

static void on_sample(_unused_ void *userdata, const struct tierd_access *access)
{
	FUZZ_CHECK((int64_t)access->address > 0);
	FUZZ_CHECK(access->pid != 0 && access->pid != UINT32_MAX);
}

static void on_process(_unused_ void *userdata, uint32_t pid)
{
	FUZZ_CHECK(pid != 0 && pid != UINT32_MAX);
}

static void on_fork(_unused_ void *userdata, uint32_t parent, uint32_t child)
{
	FUZZ_CHECK(child != 0 && child != parent);
}

static uint64_t sample_type(uint8_t bits)
{
	static const uint64_t optional[] = { PERF_SAMPLE_IDENTIFIER, PERF_SAMPLE_TIME,
		PERF_SAMPLE_PERIOD, PERF_SAMPLE_WEIGHT, PERF_SAMPLE_DATA_SRC,
		PERF_SAMPLE_PHYS_ADDR, PERF_SAMPLE_CGROUP, PERF_SAMPLE_IP };
	uint64_t type = PERF_SAMPLE_TID | PERF_SAMPLE_ADDR;

	for (size_t i = 0; i < ARRAY_SIZE(optional); i++)
		if (bits >> i & 1)
			type |= optional[i];
	return type;
}

static void drain(struct tierd_perf_ring *ring)
{
	static const struct tierd_sampler_sink sink = {
		.on_sample = on_sample,
		.on_exec = on_process,
		.on_exit = on_process,
		.on_fork = on_fork,
	};
	uint64_t head = ring->page->data_head;
	struct tierd_perf_counts counts = {};
	unsigned n, total = 0;

	do {
		n = tierd_perf_ring_drain(ring, 3, &sink, &counts);
		FUZZ_CHECK(n <= 3);
		total += n;
	} while (n == 3);
	FUZZ_CHECK(total <= RING_BYTES / sizeof(struct perf_event_header));
	FUZZ_CHECK(ring->page->data_tail == head && counts.malformed <= 1);
	FUZZ_CHECK(counts.samples <= total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_event_mmap_page page = {};
	struct tierd_perf_ring ring = { .page = &page, .size = RING_BYTES };
	uint8_t *bytes;
	uint16_t ahead;

	if (size < 8)
		return 0;
	bytes = calloc(1, RING_BYTES);
	FUZZ_CHECK(bytes);
	FUZZ_CHECK(tierd_perf_layout_init(&ring.layout, sample_type(data[0])) == 0);
	memcpy(&ahead, data + 2, sizeof(ahead));
	memcpy(&page.data_tail, data + 4, sizeof(uint32_t));
	if (data[1] & 1)
		page.data_tail &= -UINT64_C(8);
	page.data_head =
		page.data_tail + (data[1] & 2 ? ahead : (size - 8) & -UINT64_C(8));
	for (size_t i = 0; i < TIER_MIN(size - 8, RING_BYTES + 0u); i++)
		bytes[(page.data_tail + i) % RING_BYTES] = data[8 + i];
	ring.data = bytes;
	drain(&ring);
	free(bytes);
	return 0;
}
