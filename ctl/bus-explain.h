/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tierd says of why memory is where it is; as bus-client.h otherwise. */
#ifndef TIERCTL_BUS_EXPLAIN_H
#define TIERCTL_BUS_EXPLAIN_H

#include "bus-client.h"

#define TIERCTL_ERROR_NO_SUCH_PROCESS "org.tierd.Tierd1.Error.NoSuchProcess"

struct tierctl_reason {
	char *word;
	char *sentence;
	uint64_t dram_bytes; /* of the pages it holds for */
	uint64_t slow_bytes;
};

struct tierctl_reasons {
	struct tierctl_reason *items;
	size_t n_items;
};

struct tierctl_why {
	struct tierctl_reasons holds; /* for all of the group */
	struct tierctl_reasons pages;
};

/* What tierd does not know is NULL, NAN or 0, and the tier UINT32_MAX. */
struct tierctl_page {
	char *cgroup;
	char *reason;
	char *sentence;
	char *class; /* NULL: it is not covered */
	uint32_t tier;
	bool is_huge;
	uint32_t samples;
	uint32_t block_samples;
	double exposure;
	double rate;
	double rate_low;
	double rate_high;
	double cut_rate;
	uint64_t moved_usec_ago;
	char *moved_direction; /* NULL: it did not, as far as is remembered */
	uint32_t moved_to;
	char *moved_reason;
	char *moved_result;
};

int tierctl_get_why(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_why *ret, sd_bus_error *error);
int tierctl_get_page(sd_bus *bus, uint32_t pid, uint64_t address,
	struct tierctl_page *ret, sd_bus_error *error);

void tierctl_why_done(struct tierctl_why *why);
void tierctl_page_done(struct tierctl_page *page);

#endif
