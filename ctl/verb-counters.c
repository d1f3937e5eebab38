/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl counters: what a group has counted, in tierd's order, one a line. */
#include <inttypes.h>

#include "resolve.h"
#include "table.h"
#include "tierctl.h"
#include "verbs.h"

static int print_text(struct tierctl *ctl, const struct tierctl_counters *counters)
{
	static const struct tierctl_column columns[] = { { "COUNTER", false },
		{ "VALUE", true } };
	_cleanup_(tierctl_table_freep) struct tierctl_table *table = NULL;
	int r;

	r = tierctl_table_new(
		&ctl->style, columns, ARRAY_SIZE(columns), ctl->legend, &table);
	if (r < 0)
		return tierctl_failed(r, "print the counters");
	for (size_t i = 0; i < counters->n_items; i++) {
		const struct tierctl_counter *counter = &counters->items[i];
		enum tierctl_colour colour =
			counter->value > 0 ? TIERCTL_PLAIN : TIERCTL_DIM;
		char value[TIERCTL_TEXT_MAX];

		snprintf(value, sizeof(value), "%" PRIu64, counter->value);
		r = tierctl_table_add(
			table, (struct tierctl_cell[]){
				       { counter->name, colour }, { value, colour } });
		if (r < 0)
			return tierctl_failed(r, "print the counters");
	}
	r = tierctl_table_print(table);
	if (r < 0)
		return tierctl_failed(r, "print the counters");
	return TIERCTL_EXIT_OK;
}

static int print_json(struct tierctl *ctl, const struct tierctl_counters *counters)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	for (size_t i = 0; i < counters->n_items; i++)
		tierctl_json_u64(json, counters->items[i].name, counters->items[i].value);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_counters(struct tierctl *ctl, _unused_ int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_counters_done) struct tierctl_counters counters = {};
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	int r;

	r = tierctl_find_group(ctl, argv[0], &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_get_counters(ctl->bus, &group, &counters, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_text(ctl, &counters);
	return print_json(ctl, &counters);
}
