/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * sampling.c: perf's side of the probe: opens the events, reads their buffers, and
 * compares each sample with what the workload is known to do.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"
#include "sampling.h"

#define PMU_TYPE_FILE "/sys/bus/event_source/devices/tier_mem/type"
#define CPUS_MAX      64
#define DATA_PAGES    512
#define PAGES_CHECKED 2000
#define DRAIN_US      20000

#define SAMPLE_TYPE                                                               \
	(PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | \
		PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_WEIGHT |       \
		PERF_SAMPLE_DATA_SRC | PERF_SAMPLE_PHYS_ADDR | PERF_SAMPLE_CGROUP)

/* As the kernel lays out a sample of this type. */
struct sample {
	struct perf_event_header header;
	uint64_t ip;
	uint32_t pid, tid;
	uint64_t time;
	uint64_t addr;
	uint32_t cpu, unused;
	uint64_t period;
	uint64_t weight;
	uint64_t data_src;
	uint64_t phys_addr;
	uint64_t cgroup;
};

struct event {
	int fd;
	struct perf_event_mmap_page *map;
};

static struct event events[CPUS_MAX];

unsigned int count_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < CPUS_MAX ? (unsigned int)n : CPUS_MAX;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

static uint32_t pmu_type(void)
{
	FILE *f = fopen(PMU_TYPE_FILE, "re");
	uint32_t type;

	if (!f || fscanf(f, "%" SCNu32, &type) != 1)
		fail(PMU_TYPE_FILE);
	fclose(f);
	return type;
}

int open_event(unsigned int cpu, uint64_t config, uint64_t period)
{
	struct perf_event_attr attr = {
		.type = pmu_type(),
		.size = sizeof(attr),
		.config = config,
		.sample_period = period,
		.sample_type = SAMPLE_TYPE,
		.exclude_kernel = 1,
		.disabled = 1,
	};
	int fd;

	fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		fail("perf_event_open");
	return fd;
}

void open_events(uint64_t config, uint64_t period)
{
	for (unsigned int cpu = 0; cpu < count_cpus(); cpu++) {
		int fd = open_event(cpu, config, period);
		void *map = mmap(NULL, (DATA_PAGES + 1) * PAGE_BYTES,
			PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		if (map == MAP_FAILED)
			fail("mmap of perf's buffer");
		events[cpu] = (struct event){ .fd = fd, .map = map };
	}
}

void close_events(void)
{
	for (unsigned int cpu = 0; cpu < count_cpus(); cpu++) {
		munmap(events[cpu].map, (DATA_PAGES + 1) * PAGE_BYTES);
		close(events[cpu].fd);
	}
}

void control_events(unsigned long request, void *argument)
{
	for (unsigned int cpu = 0; cpu < count_cpus(); cpu++)
		if (ioctl(events[cpu].fd, request, argument) < 0)
			fail("ioctl of a perf event");
}

static uint64_t count_misses(void)
{
	uint64_t sum = 0, n;

	for (unsigned int cpu = 0; cpu < count_cpus(); cpu++) {
		if (read(events[cpu].fd, &n, sizeof(n)) != sizeof(n))
			fail("read of a perf event");
		sum += n;
	}
	return sum;
}

static bool tells_node(uint64_t data_src, unsigned int node)
{
	union perf_mem_data_src src = { .val = data_src };

	return src.mem_lvl_num == (node ? PERF_MEM_LVLNUM_PMEM : PERF_MEM_LVLNUM_RAM);
}

static void judge(
	struct tally *tally, const struct sample *sample, const struct workload *workload)
{
	uint64_t start = (uintptr_t)workload->buffer;
	bool inside = sample->addr - start < workload->bytes;
	union perf_mem_data_src src = { .val = sample->data_src };

	tally->samples++;
	tally->stores += src.mem_op == PERF_MEM_OP_STORE;
	if (sample->pid == (uint32_t)workload->pid) {
		tally->of_workload++;
		tally->inside += inside;
	}
	if (!inside)
		return;
	tally->of_buffer++;
	tally->right_pid += sample->pid == (uint32_t)workload->pid;
	tally->weight += sample->weight;
	tally->right_cgroup += sample->cgroup == workload->cgroup;
	tally->right_source += tells_node(sample->data_src, workload->node);
	if (tally->pages_checked < PAGES_CHECKED) {
		tally->pages_checked++;
		tally->right_page +=
			sample->phys_addr == physical(workload, sample->addr);
	}
}

static void take_record(
	struct tally *tally, const void *record, const struct workload *workload)
{
	const struct perf_event_header *header = record;
	const uint64_t *body = (const uint64_t *)(header + 1);

	switch (header->type) {
	case PERF_RECORD_SAMPLE:
		judge(tally, record, workload);
		break;
	case PERF_RECORD_LOST:
		tally->lost += body[1];
		break;
	case PERF_RECORD_LOST_SAMPLES:
		tally->lost += body[0];
		break;
	case PERF_RECORD_THROTTLE:
		tally->throttled++;
		break;
	}
}

static void copy_out(const char *data, uint64_t tail, void *to, size_t n)
{
	size_t offset = tail % (DATA_PAGES * PAGE_BYTES);
	size_t first = DATA_PAGES * PAGE_BYTES - offset;

	if (first > n)
		first = n;
	memcpy(to, data + offset, first);
	memcpy((char *)to + first, data, n - first);
}

static void drain_event(
	struct event *event, struct tally *tally, const struct workload *workload)
{
	const char *data = (const char *)event->map + PAGE_BYTES;
	uint64_t head = __atomic_load_n(&event->map->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = event->map->data_tail;
	union {
		struct perf_event_header header;
		char bytes[UINT16_MAX];
	} record;

	while (tail < head) {
		copy_out(data, tail, &record, sizeof(record.header));
		copy_out(data, tail, &record, record.header.size);
		take_record(tally, &record, workload);
		tail += record.header.size;
	}
	__atomic_store_n(&event->map->data_tail, tail, __ATOMIC_RELEASE);
}

void drain_events(struct tally *tally, const struct workload *workload)
{
	for (unsigned int cpu = 0; cpu < count_cpus(); cpu++)
		drain_event(&events[cpu], tally, workload);
}

struct tally sample_for(unsigned int seconds, const struct workload *workload)
{
	uint64_t end = now_ns() + seconds * 1000000000ULL, before = count_misses();
	struct tally tally = {};

	while (now_ns() < end) {
		usleep(DRAIN_US);
		drain_events(&tally, workload);
	}
	tally.misses = count_misses() - before;
	return tally;
}

void print_tally(const struct tally *t, uint64_t period, unsigned int seconds)
{
	printf("period %" PRIu64 ": %" PRIu64 " samples (%.0f/s) for %" PRIu64
	       " misses, %.3f of what the period asks; %" PRIu64 " lost, %" PRIu64
	       " throttled\n",
		period, t->samples, (double)t->samples / seconds, t->misses,
		share(t->samples * period, t->misses), t->lost, t->throttled);
	printf("  in the buffer %.4f of the workload's, stores %.4f; of those in the buffer: "
	       "right pid %.4f, cgroup %.4f, node %.4f, page %.4f; mean latency %.0f ns\n",
		share(t->inside, t->of_workload), share(t->stores, t->samples),
		share(t->right_pid, t->of_buffer), share(t->right_cgroup, t->of_buffer),
		share(t->right_source, t->of_buffer),
		share(t->right_page, t->pages_checked), share(t->weight, t->of_buffer));
}

void write_tally(const struct tally *t, uint64_t period, FILE *json)
{
	fprintf(json,
		"{\"period\":%" PRIu64 ",\"samples\":%" PRIu64 ",\"misses\":%" PRIu64
		",\"lost\":%" PRIu64 ",\"throttled\":%" PRIu64
		",\"kept\":%.4f,"
		"\"inside\":%.4f,\"stores\":%.4f,\"right_pid\":%.4f,"
		"\"right_cgroup\":%.4f,\"right_node\":%.4f,\"right_page\":%.4f,"
		"\"latency_ns\":%.1f}",
		period, t->samples, t->misses, t->lost, t->throttled,
		share(t->samples * period, t->misses), share(t->inside, t->of_workload),
		share(t->stores, t->samples), share(t->right_pid, t->of_buffer),
		share(t->right_cgroup, t->of_buffer),
		share(t->right_source, t->of_buffer),
		share(t->right_page, t->pages_checked), share(t->weight, t->of_buffer));
}
