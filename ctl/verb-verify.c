/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl verify: what tierd would say of these files, by the parser it has itself. No
 * tierd is needed, and none is asked: whether a machine can keep what they promise is
 * found out by a reload.
 */
#include <errno.h>
#include <string.h>

#include "settings/config.h"
#include "settings/policy.h"
#include "tierctl.h"
#include "verbs.h"

static bool is_config(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, "tierd.conf") == 0;
}

/* The root is a file's own directory to start from, so that paths mean what they say. */
static int verify_file(const char *path, char **ret_error)
{
	struct tierd_policy policy;
	struct tierd_config config;
	struct tierd_root root;
	int r;

	r = tierd_root_open(*path == '/' ? "/" : ".", &root);
	if (r < 0)
		return r;
	if (is_config(path))
		r = tierd_config_load(&root, path, &config, ret_error);
	else
		r = tierd_policy_load(&root, path, &policy, ret_error);
	tierd_root_close(&root);
	return r;
}

/* All that is installed; one error of it at a time, as tierd finds them. */
static int verify_installed(char **ret_error)
{
	_cleanup_(tierd_policies_freep) struct tierd_policies *policies = NULL;
	struct tierd_config config;
	struct tierd_root root;
	int r;

	r = tierd_root_open("/", &root);
	if (r < 0)
		return r;
	r = tierd_config_load(&root, NULL, &config, ret_error);
	if (r >= 0)
		r = tierd_policies_load(&root, &policies, ret_error);
	tierd_root_close(&root);
	return r;
}

/* path is NULL for what is installed. */
static int report(struct tierctl *ctl, struct tierctl_json *json, const char *path,
	bool *ret_is_good)
{
	_cleanup_(freep) char *error = NULL, *text = NULL;
	int r = path ? verify_file(path, &error) : verify_installed(&error);
	const char *why = error ? error : strerror(-r);

	*ret_is_good = r >= 0;
	tierctl_json_open_object(json, NULL);
	if (path)
		tierctl_json_string(json, "file", path);
	tierctl_json_bool(json, "valid", r >= 0);
	if (r < 0)
		tierctl_json_string(json, "error", why);
	tierctl_json_close(json);
	if (r >= 0 || ctl->json != TIERCTL_JSON_OFF)
		return 0;
	r = tierctl_printable(&ctl->style, why, &text);
	if (r < 0)
		return r;
	tierctl_error("%s", text);
	return 0;
}

int tierctl_verb_verify(struct tierctl *ctl, int argc, char **argv)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	bool is_good, are_good = true;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_array(json, NULL);
	for (int i = 0; i < TIER_MAX(argc, 1); i++) {
		r = report(ctl, json, argc > 0 ? argv[i] : NULL, &is_good);
		if (r < 0)
			return tierctl_failed(r, "verify");
		are_good = are_good && is_good;
	}
	tierctl_json_close(json);
	r = TIERCTL_EXIT_OK;
	if (ctl->json != TIERCTL_JSON_OFF)
		r = tierctl_finish_json(ctl, json);
	return are_good ? r : TIERCTL_EXIT_FAILURE;
}
