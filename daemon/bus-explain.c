/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why memory is where it is: of a group in sums, which anybody may ask for, and of a page
 * by its address. Who asks for that learns what is mapped where, and how often it is
 * accessed: it is for root and whom polkit says.
 */
#include <errno.h>
#include <inttypes.h>

#include "bus-internal.h"
#include "clock.h"
#include "group.h"
#include "manager.h"

/* ---- A group ------------------------------------------------------------------- */

static int append_holds(
	sd_bus_message *reply, const struct tierd_group_explanation *explanation)
{
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(ss)");
	if (r < 0)
		return r;
	for (size_t i = 0; i < explanation->n_holds; i++) {
		const struct tierd_reason *hold = &explanation->holds[i];

		r = sd_bus_message_append(reply, "(ss)", hold->word, hold->sentence);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

static int append_pages(
	sd_bus_message *reply, const struct tierd_group_explanation *explanation)
{
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(sstt)");
	if (r < 0)
		return r;
	for (size_t i = 0; i < explanation->n_pages; i++) {
		const struct tierd_reason *reason = &explanation->pages[i].reason;

		r = sd_bus_message_append(reply, "(sstt)", reason->word, reason->sentence,
			explanation->pages[i].dram_bytes,
			explanation->pages[i].slow_bytes);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

int tierd_bus_group_explain(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct tierd_group_explanation explanation;
	int r;

	r = tierd_group_explain(userdata, &explanation);
	if (r < 0)
		return r;
	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	r = append_holds(reply, &explanation);
	if (r < 0)
		return r;
	r = append_pages(reply, &explanation);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

/* ---- A page -------------------------------------------------------------------- */

static int append_heat(sd_bus_message *reply, const struct tier_explanation *heat)
{
	return sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}",
		"Tier", "u", heat->tier, "Huge", "b", (int)heat->huge, "Class", "s",
		tier_class_to_string(heat->heat_class), "Samples", "u", heat->samples,
		"BlockSamples", "u", heat->block_samples, "Exposure", "d", heat->exposure,
		"Rate", "d", heat->rate, "RateLow", "d", heat->rate_low, "RateHigh", "d",
		heat->rate_high, "CutRate", "d", heat->cut_rate);
}

static int append_last_move(sd_bus_message *reply, const struct tier_explanation *heat)
{
	uint64_t now_ns = tierd_now_ns();
	uint64_t ago_ns = now_ns - TIER_MIN(heat->moved_ns, now_ns);

	return sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}{sv}", "LastMoveUSecAgo",
		"t", ago_ns / 1000, "LastMoveDirection", "s",
		tier_direction_to_string(heat->moved_direction), "LastMoveTo", "u",
		heat->moved_to, "LastMoveReason", "s",
		tier_reason_to_string(heat->moved_reason), "LastMoveResult", "s",
		tier_result_to_string(heat->moved_result));
}

static int append_page(
	sd_bus_message *reply, const struct tierd_page_explanation *explanation)
{
	const struct tier_explanation *heat = &explanation->heat;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "{sv}{sv}", "Reason", "s",
		explanation->reason.word, "Sentence", "s", explanation->reason.sentence);
	if (r < 0)
		return r;
	if (heat->is_covered) {
		r = append_heat(reply, heat);
		if (r < 0)
			return r;
	}
	if (heat->moved_ns > 0) {
		r = append_last_move(reply, heat);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

static int reply_page(sd_bus_message *message, const struct tierd_group *group,
	const struct tierd_page_explanation *explanation)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct tierd_group_view view;
	int r;

	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	tierd_group_get_view(group, &view);
	r = tierd_bus_append_text(reply, view.cgroup);
	if (r < 0)
		return r;
	r = append_page(reply, explanation);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}

int tierd_bus_explain_page(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	struct tierd_page_explanation explanation;
	const struct tierd_group *group;
	uint64_t address;
	uint32_t pid;
	int r;

	r = sd_bus_message_read(message, "ut", &pid, &address);
	if (r < 0)
		return r;
	r = tierd_bus_authorize(message, TIERD_BUS_ACTION_EXPLAIN_PAGES, error);
	if (r <= 0)
		return r < 0 ? r : 1;
	group = tierd_manager_find_process(bus->manager, (pid_t)pid);
	r = group ? tierd_group_explain_page(group, (pid_t)pid, address, &explanation)
		  : -ESRCH;
	if (r == -ESRCH)
		return sd_bus_error_setf(error, TIERD_BUS_ERROR_NO_SUCH_PROCESS,
			"Process %" PRIu32 " is not in a managed group", pid);
	if (r < 0)
		return r;
	return reply_page(message, group, &explanation);
}
