/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * slow-tier.c: makes some of an emulated machine's memory slow, and samples accesses.
 *
 * Under QEMU's TCG all memory is equally fast. This plugin looks at each access of user
 * code, keeps a small cache model per virtual CPU, and when a miss falls into a node that
 * is declared slow, it spins for that node's extra latency. Every N-th miss goes to the
 * virtual CPU's ring (tier-ring.h), as the memory-access sampling of a real PMU would
 * have it; N is the guest's choice.
 *
 * It knows the sizes of the nodes, in order, and QEMU's way to lay them out; it knows
 * nothing of page tables, processes or kernels. The cache is indexed and tagged by
 * virtual line, since only a miss is worth the look-up of its physical address: processes
 * that use the same addresses share its lines, and nothing ever flushes it. A miss on the
 * line after the last one was prefetched: it costs nothing and is not sampled, as with
 * the stream prefetchers of real processors.
 *
 * Arguments: node=MIB:NS once for each node, NS being its extra latency, 0 for DRAM;
 * shm=FILE for the rings, without which nothing is sampled.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "qemu-plugin.h"
#include "tier-ring.h"

#define NODES_MAX       8
#define CACHE_LINES     8192
#define LINE_SHIFT      6
#define USER_SPACE_BITS 47
#define DRAM_LATENCY_NS 80
#define CALIBRATE_NS    20000000L

/* QEMU's q35 keeps RAM below this whole, or else splits it at the lower limit. */
#define LOW_RAM_MAX   0xb0000000ULL
#define LOW_RAM_SPLIT 0x80000000ULL
#define HIGH_RAM_BASE 0x100000000ULL

struct node {
	uint64_t start; /* offset in the machine's RAM, hole not counted */
	uint64_t bytes;
	uint64_t extra_ns;
	uint64_t spin_ticks;
};

struct vcpu {
	uint64_t tags[CACHE_LINES];
	uint64_t last_missed_line;
	uint64_t misses_to_record;
} __attribute__((aligned(64)));

static struct node nodes[NODES_MAX];
static unsigned int n_nodes;
static uint64_t ram_bytes;
static struct vcpu vcpus[TIER_RING_CPUS];
static char *rings;

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

QEMU_PLUGIN_EXPORT int qemu_plugin_install(
	qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv);

static bool is_cached(struct vcpu *vcpu, uint64_t va)
{
	bool is_prefetched;

	/* No line has the number 0, so an empty tag matches none. */
	uint64_t line = (va >> LINE_SHIFT) + 1;
	uint64_t *tag = &vcpu->tags[(line ^ (line >> 13)) % CACHE_LINES];

	if (*tag == line)
		return true;
	*tag = line;
	is_prefetched = line == vcpu->last_missed_line + 1;
	vcpu->last_missed_line = line;
	return is_prefetched;
}

/*
 * What QEMU calls the physical address of RAM is the sum of two offsets: where the node's
 * block begins among all blocks, and where it begins in the machine's RAM. Blocks are
 * allocated in the order of the nodes, so the two are equal, and a node's addresses begin
 * at twice its offset. The guest's test of the machine compares the outcome with the
 * kernel's idea of the physical address.
 */
static const struct node *node_of(uint64_t qemu_pa, uint64_t *ret_ram_offset)
{
	for (unsigned int i = 0; i < n_nodes; i++) {
		uint64_t start = 2 * nodes[i].start;

		if (qemu_pa >= start && qemu_pa - start < nodes[i].bytes) {
			*ret_ram_offset = qemu_pa - nodes[i].start;
			return &nodes[i];
		}
	}
	return NULL;
}

static uint64_t guest_physical(uint64_t ram_offset)
{
	uint64_t low = ram_bytes >= LOW_RAM_MAX ? LOW_RAM_SPLIT : LOW_RAM_MAX;

	return ram_offset < low ? ram_offset : HIGH_RAM_BASE + ram_offset - low;
}

static void count(unsigned int cpu, const struct tier_ring_record *record)
{
	struct tier_ring *ring = (void *)(rings + (size_t)cpu * TIER_RING_BYTES);

	if (record->is_store)
		ring->stores++;
	else
		ring->loads++;

	if (ring->period == 0 || ++vcpus[cpu].misses_to_record < ring->period)
		return;
	vcpus[cpu].misses_to_record = 0;

	if (ring->head - ring->tail >= TIER_RING_RECORDS) {
		ring->dropped++;
		return;
	}
	ring->records[ring->head % TIER_RING_RECORDS] = *record;
	ring->head++;
}

static void delay(uint64_t ticks)
{
	uint64_t end = __rdtsc() + ticks;

	while (__rdtsc() < end)
		_mm_pause();
}

static void on_access(
	unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t va, void *userdata)
{
	const struct qemu_plugin_hwaddr *hwaddr;
	struct tier_ring_record record;
	const struct node *node;
	uint64_t ram_offset;

	if (is_cached(&vcpus[cpu], va))
		return;

	hwaddr = qemu_plugin_get_hwaddr(info, va);
	if (!hwaddr || qemu_plugin_hwaddr_is_io(hwaddr))
		return;
	node = node_of(qemu_plugin_hwaddr_phys_addr(hwaddr), &ram_offset);
	if (!node)
		return;

	record = (struct tier_ring_record){
		.va = va,
		.pa = guest_physical(ram_offset),
		.ip = (uintptr_t)userdata,
		.latency_ns = DRAM_LATENCY_NS + node->extra_ns,
		.node = node - nodes,
		.is_store = qemu_plugin_mem_is_store(info),
	};
	if (rings)
		count(cpu, &record);
	if (node->spin_ticks > 0)
		delay(node->spin_ticks);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t ip = qemu_plugin_insn_vaddr(insn);

		if (ip >> USER_SPACE_BITS == 0)
			qemu_plugin_register_vcpu_mem_cb(insn, on_access,
				QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
				(void *)(uintptr_t)ip);
	}
}

static int parse_node(const char *value)
{
	unsigned long long mib, ns;
	int end = 0;

	if (sscanf(value, "%llu:%llu%n", &mib, &ns, &end) != 2 || value[end] != '\0' ||
		mib == 0 || n_nodes == NODES_MAX)
		return -EINVAL;

	nodes[n_nodes++] = (struct node){
		.start = ram_bytes,
		.bytes = mib << 20,
		.extra_ns = ns,
	};
	ram_bytes += mib << 20;
	return 0;
}

static int map_rings(const char *path)
{
	void *p;
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	p = mmap(NULL, TIER_RING_SHM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return -errno;
	rings = p;
	return 0;
}

static int parse_argument(const char *arg)
{
	if (strncmp(arg, "node=", 5) == 0)
		return parse_node(arg + 5);
	if (strncmp(arg, "shm=", 4) == 0)
		return map_rings(arg + 4);
	return -EINVAL;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void calibrate(void)
{
	uint64_t t0 = now_ns(), c0 = __rdtsc(), ns, ticks;

	while ((ns = now_ns() - t0) < CALIBRATE_NS)
		_mm_pause();
	ticks = __rdtsc() - c0;

	for (unsigned int i = 0; i < n_nodes; i++)
		nodes[i].spin_ticks = nodes[i].extra_ns * ticks / ns;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(
	qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		int r = parse_argument(argv[i]);

		if (r < 0) {
			fprintf(stderr, "slow-tier: %s: %s\n", argv[i], strerror(-r));
			return r;
		}
	}
	if (n_nodes == 0) {
		fprintf(stderr, "slow-tier: no node= given\n");
		return -EINVAL;
	}
	calibrate();
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
	return 0;
}
