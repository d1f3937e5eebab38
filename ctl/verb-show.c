/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl show: all properties of one group. */
#include <inttypes.h>

#include "group-view.h"
#include "resolve.h"
#include "verbs.h"

#define BAR_CELLS 20

static void print_memory(struct tierctl *ctl, const struct tierctl_group *group,
	const char *name, uint64_t bytes, enum tierctl_colour colour)
{
	uint64_t all = group->dram_bytes + group->slow_bytes;
	char size[TIERCTL_TEXT_MAX], share[TIERCTL_TEXT_MAX], bar[TIERCTL_BAR_SIZE];

	printf("%11s %s[%s]%s  %6s  %s\n", name, tierctl_colour(&ctl->style, colour),
		tierctl_bar(&ctl->style, tierctl_share(bytes, all), BAR_CELLS, bar),
		tierctl_colour(&ctl->style, TIERCTL_PLAIN),
		tierctl_format_size(bytes, size),
		tierctl_format_share(tierctl_share(bytes, all), share));
}

static void print_quota(struct tierctl *ctl, const struct tierctl_group *group)
{
	char quota[TIERCTL_TEXT_MAX], min[TIERCTL_TEXT_MAX], over[TIERCTL_TEXT_MAX];

	printf("     Quota: %s", tierctl_format_limit(group->dram_quota_bytes, quota));
	if (group->dram_min_bytes > 0)
		printf(", at least %s", tierctl_format_size(group->dram_min_bytes, min));
	if (group->dram_bytes > group->dram_quota_bytes)
		printf(", %s%s over%s", tierctl_colour(&ctl->style, TIERCTL_WARNING),
			tierctl_format_size(
				group->dram_bytes - group->dram_quota_bytes, over),
			tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	printf("\n");
}

static void print_heat(const struct tierctl_group *group)
{
	char hit[TIERCTL_TEXT_MAX], coverage[TIERCTL_TEXT_MAX];
	char mean[TIERCTL_TEXT_MAX], cut[TIERCTL_TEXT_MAX];
	char doubt[TIERCTL_TEXT_MAX];

	printf("      Hits: %s of samples in DRAM\n",
		tierctl_format_share(group->hit_ratio, hit));
	printf("  Coverage: %s of pages watched long enough to judge\n",
		tierctl_format_share(group->coverage, coverage));
	printf("  In doubt: %s of pages may belong on the other side of the cut\n",
		tierctl_format_share(1 - group->resolution, doubt));
	printf("     Rates: a page is accessed %s on average, quota is full at %s\n",
		tierctl_format_rate(group->mean_rate, mean),
		tierctl_format_rate(group->cut_rate, cut));
}

static int print_text(struct tierctl *ctl, const struct tierctl_group *group)
{
	char uncovered[TIERCTL_TEXT_MAX], promoted[TIERCTL_TEXT_MAX];
	char demoted[TIERCTL_TEXT_MAX];
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = tierctl_printable(&ctl->style, group->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	printf("%s%s %s%s\n", tierctl_colour(&ctl->style, TIERCTL_BOLD),
		tierctl_dot(&ctl->style), cgroup,
		tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	printf("    Policy: %s (%s, engine %s)\n", group->policy, group->enforcement,
		group->engine);
	print_quota(ctl, group);
	print_memory(ctl, group, "DRAM:", group->dram_bytes, TIERCTL_DRAM);
	print_memory(ctl, group, "Slow:", group->slow_bytes, TIERCTL_SLOW);
	printf(" Uncovered: %s that cannot be moved\n",
		tierctl_format_size(group->uncovered_bytes, uncovered));
	print_heat(group);
	printf("     Moved: %s up, %s down\n",
		tierctl_format_size(group->promoted_bytes, promoted),
		tierctl_format_size(group->demoted_bytes, demoted));
	printf(" Processes: %" PRIu32 "\n", group->processes);
	return TIERCTL_EXIT_OK;
}

static int print_json(struct tierctl *ctl, const struct tierctl_group *group)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_group_to_json(json, NULL, group);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_show(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	int r;

	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, &group);
	return print_json(ctl, &group);
}
