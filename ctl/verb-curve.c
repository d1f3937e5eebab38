/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl curve: what share of a group's accesses DRAM of this or that size would serve.
 */
#include "resolve.h"
#include "tierctl.h"
#include "verbs.h"

/* For people, every so many points will do. */
#define STEP      4
#define BAR_CELLS 40

static void print_point(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_point *point, uint64_t below_bytes)
{
	bool is_now =
		group->dram_bytes > below_bytes && group->dram_bytes <= point->dram_bytes;
	char size[TIERCTL_TEXT_MAX], share[TIERCTL_TEXT_MAX], bar[TIERCTL_BAR_SIZE];

	printf("%6s  %6s  %s%s%s%s\n", tierctl_format_size(point->dram_bytes, size),
		tierctl_format_share(point->hit_ratio, share),
		tierctl_colour(&ctl->style, TIERCTL_DRAM),
		tierctl_bar(&ctl->style, point->hit_ratio, BAR_CELLS, bar),
		tierctl_colour(&ctl->style, TIERCTL_PLAIN), is_now ? " now" : "");
}

static int print_text(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_curve *curve)
{
	_cleanup_(freep) char *cgroup = NULL;
	uint64_t below_bytes = 0;
	int r;

	r = tierctl_printable(&ctl->style, group->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	if (ctl->legend)
		printf("%s%s%s: accesses that DRAM would serve, by %.0f samples\n\n"
		       "%s%6s  %6s%s\n",
			tierctl_colour(&ctl->style, TIERCTL_BOLD), cgroup,
			tierctl_colour(&ctl->style, TIERCTL_PLAIN), curve->samples,
			tierctl_colour(&ctl->style, TIERCTL_BOLD), "DRAM", "HIT",
			tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	for (size_t i = 0; i < curve->n_points; i += STEP) {
		print_point(ctl, group, &curve->points[i], below_bytes);
		below_bytes = curve->points[i].dram_bytes;
	}
	return TIERCTL_EXIT_OK;
}

static int print_json(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_curve *curve)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_double(json, "samples", curve->samples);
	tierctl_json_open_array(json, "points");
	for (size_t i = 0; i < curve->n_points; i++) {
		tierctl_json_open_object(json, NULL);
		tierctl_json_u64(json, "dram_bytes", curve->points[i].dram_bytes);
		tierctl_json_double(json, "hit_ratio", curve->points[i].hit_ratio);
		tierctl_json_close(json);
	}
	tierctl_json_close(json);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_curve(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_curve_done) struct tierctl_curve curve = {};
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	int r;

	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_get_curve(ctl->bus, &group, &curve, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, &group, &curve);
	return print_json(ctl, &group, &curve);
}
