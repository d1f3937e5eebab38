/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arm's SPE is missing on purpose: its records come by another way (the AUX area), which
 * the rings here do not have.
 */
#include <string.h>

#include "base/util.h"
#include "sampler/perf-known.h"

const struct tierd_perf_known tierd_perf_known[] = {
	/* The virtual PMU of the test machine. */
	{ "tier_mem//", "tier_mem", "", "type" },
	/* Loads that took 30 cycles or more, which leaves out the near caches. */
	{ "cpu/mem-loads,ldlat=30/ppp", "cpu", "/events", "mem-loads" },
	{ "cpu_core/mem-loads,ldlat=30/ppp", "cpu_core", "/events", "mem-loads" },
	/* Zen 4 and later can leave out what their caches serve. */
	{ "ibs_op/l3missonly=1/", "ibs_op", "/format", "l3missonly" },
	{ "ibs_op//", "ibs_op", "", "type" },
	{},
};

/* tierd.conf(5) says what they sample. Codes as in Intel's perfmon event lists and AMD's
 * Processor Programming References. */
static const struct {
	const char *name;
	const char *text;
} names[] = {
	{ "intel-loads", "cpu/mem-loads,ldlat=30/P" },
	{ "intel-stores", "cpu/mem-stores/P" },
	{ "intel-l3-miss-local", "cpu/event=0xd3,umask=0x01/ppp" },
	{ "intel-l3-miss-remote", "cpu/event=0xd3,umask=0x02/ppp" },
	{ "intel-l3-miss-pmem", "cpu/event=0xd1,umask=0x80/ppp" },
	{ "amd-ops", "ibs_op//" },
	{ "amd-l3-miss", "ibs_op/l3missonly=1/" },
};

const char *tierd_perf_named(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].name, text) == 0)
			return names[i].text;
	return text;
}

/*
 * The cost of a sample, where the processor writes records by itself, is that of its
 * writing and of the kernel's copying (PEBS: 200 to 300 ns by published measurements);
 * all others come with an interrupt each, for which two microseconds are on the safe
 * side.
 */
#define PEBS_COST_NS      300
#define INTERRUPT_COST_NS 2000

static const struct tierd_perf_trait traits[] = {
	{ "tier_mem", 199, { .min = 20, .max = UINT64_C(1) << 32, .step = 1 },
		INTERRUPT_COST_NS },
	{ "software", 1, { .min = 1, .max = UINT64_C(1) << 32, .step = 1 },
		INTERRUPT_COST_NS },
	{ "cpu", 10007, { .min = 1000, .max = UINT64_C(1) << 40, .step = 1 },
		PEBS_COST_NS },
	{ "cpu_core", 10007, { .min = 1000, .max = UINT64_C(1) << 40, .step = 1 },
		PEBS_COST_NS },
	/* IBS counts micro-operations, 27 bits of them, in units of 16. */
	{ "ibs_op", 1 << 18, { .min = 4096, .max = (1 << 27) - 16, .step = 16 },
		INTERRUPT_COST_NS },
};

static const struct tierd_perf_trait fallback = {
	.period = 10007,
	.bounds = { .min = 1000, .max = UINT64_C(1) << 40, .step = 1 },
	.sample_cost_ns = INTERRUPT_COST_NS,
};

const struct tierd_perf_trait *tierd_perf_trait(const char *pmu)
{
	for (size_t i = 0; i < ARRAY_SIZE(traits); i++)
		if (strcmp(traits[i].pmu, pmu) == 0)
			return &traits[i];
	return &fallback;
}
