/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "clock.h"
#include "sampler/hint-cost.h"

#define RUNS  5
#define PAGES 128

static int time_faults(uint64_t *ret_ns)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t began_ns;
	char *p;

	p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	if (p == MAP_FAILED)
		return -errno;
	/* Without huge pages there is nothing to refuse. */
	(void)madvise(p, PAGES * page, MADV_NOHUGEPAGE);
	began_ns = tierd_now_ns();
	for (size_t i = 0; i < PAGES; i++)
		*(volatile char *)(p + i * page) = 1;
	*ret_ns = (tierd_now_ns() - began_ns) / PAGES;
	munmap(p, PAGES * page);
	return 0;
}

/* The quickest run is the one that was disturbed least. */
int tierd_hint_measure_fault(uint64_t *ret_ns)
{
	uint64_t least_ns = UINT64_MAX;

	for (unsigned i = 0; i < RUNS; i++) {
		uint64_t ns = 0;
		int r = time_faults(&ns);

		if (r < 0)
			return r;
		least_ns = TIER_MIN(least_ns, ns);
	}
	*ret_ns = TIER_MAX(least_ns, UINT64_C(1));
	return 0;
}
