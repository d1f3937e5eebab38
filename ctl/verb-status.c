/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl status: the machine at a glance. */
#include <inttypes.h>
#include <string.h>

#include "group-view.h"
#include "verbs.h"

#define BAR_CELLS 16

static void print_heading(struct tierctl *ctl, const struct tierctl_manager *manager)
{
	const struct tierctl_style *style = &ctl->style;
	bool samples = strcmp(manager->sampler_source, "none") != 0;
	char uptime[TIERCTL_TEXT_MAX], cpu[TIERCTL_TEXT_MAX], share[TIERCTL_TEXT_MAX];

	printf("%s%s%s %stierd %s%s - memory tiers and DRAM quotas\n",
		tierctl_colour(style, samples ? TIERCTL_GOOD : TIERCTL_WARNING),
		tierctl_dot(style), tierctl_colour(style, TIERCTL_PLAIN),
		tierctl_colour(style, TIERCTL_BOLD), manager->version,
		tierctl_colour(style, TIERCTL_PLAIN));
	if (manager->is_paused)
		printf("    State: %spaused, nothing is moved%s\n",
			tierctl_colour(style, TIERCTL_WARNING),
			tierctl_colour(style, TIERCTL_PLAIN));
	printf("   Uptime: %s\n", tierctl_format_duration(manager->uptime_usec, uptime));
	printf("      CPU: %s (%s of one CPU)\n",
		tierctl_format_duration(manager->cpu_usec, cpu),
		tierctl_format_share(
			tierctl_share(manager->cpu_usec, manager->uptime_usec), share));
}

static void print_rate(struct tierctl *ctl, const struct tierctl_manager *manager)
{
	const struct tierctl_style *style = &ctl->style;
	char share[TIERCTL_TEXT_MAX];

	printf("     Rate: %" PRIu64 " a second", manager->samples_target);
	if (strcmp(manager->sampling_limit, "none") != 0)
		printf(" of %" PRIu64 " wanted (%slimit: %s%s)", manager->samples_wanted,
			tierctl_colour(style, TIERCTL_WARNING), manager->sampling_limit,
			tierctl_colour(style, TIERCTL_PLAIN));
	if (manager->sampler_cpus > 0)
		printf(", from %" PRIu32 " of %" PRIu32 " CPUs",
			manager->sampler_cpus_heard, manager->sampler_cpus);
	printf("\n");
	tierctl_format_share(
		tierctl_share(manager->sampling_overhead_usec, manager->uptime_usec),
		share);
	printf("     Cost: %s of one CPU, estimated, taken from programs\n", share);
}

static void print_sampler(struct tierctl *ctl, const struct tierctl_manager *manager)
{
	const struct tierctl_style *style = &ctl->style;
	uint64_t lost = manager->samples_lost;

	printf("  Sampler: %s", manager->sampler_source);
	if (*manager->sampler_event)
		printf(" %s", manager->sampler_event);
	if (manager->sample_period > 0)
		printf(", 1 in %" PRIu64 " accesses", manager->sample_period);
	printf("\n  Samples: %" PRIu64 " taken, of which %" PRIu64
	       " of stores, %s%" PRIu64 " lost%s, throttled %" PRIu64 " times\n",
		manager->samples, manager->samples_of_stores,
		tierctl_colour(style, lost ? TIERCTL_WARNING : TIERCTL_PLAIN), lost,
		tierctl_colour(style, TIERCTL_PLAIN), manager->sampler_throttled);
	print_rate(ctl, manager);
}

/* What is not used though it is preferred, and why. */
static void print_sources(struct tierctl *ctl, const struct tierctl_manager *manager)
{
	const struct tierctl_style *style = &ctl->style;
	char coverage[TIERCTL_TEXT_MAX];

	if (manager->sampler_coverage < 1)
		printf(" Coverage: %s of what programs access\n",
			tierctl_format_share(manager->sampler_coverage, coverage));
	for (size_t i = 0; i < manager->sources.n_items; i++) {
		const struct tierctl_source *source = &manager->sources.items[i];

		if (*source->reason)
			printf("           %s%s%s: %s\n",
				tierctl_colour(style, TIERCTL_WARNING), source->name,
				tierctl_colour(style, TIERCTL_PLAIN), source->reason);
	}
}

#define NODES_TEXT_MAX 64

/* "node 0", "nodes 1,3"; cut off when there are too many to show. */
static int format_nodes(const struct tierctl_tier *tier, char buf[static NODES_TEXT_MAX])
{
	int n = snprintf(buf, NODES_TEXT_MAX, tier->n_nodes == 1 ? "node" : "nodes");

	for (size_t i = 0; i < tier->n_nodes && n < NODES_TEXT_MAX; i++)
		n += snprintf(buf + n, NODES_TEXT_MAX - n, "%s%" PRIu32,
			i > 0 ? "," : " ", tier->nodes[i]);
	return TIER_MIN(n, NODES_TEXT_MAX - 1);
}

static int nodes_width(const struct tierctl_tiers *tiers)
{
	char nodes[NODES_TEXT_MAX];
	int width = 0;

	for (size_t i = 0; i < tiers->n_items; i++)
		width = TIER_MAX(width, format_nodes(&tiers->items[i], nodes));
	return width;
}

static void print_tiers(struct tierctl *ctl, const struct tierctl_tiers *tiers)
{
	const struct tierctl_style *style = &ctl->style;
	int width = nodes_width(tiers);

	for (size_t i = 0; i < tiers->n_items; i++) {
		const struct tierctl_tier *tier = &tiers->items[i];
		uint64_t total = tier->total_bytes;
		uint64_t used = total - TIER_MIN(tier->free_bytes, total);
		char text[3][TIERCTL_TEXT_MAX], bar[TIERCTL_BAR_SIZE];
		char nodes[NODES_TEXT_MAX];

		format_nodes(tier, nodes);
		printf("%10s %s  %-*s %s[%s]%s %6s of %5s used, %5s free\n",
			i == 0 ? "Tiers:" : "", tier->tier == 0 ? "DRAM" : "slow", width,
			nodes,
			tierctl_colour(
				style, tier->tier == 0 ? TIERCTL_DRAM : TIERCTL_SLOW),
			tierctl_bar(style, tierctl_share(used, total), BAR_CELLS, bar),
			tierctl_colour(style, TIERCTL_PLAIN),
			tierctl_format_size(used, text[0]),
			tierctl_format_size(total, text[1]),
			tierctl_format_size(tier->free_bytes, text[2]));
	}
}

static int print_text(struct tierctl *ctl, const struct tierctl_manager *manager,
	const struct tierctl_groups *groups)
{
	struct tierctl_totals totals = tierctl_groups_totals(groups);
	char dram[TIERCTL_TEXT_MAX], slow[TIERCTL_TEXT_MAX];
	int r;

	print_heading(ctl, manager);
	print_sampler(ctl, manager);
	print_sources(ctl, manager);
	print_tiers(ctl, &manager->tiers);
	printf("   Groups: %zu", groups->n_items);
	if (groups->n_items > 0)
		printf(", %s in DRAM, %s in slow memory\n",
			tierctl_format_size(totals.dram_bytes, dram),
			tierctl_format_size(totals.slow_bytes, slow));
	printf("\n");
	r = tierctl_print_groups(ctl, groups);
	if (r < 0)
		return tierctl_failed(r, "print the groups");
	return TIERCTL_EXIT_OK;
}

static void tiers_to_json(struct tierctl_json *json, const struct tierctl_tiers *tiers)
{
	tierctl_json_open_array(json, "tiers");
	for (size_t i = 0; i < tiers->n_items; i++) {
		const struct tierctl_tier *tier = &tiers->items[i];

		tierctl_json_open_object(json, NULL);
		tierctl_json_u64(json, "tier", tier->tier);
		tierctl_json_open_array(json, "nodes");
		for (size_t j = 0; j < tier->n_nodes; j++)
			tierctl_json_u64(json, NULL, tier->nodes[j]);
		tierctl_json_close(json);
		tierctl_json_u64(json, "total_bytes", tier->total_bytes);
		tierctl_json_u64(json, "free_bytes", tier->free_bytes);
		tierctl_json_close(json);
	}
	tierctl_json_close(json);
}

static void sources_to_json(
	struct tierctl_json *json, const struct tierctl_sources *sources)
{
	tierctl_json_open_array(json, "sources");
	for (size_t i = 0; i < sources->n_items; i++) {
		tierctl_json_open_object(json, NULL);
		tierctl_json_string(json, "name", sources->items[i].name);
		tierctl_json_string(json, "state", sources->items[i].state);
		tierctl_json_string(json, "reason", sources->items[i].reason);
		tierctl_json_close(json);
	}
	tierctl_json_close(json);
}

static int print_json(struct tierctl *ctl, const struct tierctl_manager *manager,
	const struct tierctl_groups *groups)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "version", manager->version);
	tierctl_json_u64(json, "uptime_usec", manager->uptime_usec);
	tierctl_json_u64(json, "cpu_usec", manager->cpu_usec);
	tierctl_json_u64(json, "loop_cpu_usec", manager->loop_cpu_usec);
	tierctl_json_bool(json, "paused", manager->is_paused);
	tiers_to_json(json, &manager->tiers);
	tierctl_json_open_object(json, "sampler");
	tierctl_json_string(json, "source", manager->sampler_source);
	tierctl_json_string(json, "event", manager->sampler_event);
	tierctl_json_u64(json, "period", manager->sample_period);
	tierctl_json_u64(json, "samples", manager->samples);
	tierctl_json_u64(json, "stores", manager->samples_of_stores);
	tierctl_json_u64(json, "lost", manager->samples_lost);
	tierctl_json_u64(json, "throttled", manager->sampler_throttled);
	tierctl_json_double(json, "coverage", manager->sampler_coverage);
	sources_to_json(json, &manager->sources);
	tierctl_json_u64(json, "cpus", manager->sampler_cpus);
	tierctl_json_u64(json, "cpus_heard", manager->sampler_cpus_heard);
	tierctl_json_u64(json, "wanted_per_s", manager->samples_wanted);
	tierctl_json_u64(json, "target_per_s", manager->samples_target);
	tierctl_json_string(json, "limit", manager->sampling_limit);
	tierctl_json_u64(json, "overhead_usec", manager->sampling_overhead_usec);
	tierctl_json_close(json);
	tierctl_groups_to_json(json, "groups", groups);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_status(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_manager_done) struct tierctl_manager manager = {};
	_cleanup_(tierctl_groups_done) struct tierctl_groups groups = {};
	int r;

	r = tierctl_get_manager(ctl->bus, &manager, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	r = tierctl_get_groups(ctl->bus, &groups, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, &manager, &groups);
	return print_json(ctl, &manager, &groups);
}
