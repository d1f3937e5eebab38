/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl explain: why memory is where it is, of a group in sums and of one page with all
 * that is known of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "bus-explain.h"
#include "resolve.h"
#include "tierctl.h"
#include "verbs.h"

/* ---- A group ------------------------------------------------------------------- */

static void print_reason(struct tierctl *ctl, const struct tierctl_reason *reason)
{
	printf("  %s%s%s: %s\n", tierctl_colour(&ctl->style, TIERCTL_BOLD), reason->word,
		tierctl_colour(&ctl->style, TIERCTL_PLAIN), reason->sentence);
}

static int print_group(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_why *why)
{
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = tierctl_printable(&ctl->style, group->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	if (ctl->legend)
		printf("%s: memory by what keeps it where it is\n\n", cgroup);
	for (size_t i = 0; i < why->holds.n_items; i++)
		print_reason(ctl, &why->holds.items[i]);
	if (why->holds.n_items > 0)
		printf("\n");
	if (ctl->legend)
		printf("%s    DRAM    SLOW  REASON%s\n",
			tierctl_colour(&ctl->style, TIERCTL_BOLD),
			tierctl_colour(&ctl->style, TIERCTL_PLAIN));
	for (size_t i = 0; i < why->pages.n_items; i++) {
		const struct tierctl_reason *reason = &why->pages.items[i];
		char dram[TIERCTL_TEXT_MAX], slow[TIERCTL_TEXT_MAX];

		printf("%8s%8s", tierctl_format_size(reason->dram_bytes, dram),
			tierctl_format_size(reason->slow_bytes, slow));
		print_reason(ctl, reason);
	}
	return TIERCTL_EXIT_OK;
}

static void reasons_to_json(struct tierctl_json *json, const char *key,
	const struct tierctl_reasons *reasons, bool has_bytes)
{
	tierctl_json_open_array(json, key);
	for (size_t i = 0; i < reasons->n_items; i++) {
		const struct tierctl_reason *reason = &reasons->items[i];

		tierctl_json_open_object(json, NULL);
		tierctl_json_string(json, "reason", reason->word);
		tierctl_json_string(json, "sentence", reason->sentence);
		if (has_bytes) {
			tierctl_json_u64(json, "dram_bytes", reason->dram_bytes);
			tierctl_json_u64(json, "slow_bytes", reason->slow_bytes);
		}
		tierctl_json_close(json);
	}
	tierctl_json_close(json);
}

static int group_to_json(struct tierctl *ctl, const struct tierctl_group *group,
	const struct tierctl_why *why)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	reasons_to_json(json, "holds", &why->holds, false);
	reasons_to_json(json, "pages", &why->pages, true);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

static int explain_group(struct tierctl *ctl, const char *name)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_group_done) struct tierctl_group group = {};
	_cleanup_(tierctl_why_done) struct tierctl_why why = {};
	int r;

	r = tierctl_find_group(ctl, name, &group);
	if (r != TIERCTL_EXIT_OK)
		return r;
	r = tierctl_get_why(ctl->bus, &group, &why, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_group(ctl, &group, &why);
	return group_to_json(ctl, &group, &why);
}

/* ---- A page -------------------------------------------------------------------- */

static void print_rates(const struct tierctl_page *page)
{
	char rate[TIERCTL_TEXT_MAX], low[TIERCTL_TEXT_MAX], high[TIERCTL_TEXT_MAX];
	char cut[TIERCTL_TEXT_MAX];

	if (isnan(page->rate))
		return;
	printf("     Rate: %s, believed to be %s to %s; the quota is full at %s\n",
		tierctl_format_rate(page->rate, rate),
		tierctl_format_rate(page->rate_low, low),
		tierctl_format_rate(page->rate_high, high),
		tierctl_format_rate(page->cut_rate, cut));
}

static void print_heat(const struct tierctl_page *page)
{
	if (page->tier == 0)
		printf("    Where: DRAM");
	else
		printf("    Where: slow memory, tier %" PRIu32, page->tier);
	printf("%s\n", page->is_huge ? ", in a huge page" : "");
	printf("    Class: %s\n", page->class);
	printf("     Heat: %" PRIu32 " samples, %" PRIu32
	       " in its 2 MiB; one accessed once a second would have %.3g\n",
		page->samples, page->block_samples, page->exposure);
	print_rates(page);
}

static void print_last_move(const struct tierctl_page *page)
{
	char ago[TIERCTL_TEXT_MAX];

	if (!page->moved_direction || !page->moved_result || !page->moved_reason)
		return;
	printf("Last move: %s to tier %" PRIu32 " (%s), %s ago: %s\n",
		page->moved_direction, page->moved_to, page->moved_reason,
		tierctl_format_duration(page->moved_usec_ago, ago), page->moved_result);
}

static int print_page(struct tierctl *ctl, uint32_t pid, uint64_t address,
	const struct tierctl_page *page)
{
	_cleanup_(freep) char *cgroup = NULL;
	int r;

	r = tierctl_printable(&ctl->style, page->cgroup, &cgroup);
	if (r < 0)
		return tierctl_failed(r, "print the group");
	if (ctl->legend)
		printf("%s %s0x%" PRIx64 "%s of process %" PRIu32 " in %s\n",
			tierctl_dot(&ctl->style),
			tierctl_colour(&ctl->style, TIERCTL_BOLD), address,
			tierctl_colour(&ctl->style, TIERCTL_PLAIN), pid, cgroup);
	printf("      Why: %s%s%s: %s\n", tierctl_colour(&ctl->style, TIERCTL_BOLD),
		page->reason, tierctl_colour(&ctl->style, TIERCTL_PLAIN), page->sentence);
	if (page->class)
		print_heat(page);
	print_last_move(page);
	return TIERCTL_EXIT_OK;
}

static void last_move_to_json(struct tierctl_json *json, const struct tierctl_page *page)
{
	if (!page->moved_direction || !page->moved_result || !page->moved_reason)
		return;
	tierctl_json_open_object(json, "last_move");
	tierctl_json_string(json, "direction", page->moved_direction);
	tierctl_json_u64(json, "to", page->moved_to);
	tierctl_json_string(json, "reason", page->moved_reason);
	tierctl_json_string(json, "result", page->moved_result);
	tierctl_json_u64(json, "usec_ago", page->moved_usec_ago);
	tierctl_json_close(json);
}

static void heat_to_json(struct tierctl_json *json, const struct tierctl_page *page)
{
	tierctl_json_u64(json, "tier", page->tier);
	tierctl_json_bool(json, "huge", page->is_huge);
	tierctl_json_string(json, "class", page->class);
	tierctl_json_u64(json, "samples", page->samples);
	tierctl_json_u64(json, "block_samples", page->block_samples);
	tierctl_json_double(json, "exposure", page->exposure);
	tierctl_json_double(json, "rate", page->rate);
	tierctl_json_double(json, "rate_low", page->rate_low);
	tierctl_json_double(json, "rate_high", page->rate_high);
	tierctl_json_double(json, "cut_rate", page->cut_rate);
}

static int page_to_json(struct tierctl *ctl, uint32_t pid, uint64_t address,
	const struct tierctl_page *page)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_u64(json, "pid", pid);
	tierctl_json_u64(json, "address", address);
	tierctl_json_string(json, "cgroup", page->cgroup);
	tierctl_json_string(json, "reason", page->reason);
	tierctl_json_string(json, "sentence", page->sentence);
	if (page->class)
		heat_to_json(json, page);
	last_move_to_json(json, page);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

/* A number that takes up all of the text, by default a hexadecimal one if it says so. */
static bool read_number(const char *text, uint64_t most, uint64_t *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
	return errno == 0 && *end == '\0' && *ret <= most;
}

static int explain_page(struct tierctl *ctl, const char *pid_text, const char *text)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_page_done) struct tierctl_page page = {};
	uint64_t pid, address;
	int r;

	if (!read_number(pid_text, INT32_MAX, &pid) ||
		!read_number(text, UINT64_MAX, &address)) {
		tierctl_error(
			"a page is a process's number and an address, as in 1234 "
			"0x7f0012345000");
		return TIERCTL_EXIT_USAGE;
	}
	r = tierctl_get_page(ctl->bus, pid, address, &page, &error);
	if (r < 0 && sd_bus_error_has_name(&error, TIERCTL_ERROR_NO_SUCH_PROCESS)) {
		tierctl_error("%s", error.message);
		return TIERCTL_EXIT_NO_SUCH_GROUP;
	}
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return print_page(ctl, pid, address, &page);
	return page_to_json(ctl, pid, address, &page);
}

int tierctl_verb_explain(struct tierctl *ctl, int argc, char **argv)
{
	return argc == 1 ? explain_group(ctl, argv[0])
			 : explain_page(ctl, argv[0], argv[1]);
}
