/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's own settings, /etc/tierd/tierd.conf. What concerns one group of processes
 * is policy (policy.h). No file means the defaults.
 */
#ifndef TIERD_CONFIG_H
#define TIERD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/amount.h"
#include "settings/strict-ini.h"
#include "settings/root.h"

#define TIERD_CONFIG_PATH           "/etc/tierd/tierd.conf"
#define TIERD_CONFIG_FILE_MAX_BYTES (64 * 1024)

#define TIERD_SHARE_INFINITY UINT64_MAX

enum tierd_source {
	TIERD_SOURCE_AUTO,
	TIERD_SOURCE_PMU,
	TIERD_SOURCE_HINT,
	TIERD_SOURCE_DAMON,
	TIERD_SOURCE_REPLAY,
	TIERD_SOURCE_MAX,
	TIERD_SOURCE_INVALID = -22,
};

/* What becomes of the kernel's own tiering while tierd moves pages. */
enum tierd_kernel_tiering {
	TIERD_KERNEL_TIERING_OFF,
	TIERD_KERNEL_TIERING_KEEP,
	TIERD_KERNEL_TIERING_MAX,
	TIERD_KERNEL_TIERING_INVALID = -22,
};

struct tierd_config {
	enum tierd_source source;
	char event[TIERD_INI_VALUE_SIZE]; /* "pmu" or "pmu/term=value,…/", or several; "":
					     choose */
	char replay[TIERD_INI_VALUE_SIZE];   /* absolute path of a trace; "": none */
	uint64_t samples_per_second_max;     /* while learning */
	uint64_t samples_per_second_settled; /* never above the former */
	uint64_t cpu_max_ppm;             /* of one CPU: TIERD_SHARE_INFINITY: no cap */
	uint64_t overhead_max_ppm;        /* the same, taken from programs */
	char tiers[TIERD_INI_VALUE_SIZE]; /* as tierd_topology_read() takes it */
	uint64_t bandwidth_max_bytes;     /* per second; TIERD_BYTES_INFINITY: no limit */
	struct tierd_amount headroom;     /* DRAM kept free for new allocations */
	bool collapse; /* make huge pages of hot base pages where those are wanted */
	enum tierd_kernel_tiering kernel_tiering;
	uint64_t tick_ns;
	char metrics_file[TIERD_INI_VALUE_SIZE];   /* absolute; "": none */
	char metrics_socket[TIERD_INI_VALUE_SIZE]; /* the same */
	uint64_t metrics_interval_ns;
};

void tierd_config_defaults(struct tierd_config *ret);

/* path is NULL for TIERD_CONFIG_PATH; a file that is named but missing is an error. */
int tierd_config_load(const struct tierd_root *root, const char *path,
	struct tierd_config *ret, char **ret_error);

const char *tierd_source_to_string(enum tierd_source source);

#endif
