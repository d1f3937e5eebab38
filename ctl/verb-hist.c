/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl hist: a group's pages by how often they were seen, DRAM and slow side by side.
 * Both halves share one linear scale, so that lengths can be compared; 4 KiB is a page's
 * size everywhere in tierd's numbers.
 */
#include <inttypes.h>

#include "bus-client.h"
#include "resolve.h"
#include "tierctl.h"
#include "verbs.h"

#define PAGE_BYTES UINT64_C(4096)

/* What a line holds beside its two bars. */
#define FIXED_COLUMNS 30
#define CELLS_MIN     10
#define CELLS_MAX     40

static struct tierctl_bin totals(const struct tierctl_histogram *histogram)
{
	struct tierctl_bin total = {};

	for (size_t i = 0; i < histogram->n_bins; i++) {
		total.dram_pages += histogram->bins[i].dram_pages;
		total.slow_pages += histogram->bins[i].slow_pages;
	}
	return total;
}

static uint64_t largest(const struct tierctl_histogram *histogram)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < histogram->n_bins; i++) {
		pages = TIER_MAX(pages, histogram->bins[i].dram_pages);
		pages = TIER_MAX(pages, histogram->bins[i].slow_pages);
	}
	return pages;
}

/* Bins after the last one with pages are left out. */
static size_t used_bins(const struct tierctl_histogram *histogram)
{
	size_t n = histogram->n_bins;

	while (n > 1 && histogram->bins[n - 1].dram_pages == 0 &&
		histogram->bins[n - 1].slow_pages == 0)
		n--;
	return n;
}

/* "0", "3", "4-7", and "1024+" for the last bin, which has no end. */
static void format_range(const struct tierctl_histogram *histogram, size_t i,
	char buf[static TIERCTL_TEXT_MAX])
{
	uint64_t first = histogram->bins[i].floor, next;

	if (i + 1 == histogram->n_bins) {
		snprintf(buf, TIERCTL_TEXT_MAX, "%" PRIu64 "+", first);
		return;
	}
	next = histogram->bins[i + 1].floor;
	if (next <= first + 1)
		snprintf(buf, TIERCTL_TEXT_MAX, "%" PRIu64, first);
	else
		snprintf(buf, TIERCTL_TEXT_MAX, "%" PRIu64 "-%" PRIu64, first, next - 1);
}

static void print_half(struct tierctl *ctl, uint64_t pages, uint64_t scale,
	unsigned cells, enum tierctl_colour colour)
{
	char size[TIERCTL_TEXT_MAX], bar[TIERCTL_BAR_SIZE];

	printf("  %6s %s%s%s", tierctl_format_size(pages * PAGE_BYTES, size),
		tierctl_colour(&ctl->style, colour),
		tierctl_bar(&ctl->style, tierctl_share(pages, scale), cells, bar),
		tierctl_colour(&ctl->style, TIERCTL_PLAIN));
}

static void print_totals(const struct tierctl_histogram *histogram, unsigned cells)
{
	struct tierctl_bin total = totals(histogram);
	char dram[TIERCTL_TEXT_MAX], slow[TIERCTL_TEXT_MAX];

	printf("%11s  %6s %-*s  %6s\n", "total",
		tierctl_format_size(total.dram_pages * PAGE_BYTES, dram), (int)cells, "",
		tierctl_format_size(total.slow_pages * PAGE_BYTES, slow));
}

static void print_bins(struct tierctl *ctl, const struct tierctl_histogram *histogram)
{
	unsigned spare = ctl->style.columns - TIER_MIN(ctl->style.columns, FIXED_COLUMNS);
	unsigned cells = TIER_MAX(TIER_MIN(spare / 2, CELLS_MAX), CELLS_MIN);
	uint64_t scale = largest(histogram);

	if (ctl->legend)
		printf("%s%11s  %6s %-*s  %6s%s\n",
			tierctl_colour(&ctl->style, TIERCTL_BOLD), "SAMPLES", "DRAM",
			(int)cells, "", "SLOW",
			tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	for (size_t i = 0; i < used_bins(histogram); i++) {
		const struct tierctl_bin *bin = &histogram->bins[i];
		char range[TIERCTL_TEXT_MAX];

		format_range(histogram, i, range);
		printf("%11s", range);
		print_half(ctl, bin->dram_pages, scale, cells, TIERCTL_DRAM);
		print_half(ctl, bin->slow_pages, scale, cells, TIERCTL_SLOW);
		printf("\n");
	}
	if (ctl->legend)
		print_totals(histogram, cells);
}

static int print_text(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_histogram *histogram)
{
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = tierctl_printable(&ctl->style, group->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	if (ctl->legend)
		printf("%s%s%s: memory by samples seen per page\n\n",
			tierctl_colour(&ctl->style, TIERCTL_BOLD), cgroup,
			tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	print_bins(ctl, histogram);
	return TIERCTL_EXIT_OK;
}

static int print_json(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_histogram *histogram)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	struct tierctl_bin total = totals(histogram);
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_u64(json, "dram_pages", total.dram_pages);
	tierctl_json_u64(json, "slow_pages", total.slow_pages);
	tierctl_json_open_array(json, "bins");
	for (size_t i = 0; i < histogram->n_bins; i++) {
		tierctl_json_open_object(json, NULL);
		tierctl_json_u64(json, "floor", histogram->bins[i].floor);
		tierctl_json_u64(json, "dram_pages", histogram->bins[i].dram_pages);
		tierctl_json_u64(json, "slow_pages", histogram->bins[i].slow_pages);
		tierctl_json_close(json);
	}
	tierctl_json_close(json);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_hist(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_histogram_done) struct tierctl_histogram histogram = {};
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	int r;

	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_get_histogram(ctl->bus, &group, &histogram, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, &group, &histogram);
	return print_json(ctl, &group, &histogram);
}
