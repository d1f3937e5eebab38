/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tierd may change outside itself, and one such thing while it is changed: whose it
 * is, what was there before and what tierd put there. It is what the journal is made of
 * and what tierd-restore undoes; who writes, and why, is known elsewhere.
 */
#ifndef TIERD_ENFORCE_HELD_H
#define TIERD_ENFORCE_HELD_H

#include <stdbool.h>
#include <stdint.h>

/* A value as the kernel's file shows it, without the newline; lists of 64 nodes fit. */
#define TIERD_VALUE_SIZE 208

/* A path below the root of cgroups or of the file system; longer ones are not touched. */
#define TIERD_HELD_PATH_SIZE 1024
#define TIERD_UNIT_NAME_SIZE 256

enum tierd_attribute {
	TIERD_ATTRIBUTE_MEMORY_HIGH,
	TIERD_ATTRIBUTE_MEMORY_SWAP_MAX,
	TIERD_ATTRIBUTE_CPUSET_MEMS,
	TIERD_ATTRIBUTE_SYSCTL, /* a file below / that is no cgroup's */
	TIERD_ATTRIBUTE_MAX,
	TIERD_ATTRIBUTE_INVALID = -22,
};

struct tierd_held {
	enum tierd_attribute attribute;
	char path[TIERD_HELD_PATH_SIZE]; /* of the cgroup, or of the file for a sysctl */
	char unit[TIERD_UNIT_NAME_SIZE]; /* whose own cgroup it is; "": nobody's */
	uint64_t id;                     /* the cgroup's; 0 for a sysctl */
	bool keeps_drop_in; /* the unit had a runtime drop-in for this before us */
	char before[TIERD_VALUE_SIZE];
	char held[TIERD_VALUE_SIZE];   /* ours, as last known to be in place */
	char wanted[TIERD_VALUE_SIZE]; /* ours, about to be written */
};

/* The file in a cgroup's directory, "memory.high"; NULL for a sysctl. */
const char *tierd_attribute_file(enum tierd_attribute attribute);

/* The property of a systemd unit, "MemoryHigh"; NULL for a sysctl. */
const char *tierd_attribute_property(enum tierd_attribute attribute);

/* "high", "swap-max", "mems", "sysctl": for the journal and for people. */
const char *tierd_attribute_to_string(enum tierd_attribute attribute);
int tierd_attribute_from_string(const char *text, enum tierd_attribute *ret);

/* Whether both are about the same thing, whatever the values. */
bool tierd_held_is_same(const struct tierd_held *a, const struct tierd_held *b);

/* Whether a value that was found is one that we put there. */
bool tierd_held_is_ours(const struct tierd_held *held, const char *value);

#endif
