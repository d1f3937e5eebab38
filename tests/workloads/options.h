/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GUPS_OPTIONS_H
#define GUPS_OPTIONS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "distribution.h"
#include "nodes.h"
#include "stream.h"
#include "table.h"

enum gups_place {
	GUPS_PLACE_FIRST_TOUCH,
	GUPS_PLACE_BEST,
	GUPS_PLACE_MAX,
	GUPS_PLACE_INVALID = -EINVAL,
};

/* Sizes in bytes, times in seconds; what was not given is 0, false, NULL or -1. */
struct gups_options {
	enum gups_kind kind;
	uint64_t working_set_bytes;
	uint64_t hot_bytes;
	double hot_share;
	double hot_probability;
	double zipf_exponent;
	bool reverse;
	bool has_offset;
	uint64_t offset_bytes;
	bool scatter;
	enum gups_huge huge;

	int prefer_node;
	enum gups_place place;
	uint64_t dram_budget_bytes;
	bool has_dram_nodes;
	struct gups_nodes dram_nodes;

	uint64_t threads;
	uint64_t updates;
	double seconds;
	double phase_at;
	uint64_t seed;
	bool start_paused;
	const char *wait_file;

	double interval;
	const char *timeline_path;
	const char *json_path;
	bool help;
};

/*
 * Fills ret from the command line. A mistake is reported to err, naming the option, its
 * value and what would be right, and -EINVAL returned. Strings stay argv's.
 */
int gups_options_parse(int argc, char **argv, FILE *err, struct gups_options *ret);

void gups_options_help(FILE *f);

/* The distribution asked for by valid options. */
struct gups_distribution_config gups_options_distribution(const struct gups_options *o);

const char *gups_huge_to_string(enum gups_huge huge);
const char *gups_place_to_string(enum gups_place place);

#endif
