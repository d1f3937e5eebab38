/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl cat-config: the files that tierd reads, in the order in which they count, each
 * behind its name; what is hidden by another of its name is not shown. No tierd is
 * needed, and whether it would understand them is verify's affair.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "settings/config.h"
#include "settings/policy.h"
#include "tierctl.h"
#include "verbs.h"

struct output {
	struct tierctl *ctl;
	struct tierctl_json *json;
	unsigned n_files;
};

/* text is NULL for a mask. */
static void print_text(struct output *output, const char *path, const char *text)
{
	const struct tierctl_style *style = &output->ctl->style;
	size_t length = text ? strlen(text) : 0;

	printf("%s%s# %s%s%s\n", output->n_files > 0 ? "\n" : "",
		tierctl_colour(style, TIERCTL_BOLD), path, text ? "" : " (a mask)",
		tierctl_colour(style, TIERCTL_PLAIN));
	if (length > 0)
		printf("%s%s", text, text[length - 1] == '\n' ? "" : "\n");
}

static void print_file(struct output *output, const char *path, const char *text)
{
	if (output->ctl->json == TIERCTL_JSON_OFF)
		print_text(output, path, text);
	output->n_files++;
	tierctl_json_open_object(output->json, NULL);
	tierctl_json_string(output->json, "file", path);
	tierctl_json_bool(output->json, "masked", !text);
	if (text)
		tierctl_json_string(output->json, "text", text);
	tierctl_json_close(output->json);
}

/* Without the file the defaults hold. */
static int cat_config(const struct tierd_root *root, struct output *output)
{
	_cleanup_(freep) char *text = NULL;
	int r = tierd_root_read_file(
		root, TIERD_CONFIG_PATH, TIERD_CONFIG_FILE_MAX_BYTES, &text, NULL);

	if (r == -ENOENT)
		return TIERCTL_EXIT_OK;
	if (r < 0)
		return tierctl_failed(r, "read " TIERD_CONFIG_PATH);
	print_file(output, TIERD_CONFIG_PATH, text);
	return TIERCTL_EXIT_OK;
}

static int cat_policy(
	const struct tierd_root *root, struct output *output, const char *path)
{
	_cleanup_(freep) char *text = NULL, *error = NULL;
	_cleanup_(closep) int fd = -EBADF;
	int r;

	r = tierd_policy_file_open(root, path, &fd, &error);
	if (r > 0)
		r = tierd_read_fd(fd, TIERD_POLICY_FILE_MAX_BYTES, &text, NULL);
	if (r < 0) {
		tierctl_error("%s%s%s", error ? "" : path, error ? "" : ": ",
			error ? error : strerror(-r));
		return TIERCTL_EXIT_FAILURE;
	}
	print_file(output, path, text);
	return TIERCTL_EXIT_OK;
}

static int cat_policies(const struct tierd_root *root, struct output *output)
{
	_cleanup_(tierd_policy_files_done) struct tierd_policy_files files = {};
	_cleanup_(freep) char *error = NULL;
	int r;

	r = tierd_policy_files_list(root, &files, &error);
	if (r < 0) {
		tierctl_error("%s", error ? error : strerror(-r));
		return TIERCTL_EXIT_FAILURE;
	}
	for (size_t i = 0; i < files.n_items; i++) {
		r = cat_policy(root, output, files.items[i].path);
		if (r != TIERCTL_EXIT_OK)
			return r;
	}
	return TIERCTL_EXIT_OK;
}

int tierctl_verb_cat_config(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	struct output output = { .ctl = ctl };
	struct tierd_root root;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	output.json = json;
	tierctl_json_open_array(json, NULL);
	r = tierd_root_open("/", &root);
	if (r < 0)
		return tierctl_failed(r, "open /");
	r = cat_config(&root, &output);
	if (r == TIERCTL_EXIT_OK)
		r = cat_policies(&root, &output);
	tierd_root_close(&root);
	tierctl_json_close(json);
	if (r == TIERCTL_EXIT_OK && ctl->json != TIERCTL_JSON_OFF)
		r = tierctl_finish_json(ctl, json);
	return r;
}
