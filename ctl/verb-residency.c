/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl residency: where each process's memory is, GiB by GiB of what it has resident,
 * in the line by which logs of tiering experiments are compared.
 */
#include <inttypes.h>

#include "bus-client.h"
#include "resolve.h"
#include "tierctl.h"
#include "verbs.h"

static struct tierctl_portion sum(const struct tierctl_process *process)
{
	struct tierctl_portion total = {};

	for (size_t i = 0; i < process->n_portions; i++) {
		total.resident_bytes += process->portions[i].resident_bytes;
		total.dram_bytes += process->portions[i].dram_bytes;
	}
	return total;
}

static double dram_share(const struct tierctl_portion *portion)
{
	return tierctl_share(portion->dram_bytes, portion->resident_bytes);
}

static void print_process(struct tierctl *ctl, const struct tierctl_process *process)
{
	struct tierctl_portion total = sum(process);
	char size[TIERCTL_TEXT_MAX], share[TIERCTL_TEXT_MAX];

	if (ctl->legend)
		printf("pid %" PRIu32 ", %s resident, %s in DRAM\n", process->pid,
			tierctl_format_size(total.resident_bytes, size),
			tierctl_format_share(dram_share(&total), share));
	printf("dram portion per gb: [");
	for (size_t i = 0; i < process->n_portions; i++)
		printf("%s%.3f", i > 0 ? ", " : "", dram_share(&process->portions[i]));
	printf("]\n");
}

static void process_to_json(
	struct tierctl_json *json, const struct tierctl_process *process)
{
	struct tierctl_portion total = sum(process);

	tierctl_json_open_object(json, NULL);
	tierctl_json_u64(json, "pid", process->pid);
	tierctl_json_u64(json, "resident_bytes", total.resident_bytes);
	tierctl_json_u64(json, "dram_bytes", total.dram_bytes);
	tierctl_json_open_array(json, "dram_portion_per_gb");
	for (size_t i = 0; i < process->n_portions; i++)
		tierctl_json_double(json, NULL, dram_share(&process->portions[i]));
	tierctl_json_close(json);
	tierctl_json_close(json);
}

static int print_group(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_processes *processes, bool is_first)
{
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = tierctl_printable(&ctl->style, group->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	printf("%s%s%s%s\n", is_first ? "" : "\n",
		tierctl_colour(&ctl->style, TIERCTL_BOLD), cgroup,
		tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	for (size_t i = 0; i < processes->n_items; i++)
		print_process(ctl, &processes->items[i]);
	if (processes->n_items == 0 && ctl->legend)
		printf("no processes\n");
	return TIERCTL_EXIT_OK;
}

static void group_to_json(struct tierctl_json *json, const struct tierctl_group *group,
	const struct tierctl_processes *processes)
{
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_open_array(json, "processes");
	for (size_t i = 0; i < processes->n_items; i++)
		process_to_json(json, &processes->items[i]);
	tierctl_json_close(json);
	tierctl_json_close(json);
}

/* json is NULL for text. */
static int show_group(struct tierctl *ctl, struct tierctl_json *json,
	const struct tierctl_group *group, bool is_first)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_processes_done) struct tierctl_processes processes = {};
	int r;

	r = tierctl_get_processes(ctl->bus, group, &processes, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (!json)
		return print_group(ctl, group, &processes, is_first);
	group_to_json(json, group, &processes);
	return TIERCTL_EXIT_OK;
}

static int show_groups(struct tierctl *ctl, const struct tierctl_groups *groups)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	if (ctl->json != TIERCTL_JSON_OFF) {
		r = tierctl_json_new(&json);
		if (r < 0)
			return tierctl_failed(r, "print JSON");
		tierctl_json_open_array(json, NULL);
	}
	for (size_t i = 0; i < groups->n_items; i++) {
		r = show_group(ctl, json, &groups->items[i], i == 0);
		if (r != TIERCTL_EXIT_OK)
			return r;
	}
	if (!json)
		return TIERCTL_EXIT_OK;
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_residency(struct tierctl *ctl, int argc, char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_groups_done) struct tierctl_groups groups = {};
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	int r;

	if (argc > 0) {
		r = tierctl_find_group(ctl, argv[0], &group);
		if (r != TIERCTL_EXIT_OK)
			return r;
		return show_groups(ctl, &(struct tierctl_groups){ &group, 1 });
	}
	r = tierctl_get_groups(ctl->bus, &groups, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	return show_groups(ctl, &groups);
}
