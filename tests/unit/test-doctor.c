/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each condition, staged in the numbers the doctor judges by: one thing out of order in a
 * machine and a group that are in order, and the same a little below the threshold.
 */
#include <linux/capability.h>
#include <string.h>

#include "unit.h"

#include "doctor.h"

#define MIB  (UINT64_C(1) << 20)
#define DRAM (512 * MIB)
#define SEC  UINT64_C(1000000)

struct patient {
	struct tierd_machine_health machine;
	struct tierd_group_view view;
	struct tierd_group_health health;
	uint64_t quotas_bytes;
};

static struct patient healthy(void)
{
	return (struct patient){
		.machine = {
			.dram_bytes = DRAM,
			.samples = 10000,
			.moves_pages = true,
			.capabilities = UINT64_MAX,
		},
		.view = {
			.cgroup = "/a.service",
			.dram_quota_bytes = 100 * MIB,
			.dram_bytes = 100 * MIB,
			.slow_bytes = 300 * MIB,
			.heat = {
				.samples = { 8000, 2000 },
				.coverage = 0.9,
				.resident_pages = 400 * MIB / TIER_PAGE_SIZE,
			},
		},
		.health = { .cpu_usec = 1000 * SEC, .is_swept = true },
		.quotas_bytes = 100 * MIB,
	};
}

static void examine(const struct patient *p, struct tierd_findings *ret)
{
	*ret = (struct tierd_findings){ 0 };
	tierd_doctor_see_machine(ret, &p->machine);
	tierd_doctor_see_quotas(ret, &p->machine, p->quotas_bytes);
	tierd_doctor_see_group(ret, &p->machine, &p->view, &p->health);
}

static void assert_found(const struct patient *p, const char *id, const char *subject)
{
	struct tierd_findings findings;

	examine(p, &findings);
	if (findings.n != 1)
		fail_msg("%s: %zu findings", id, findings.n);
	assert_string_equal(findings.items[0].id, id);
	assert_string_equal(findings.items[0].subject, subject);
	assert_true(strlen(findings.items[0].what) > 0);
	assert_true(strlen(findings.items[0].advice) > 0);
	tierd_findings_done(&findings);
}

static void assert_healthy(const struct patient *p)
{
	struct tierd_findings findings;

	examine(p, &findings);
	if (findings.n > 0)
		fail_msg("%s", findings.items[0].id);
	tierd_findings_done(&findings);
}

static void test_healthy(_unused_ void **state)
{
	struct patient p = healthy();

	assert_healthy(&p);
	p.machine.moves_pages = false;
	p.machine.kernel_tiering[0] = "/proc/sys/kernel/numa_balancing";
	assert_healthy(&p); /* by all means */
}

static void test_machine(_unused_ void **state)
{
	struct patient p = healthy();

	p.machine.is_paused = true;
	assert_found(&p, "paused", "machine");
	p = healthy();
	p.machine.kernel_tiering[1] = "/sys/kernel/mm/numa/demotion_enabled";
	assert_found(&p, "kernel-tiering", "machine");
	p = healthy();
	p.machine.samples_lost = 203;
	assert_healthy(&p);
	p.machine.samples_lost = 205;
	assert_found(&p, "samples-lost", "machine");
	p = healthy();
	p.machine.throttled = 5;
	assert_healthy(&p);
	p.machine.throttled = 6;
	assert_found(&p, "throttled", "machine");
	p = healthy();
	p.machine.limit = "none";
	assert_healthy(&p);
	p.machine.limit = "cpu";
	assert_found(&p, "sampling-capped", "machine");
	p.machine.limit = "overhead";
	assert_found(&p, "sampling-capped", "machine");
	p.machine.limit = "kernel";
	assert_found(&p, "kernel-rate", "machine");
	p = healthy();
	p.machine.n_cpus = 4;
	p.machine.n_cpus_heard = 2;
	assert_healthy(&p);
	p.machine.n_cpus_heard = 1;
	assert_found(&p, "one-cpu", "machine");
	p.machine.n_cpus = 1;
	assert_healthy(&p);
	p = healthy();
	p.quotas_bytes = DRAM;
	assert_healthy(&p);
	p.quotas_bytes++;
	assert_found(&p, "quotas-above-dram", "machine");
}

static void test_privileges(_unused_ void **state)
{
	static const struct {
		unsigned bit;
		bool is_needed;
	} rows[] = {
		{ CAP_SYS_ADMIN, true },
		{ CAP_SYS_NICE, true },
		{ CAP_SYS_PTRACE, true },
		{ CAP_PERFMON, false },         /* CAP_SYS_ADMIN has it */
		{ CAP_DAC_READ_SEARCH, false }, /* CAP_DAC_OVERRIDE has it */
		{ CAP_KILL, false },
	};
	struct tierd_findings findings;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct patient p = healthy();

		p.machine.capabilities &= ~(UINT64_C(1) << rows[i].bit);
		if (rows[i].is_needed)
			assert_found(&p, "no-privilege", "machine");
		else
			assert_healthy(&p);
	}
	findings = (struct tierd_findings){ 0 };
	tierd_doctor_see_machine(&findings, &(struct tierd_machine_health){ 0 });
	assert_int_equal(findings.n, 5);
	tierd_findings_done(&findings);
}

static void test_sampling(_unused_ void **state)
{
	struct patient p = healthy();

	memset(p.view.heat.samples, 0, sizeof(p.view.heat.samples));
	assert_found(&p, "samples-starved", "/a.service");
	p.health.cpu_usec = 10 * SEC - 1;
	assert_healthy(&p);
	p = healthy();
	p.view.heat.coverage = 0.49;
	assert_found(&p, "coverage-low", "/a.service");
	p.health.cpu_usec = 119 * SEC;
	assert_healthy(&p);
}

static void test_memory(_unused_ void **state)
{
	struct patient p = healthy();

	p.view.heat.resident_pages = 345 * MIB / TIER_PAGE_SIZE;
	assert_found(&p, "memory-hidden", "/a.service");
	p.health.is_swept = false;
	assert_healthy(&p);
	p = healthy();
	p.view.heat.resident_pages = 360 * MIB / TIER_PAGE_SIZE;
	assert_healthy(&p);
	p.view.heat.resident_pages = 500 * MIB / TIER_PAGE_SIZE; /* a file's, say */
	assert_healthy(&p);
	p = healthy();
	p.health.policy_bytes = 16 * MIB;
	assert_found(&p, "numa-policy", "/a.service");
}

static void test_quotas(_unused_ void **state)
{
	struct patient p = healthy();

	p.view.dram_quota_bytes = DRAM + 1;
	assert_found(&p, "quota-above-dram", "/a.service");
	p.view.dram_quota_bytes = UINT64_MAX;
	assert_healthy(&p);
	p = healthy();
	p.health.is_over_quota = true;
	assert_found(&p, "over-quota", "/a.service");
	p = healthy();
	p.health.is_hard_refused = true;
	assert_found(&p, "hard-unenforceable", "/a.service");
	p = healthy();
	p.health.is_gate_suspended = true;
	assert_found(&p, "gate-open", "/a.service");
	p = healthy();
	p.view.drifts = 3;
	assert_found(&p, "drift", "/a.service");
}

static void test_numa_maps(_unused_ void **state)
{
	static const struct {
		const char *line;
		uint64_t bytes;
	} rows[] = {
		{ "7f00 bind:1 anon=512 dirty=512 N1=512 kernelpagesize_kB=4\n",
			2 * MIB },
		{ "7f00 prefer:0 anon=3 N0=1 N1=2 kernelpagesize_kB=2048\n", 6 * MIB },
		{ "7f00 interleave:0-1 file=/x/N1=9 N0=256 kernelpagesize_kB=4\n", MIB },
		{ "7f00 default anon=512 N1=512 kernelpagesize_kB=4\n", 0 },
		{ "7f00 local anon=512 N1=512 kernelpagesize_kB=4\n", 0 },
		{ "7f00 bind:1\n", 0 },
		{ "7f00", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(
			tierd_numa_maps_policy_bytes(rows[i].line), rows[i].bytes);
}

static void test_bounds(_unused_ void **state)
{
	struct tierd_findings findings = { 0 };

	for (int i = 0; i < TIERD_CONDITION_MAX; i++)
		assert_non_null(tierd_condition_to_string(i));
	assert_null(tierd_condition_to_string(TIERD_CONDITION_MAX));
	for (unsigned i = 0; i < TIERD_FINDINGS_MAX + 2; i++)
		tierd_findings_add(&findings, TIERD_CONDITION_PAUSED, NULL, "%u", i);
	assert_int_equal(findings.n, TIERD_FINDINGS_MAX);
	assert_int_equal(findings.n_dropped, 2);
	tierd_findings_done(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_sampling),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_quotas),
		cmocka_unit_test(test_numa_maps),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
