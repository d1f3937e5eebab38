/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How results look: the lines for people and their scripts, and the JSON summary. Nothing
 * is measured here.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "base/util.h"
#include "report.h"

DEFINE_CLEANUP(json_object *, json_object_put);

void gups_report_done(struct gups_report *report)
{
	gups_portions_done(&report->initial);
	gups_portions_done(&report->final);
	free(report->intervals);
	*report = (struct gups_report){};
}

int gups_report_add(struct gups_report *report, const struct gups_interval *interval)
{
	if (report->n_intervals == GUPS_INTERVALS_MAX) {
		report->intervals_dropped++;
		return 0;
	}
	if (report->n_intervals == report->n_intervals_allocated) {
		size_t n = TIER_MAX(2 * report->n_intervals_allocated, (size_t)64);
		struct gups_interval *grown;

		grown = reallocarray(report->intervals, n, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		report->intervals = grown;
		report->n_intervals_allocated = n;
	}
	report->intervals[report->n_intervals++] = *interval;
	return 0;
}

/* The shortest decimal that reads back as the same number, never without a point. */
static void print_portion(FILE *f, double x)
{
	char text[40];

	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	fprintf(f, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

void gups_print_portions(FILE *f, const struct gups_portions *portions)
{
	fprintf(f, "dram portion per gb: [");
	for (size_t i = 0; i < portions->n; i++) {
		fprintf(f, "%s", i > 0 ? ", " : "");
		print_portion(f, portions->per_gib[i]);
	}
	fprintf(f, "]\n");
}

void gups_print_interval(FILE *f, const struct gups_interval *interval)
{
	fprintf(f, "time %.1f s  %.3f Mupdates/s  hot %.1f %% in dram  all %.1f %%\n",
		interval->t, interval->updates_per_s / 1e6,
		100 * interval->estimate.hot_dram_share,
		100 * interval->estimate.all_dram_share);
}

static double gups_of(const struct gups_report *report)
{
	return report->elapsed_ns > 0
		       ? (double)report->updates / (double)report->elapsed_ns
		       : 0;
}

void gups_print_final(FILE *f, const struct gups_report *report)
{
	fprintf(f, "gups: final %.6f elapsed %" PRIu64 ".%09" PRIu64 "s\n",
		gups_of(report), report->elapsed_ns / UINT64_C(1000000000),
		report->elapsed_ns % UINT64_C(1000000000));
}

static void print_fault(FILE *f, const struct gups_fault *fault)
{
	switch (fault->kind) {
	case GUPS_FAULT_ZEROED:
		fprintf(f, "gups: page %" PRIu64 " is zeroed\n", fault->page);
		break;
	case GUPS_FAULT_FOREIGN:
		fprintf(f,
			"gups: page %" PRIu64 " holds %" PRIu64 " of %" PRIu64
			" words that do not belong there\n",
			fault->page, fault->found, fault->expected);
		break;
	default:
		fprintf(f,
			"gups: page %" PRIu64 " counts %" PRIu64 " updates, %" PRIu64
			" were made\n",
			fault->page, fault->found, fault->expected);
		break;
	}
}

void gups_print_verdict(FILE *f, const struct gups_verdict *verdict)
{
	for (size_t i = 0; i < verdict->n_faults; i++)
		print_fault(f, &verdict->faults[i]);
	if (verdict->errors > verdict->n_faults)
		fprintf(f, "gups: and %" PRIu64 " more wrong pages\n",
			verdict->errors - verdict->n_faults);
	fprintf(f, "gups: verified %" PRIu64 " pages, %" PRIu64 " errors\n",
		verdict->pages, verdict->errors);
}

static int add(json_object *parent, const char *key, json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_object_add(parent, key, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

static int append(json_object *array, json_object *value)
{
	if (!value)
		return -ENOMEM;
	if (json_object_array_add(array, value) < 0) {
		json_object_put(value);
		return -ENOMEM;
	}
	return 0;
}

struct member {
	const char *key;
	json_object *value;
};

/* Takes all values over, also when it fails. */
static int add_all(json_object *parent, const struct member *members, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		int q = add(parent, members[i].key, members[i].value);

		if (q < 0)
			r = q;
	}
	return r;
}

static json_object *portions_to_json(const struct gups_portions *portions)
{
	_cleanup_(json_object_putp) json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < portions->n; i++)
		if (append(array, json_object_new_double(portions->per_gib[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_object *interval_to_json(const struct gups_interval *i)
{
	_cleanup_(json_object_putp) json_object *o = json_object_new_object();
	const struct member members[] = {
		{ "t", json_object_new_double(i->t) },
		{ "updates_per_s", json_object_new_double(i->updates_per_s) },
		{ "hot_dram_share", json_object_new_double(i->estimate.hot_dram_share) },
		{ "all_dram_share", json_object_new_double(i->estimate.all_dram_share) },
		{ "hit_ratio", json_object_new_double(i->estimate.hit_ratio) },
	};

	if (add_all(o, members, ARRAY_SIZE(members)) < 0)
		return NULL;
	return TAKE_PTR(o);
}

static json_object *intervals_to_json(const struct gups_report *report)
{
	_cleanup_(json_object_putp) json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < report->n_intervals; i++)
		if (append(array, interval_to_json(&report->intervals[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_object *fault_to_json(const struct gups_fault *fault)
{
	_cleanup_(json_object_putp) json_object *o = json_object_new_object();
	const struct member members[] = {
		{ "kind",
			json_object_new_string(gups_fault_kind_to_string(fault->kind)) },
		{ "page", json_object_new_uint64(fault->page) },
		{ "found", json_object_new_uint64(fault->found) },
		{ "expected", json_object_new_uint64(fault->expected) },
	};

	if (add_all(o, members, ARRAY_SIZE(members)) < 0)
		return NULL;
	return TAKE_PTR(o);
}

static json_object *faults_to_json(const struct gups_verdict *verdict)
{
	_cleanup_(json_object_putp) json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < verdict->n_faults; i++)
		if (append(array, fault_to_json(&verdict->faults[i])) < 0)
			return NULL;
	return TAKE_PTR(array);
}

static json_object *placement_to_json(const struct gups_report *report)
{
	_cleanup_(json_object_putp) json_object *o = json_object_new_object();
	const struct gups_placement *p = &report->placement;
	const struct member members[] = {
		{ "dram_budget_bytes",
			json_object_new_uint64(report->options->dram_budget_bytes) },
		{ "chosen_bytes",
			json_object_new_uint64(p->chosen_pages * GUPS_PAGE_BYTES) },
		{ "chosen_dram_bytes",
			json_object_new_uint64(p->chosen_dram_pages * GUPS_PAGE_BYTES) },
		{ "rest_dram_bytes",
			json_object_new_uint64(p->rest_dram_pages * GUPS_PAGE_BYTES) },
	};

	if (add_all(o, members, ARRAY_SIZE(members)) < 0)
		return NULL;
	return TAKE_PTR(o);
}

static int add_setting(json_object *o, const struct gups_report *report)
{
	const struct gups_options *opt = report->options;
	const struct gups_distribution_config *d = &report->distribution;
	char nodes[256];
	const struct member members[] = {
		{ "distribution", json_object_new_string(gups_kind_to_string(d->kind)) },
		{ "working_set_bytes", json_object_new_uint64(opt->working_set_bytes) },
		{ "hot_bytes", json_object_new_uint64(d->hot_pages * GUPS_PAGE_BYTES) },
		{ "hot_probability", json_object_new_double(d->hot_probability) },
		{ "zipf_exponent", json_object_new_double(d->zipf_exponent) },
		{ "reverse", json_object_new_boolean(d->reverse) },
		{ "offset_bytes", json_object_new_uint64(opt->offset_bytes) },
		{ "scatter", json_object_new_boolean(d->scatter) },
		{ "huge", json_object_new_string(gups_huge_to_string(opt->huge)) },
		{ "place", json_object_new_string(gups_place_to_string(opt->place)) },
		{ "threads", json_object_new_uint64(opt->threads) },
		{ "seed", json_object_new_uint64(opt->seed) },
	};
	int r;

	r = add_all(o, members, ARRAY_SIZE(members));
	if (r < 0)
		return r;
	if (opt->prefer_node >= 0) {
		r = add(o, "prefer_node", json_object_new_int(opt->prefer_node));
		if (r < 0)
			return r;
	}
	if (opt->place == GUPS_PLACE_BEST) {
		r = add(o, "placed", placement_to_json(report));
		if (r < 0)
			return r;
	}
	gups_nodes_format(&report->dram_nodes, nodes, sizeof(nodes));
	return add(o, "dram_nodes", json_object_new_string(nodes));
}

static int add_results(json_object *o, const struct gups_report *report)
{
	const struct member members[] = {
		{ "updates", json_object_new_uint64(report->updates) },
		{ "elapsed_s", json_object_new_double((double)report->elapsed_ns / 1e9) },
		{ "gups", json_object_new_double(gups_of(report)) },
		{ "verified_pages", json_object_new_uint64(report->verdict.pages) },
		{ "errors", json_object_new_uint64(report->verdict.errors) },
		{ "wrong_pages", faults_to_json(&report->verdict) },
		{ "initial_dram_portions", portions_to_json(&report->initial) },
		{ "final_dram_portions", portions_to_json(&report->final) },
		{ "intervals_dropped",
			json_object_new_uint64(report->intervals_dropped) },
		{ "intervals", intervals_to_json(report) },
	};
	int r;

	r = add_all(o, members, ARRAY_SIZE(members));
	if (r < 0)
		return r;
	if (report->phase_changed_at > 0)
		return add(o, "phase_changed_at_s",
			json_object_new_double(report->phase_changed_at));
	return 0;
}

int gups_report_write_json(const struct gups_report *report, const char *path)
{
	_cleanup_(json_object_putp) json_object *o = json_object_new_object();
	_cleanup_(fclosep) FILE *f = NULL;
	const char *text;
	int r;

	if (!o)
		return -ENOMEM;
	r = add_setting(o, report);
	if (r < 0)
		return r;
	r = add_results(o, report);
	if (r < 0)
		return r;
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY);
	if (!text)
		return -ENOMEM;

	f = fopen(path, "we");
	if (!f)
		return -errno;
	if (fprintf(f, "%s\n", text) < 0 || fflush(f) != 0)
		return -EIO;
	return 0;
}
