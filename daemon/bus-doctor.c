/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Doctor: what was found, in an order of no meaning. No address is told. */
#include "bus-internal.h"
#include "doctor.h"

static int append_finding(sd_bus_message *reply, const struct tierd_finding *finding)
{
	int r;

	r = sd_bus_message_open_container(reply, 'r', "sssss");
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "ss", finding->id, finding->severity);
	if (r < 0)
		return r;
	r = tierd_bus_append_text(reply, finding->subject);
	if (r < 0)
		return r;
	r = tierd_bus_append_text(reply, finding->what);
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "s", finding->advice);
	if (r < 0)
		return r;
	return sd_bus_message_close_container(reply);
}

int tierd_bus_doctor(
	sd_bus_message *message, void *userdata, _unused_ sd_bus_error *error)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	_cleanup_(tierd_findings_done) struct tierd_findings findings = { 0 };
	const struct tierd_bus *bus = userdata;
	int r;

	tierd_manager_doctor(bus->manager, &findings);
	r = sd_bus_message_new_method_return(message, &reply);
	if (r < 0)
		return r;
	r = sd_bus_message_open_container(reply, 'a', "(sssss)");
	if (r < 0)
		return r;
	for (size_t i = 0; i < findings.n; i++) {
		r = append_finding(reply, &findings.items[i]);
		if (r < 0)
			return r;
	}
	r = sd_bus_message_close_container(reply);
	if (r < 0)
		return r;
	return sd_bus_message_send(reply);
}
