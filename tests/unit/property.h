/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Properties that have to hold of every case, tried on many random ones. A case that
 * breaks one is made simpler for as long as it stays broken, and what is left is printed
 * with the seed it came from. Cases are tried in child processes, so that one that
 * crashes or hangs is made simpler like any other.
 *
 * This file knows nothing of what is tested.
 */
#ifndef TEST_PROPERTY_H
#define TEST_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PROPERTY_WHY_MAX 256

enum property_simplified {
	PROPERTY_SIMPLER,
	PROPERTY_SAME, /* it is as simple as that already */
	PROPERTY_END,  /* there are no more ways */
};

struct property {
	size_t size; /* of a case: plain bytes */
	void (*generate)(void *ret_case, uint64_t seed);

	/* Otherwise says why not. */
	bool (*holds)(const void *tried, char ret_why[static PROPERTY_WHY_MAX]);

	/* Makes the case simpler in the way of number @way. */
	enum property_simplified (*simplify)(void *tried, unsigned way);
	void (*print)(const void *tried, FILE *f);
};

struct property_options {
	uint64_t seed; /* of the first case; the others follow */
	uint64_t worlds;
};

/* Takes "--worlds N" and "--seed S". False if there is anything else. */
bool property_parse(struct property_options *options, int argc, char **argv);

/* Whether all cases hold; the first that does not is shrunk and printed. */
bool property_check(
	const struct property *property, const struct property_options *options);

#endif
