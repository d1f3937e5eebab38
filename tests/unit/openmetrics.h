/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A strict reader of OpenMetrics 1.0 text, as far as gauges and counters go: families
 * each in one piece with type, unit and help before their samples, no name or series
 * twice, counters that end in _total, units that end names, nothing to escape unescaped,
 * UTF-8,
 * "# EOF" and then nothing. Says what is wrong by line.
 */
#ifndef TEST_OPENMETRICS_H
#define TEST_OPENMETRICS_H

#include <stdbool.h>
#include <stddef.h>

#define OPENMETRICS_SERIES_MAX   32768
#define OPENMETRICS_FAMILIES_MAX 256
#define OPENMETRICS_NAME_MAX     128
#define OPENMETRICS_SERIES_SIZE  512

struct openmetrics_series {
	char text[OPENMETRICS_SERIES_SIZE]; /* name and labels, as they stand there */
	double value;
};

struct openmetrics {
	char families[OPENMETRICS_FAMILIES_MAX][OPENMETRICS_NAME_MAX];
	size_t n_families;
	struct openmetrics_series *series;
	size_t n_series;
	char error[OPENMETRICS_SERIES_SIZE + 32];
};

/* False, with an error, for what is not OpenMetrics. Done in both cases. */
bool openmetrics_parse(struct openmetrics *metrics, const char *text, size_t size);
void openmetrics_done(struct openmetrics *metrics);

/* A series by its name and labels, or NULL. */
const struct openmetrics_series *openmetrics_find(
	const struct openmetrics *metrics, const char *text);

/* Whether there is a series of this name, with whatever labels. */
bool openmetrics_has_name(const struct openmetrics *metrics, const char *name);

#endif
