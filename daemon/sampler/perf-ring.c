/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel writes records of a multiple of eight bytes at `data_head` and never past
 * `data_tail`, which we move (perf_event_open(2), "MMAP layout"). A record that crosses
 * the end of the ring continues at its start: only such a one is copied, the others are
 * read where they are. A sample's fields are in the order of the kernel's
 * perf_output_sample(), which is not the order of their bits; as all that we ask for have
 * a fixed size, their places are worked out once.
 *
 * A size that cannot be is a kernel bug or a stray write. As nothing says where the next
 * record begins, the rest of what is there is skipped and counted.
 */
#include <assert.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "base/util.h"
#include "sampler/perf-ring.h"

/* No record we look into is longer, up to its last field of interest. */
#define BOUNCE_SIZE 256

static const struct {
	uint64_t bit;
	int place; /* offsetof() in the layout, or −1 for a field that is only stepped
		      over */
} fields[] = {
	{ PERF_SAMPLE_IDENTIFIER, -1 },
	{ PERF_SAMPLE_IP, -1 },
	{ PERF_SAMPLE_TID, offsetof(struct tierd_perf_layout, tid) },
	{ PERF_SAMPLE_TIME, offsetof(struct tierd_perf_layout, time) },
	{ PERF_SAMPLE_ADDR, offsetof(struct tierd_perf_layout, address) },
	{ PERF_SAMPLE_ID, -1 },
	{ PERF_SAMPLE_STREAM_ID, -1 },
	{ PERF_SAMPLE_CPU, -1 },
	{ PERF_SAMPLE_PERIOD, offsetof(struct tierd_perf_layout, period) },
	{ PERF_SAMPLE_WEIGHT, offsetof(struct tierd_perf_layout, weight) },
	{ PERF_SAMPLE_DATA_SRC, offsetof(struct tierd_perf_layout, data_src) },
	{ PERF_SAMPLE_TRANSACTION, -1 },
	{ PERF_SAMPLE_PHYS_ADDR, offsetof(struct tierd_perf_layout, physical) },
	{ PERF_SAMPLE_CGROUP, offsetof(struct tierd_perf_layout, cgroup) },
	{ PERF_SAMPLE_DATA_PAGE_SIZE, -1 },
	{ PERF_SAMPLE_CODE_PAGE_SIZE, -1 },
};

int tierd_perf_layout_init(struct tierd_perf_layout *ret, uint64_t sample_type)
{
	struct tierd_perf_layout layout = { .size = sizeof(struct perf_event_header) };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!(sample_type & fields[i].bit))
			continue;
		if (fields[i].place >= 0)
			memcpy((uint8_t *)&layout + fields[i].place, &layout.size,
				sizeof(layout.size));
		layout.size += sizeof(uint64_t);
		sample_type &= ~fields[i].bit;
	}
	if (sample_type != 0)
		return -EOPNOTSUPP;
	if (!layout.tid || !layout.address)
		return -EINVAL;
	*ret = layout;
	return 0;
}

static uint64_t read_u64(const uint8_t *record, unsigned offset)
{
	uint64_t value;

	memcpy(&value, record + offset, sizeof(value));
	return value;
}

static uint32_t read_u32(const uint8_t *record, unsigned offset)
{
	uint32_t value;

	memcpy(&value, record + offset, sizeof(value));
	return value;
}

static uint64_t read_optional(const uint8_t *record, unsigned offset)
{
	return offset ? read_u64(record, offset) : 0;
}

/* perf gives idle CPUs the pid 0, and −1 to a task that is already gone. */
static bool is_process(uint32_t pid)
{
	return pid != 0 && pid != UINT32_MAX;
}

static void decode_sample(const struct tierd_perf_ring *ring, const uint8_t *record,
	unsigned size, const struct tierd_sampler_sink *sink,
	struct tierd_perf_counts *counts)
{
	const struct tierd_perf_layout *layout = &ring->layout;
	struct tierd_access access;
	uint64_t weight;

	if (size < layout->size) {
		counts->other_records++;
		return;
	}

	access.address = read_u64(record, layout->address);
	if ((int64_t)access.address <= 0) {
		counts->outside_user++;
		return;
	}
	access.pid = read_u32(record, layout->tid);
	if (!is_process(access.pid)) {
		counts->unattributed++;
		return;
	}

	weight = read_optional(record, layout->weight);
	access.tid = read_u32(record, layout->tid + sizeof(uint32_t));
	access.time_ns = read_optional(record, layout->time);
	access.period = layout->period ? read_u64(record, layout->period) : ring->period;
	access.latency = TIER_MIN(weight, (uint64_t)UINT32_MAX);
	access.is_store = read_optional(record, layout->data_src) & PERF_MEM_S(OP, STORE);
	access.physical = read_optional(record, layout->physical);
	access.cgroup_id = read_optional(record, layout->cgroup);
	access.cpu = ring->cpu;

	counts->samples++;
	counts->stores += access.is_store;
	if (sink->on_sample)
		sink->on_sample(sink->userdata, &access);
}

/* The first fields of COMM: pid, tid. */
static bool decode_comm(const struct perf_event_header *header, const uint8_t *record,
	const struct tierd_sampler_sink *sink)
{
	uint32_t pid = read_u32(record, 8);

	if (!(header->misc & PERF_RECORD_MISC_COMM_EXEC) || !is_process(pid))
		return false;
	if (sink->on_exec)
		sink->on_exec(sink->userdata, pid);
	return true;
}

/* The first fields of FORK and EXIT: pid, ppid, tid, ptid. */
static bool decode_fork(const uint8_t *record, const struct tierd_sampler_sink *sink)
{
	uint32_t child = read_u32(record, 8), parent = read_u32(record, 12);

	if (child == parent || !is_process(child))
		return false;
	if (sink->on_fork)
		sink->on_fork(sink->userdata, parent, child);
	return true;
}

static bool decode_exit(const uint8_t *record, const struct tierd_sampler_sink *sink)
{
	uint32_t pid = read_u32(record, 8), tid = read_u32(record, 16);

	if (pid != tid || !is_process(pid))
		return false;
	if (sink->on_exit)
		sink->on_exit(sink->userdata, pid);
	return true;
}

static void decode_record(const struct tierd_perf_ring *ring,
	const struct perf_event_header *header, const uint8_t *record,
	const struct tierd_sampler_sink *sink, struct tierd_perf_counts *counts)
{
	/* The shortest body that has what we read of each kind. */
	static const uint8_t needed[] = {
		[PERF_RECORD_LOST] = 24,
		[PERF_RECORD_LOST_SAMPLES] = 16,
		[PERF_RECORD_COMM] = 16,
		[PERF_RECORD_FORK] = 24,
		[PERF_RECORD_EXIT] = 24,
	};
	bool used = true;

	if (header->type < ARRAY_SIZE(needed) && header->size < needed[header->type]) {
		counts->other_records++;
		return;
	}

	switch (header->type) {
	case PERF_RECORD_SAMPLE:
		decode_sample(ring, record, header->size, sink, counts);
		break;
	case PERF_RECORD_LOST:
		counts->lost += read_u64(record, 16);
		break;
	case PERF_RECORD_LOST_SAMPLES:
		counts->lost += read_u64(record, 8);
		break;
	case PERF_RECORD_THROTTLE:
		counts->throttled++;
		break;
	case PERF_RECORD_UNTHROTTLE:
		counts->unthrottled++;
		break;
	case PERF_RECORD_COMM:
		used = decode_comm(header, record, sink);
		break;
	case PERF_RECORD_FORK:
		used = decode_fork(record, sink);
		break;
	case PERF_RECORD_EXIT:
		used = decode_exit(record, sink);
		break;
	default:
		used = false;
		break;
	}
	if (!used)
		counts->other_records++;
}

/* The record at tail in one piece: in place, or what fits of it in the bounce buffer. */
static const uint8_t *whole_record(const struct tierd_perf_ring *ring, uint64_t tail,
	unsigned size, uint8_t bounce[static BOUNCE_SIZE])
{
	uint64_t offset = tail & (ring->size - 1);
	uint64_t before_end = ring->size - offset;
	uint64_t wanted;

	if (size <= before_end)
		return ring->data + offset;

	wanted = TIER_MIN((uint64_t)size, (uint64_t)BOUNCE_SIZE);
	before_end = TIER_MIN(before_end, wanted);
	memcpy(bounce, ring->data + offset, before_end);
	memcpy(bounce + before_end, ring->data, wanted - before_end);
	return bounce;
}

/* Whether a record can begin at tail, with `available` bytes in the ring. */
static bool read_header(const struct tierd_perf_ring *ring, uint64_t tail,
	uint64_t available, struct perf_event_header *ret)
{
	if (tail % sizeof(uint64_t) != 0 || available > ring->size ||
		available < sizeof(*ret))
		return false;
	memcpy(ret, ring->data + (tail & (ring->size - 1)), sizeof(*ret));
	return ret->size >= sizeof(*ret) && ret->size % sizeof(uint64_t) == 0 &&
	       ret->size <= available;
}

unsigned tierd_perf_ring_walk(struct tierd_perf_ring *ring, unsigned max_records,
	tierd_perf_record_t on_record, void *userdata, struct tierd_perf_counts *counts)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t start = ring->page->data_tail, tail = start;
	unsigned n = 0;

	while (tail != head && n < max_records) {
		struct perf_event_header header;
		uint8_t bounce[BOUNCE_SIZE];

		if (!read_header(ring, tail, head - tail, &header)) {
			counts->malformed++;
			tail = head;
			break;
		}
		on_record(
			userdata, &header, whole_record(ring, tail, header.size, bounce));
		tail += header.size;
		n++;
	}

	counts->bytes += tail - start;
	if (tail != start)
		__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
	return n;
}

struct decoding {
	const struct tierd_perf_ring *ring;
	const struct tierd_sampler_sink *sink;
	struct tierd_perf_counts *counts;
};

static void on_record(
	void *userdata, const struct perf_event_header *header, const uint8_t *record)
{
	const struct decoding *decoding = userdata;

	decode_record(decoding->ring, header, record, decoding->sink, decoding->counts);
}

unsigned tierd_perf_ring_drain(struct tierd_perf_ring *ring, unsigned max_records,
	const struct tierd_sampler_sink *sink, struct tierd_perf_counts *counts)
{
	struct decoding decoding = { ring, sink, counts };

	assert(ring->layout.size <= BOUNCE_SIZE);
	return tierd_perf_ring_walk(ring, max_records, on_record, &decoding, counts);
}
