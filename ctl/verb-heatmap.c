/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl heatmap: where a group's accesses fell in the last minute, a line for each
 * region that saw any, in the order of addresses, the newest second at the right. Shades
 * are by orders of magnitude below the hottest cell, as accesses a second: counts alone
 * would show how often tierd samples. Seconds in which nothing was sampled are blank.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "base/size.h"
#include "bus-client.h"
#include "resolve.h"
#include "tierctl.h"
#include "verbs.h"

/* From nothing to the hottest; half an order of magnitude each. */
#define SHADES         5
#define SHADES_PER_TEN 2
#define COLUMNS_BESIDE 4

static const char *shade_text(const struct tierctl_style *style, unsigned shade)
{
	static const char *const ascii[SHADES] = { " ", ".", "+", "x", "#" };
	static const char *const utf8[SHADES] = { " ", "░", "▒", "▓", "█" };

	return style->utf8 ? utf8[shade] : ascii[shade];
}

/* Cold to hot. */
static enum tierctl_colour shade_colour(unsigned shade)
{
	static const enum tierctl_colour colours[SHADES] = { TIERCTL_PLAIN, TIERCTL_SLOW,
		TIERCTL_DRAM, TIERCTL_WARNING, TIERCTL_BAD };

	return colours[shade];
}

/* Accesses a second; 0 when nothing could have been sampled. */
static double rate(const struct tierctl_heatmap *map, const struct tierctl_region *region,
	size_t slot)
{
	if (slot >= map->n_exposure || !(map->exposure[slot] > 0))
		return 0;
	return region->samples[slot] / map->exposure[slot];
}

static double hottest(const struct tierctl_heatmap *map)
{
	double most = 0;

	for (size_t i = 0; i < map->n_items; i++)
		for (size_t j = 0; j < map->items[i].n_regions; j++)
			for (size_t k = 0; k < map->items[i].regions[j].n_samples; k++)
				most = fmax(
					most, rate(map, &map->items[i].regions[j], k));
	return most;
}

static unsigned shade_of(double rate, double most)
{
	double below;

	if (!(rate > 0))
		return 0;
	below = floor(SHADES_PER_TEN * log10(most / rate));
	return below >= SHADES - 1 ? 1 : SHADES - 1 - (unsigned)below;
}

static void print_region(struct tierctl *ctl, const struct tierctl_heatmap *map,
	const struct tierctl_region *region, double most)
{
	size_t room = ctl->style.columns > COLUMNS_BESIDE
			      ? ctl->style.columns - COLUMNS_BESIDE
			      : 1;
	size_t first = region->n_samples - TIER_MIN(region->n_samples, room);
	enum tierctl_colour before = TIERCTL_PLAIN;

	printf(" |");
	for (size_t i = first; i < region->n_samples; i++) {
		unsigned shade = shade_of(rate(map, region, i), most);
		enum tierctl_colour colour = shade_colour(shade);

		if (colour != before)
			printf("%s", tierctl_colour(&ctl->style, colour));
		before = colour;
		printf("%s", shade_text(&ctl->style, shade));
	}
	printf("%s|\n", before == TIERCTL_PLAIN
				? ""
				: tierctl_colour(&ctl->style, TIERCTL_PLAIN));
}

static void print_legend(struct tierctl *ctl, const struct tierctl_heatmap *map,
	const struct tierctl_touched *process, double most)
{
	char size[TIERCTL_TEXT_MAX], slot[TIERCTL_TEXT_MAX], top[TIERCTL_TEXT_MAX];

	printf("pid %" PRIu32 ": %s a line, %s a column, %s is %s accesses\n",
		process->pid, tierctl_format_size(map->region_bytes, size),
		tierctl_format_duration(map->slot_usec, slot),
		shade_text(&ctl->style, SHADES - 1), tierctl_format_rate(most, top));
}

static int print_text(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_heatmap *map)
{
	double most = hottest(map);
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = tierctl_printable(&ctl->style, group->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	printf("%s%s%s\n", tierctl_colour(&ctl->style, TIERCTL_BOLD), cgroup,
		tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	for (size_t i = 0; i < map->n_items; i++) {
		if (ctl->legend)
			print_legend(ctl, map, &map->items[i], most);
		for (size_t j = 0; j < map->items[i].n_regions; j++)
			print_region(ctl, map, &map->items[i].regions[j], most);
	}
	if (map->n_items == 0 && ctl->legend)
		printf("no samples in the last minute\n");
	return TIERCTL_EXIT_OK;
}

static void process_to_json(
	struct tierctl_json *json, const struct tierctl_touched *process)
{
	tierctl_json_open_object(json, NULL);
	tierctl_json_u64(json, "pid", process->pid);
	tierctl_json_open_array(json, "regions");
	for (size_t i = 0; i < process->n_regions; i++) {
		const struct tierctl_region *region = &process->regions[i];

		tierctl_json_open_array(json, NULL);
		for (size_t j = 0; j < region->n_samples; j++)
			tierctl_json_u64(json, NULL, region->samples[j]);
		tierctl_json_close(json);
	}
	tierctl_json_close(json);
	tierctl_json_close(json);
}

static int print_json(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_heatmap *map)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_u64(json, "slot_usec", map->slot_usec);
	tierctl_json_u64(json, "region_bytes", map->region_bytes);
	tierctl_json_open_array(json, "exposure");
	for (size_t i = 0; i < map->n_exposure; i++)
		tierctl_json_double(json, NULL, map->exposure[i]);
	tierctl_json_close(json);
	tierctl_json_open_array(json, "processes");
	for (size_t i = 0; i < map->n_items; i++)
		process_to_json(json, &map->items[i]);
	tierctl_json_close(json);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

static int print(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_heatmap *map)
{
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, group, map);
	return print_json(ctl, group, map);
}

/* A map of this process alone; it borrows what the whole one has. */
static bool pick_process(
	const struct tierctl_heatmap *map, uint64_t pid, struct tierctl_heatmap *ret)
{
	for (size_t i = 0; i < map->n_items; i++) {
		if (map->items[i].pid != pid)
			continue;
		*ret = *map;
		ret->items = &map->items[i];
		ret->n_items = 1;
		return true;
	}
	return false;
}

static int show_process(struct tierctl *ctl, uint64_t pid)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_groups_done) struct tierctl_groups groups = {};
	int r;

	r = tierctl_get_groups(ctl->bus, &groups, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	for (size_t i = 0; i < groups.n_items; i++) {
		_cleanup_(tierctl_heatmap_done) struct tierctl_heatmap map = {};
		struct tierctl_heatmap one;

		r = tierctl_get_heatmap(ctl->bus, &groups.items[i], &map, &error);
		if (r < 0)
			return tierctl_call_failed(r, &error);
		if (pick_process(&map, pid, &one))
			return print(ctl, &groups.items[i], &one);
	}
	tierctl_error("process %" PRIu64
		      " is in no managed group, or was not sampled "
		      "in the last minute",
		pid);
	return TIERCTL_EXIT_NO_SUCH_GROUP;
}

int tierctl_verb_heatmap(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_heatmap_done) struct tierctl_heatmap map = {};
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	uint64_t pid;
	int r;

	if (tier_parse_u64(argv[0], &pid) >= 0)
		return show_process(ctl, pid);
	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_get_heatmap(ctl->bus, &group, &map, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	return print(ctl, &group, &map);
}
