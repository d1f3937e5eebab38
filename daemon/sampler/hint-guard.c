/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "base/util.h"
#include "libtier.h"
#include "sampler/hint-guard.h"
#include "sampler/range-list.h"
#include "settings/errtext.h"
#include "settings/node-list.h"
#include "settings/root.h"

#define ZONEINFO           "/proc/zoneinfo"
#define ZONEINFO_MAX_BYTES (64 * 1024 * 1024)
#define NODES_WITH_CPUS    "/sys/devices/system/node/has_cpu"

#define PLENTY_PAGES   ((UINT64_C(1) << 30) / TIER_PAGE_SIZE)
#define PLENTY_DIVISOR 16

/* Zones of a node: DMA, DMA32, Normal, Movable, Device; a few more do no harm. */
#define ZONES_MAX 8

struct zone {
	uint64_t free_pages;
	uint64_t high_pages;
	uint64_t present_pages;
	uint64_t managed_pages;
};

struct node {
	struct zone zones[ZONES_MAX];
	unsigned n_zones;
};

static int read_nodes_with_cpus(
	const struct tierd_root *root, bool has_cpu[static TIERD_NODES_MAX])
{
	_cleanup_(freep) char *text = NULL;
	unsigned first, last;
	const char *list;
	int r = tierd_root_read_line(root, NODES_WITH_CPUS, &text);

	if (r < 0)
		return r;
	list = text;
	while ((r = tierd_range_list_next(&list, &first, &last)) > 0)
		for (unsigned i = first; i <= last && i < TIERD_NODES_MAX; i++)
			has_cpu[i] = true;
	return r;
}

/* "Node 0, zone   Normal": the zone that the lines below it are about, or NULL. */
static struct zone *begin_zone(
	const char *line, struct node nodes[static TIERD_NODES_MAX])
{
	char number[8] = "";
	struct node *node;
	uint64_t id;

	strncpy(number, line, TIER_MIN(strcspn(line, ","), sizeof(number) - 1));
	if (tier_parse_u64(number, &id) < 0 || id >= TIERD_NODES_MAX)
		return NULL;
	node = &nodes[id];
	return node->n_zones < ZONES_MAX ? &node->zones[node->n_zones++] : NULL;
}

/* Lines of other kinds have other names or more words. */
static void read_zone_line(const char *line, struct zone *zone)
{
	const struct {
		const char *name;
		uint64_t *field;
	} fields[] = {
		{ "pages free ", &zone->free_pages },
		{ "high ", &zone->high_pages },
		{ "present ", &zone->present_pages },
		{ "managed ", &zone->managed_pages },
	};
	uint64_t value;

	line += strspn(line, " ");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		size_t n = strlen(fields[i].name);

		if (strncmp(line, fields[i].name, n) != 0)
			continue;
		line += n + strspn(line + n, " ");
		if (tier_parse_u64(line, &value) >= 0)
			*fields[i].field = value;
		return;
	}
}

static void parse(char *text, struct node nodes[static TIERD_NODES_MAX])
{
	struct zone *zone = NULL;
	char *line;

	while ((line = strsep(&text, "\n")))
		if (strncmp(line, "Node ", 5) == 0)
			zone = begin_zone(line + 5, nodes);
		else if (zone)
			read_zone_line(line, zone);
}

static uint64_t plenty_of(const struct node *node)
{
	uint64_t present = 0;

	for (unsigned i = 0; i < node->n_zones; i++)
		present += node->zones[i].present_pages;
	return TIER_MAX(PLENTY_PAGES, present / PLENTY_DIVISOR);
}

static bool has_plenty(const struct zone *zone, uint64_t plenty)
{
	return zone->managed_pages > zone->high_pages + plenty &&
	       zone->free_pages >= zone->high_pages + plenty / 4 * 3;
}

int tierd_hint_guard_check(const struct tierd_root *root, char **ret_error)
{
	_cleanup_(freep) struct node *nodes = calloc(TIERD_NODES_MAX, sizeof(*nodes));
	_cleanup_(freep) char *text = NULL;
	bool has_cpu[TIERD_NODES_MAX] = { false };
	int r;

	if (!nodes)
		return -ENOMEM;
	r = read_nodes_with_cpus(root, has_cpu);
	if (r < 0)
		return tierd_error(ret_error, r, "cannot read %s: %s", NODES_WITH_CPUS,
			strerror(-r));
	r = tierd_root_read_file(root, ZONEINFO, ZONEINFO_MAX_BYTES, &text, NULL);
	if (r < 0)
		return tierd_error(
			ret_error, r, "cannot read %s: %s", ZONEINFO, strerror(-r));
	parse(text, nodes);
	for (unsigned id = 0; id < TIERD_NODES_MAX; id++)
		for (unsigned i = 0; has_cpu[id] && i < nodes[id].n_zones; i++) {
			const struct zone *zone = &nodes[id].zones[i];
			uint64_t plenty = plenty_of(&nodes[id]);

			if (has_plenty(zone, plenty))
				return tierd_error(ret_error, -EBUSY,
					"node %u has %llu MiB free: with %llu MiB or "
					"more the kernel promotes every page that a "
					"NUMA hint fault touches, so that this source "
					"has to wait until DRAM has filled up",
					id, (unsigned long long)(zone->free_pages >> 8),
					(unsigned long long)((zone->high_pages +
								     plenty) >>
							     8));
		}
	return 0;
}
