/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bus-call.h"
#include "bus-explain.h"
#include "properties.h"

/* ---- A group ------------------------------------------------------------------- */

static void reasons_done(struct tierctl_reasons *reasons)
{
	for (size_t i = 0; i < reasons->n_items; i++) {
		free(reasons->items[i].word);
		free(reasons->items[i].sentence);
	}
	free(reasons->items);
	*reasons = (struct tierctl_reasons){};
}

void tierctl_why_done(struct tierctl_why *why)
{
	reasons_done(&why->holds);
	reasons_done(&why->pages);
}

static struct tierctl_reason *add_reason(
	struct tierctl_reasons *reasons, const char *word, const char *sentence)
{
	struct tierctl_reason *items =
		tierctl_grow(reasons->items, reasons->n_items, sizeof(*reasons->items));
	struct tierctl_reason *reason;

	if (!items)
		return NULL;
	reasons->items = items;
	reason = &items[reasons->n_items++];
	reason->word = strdup(word);
	reason->sentence = strdup(sentence);
	return reason->word && reason->sentence ? reason : NULL;
}

static int read_holds(sd_bus_message *message, struct tierctl_reasons *holds)
{
	const char *word, *sentence;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "(ss)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(message, "(ss)", &word, &sentence)) > 0)
		if (!add_reason(holds, word, sentence))
			return -ENOMEM;
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_pages(sd_bus_message *message, struct tierctl_reasons *pages)
{
	const char *word, *sentence;
	uint64_t dram, slow;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "(sstt)");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(
			message, "(sstt)", &word, &sentence, &dram, &slow)) > 0) {
		struct tierctl_reason *reason = add_reason(pages, word, sentence);

		if (!reason)
			return -ENOMEM;
		reason->dram_bytes = dram;
		reason->slow_bytes = slow;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

int tierctl_get_why(sd_bus *bus, const struct tierctl_group *group,
	struct tierctl_why *ret, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(tierctl_why_done) struct tierctl_why why = {};
	const struct tierctl_call call = { group->path, TIERCTL_GROUP_INTERFACE,
		"Explain" };
	int r;

	r = tierctl_call(bus, &call, &reply, error, "");
	if (r < 0)
		return r;
	r = read_holds(reply, &why.holds);
	if (r < 0)
		return r;
	r = read_pages(reply, &why.pages);
	if (r < 0)
		return r;
	*ret = why;
	why = (struct tierctl_why){};
	return 0;
}

/* ---- A page -------------------------------------------------------------------- */

void tierctl_page_done(struct tierctl_page *page)
{
	free(page->cgroup);
	free(page->reason);
	free(page->sentence);
	free(page->class);
	free(page->moved_direction);
	free(page->moved_reason);
	free(page->moved_result);
	*page = (struct tierctl_page){};
}

#define FIELD(field) offsetof(struct tierctl_page, field)

static const struct tierctl_property properties[] = {
	{ "Reason", "s", tierctl_read_string, FIELD(reason) },
	{ "Sentence", "s", tierctl_read_string, FIELD(sentence) },
	{ "Class", "s", tierctl_read_string, FIELD(class) },
	{ "Tier", "u", tierctl_read_u32, FIELD(tier) },
	{ "Huge", "b", tierctl_read_bool, FIELD(is_huge) },
	{ "Samples", "u", tierctl_read_u32, FIELD(samples) },
	{ "BlockSamples", "u", tierctl_read_u32, FIELD(block_samples) },
	{ "Exposure", "d", tierctl_read_double, FIELD(exposure) },
	{ "Rate", "d", tierctl_read_double, FIELD(rate) },
	{ "RateLow", "d", tierctl_read_double, FIELD(rate_low) },
	{ "RateHigh", "d", tierctl_read_double, FIELD(rate_high) },
	{ "CutRate", "d", tierctl_read_double, FIELD(cut_rate) },
	{ "LastMoveUSecAgo", "t", tierctl_read_u64, FIELD(moved_usec_ago) },
	{ "LastMoveDirection", "s", tierctl_read_string, FIELD(moved_direction) },
	{ "LastMoveTo", "u", tierctl_read_u32, FIELD(moved_to) },
	{ "LastMoveReason", "s", tierctl_read_string, FIELD(moved_reason) },
	{ "LastMoveResult", "s", tierctl_read_string, FIELD(moved_result) },
};

static int call_explain_page(sd_bus *bus, uint32_t pid, uint64_t address,
	sd_bus_message **ret_reply, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	const struct tierctl_call call = { TIERCTL_MANAGER_PATH,
		TIERCTL_MANAGER_INTERFACE, "ExplainPage" };
	int r;

	r = tierctl_new_call(bus, &call, &message);
	if (r < 0)
		return r;
	r = sd_bus_message_append(message, "ut", pid, address);
	if (r < 0)
		return r;
	return tierctl_send_change(bus, message, ret_reply, error);
}

int tierctl_get_page(sd_bus *bus, uint32_t pid, uint64_t address,
	struct tierctl_page *ret, sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(tierctl_page_done) struct tierctl_page page = {
		.tier = UINT32_MAX,
		.exposure = NAN,
		.rate = NAN,
		.rate_low = NAN,
		.rate_high = NAN,
		.cut_rate = NAN,
	};
	int r;

	r = call_explain_page(bus, pid, address, &reply, error);
	if (r < 0)
		return r;
	r = tierctl_read_string(reply, &page.cgroup);
	if (r < 0)
		return r;
	r = tierctl_read_properties(reply, properties, ARRAY_SIZE(properties), &page);
	if (r < 0)
		return r;
	if (!page.reason || !page.sentence)
		return -EBADMSG;
	*ret = page;
	page = (struct tierctl_page){};
	return 0;
}
