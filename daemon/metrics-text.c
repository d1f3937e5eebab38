/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OpenMetrics 1.0: families one after the other, each with its type, unit and help, and
 * all of its samples with it; counters end in _total, units stand at the end of a
 * family's name. Only gauges and counters are used, which Prometheus' older text format,
 * read by node_exporter, has as well.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "group.h"
#include "libtier.h"
#include "manager.h"
#include "metrics-text.h"
#include "node-memory.h"
#include "sampler/sampler.h"
#include "steering.h"
#include "topology.h"

#define NSEC 1e9

/* ---- Pieces -------------------------------------------------------------------- */

static void begin_family(
	FILE *f, const char *name, bool is_counter, const char *unit, const char *help)
{
	fprintf(f, "# TYPE tierd_%s %s\n", name, is_counter ? "counter" : "gauge");
	if (unit)
		fprintf(f, "# UNIT tierd_%s %s\n", name, unit);
	fprintf(f, "# HELP tierd_%s %s\n", name, help);
}

/* The shortest that says all of it: 17 digits tell any double from any other. */
static void print_double(FILE *f, double value)
{
	if (isnan(value))
		fprintf(f, " NaN\n");
	else if (isinf(value))
		fprintf(f, " %cInf\n", value < 0 ? '-' : '+');
	else
		fprintf(f, " %.17g\n", value);
}

/* A family with one sample and no labels. */
static void print_u64(FILE *f, const char *name, bool is_counter, const char *unit,
	const char *help, uint64_t value)
{
	begin_family(f, name, is_counter, unit, help);
	fprintf(f, "tierd_%s%s %" PRIu64 "\n", name, is_counter ? "_total" : "", value);
}

static void print_seconds(
	FILE *f, const char *name, bool is_counter, const char *help, uint64_t ns)
{
	begin_family(f, name, is_counter, "seconds", help);
	fprintf(f, "tierd_%s%s", name, is_counter ? "_total" : "");
	print_double(f, (double)ns / NSEC);
}

/* Backslash, quote and line feed are all that a label's value has to have escaped. */
static void print_label_value(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", f);
		else if (*text == '\\' || *text == '"')
			fprintf(f, "\\%c", *text);
		else
			fputc(*text, f);
	}
}

/* ---- The machine --------------------------------------------------------------- */

static void print_daemon(FILE *f, const struct tierd_manager *manager)
{
	uint64_t cpu_ns, wall_ns;

	tierd_manager_get_cpu(manager, &cpu_ns, &wall_ns);
	begin_family(f, "version", false, NULL, "1, labelled with the version.");
	fprintf(f, "tierd_version{version=\"%s\"} 1\n", tier_version());
	print_seconds(f, "uptime_seconds", false, "Since tierd started.", wall_ns);
	print_seconds(f, "cpu_seconds", true, "CPU time that tierd has used.", cpu_ns);
	print_u64(f, "paused", false, NULL, "1 while nothing is moved, else 0.",
		tierd_manager_is_paused(manager));
}

static void print_sampler(FILE *f, const struct tierd_manager *manager)
{
	struct tierd_sampler_stats stats;
	struct tierd_steering_view view;

	tierd_manager_get_sampler_stats(manager, &stats);
	print_u64(f, "samples", true, NULL, "Memory accesses sampled.", stats.samples);
	print_u64(f, "samples_lost", true, NULL,
		"Samples that the kernel or the hardware had no room for.", stats.lost);
	print_u64(f, "sampler_throttled", true, NULL,
		"Times the kernel stopped a CPU's event for its rate.", stats.throttled);
	print_u64(f, "sample_period", false, NULL,
		"One in so many accesses is sampled now; 0: none.", stats.period);
	tierd_manager_get_steering(manager, &view);
	print_u64(f, "samples_wanted", false, NULL,
		"Samples a second that would be of use now.", view.wanted_per_s);
	print_u64(f, "samples_target", false, NULL,
		"Samples a second that are aimed at now.", view.target_per_s);
	print_seconds(f, "loop_cpu_seconds", true,
		"CPU time that tierd has used without its migrators.", view.loop_cpu_ns);
	print_seconds(f, "sampling_overhead_seconds", true,
		"Time that samples have taken from programs, estimated.",
		view.overhead_ns);
}

static const struct {
	const char *name;
	const char *help;
	size_t offset;
} node_families[] = {
	{ "node_total_bytes", "Memory of the node.",
		offsetof(struct tierd_node_memory, total_bytes) },
	{ "node_free_bytes", "Free memory of the node.",
		offsetof(struct tierd_node_memory, free_bytes) },
	{ "node_reclaimable_bytes", "Inactive page cache on the node that is clean.",
		offsetof(struct tierd_node_memory, reclaimable_bytes) },
	{ "node_high_watermark_bytes", "Free memory the kernel stops to reclaim at.",
		offsetof(struct tierd_node_memory, high_watermark_bytes) },
};

static void print_nodes(FILE *f, const struct tierd_manager *manager)
{
	const struct tierd_topology *topology = tierd_manager_topology(manager);
	const struct tierd_node_memory *memory = tierd_manager_node_memory(manager);

	for (size_t i = 0; i < ARRAY_SIZE(node_families); i++) {
		begin_family(
			f, node_families[i].name, false, "bytes", node_families[i].help);
		for (unsigned j = 0; j < topology->n_nodes; j++)
			fprintf(f, "tierd_%s{node=\"%u\",tier=\"%u\"} %" PRIu64 "\n",
				node_families[i].name, topology->nodes[j].id,
				topology->nodes[j].tier,
				*(const uint64_t *)((const char *)&memory[j] +
						    node_families[i].offset));
	}
}

/* ---- Groups -------------------------------------------------------------------- */

static const char *sampled_to_string(int sampled)
{
	static const char *const names[TIER_SAMPLED_MAX] = {
		[TIER_SAMPLED_FAST] = "dram",
		[TIER_SAMPLED_SLOW] = "slow",
		[TIER_SAMPLED_UNCOVERED] = "uncovered",
		[TIER_SAMPLED_UNKNOWN] = "unknown",
	};

	return names[sampled];
}

/* In the order of struct tier_classes. */
static const char *class_to_string(int class)
{
	static const char *const names[] = { "hot", "warm", "cold", "unknown" };

	_Static_assert(
		sizeof(struct tier_classes) == ARRAY_SIZE(names) * sizeof(uint64_t),
		"a class without a name");
	return names[class];
}

static const char *filter_to_string(int filter)
{
	static const char *const names[] = { "warm", "cooling_down" };

	return names[filter];
}

_Static_assert(
	offsetof(struct tier_group_stats, filtered_cooling_pages) ==
		offsetof(struct tier_group_stats, filtered_warm_pages) + sizeof(uint64_t),
	"filters out of order");

enum kind {
	KIND_U64,
	KIND_LIMIT, /* UINT64_MAX is infinity */
	KIND_U32,
	KIND_DOUBLE,
};

/* A value of the view, or as many as there are values of one enum, or of two. */
struct dimension {
	const char *label;
	unsigned n;
	const char *(*to_string)(int value);
};

struct family {
	const char *name;
	const char *unit;
	const char *help;
	bool is_counter;
	enum kind kind;
	size_t offset;
	struct dimension outer, inner;
};

#define VIEW(field) offsetof(struct tierd_group_view, field)

#define DIRECTIONS                                                        \
	{                                                                 \
		"direction", TIER_DIRECTION_MAX, tier_direction_to_string \
	}
#define RESULTS                                                  \
	{                                                        \
		"result", TIER_RESULT_MAX, tier_result_to_string \
	}

static const struct family families[] = {
	{ "group_dram_quota_bytes", "bytes", "What the group may hold in DRAM.", false,
		KIND_LIMIT, VIEW(dram_quota_bytes) },
	{ "group_dram_min_bytes", "bytes", "DRAM that the group is guaranteed.", false,
		KIND_U64, VIEW(dram_min_bytes) },
	{ "group_dram_bytes", "bytes", "Movable memory of the group in DRAM.", false,
		KIND_U64, VIEW(dram_bytes) },
	{ "group_slow_bytes", "bytes", "Movable memory of the group in slow tiers.",
		false, KIND_U64, VIEW(slow_bytes) },
	{ "group_uncovered_bytes", "bytes", "Memory of the group that cannot be moved.",
		false, KIND_U64, VIEW(uncovered_bytes) },
	{ "group_processes", NULL, "Processes of the group.", false, KIND_U32,
		VIEW(n_processes) },
	{ "group_hit_ratio", "ratio", "Recent share of the group's samples in DRAM.",
		false, KIND_DOUBLE, VIEW(heat.hit_ratio) },
	{ "group_coverage_ratio", "ratio",
		"Share of pages watched long enough to be judged.", false, KIND_DOUBLE,
		VIEW(heat.coverage) },
	{ "group_resolution_ratio", "ratio",
		"Share of pages that are on one side of the cut, or too near it to matter.",
		false, KIND_DOUBLE, VIEW(heat.resolution) },
	{ "group_page_rate_mean", NULL, "Accesses a second and page, on average.", false,
		KIND_DOUBLE, VIEW(heat.mean_rate) },
	{ "group_page_rate_cut", NULL,
		"Accesses a second of a page at which the quota is full.", false,
		KIND_DOUBLE, VIEW(heat.cut_rate) },
	{ "group_promoted_bytes", "bytes", "Moved to DRAM.", true, KIND_U64,
		VIEW(promoted_bytes) },
	{ "group_demoted_bytes", "bytes", "Moved to slow memory.", true, KIND_U64,
		VIEW(demoted_bytes) },
	{ "group_scanned_pages", "pages", "Pages that plans have looked at.", true,
		KIND_U64, VIEW(heat.scanned_pages), DIRECTIONS },
	{ "group_filtered_pages", "pages", "Pages that plans have passed over.", true,
		KIND_U64, VIEW(heat.filtered_warm_pages),
		{ "why", 2, filter_to_string } },
	{ "group_planned_pages", "pages", "Pages that were to be moved, by reason.", true,
		KIND_U64, VIEW(heat.planned_pages),
		{ "reason", TIER_REASON_MAX, tier_reason_to_string } },
	{ "group_tried_pages", "pages", "Pages whose move was tried.", true, KIND_U64,
		VIEW(heat.tried_pages), DIRECTIONS },
	{ "group_result_pages", "pages", "What became of these moves.", true, KIND_U64,
		VIEW(heat.result_pages), DIRECTIONS, RESULTS },
	{ "group_samples", NULL, "Samples, by where they fell.", true, KIND_U64,
		VIEW(heat.samples), { "where", TIER_SAMPLED_MAX, sampled_to_string } },
	{ "group_class_pages", "pages", "Pages by class, as of the last plan.", false,
		KIND_U64, VIEW(heat.classes), { "class", 4, class_to_string } },
	{ "group_plans", NULL, "Plans made.", true, KIND_U64, VIEW(heat.plans) },
	{ "group_coolings", NULL, "Times counts were halved.", true, KIND_U64,
		VIEW(heat.coolings) },
	{ "group_phase_changes", NULL, "Times accesses moved elsewhere.", true, KIND_U64,
		VIEW(heat.phase_changes) },
	{ "group_blocks", NULL, "Blocks of 2 MiB that are known.", false, KIND_U64,
		VIEW(heat.blocks) },
	{ "group_huge_blocks", NULL, "How many of them are huge pages.", false, KIND_U64,
		VIEW(heat.huge_blocks) },
	{ "group_tracked_bytes", "bytes", "Memory of tierd that bookkeeping takes.",
		false, KIND_U64, VIEW(heat.tracked_bytes) },
	{ "group_gate_closed", NULL, "Times growth was held up.", true, KIND_U64,
		VIEW(gate_closed) },
	{ "group_gate_suspended", NULL, "Times the gate was given up for a while.", true,
		KIND_U64, VIEW(gate_suspended) },
	{ "group_gate_reclaimed_bytes", "bytes",
		"Reclaimed by the kernel while the gate was up.", true, KIND_U64,
		VIEW(gate_reclaimed_bytes) },
	{ "group_drifts", NULL, "Limits of tierd's that somebody else changed.", true,
		KIND_U64, VIEW(drifts) },
};

struct labelled {
	char *cgroup; /* UTF-8 */
	struct tierd_group_view view;
};

struct groups {
	struct labelled *items;
	size_t n_items;
	size_t n_omitted;
};

static void groups_done(struct groups *groups)
{
	for (size_t i = 0; i < groups->n_items; i++)
		free(groups->items[i].cgroup);
	free(groups->items);
}

static int take_groups(const struct tierd_manager *manager, struct groups *ret)
{
	size_t n = tierd_manager_n_groups(manager);
	int r;

	ret->n_omitted = n - TIER_MIN(n, (size_t)TIERD_METRICS_GROUPS_MAX);
	n -= ret->n_omitted;
	ret->items = calloc(n + 1, sizeof(*ret->items));
	if (!ret->items)
		return -ENOMEM;
	for (; ret->n_items < n; ret->n_items++) {
		struct labelled *item = &ret->items[ret->n_items];

		tierd_group_get_view(
			tierd_manager_group(manager, ret->n_items), &item->view);
		r = tierd_bus_escape(item->view.cgroup, &item->cgroup);
		if (r < 0)
			return r;
	}
	return 0;
}

static void print_value(FILE *f, enum kind kind, const void *value)
{
	uint64_t number = 0;

	switch (kind) {
	case KIND_DOUBLE:
		print_double(f, *(const double *)value);
		return;
	case KIND_U32:
		number = *(const uint32_t *)value;
		break;
	case KIND_LIMIT:
	case KIND_U64:
		number = *(const uint64_t *)value;
		break;
	}
	if (kind == KIND_LIMIT && number == UINT64_MAX)
		fprintf(f, " +Inf\n");
	else
		fprintf(f, " %" PRIu64 "\n", number);
}

static void print_sample(FILE *f, const struct family *family,
	const struct labelled *group, unsigned i, unsigned j)
{
	unsigned index = i * TIER_MAX(family->inner.n, 1u) + j;

	fprintf(f, "tierd_%s%s{cgroup=\"", family->name,
		family->is_counter ? "_total" : "");
	print_label_value(f, group->cgroup);
	fputc('"', f);
	if (family->outer.n > 0)
		fprintf(f, ",%s=\"%s\"", family->outer.label, family->outer.to_string(i));
	if (family->inner.n > 0)
		fprintf(f, ",%s=\"%s\"", family->inner.label, family->inner.to_string(j));
	fputc('}', f);
	print_value(f, family->kind,
		(const char *)&group->view + family->offset + index * sizeof(uint64_t));
}

static void print_family(
	FILE *f, const struct family *family, const struct groups *groups)
{
	begin_family(f, family->name, family->is_counter, family->unit, family->help);
	for (size_t k = 0; k < groups->n_items; k++)
		for (unsigned i = 0; i < TIER_MAX(family->outer.n, 1u); i++)
			for (unsigned j = 0; j < TIER_MAX(family->inner.n, 1u); j++)
				print_sample(f, family, &groups->items[k], i, j);
}

/* ---- All of it ----------------------------------------------------------------- */

static int print_all(FILE *f, const struct tierd_manager *manager, uint64_t n_refused)
{
	_cleanup_(groups_done) struct groups groups = {};
	int r;

	r = take_groups(manager, &groups);
	if (r < 0)
		return r;
	print_daemon(f, manager);
	print_sampler(f, manager);
	print_nodes(f, manager);
	print_u64(f, "groups", false, NULL, "Groups that are managed.",
		groups.n_items + groups.n_omitted);
	print_u64(f, "metrics_groups_omitted", false, NULL,
		"How many of them are left out here.", groups.n_omitted);
	print_u64(f, "metrics_clients_refused", true, NULL,
		"Clients of the metrics socket turned away.", n_refused);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		print_family(f, &families[i], &groups);
	fprintf(f, "# EOF\n");
	return 0;
}

int tierd_metrics_format(const struct tierd_manager *manager, uint64_t n_refused,
	char **ret, size_t *ret_size)
{
	_cleanup_(freep) char *text = NULL;
	size_t size = 0;
	FILE *f;
	int r;

	f = open_memstream(&text, &size);
	if (!f)
		return -ENOMEM;
	r = print_all(f, manager, n_refused);
	if (ferror(f) && r >= 0)
		r = -ENOMEM;
	if (fclose(f) == EOF && r >= 0)
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}
