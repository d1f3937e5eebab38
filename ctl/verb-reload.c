/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tierctl reload: tierd reads its configuration and policies again, or says what is wrong
 * with them and goes on as before. */
#include "bus-client.h"
#include "tierctl.h"
#include "verbs.h"

int tierctl_verb_reload(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_reload(ctl->bus, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	if (ctl->json == TIERCTL_JSON_OFF)
		return TIERCTL_EXIT_OK;
	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_bool(json, "reloaded", true);
	tierctl_json_close(json);
	return tierctl_finish_json(ctl, json);
}
