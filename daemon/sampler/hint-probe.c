/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/size.h"
#include "sampler/hint-probe.h"
#include "sampler/perf-open.h"
#include "sampler/perf-ring.h"
#include "sampler/range-list.h"
#include "sampler/registers.h"
#include "settings/errtext.h"
#include "settings/root.h"

#define PROBE_TYPE  "/sys/bus/event_source/devices/kprobe/type"
#define CPUS_ONLINE "/sys/devices/system/cpu/online"
#define FUNCTION    "change_prot_numa"

/* A record is 48 bytes, and a scanner on a CPU writes a few a second. */
#define RING_PAGES  16
#define RECORDS_MAX 65536

struct probe_cpu {
	int fd;
	struct tierd_perf_ring ring;
};

struct tierd_hint_probe {
	struct probe_cpu *cpus;
	size_t n_cpus;
	struct tierd_perf_counts counts;
	void (*on_protect)(void *userdata, uint32_t pid, uint64_t start, uint64_t end,
		uint64_t time_ns);
	void *userdata;
};

/* ---- Opening ------------------------------------------------------------------- */

static int read_type(const struct tierd_root *root, uint32_t *ret, char **ret_error)
{
	uint64_t type;
	int r = tierd_root_read_u64(root, PROBE_TYPE, &type);

	if (r < 0)
		return tierd_error(ret_error, r == -ENOENT ? -ENODEV : r,
			"cannot read %s: %s; NUMA hint faults need a kernel with "
			"CONFIG_KPROBE_EVENTS",
			PROBE_TYPE, strerror(-r));
	*ret = (uint32_t)type;
	return 0;
}

static int fail_open(int r, int cpu, char **ret_error)
{
	switch (r) {
	case -EACCES:
	case -EPERM:
		return tierd_error(ret_error, r,
			"not allowed to probe " FUNCTION
			": this takes CAP_PERFMON and a "
			"kernel that is not locked down");
	case -ENOENT:
	case -EINVAL:
		return tierd_error(ret_error, -ENODEV,
			"this kernel has no " FUNCTION " that could be probed: %s",
			strerror(-r));
	default:
		return tierd_error(ret_error, r,
			"cannot probe " FUNCTION " on CPU %d: %s", cpu, strerror(-r));
	}
}

static int map_ring(struct probe_cpu *cpu)
{
	size_t page_bytes = sysconf(_SC_PAGESIZE);
	void *map = mmap(NULL, (1 + RING_PAGES) * page_bytes, PROT_READ | PROT_WRITE,
		MAP_SHARED, cpu->fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	cpu->ring.page = map;
	cpu->ring.data = (const uint8_t *)map + page_bytes;
	cpu->ring.size = RING_PAGES * page_bytes;
	return ioctl(cpu->fd, PERF_EVENT_IOC_ENABLE, 0) < 0 ? -errno : 0;
}

static void close_cpu(struct probe_cpu *cpu)
{
	if (cpu->ring.page)
		munmap(cpu->ring.page, cpu->ring.size + sysconf(_SC_PAGESIZE));
	closep(&cpu->fd);
}

/* One that has just gone offline is passed over. */
static int add_cpu(
	struct tierd_hint_probe *probe, uint32_t type, unsigned number, char **ret_error)
{
	struct probe_cpu *cpu = &probe->cpus[probe->n_cpus];
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.kprobe_func = (uintptr_t)FUNCTION,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_INTR,
		.sample_regs_intr = tierd_argument_registers.mask,
		.disabled = 1,
	};
	int r = tierd_perf_open_attr(&attr, (int)number, -1);

	if (r < 0)
		return r == -ENODEV ? 0 : fail_open(r, (int)number, ret_error);
	*cpu = (struct probe_cpu){ .fd = r, .ring = { .cpu = (int)number } };
	probe->n_cpus++;
	r = map_ring(cpu);
	return r < 0 ? fail_open(r, (int)number, ret_error) : 0;
}

static int add_cpus(struct tierd_hint_probe *probe, uint32_t type, const char *online,
	char **ret_error)
{
	const char *list = online;
	unsigned first, last;
	size_t n = 0;
	int r;

	while ((r = tierd_range_list_next(&list, &first, &last)) > 0)
		n += last - first + 1;
	if (r < 0)
		return tierd_error(ret_error, r, "%s is '%s'", CPUS_ONLINE, online);
	probe->cpus = calloc(n + 1, sizeof(*probe->cpus));
	if (!probe->cpus)
		return -ENOMEM;
	for (list = online; tierd_range_list_next(&list, &first, &last) > 0;)
		for (unsigned cpu = first; cpu <= last; cpu++) {
			r = add_cpu(probe, type, cpu, ret_error);
			if (r < 0)
				return r;
		}
	return 0;
}

int tierd_hint_probe_open(
	const struct tierd_root *root, struct tierd_hint_probe **ret, char **ret_error)
{
	_cleanup_(freep) char *online = NULL;
	struct tierd_hint_probe *probe;
	uint32_t type = 0;
	int r;

	if (!tierd_argument_registers.mask)
		return tierd_error(ret_error, -EOPNOTSUPP,
			"NUMA hint faults are implemented for x86-64 and arm64 only");
	r = read_type(root, &type, ret_error);
	if (r < 0)
		return r;
	r = tierd_root_read_line(root, CPUS_ONLINE, &online);
	if (r < 0)
		return tierd_error(
			ret_error, r, "cannot read %s: %s", CPUS_ONLINE, strerror(-r));
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return -ENOMEM;
	r = add_cpus(probe, type, online, ret_error);
	if (r < 0) {
		tierd_hint_probe_free(probe);
		return r;
	}
	*ret = probe;
	return 0;
}

struct tierd_hint_probe *tierd_hint_probe_free(struct tierd_hint_probe *probe)
{
	if (!probe)
		return NULL;
	for (size_t i = 0; i < probe->n_cpus; i++)
		close_cpu(&probe->cpus[i]);
	free(probe->cpus);
	free(probe);
	return NULL;
}

/* ---- Draining ------------------------------------------------------------------ */

/* Pid and tid, time, the ABI, which is 0 without registers, and those of the mask. */
struct protect_record {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t time_ns;
	uint64_t abi;
	uint64_t registers[2];
};

static void on_record(
	void *userdata, const struct perf_event_header *header, const uint8_t *record)
{
	struct tierd_hint_probe *probe = userdata;
	struct protect_record protect;

	if (header->type == PERF_RECORD_LOST && header->size >= 24) {
		uint64_t lost;

		memcpy(&lost, record + 16, sizeof(lost));
		probe->counts.lost += lost;
		return;
	}
	if (header->type != PERF_RECORD_SAMPLE || header->size < sizeof(protect))
		return;
	memcpy(&protect, record, sizeof(protect));
	if (protect.abi != PERF_SAMPLE_REGS_ABI_NONE)
		probe->on_protect(probe->userdata, protect.pid,
			protect.registers[tierd_argument_registers.second],
			protect.registers[tierd_argument_registers.third],
			protect.time_ns);
}

void tierd_hint_probe_drain(struct tierd_hint_probe *probe,
	void (*on_protect)(void *userdata, uint32_t pid, uint64_t start, uint64_t end,
		uint64_t time_ns),
	void *userdata)
{
	probe->on_protect = on_protect;
	probe->userdata = userdata;
	for (size_t i = 0; i < probe->n_cpus; i++)
		tierd_perf_ring_walk(&probe->cpus[i].ring, RECORDS_MAX, on_record, probe,
			&probe->counts);
}

uint64_t tierd_hint_probe_lost(const struct tierd_hint_probe *probe)
{
	return probe->counts.lost;
}
