/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl pause, tierctl resume: nothing is moved in between. */
#include "bus-client.h"
#include "tierctl.h"
#include "verbs.h"

static int report(struct tierctl *ctl, bool is_paused)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	if (ctl->json == TIERCTL_JSON_OFF)
		return TIERCTL_EXIT_OK;
	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_bool(json, "paused", is_paused);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}

int tierctl_verb_pause(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = tierctl_pause(ctl->bus, &error);
	return r < 0 ? tierctl_call_failed(r, &error) : report(ctl, true);
}

int tierctl_verb_resume(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	r = tierctl_resume(ctl->bus, &error);
	return r < 0 ? tierctl_call_failed(r, &error) : report(ctl, false);
}
