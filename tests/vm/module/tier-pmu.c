// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * tier-pmu.c: the PMU "tier_mem" of the test machine.
 *
 * The emulator's plugin writes every N-th cache miss of user code to a ring in the memory
 * of a PCI device (tier-ring.h). This module registers a PMU with perf and hands it those
 * records as samples, with address, latency and source, as PEBS or IBS would.
 *
 * A record belongs to the task that was running when it was written, and perf attributes
 * a sample to the task that is running when it is delivered. So a ring is emptied not
 * only at every tick but before each context switch and at each exit, too: all
 * its records are then the current task's.
 *
 * perf_event_overflow() is not exported to modules and is looked up by name. That is good
 * enough for a machine that lives for one test, and nowhere else.
 */

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/timer.h>
#include <linux/tracepoint.h>

#include "compat.h"
#include "tier-ring.h"

#define VENDOR_REDHAT  0x1af4
#define DEVICE_IVSHMEM 0x1110
#define BAR_MEMORY     2

#define CONFIG_LOADS  BIT_ULL(0)
#define CONFIG_STORES BIT_ULL(1)
#define CONFIG_ALL    (CONFIG_LOADS | CONFIG_STORES)

#define EVENTS_PER_CPU 16

/*
 * One CPU's events and the timer that empties its ring while one of them runs. It is the
 * tick that does, for interrupts are dear in an emulator; a CPU that has none is idle.
 */
struct tier_cpu {
	struct perf_event *events[EVENTS_PER_CPU];
	struct timer_list timer;
	u64 dropped; /* how many of the ring's dropped records perf knows about */
};

static int (*overflow)(
	struct perf_event *event, struct perf_sample_data *data, struct pt_regs *regs);
static void (*log_lost_samples)(struct perf_event *event, u64 lost);

/* On these CPUs, a mask, events count but do not sample, and cost nothing. */
static unsigned long muted;

static void *rings;
static struct pmu tier_pmu;
static DEFINE_PER_CPU(struct tier_cpu, tier_cpus);

static struct tier_ring *ring_of(unsigned int cpu)
{
	return rings + (size_t)cpu * TIER_RING_BYTES;
}

static struct tier_ring *this_ring(void)
{
	return ring_of(smp_processor_id());
}

static bool is_muted(void)
{
	return READ_ONCE(muted) & BIT(smp_processor_id());
}

static bool is_running(const struct perf_event *event)
{
	return event && !(event->hw.state & PERF_HES_STOPPED);
}

static u64 wanted(const struct perf_event *event)
{
	return (event->attr.config & CONFIG_ALL) ?: CONFIG_ALL;
}

static u64 misses(const struct perf_event *event, const struct tier_ring *ring)
{
	u64 n = 0;

	if (wanted(event) & CONFIG_LOADS)
		n += READ_ONCE(ring->loads);
	if (wanted(event) & CONFIG_STORES)
		n += READ_ONCE(ring->stores);
	return n;
}

static void update_count(struct perf_event *event)
{
	u64 now = misses(event, this_ring());
	u64 before = local64_xchg(&event->hw.prev_count, now);

	local64_add(now - before, &event->count);
}

/* The ring samples at the shortest period asked for; longer ones take a part of it. */
static void set_ring_period(struct tier_cpu *cpu)
{
	u64 period = 0;
	int i;

	for (i = 0; i < EVENTS_PER_CPU && !is_muted(); i++) {
		struct perf_event *event = cpu->events[i];

		if (is_running(event) && is_sampling_event(event) &&
			(period == 0 || event->hw.sample_period < period))
			period = event->hw.sample_period;
	}
	WRITE_ONCE(this_ring()->period, period);
}

static void stop_event(struct perf_event *event)
{
	update_count(event);
	event->hw.state |= PERF_HES_STOPPED | PERF_HES_UPTODATE;
}

static u64 data_source(const struct tier_ring_record *record)
{
	union perf_mem_data_src src = {
		.mem_op = record->is_store ? PERF_MEM_OP_STORE : PERF_MEM_OP_LOAD,
		.mem_lvl = PERF_MEM_LVL_HIT,
		.mem_snoop = PERF_MEM_SNOOP_NA,
		.mem_lock = PERF_MEM_LOCK_NA,
		.mem_dtlb = PERF_MEM_TLB_NA,
	};

	if (record->node == 0) {
		src.mem_lvl |= PERF_MEM_LVL_LOC_RAM;
		src.mem_lvl_num = PERF_MEM_LVLNUM_RAM;
	} else {
		src.mem_lvl |= PERF_MEM_LVL_REM_RAM1;
		src.mem_lvl_num = PERF_MEM_LVLNUM_PMEM;
		src.mem_remote = PERF_MEM_REMOTE_REMOTE;
	}
	return src.val;
}

static void deliver(struct perf_event *event, const struct tier_ring_record *record)
{
	struct perf_sample_data data;

	perf_sample_data_init(&data, record->va, event->hw.sample_period);
	data.ip = record->ip;
	data.weight.full = record->latency_ns;
	data.data_src.val = data_source(record);
	data.phys_addr = record->pa;
	data.sample_flags |= PERF_SAMPLE_ADDR | PERF_SAMPLE_IP | PERF_SAMPLE_WEIGHT_TYPE |
			     PERF_SAMPLE_DATA_SRC | PERF_SAMPLE_PHYS_ADDR;

	/* Records are user code's, wherever the kernel was entered since. */
	if (overflow(event, &data, task_pt_regs(current)))
		stop_event(event);
}

/* A record stands for as many misses of its kind as the ring's period says. */
static void offer(
	struct perf_event *event, const struct tier_ring_record *record, u64 period)
{
	u64 kind = record->is_store ? CONFIG_STORES : CONFIG_LOADS;

	if (!is_running(event) || !is_sampling_event(event) || !(wanted(event) & kind))
		return;
	if (local64_sub_return(period, &event->hw.period_left) > 0)
		return;
	local64_add(event->hw.sample_period, &event->hw.period_left);
	deliver(event, record);
}

static void report_dropped(struct tier_cpu *cpu, const struct tier_ring *ring)
{
	u64 lost = READ_ONCE(ring->dropped) - cpu->dropped;
	int i;

	if (lost == 0)
		return;
	cpu->dropped += lost;
	for (i = 0; i < EVENTS_PER_CPU; i++)
		if (is_running(cpu->events[i]) && is_sampling_event(cpu->events[i]))
			log_lost_samples(cpu->events[i], lost);
}

/* Called with interrupts off, on the ring's CPU. */
static void drain(struct tier_cpu *cpu)
{
	struct tier_ring *ring = this_ring();
	u64 head = READ_ONCE(ring->head), period = READ_ONCE(ring->period);
	int i;

	for (; ring->tail != head; ring->tail++)
		for (i = 0; i < EVENTS_PER_CPU; i++)
			offer(cpu->events[i],
				&ring->records[ring->tail % TIER_RING_RECORDS], period);
	report_dropped(cpu, ring);
	set_ring_period(cpu);
}

static void start_timer(struct tier_cpu *cpu)
{
	mod_timer(&cpu->timer, jiffies + 1);
}

static void on_timer(struct timer_list *timer)
{
	struct tier_cpu *cpu = container_of(timer, struct tier_cpu, timer);
	unsigned long flags;

	local_irq_save(flags);
	drain(cpu);
	if (READ_ONCE(this_ring()->period) > 0)
		start_timer(cpu);
	local_irq_restore(flags);
}

static void drain_for_current(void)
{
	unsigned long flags;

	local_irq_save(flags);
	if (this_ring()->head != this_ring()->tail)
		drain(this_cpu_ptr(&tier_cpus));
	local_irq_restore(flags);
}

static void on_sched_switch(void *unused, bool preempt, struct task_struct *prev,
	struct task_struct *next, unsigned int prev_state)
{
	drain_for_current();
}

static void on_process_exit(void *unused, struct task_struct *task)
{
	drain_for_current();
}

static void tier_pmu_start(struct perf_event *event, int flags)
{
	struct tier_cpu *cpu = this_cpu_ptr(&tier_cpus);

	/* What was sampled so far is for those who were there. */
	drain(cpu);
	event->hw.state = 0;
	local64_set(&event->hw.prev_count, misses(event, this_ring()));
	if (!is_sampling_event(event))
		return;
	if (local64_read(&event->hw.period_left) <= 0)
		local64_set(&event->hw.period_left, event->hw.sample_period);
	set_ring_period(cpu);
	start_timer(cpu);
}

static void tier_pmu_stop(struct perf_event *event, int flags)
{
	struct tier_cpu *cpu = this_cpu_ptr(&tier_cpus);

	if (!is_running(event))
		return;
	drain(cpu);
	/* Delivering the last samples may have stopped it. */
	if (is_running(event))
		stop_event(event);
	set_ring_period(cpu);
}

static int tier_pmu_add(struct perf_event *event, int flags)
{
	struct tier_cpu *cpu = this_cpu_ptr(&tier_cpus);
	int i;

	for (i = 0; i < EVENTS_PER_CPU; i++) {
		if (cpu->events[i])
			continue;
		event->hw.idx = i;
		event->hw.state = PERF_HES_STOPPED | PERF_HES_UPTODATE;
		cpu->events[i] = event;
		if (flags & PERF_EF_START)
			tier_pmu_start(event, PERF_EF_RELOAD);
		perf_event_update_userpage(event);
		return 0;
	}
	return -EAGAIN;
}

static void tier_pmu_del(struct perf_event *event, int flags)
{
	struct tier_cpu *cpu = this_cpu_ptr(&tier_cpus);

	tier_pmu_stop(event, PERF_EF_UPDATE);
	cpu->events[event->hw.idx] = NULL;
	perf_event_update_userpage(event);
}

static void tier_pmu_read(struct perf_event *event)
{
	if (is_running(event))
		update_count(event);
}

static int tier_pmu_event_init(struct perf_event *event)
{
	if (event->attr.type != tier_pmu.type)
		return -ENOENT;
	if (has_branch_stack(event))
		return -EOPNOTSUPP;
	if (event->attr.config & ~CONFIG_ALL)
		return -EINVAL;
	/* Only user code is watched, and only at periods the caller sets. */
	if (event->attr.exclude_user || event->attr.freq)
		return -EINVAL;
	if (event->cpu >= TIER_RING_CPUS)
		return -EINVAL;
	return 0;
}

/* The timer ends by itself when it finds nothing to sample. */
static void follow_muted(void *unused)
{
	struct tier_cpu *cpu = this_cpu_ptr(&tier_cpus);

	drain(cpu);
	if (READ_ONCE(this_ring()->period) > 0)
		start_timer(cpu);
}

static int set_muted(const char *value, const struct kernel_param *param)
{
	int r = param_set_ulong(value, param);

	if (r >= 0 && rings)
		on_each_cpu(follow_muted, NULL, 1);
	return r;
}

static const struct kernel_param_ops muted_ops = {
	.set = set_muted,
	.get = param_get_ulong,
};
module_param_cb(muted, &muted_ops, &muted, 0644);
MODULE_PARM_DESC(muted, "mask of CPUs on which events count but do not sample");

PMU_FORMAT_ATTR(loads, "config:0");
PMU_FORMAT_ATTR(stores, "config:1");

static struct attribute *format_attrs[] = {
	&format_attr_loads.attr,
	&format_attr_stores.attr,
	NULL,
};

static const struct attribute_group format_group = {
	.name = "format",
	.attrs = format_attrs,
};

/* The names are no subtractions. */
/* clang-format off */
PMU_EVENT_ATTR_STRING(mem-loads, event_attr_mem_loads, "loads=1");
PMU_EVENT_ATTR_STRING(mem-stores, event_attr_mem_stores, "stores=1");
/* clang-format on */

static struct attribute *event_attrs[] = {
	&event_attr_mem_loads.attr.attr,
	&event_attr_mem_stores.attr.attr,
	NULL,
};

static const struct attribute_group event_group = {
	.name = "events",
	.attrs = event_attrs,
};

static ssize_t dropped_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 dropped = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		dropped += READ_ONCE(ring_of(cpu)->dropped);
	return sysfs_emit(buf, "%llu\n", dropped);
}
static DEVICE_ATTR_RO(dropped);

static ssize_t recorded_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	u64 recorded = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		recorded += READ_ONCE(ring_of(cpu)->head);
	return sysfs_emit(buf, "%llu\n", recorded);
}
static DEVICE_ATTR_RO(recorded);

static struct attribute *ring_attrs[] = {
	&dev_attr_dropped.attr,
	&dev_attr_recorded.attr,
	NULL,
};

static const struct attribute_group ring_group = {
	.attrs = ring_attrs,
};

static const struct attribute_group *tier_pmu_groups[] = {
	&format_group,
	&event_group,
	&ring_group,
	NULL,
};

static struct pmu tier_pmu = {
	.module = THIS_MODULE,
	.task_ctx_nr = perf_sw_context,
	.attr_groups = tier_pmu_groups,
	.event_init = tier_pmu_event_init,
	.add = tier_pmu_add,
	.del = tier_pmu_del,
	.start = tier_pmu_start,
	.stop = tier_pmu_stop,
	.read = tier_pmu_read,
};

static struct hook {
	const char *name;
	void *probe;
	struct tracepoint *tracepoint;
} hooks[] = {
	{ "sched_switch", on_sched_switch },
	{ "sched_process_exit", on_process_exit },
};

static void find_hook(struct tracepoint *tracepoint, void *unused)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (strcmp(tracepoint->name, hooks[i].name) == 0)
			hooks[i].tracepoint = tracepoint;
}

static void unhook(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		if (hooks[i].tracepoint)
			tracepoint_probe_unregister(
				hooks[i].tracepoint, hooks[i].probe, NULL);
	tracepoint_synchronize_unregister();
}

static int hook(void)
{
	size_t i;
	int r;

	for_each_kernel_tracepoint(find_hook, NULL);
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		r = hooks[i].tracepoint ? tracepoint_probe_register(hooks[i].tracepoint,
						  hooks[i].probe, NULL)
					: -ENOENT;
		if (r < 0) {
			for (; i < ARRAY_SIZE(hooks); i++)
				hooks[i].tracepoint = NULL;
			unhook();
			return r;
		}
	}
	return 0;
}

/* A probe that is never armed patches no code, and still resolves its symbol. */
static void *symbol(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	void *address;

	if (register_kprobe(&probe) < 0)
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static int map_rings(struct pci_dev *dev)
{
	if (pci_resource_len(dev, BAR_MEMORY) < TIER_RING_SHM_BYTES ||
		num_possible_cpus() > TIER_RING_CPUS)
		return -ENODEV;
	rings = devm_memremap(&dev->dev, pci_resource_start(dev, BAR_MEMORY),
		TIER_RING_SHM_BYTES, MEMREMAP_WB);
	return PTR_ERR_OR_ZERO(rings);
}

static void prepare_timers(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		timer_setup(&per_cpu(tier_cpus, cpu).timer, on_timer,
			TIMER_PINNED | TIMER_DEFERRABLE);
}

static int tier_pmu_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	int r;

	overflow = symbol("perf_event_overflow");
	log_lost_samples = symbol("perf_log_lost_samples");
	if (!overflow || !log_lost_samples)
		return dev_err_probe(&dev->dev, -ENOENT, "perf's functions not found\n");

	r = pcim_enable_device(dev);
	if (r < 0)
		return r;
	r = map_rings(dev);
	if (r < 0)
		return r;
	prepare_timers();
	r = hook();
	if (r < 0)
		return r;
	r = perf_pmu_register(&tier_pmu, "tier_mem", -1);
	if (r < 0)
		unhook();
	return r;
}

static void tier_pmu_remove(struct pci_dev *dev)
{
	int cpu;

	perf_pmu_unregister(&tier_pmu);
	unhook();
	for_each_possible_cpu(cpu)
		timer_delete_sync(&per_cpu(tier_cpus, cpu).timer);
}

static const struct pci_device_id tier_pmu_ids[] = {
	{ PCI_DEVICE(VENDOR_REDHAT, DEVICE_IVSHMEM) },
	{},
};
MODULE_DEVICE_TABLE(pci, tier_pmu_ids);

static struct pci_driver tier_pmu_driver = {
	.name = "tier-pmu",
	.id_table = tier_pmu_ids,
	.probe = tier_pmu_probe,
	.remove = tier_pmu_remove,
};
module_pci_driver(tier_pmu_driver);

MODULE_DESCRIPTION("Memory-access sampling of the tiered test machine");
MODULE_LICENSE("GPL");
