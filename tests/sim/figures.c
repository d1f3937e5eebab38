/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

static const struct {
	const char *name;
	enum sim_unit unit;
	bool should_be_high;
} figures[SIM_FIGURE_MAX] = {
	[SIM_REACHED_S] = { "reached_s", SIM_UNIT_SECONDS, false },
	[SIM_MEAN_SHARE] = { "mean_share", SIM_UNIT_SHARE, true },
	[SIM_FINAL_SHARE] = { "final_share", SIM_UNIT_SHARE, true },
	[SIM_MOVED_GIB] = { "moved_gib", SIM_UNIT_GIB, false },
	[SIM_BACK_GIB] = { "back_gib", SIM_UNIT_GIB, false },
	[SIM_SPEED] = { "speed", SIM_UNIT_SHARE, true },
	[SIM_SCAN_COST] = { "scan_cost", SIM_UNIT_SHARE, false },
	[SIM_OVER_MIB] = { "over_quota_mib", SIM_UNIT_MIB, false },
	[SIM_DRAM_PORTION] = { "dram_portion", SIM_UNIT_SHARE, true },
	[SIM_PORTION_CHANGE] = { "dram_portion_change", SIM_UNIT_SHARE, false },
	[SIM_NOMEM_SHARE] = { "promotions_failed_nomem", SIM_UNIT_SHARE, true },
	[SIM_WARM_SHARE] = { "demotions_filtered_warm", SIM_UNIT_SHARE, true },
	[SIM_PROMOTED_GIB] = { "promoted_gib", SIM_UNIT_GIB, false },
	[SIM_DEMOTED_GIB] = { "demoted_gib", SIM_UNIT_GIB, false },
	[SIM_COOLINGS] = { "coolings", SIM_UNIT_COUNT, false },
	[SIM_PHASE_CHANGES] = { "phase_changes", SIM_UNIT_COUNT, false },
};

const char *sim_figure_to_string(int figure)
{
	if (figure < 0 || figure >= SIM_FIGURE_MAX)
		return NULL;
	return figures[figure].name;
}

enum sim_unit sim_figure_unit(enum sim_figure figure)
{
	return figures[figure].unit;
}

bool sim_figure_should_be_high(enum sim_figure figure)
{
	return figures[figure].should_be_high;
}

const char *sim_format(
	enum sim_figure figure, double value, char buf[static SIM_TEXT_MAX])
{
	static const char *const formats[] = {
		[SIM_UNIT_SECONDS] = "%.1f s",
		[SIM_UNIT_SHARE] = "%.3f",
		[SIM_UNIT_GIB] = "%.2f",
		[SIM_UNIT_MIB] = "%.2f MiB",
		[SIM_UNIT_COUNT] = "%.0f",
	};

	if (isnan(value))
		return strcpy(buf, "-");
	if (isinf(value))
		return strcpy(buf, "never");
	if (figures[figure].unit == SIM_UNIT_GIB && value > 0 && value < 0.095)
		snprintf(buf, SIM_TEXT_MAX, "%.4f", value);
	else
		snprintf(buf, SIM_TEXT_MAX, formats[figures[figure].unit], value);
	return buf;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct sim_summary sim_summarize(
	enum sim_figure figure, const double *values, size_t n, size_t stride)
{
	struct sim_summary summary = { NAN, NAN };
	_cleanup_(freep) double *sorted = calloc(n, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		if (isnan(values[i * stride]) || !sorted)
			return summary;
		else
			sorted[i] = values[i * stride];
	qsort(sorted, n, sizeof(*sorted), compare);
	summary.median =
		n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
	summary.worst = figures[figure].should_be_high ? sorted[0] : sorted[n - 1];
	return summary;
}
