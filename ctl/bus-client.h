/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tierd publishes, fetched over the bus into plain structs. Each function makes one
 * call, never starts a tierd that is not running, and neither prints nor decides
 * anything: on failure it returns a negative errno and fills in error as sd_bus_call()
 * does, error being initialised and freed by the caller.
 */
#ifndef TIERCTL_BUS_CLIENT_H
#define TIERCTL_BUS_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "base/util.h"

#define TIERCTL_ERROR_NO_SUCH_GROUP "org.tierd.Tierd1.Error.NoSuchGroup"

struct tierctl_tier {
	uint32_t tier; /* 0 is the fastest */
	uint32_t *nodes;
	size_t n_nodes;
	uint64_t total_bytes;
	uint64_t free_bytes;
};

struct tierctl_tiers {
	struct tierctl_tier *items;
	size_t n_items;
};

struct tierctl_source {
	char *name;
	char *state;  /* "active", "unavailable" or "untried" */
	char *reason; /* why it is not available */
};

struct tierctl_sources {
	struct tierctl_source *items; /* in order of preference */
	size_t n_items;
};

struct tierctl_manager {
	char *version;
	struct tierctl_tiers tiers;
	char *sampler_source;
	char *sampler_event;
	struct tierctl_sources sources;
	double sampler_coverage; /* share of accesses that it could see */
	uint64_t samples;
	uint64_t samples_of_stores; /* the others are of loads, or not told apart */
	uint64_t samples_lost;
	uint64_t sampler_throttled;
	uint64_t sample_period;
	uint32_t sampler_cpus;
	uint32_t sampler_cpus_heard; /* those of which there ever was a sample */
	uint64_t samples_wanted;     /* a second, that would be of use */
	uint64_t samples_target;     /* a second, that is aimed at */
	char *sampling_limit;        /* what makes the difference, or "none" */
	uint64_t sampling_overhead_usec;
	uint64_t loop_cpu_usec;
	bool is_paused;
	uint64_t cpu_usec;
	uint64_t uptime_usec;
};

struct tierctl_group {
	char *path; /* of the object */
	char *cgroup;
	char *policy;
	char *enforcement;
	char *placement;
	char *engine;
	uint64_t bandwidth_max;    /* bytes a second, UINT64_MAX: no limit */
	uint64_t dram_quota_bytes; /* UINT64_MAX: no quota */
	uint64_t dram_min_bytes;
	uint64_t dram_bytes;
	uint64_t slow_bytes;
	uint64_t uncovered_bytes;
	double hit_ratio; /* NAN: no samples */
	double cut_rate;
	double mean_rate;
	double coverage;
	double resolution;
	uint32_t processes;
	uint64_t promoted_bytes;
	uint64_t demoted_bytes;
};

struct tierctl_groups {
	struct tierctl_group *items; /* by cgroup path */
	size_t n_items;
};

struct tierctl_bin {
	uint64_t floor; /* samples seen, at least */
	uint64_t dram_pages;
	uint64_t slow_pages;
};

struct tierctl_histogram {
	struct tierctl_bin *bins;
	size_t n_bins;
};

struct tierctl_point {
	uint64_t dram_bytes;
	double hit_ratio; /* NAN: no samples */
};

struct tierctl_curve {
	struct tierctl_point *points; /* by rising dram_bytes */
	size_t n_points;
	double samples;
};

struct tierctl_portion {
	uint64_t resident_bytes;
	uint64_t dram_bytes;
};

struct tierctl_process {
	uint32_t pid;
	struct tierctl_portion *portions;
	size_t n_portions;
};

struct tierctl_processes {
	struct tierctl_process *items;
	size_t n_items;
};

struct tierctl_region {
	uint32_t *samples; /* the oldest slot first */
	size_t n_samples;
};

struct tierctl_touched {
	uint32_t pid;
	struct tierctl_region *regions; /* by address */
	size_t n_regions;
};

/* Where the samples of the last minute fell. */
struct tierctl_heatmap {
	uint64_t slot_usec;
	uint64_t region_bytes;
	double *exposure; /* by slot: samples of a page that is accessed once a second */
	size_t n_exposure;
	struct tierctl_touched *items;
	size_t n_items;
};

struct tierctl_counter {
	char *name;
	uint64_t value;
};

struct tierctl_counters {
	struct tierctl_counter *items; /* in tierd's order */
	size_t n_items;
};

int tierctl_get_manager(sd_bus *bus, struct tierctl_manager *ret, sd_bus_error *error);
int tierctl_get_groups(sd_bus *bus, struct tierctl_groups *ret, sd_bus_error *error);
int tierctl_get_histogram(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_histogram *ret, sd_bus_error *error);
int tierctl_get_curve(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_curve *ret, sd_bus_error *error);
int tierctl_get_processes(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_processes *ret, sd_bus_error *error);
int tierctl_get_heatmap(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_heatmap *ret, sd_bus_error *error);
int tierctl_get_counters(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_counters *ret, sd_bus_error *error);

/* A property for a new group. */
struct tierctl_setting {
	const char *name;
	const char *text; /* NULL: it is a number */
	uint64_t number;
};

int tierctl_add_group(sd_bus *bus, const char *cgroup,
	const struct tierctl_setting *settings, size_t n_settings, sd_bus_error *error);
int tierctl_remove_group(
	sd_bus *bus, const struct tierctl_group *group, sd_bus_error *error);
int tierctl_set_enforcement(sd_bus *bus, const struct tierctl_group *group,
	const char *enforcement, sd_bus_error *error);
int tierctl_pause(sd_bus *bus, sd_bus_error *error);
int tierctl_resume(sd_bus *bus, sd_bus_error *error);
int tierctl_set_quota(sd_bus *bus, const struct tierctl_group *group, uint64_t bytes,
	sd_bus_error *error);
int tierctl_reload(sd_bus *bus, sd_bus_error *error);

/* Free what the functions above have filled in; for _cleanup_(). */
void tierctl_manager_done(struct tierctl_manager *manager);
void tierctl_group_done(struct tierctl_group *group);
void tierctl_groups_done(struct tierctl_groups *groups);
void tierctl_histogram_done(struct tierctl_histogram *histogram);
void tierctl_curve_done(struct tierctl_curve *curve);
void tierctl_processes_done(struct tierctl_processes *processes);
void tierctl_heatmap_done(struct tierctl_heatmap *map);
void tierctl_counters_done(struct tierctl_counters *counters);

/* Has a group recorded for so long; the trace is read from *ret_fd, which the caller
 * closes. */
int tierctl_record(sd_bus *bus, const struct tierctl_group *group, uint64_t duration_usec,
	int *ret_fd, sd_bus_error *error);

#endif
