/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SamplerSources and SamplerCoverage: which source is used, and why no better one is. */
#include "bus-internal.h"
#include "manager.h"
#include "sampler/ladder.h"

static int append_source(sd_bus_message *reply, const struct tierd_rung *rung)
{
	int r;

	r = sd_bus_message_open_container(reply, 'r', "sss");
	if (r < 0)
		return r;
	r = sd_bus_message_append(
		reply, "ss", rung->source, tierd_rung_state_to_string(rung->state));
	if (r < 0)
		return r;
	r = tierd_bus_append_text(reply, rung->reason);
	if (r < 0)
		return r;
	return sd_bus_message_close_container(reply);
}

int tierd_bus_get_sources(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, _unused_ const char *property,
	sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	int r;

	r = sd_bus_message_open_container(reply, 'a', "(sss)");
	if (r < 0)
		return r;
	for (size_t i = 0; i < tierd_manager_n_sources(bus->manager); i++) {
		struct tierd_rung rung;

		tierd_manager_get_source(bus->manager, i, &rung);
		r = append_source(reply, &rung);
		if (r < 0)
			return r;
	}
	return sd_bus_message_close_container(reply);
}

int tierd_bus_get_sampler_coverage(_unused_ sd_bus *connection, _unused_ const char *path,
	_unused_ const char *interface, _unused_ const char *property,
	sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error)
{
	const struct tierd_bus *bus = userdata;
	struct tierd_sampler_stats stats;

	tierd_manager_get_sampler_stats(bus->manager, &stats);
	return sd_bus_message_append(reply, "d", stats.coverage);
}
