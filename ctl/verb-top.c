/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tierctl top: the groups, again and again, as systemd-cgtop(1) shows them: the same
 * keys, the same options, and one look only where nobody watches. Curves are asked for
 * the groups that are shown.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sys/ioctl.h>
#include <time.h>

#include "group-view.h"
#include "keyboard.h"
#include "table.h"
#include "top.h"
#include "verbs.h"

#define USEC_PER_SEC UINT64_C(1000000)

#define LINES_DEFAULT 24

/* What the screen holds beside the rows: a heading, and the help. */
#define LINES_TAKEN 4

struct top {
	struct tierctl *ctl;
	enum tierctl_top_order order;
	uint64_t delay_usec;
	bool is_live; /* on a terminal, which is cleared for each look */
	bool shows_help;
	struct tierctl_groups groups;
	struct tierctl_groups before;
	uint64_t looked_usec;
	uint64_t looked_before_usec;
	struct tierctl_top_row *rows;
};

static void top_done(struct top *top)
{
	tierctl_groups_done(&top->groups);
	tierctl_groups_done(&top->before);
	free(top->rows);
}

static uint64_t clock_usec(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / 1000;
}

/* ---- Looking ------------------------------------------------------------------- */

static int look(struct top *top)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_groups_done) struct tierctl_groups groups = {};
	struct tierctl_top_row *rows;
	int r;

	r = tierctl_get_groups(top->ctl->bus, &groups, &error);
	if (r < 0)
		return tierctl_call_failed(r, &error);
	rows = reallocarray(top->rows, groups.n_items + 1, sizeof(*rows));
	if (!rows)
		return tierctl_failed(-ENOMEM, "show the groups");
	top->rows = rows;
	tierctl_groups_done(&top->before);
	top->before = top->groups;
	top->looked_before_usec = top->looked_usec;
	top->groups = groups;
	top->looked_usec = clock_usec(CLOCK_MONOTONIC);
	groups = (struct tierctl_groups){};
	return TIERCTL_EXIT_OK;
}

/* What cannot be had, as of a group that went away meanwhile, is not known. */
static double gain(struct top *top, const struct tierctl_group *group)
{
	_cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
	_cleanup_(tierctl_curve_done) struct tierctl_curve curve = {};

	if (tierctl_get_curve(top->ctl->bus, group, &curve, &error) < 0)
		return NAN;
	return tierctl_top_gain(&curve, group->dram_bytes);
}

static size_t rows_shown(const struct top *top)
{
	struct winsize size = { .ws_row = LINES_DEFAULT };

	if (!top->is_live)
		return top->groups.n_items;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row <= LINES_TAKEN)
		size.ws_row = LINES_DEFAULT;
	return TIER_MIN(top->groups.n_items, (size_t)size.ws_row - LINES_TAKEN);
}

static size_t arrange(struct top *top)
{
	size_t n = rows_shown(top);

	tierctl_top_fill(&top->groups, &top->before,
		top->looked_usec - top->looked_before_usec, top->order, top->rows);
	for (size_t i = 0; i < n; i++)
		top->rows[i].gain = gain(top, top->rows[i].group);
	return n;
}

/* ---- Printing ------------------------------------------------------------------ */

static const char *format_bytes(
	const struct top *top, double bytes, char buf[static TIERCTL_TEXT_MAX])
{
	if (isnan(bytes))
		snprintf(buf, TIERCTL_TEXT_MAX, "-");
	else if (top->ctl->refresh.raw)
		snprintf(buf, TIERCTL_TEXT_MAX, "%.0f", bytes);
	else
		tierctl_format_size((uint64_t)bytes, buf);
	return buf;
}

static const char *format_quota(
	const struct top *top, uint64_t bytes, char buf[static TIERCTL_TEXT_MAX])
{
	return bytes == UINT64_MAX ? tierctl_format_limit(bytes, buf)
				   : format_bytes(top, (double)bytes, buf);
}

enum {
	COLUMN_CGROUP,
	COLUMN_QUOTA,
	COLUMN_DRAM,
	COLUMN_SLOW,
	COLUMN_UNCOVERED,
	COLUMN_HIT,
	COLUMN_GAIN,
	COLUMN_PROMOTED,
	COLUMN_DEMOTED,
	COLUMN_PROCESSES,
	COLUMN_MAX,
};

static const struct tierctl_column columns[COLUMN_MAX] = {
	[COLUMN_CGROUP] = { "CGROUP", false },
	[COLUMN_QUOTA] = { "QUOTA", true },
	[COLUMN_DRAM] = { "DRAM", true },
	[COLUMN_SLOW] = { "SLOW", true },
	[COLUMN_UNCOVERED] = { "UNCOV", true },
	[COLUMN_HIT] = { "HIT", true },
	[COLUMN_GAIN] = { "+25%", true },
	[COLUMN_PROMOTED] = { "UP/s", true },
	[COLUMN_DEMOTED] = { "DOWN/s", true },
	[COLUMN_PROCESSES] = { "PROCS", true },
};

static int add_row(const struct top *top, struct tierctl_table *table,
	const struct tierctl_top_row *row)
{
	const struct tierctl_group *group = row->group;
	char text[COLUMN_MAX][TIERCTL_TEXT_MAX];
	struct tierctl_cell cells[COLUMN_MAX];

	for (unsigned i = 0; i < COLUMN_MAX; i++)
		cells[i] = (struct tierctl_cell){ text[i], TIERCTL_PLAIN };
	cells[COLUMN_CGROUP].text = group->cgroup;
	cells[COLUMN_DRAM].colour = tierctl_quota_colour(group);
	format_quota(top, group->dram_quota_bytes, text[COLUMN_QUOTA]);
	format_bytes(top, (double)group->dram_bytes, text[COLUMN_DRAM]);
	format_bytes(top, (double)group->slow_bytes, text[COLUMN_SLOW]);
	format_bytes(top, (double)group->uncovered_bytes, text[COLUMN_UNCOVERED]);
	tierctl_format_share(group->hit_ratio, text[COLUMN_HIT]);
	tierctl_format_share(row->gain, text[COLUMN_GAIN]);
	format_bytes(top, row->promoted_per_sec, text[COLUMN_PROMOTED]);
	format_bytes(top, row->demoted_per_sec, text[COLUMN_DEMOTED]);
	snprintf(text[COLUMN_PROCESSES], TIERCTL_TEXT_MAX, "%" PRIu32, group->processes);
	return tierctl_table_add(table, cells);
}

static int print_table(const struct top *top, size_t n)
{
	_cleanup_(tierctl_table_freep) struct tierctl_table *table = NULL;
	struct tierctl *ctl = top->ctl;
	int r;

	if (n == 0)
		return 0;
	r = tierctl_table_new(&ctl->style, columns, COLUMN_MAX, ctl->legend, &table);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = add_row(top, table, &top->rows[i]);
		if (r < 0)
			return r;
	}
	return tierctl_table_print(table);
}

static void print_help(const struct top *top)
{
	char delay[TIERCTL_TEXT_MAX];

	printf("\nOrder: p path  t tasks  c hits  m memory  i moves    "
	       "+ - every %s    Space now    h help    q quit\n",
		tierctl_format_duration(top->delay_usec, delay));
}

static int print_text(const struct top *top, size_t n, bool is_first)
{
	int r;

	if (top->is_live)
		printf("\033[H\033[J");
	else if (!is_first)
		printf("\n");
	r = print_table(top, n);
	if (r < 0)
		return tierctl_failed(r, "show the groups");
	if (n == 0 && top->ctl->legend)
		printf("No groups are managed.\n");
	if (top->shows_help)
		print_help(top);
	return TIERCTL_EXIT_OK;
}

static void row_to_json(struct tierctl_json *json, const struct tierctl_top_row *row)
{
	const struct tierctl_group *group = row->group;

	tierctl_json_open_object(json, NULL);
	tierctl_json_string(json, "cgroup", group->cgroup);
	tierctl_json_limit(json, "dram_quota_bytes", group->dram_quota_bytes);
	tierctl_json_u64(json, "dram_bytes", group->dram_bytes);
	tierctl_json_u64(json, "slow_bytes", group->slow_bytes);
	tierctl_json_u64(json, "uncovered_bytes", group->uncovered_bytes);
	tierctl_json_double(json, "hit_ratio", group->hit_ratio);
	tierctl_json_double(json, "quarter_more_gain", row->gain);
	tierctl_json_double(json, "promoted_bytes_per_sec", row->promoted_per_sec);
	tierctl_json_double(json, "demoted_bytes_per_sec", row->demoted_per_sec);
	tierctl_json_u64(json, "processes", group->processes);
	tierctl_json_close(json);
}

static int print_json(const struct top *top, size_t n)
{
	_cleanup_(tierctl_json_freep) struct tierctl_json *json = NULL;
	int r;

	r = tierctl_json_new(&json);
	if (r < 0)
		return tierctl_failed(r, "print JSON");
	tierctl_json_open_object(json, NULL);
	tierctl_json_u64(json, "realtime_usec", clock_usec(CLOCK_REALTIME));
	tierctl_json_open_array(json, "groups");
	for (size_t i = 0; i < n; i++)
		row_to_json(json, &top->rows[i]);
	tierctl_json_close(json);
	tierctl_json_close(json);
	return tierctl_finish_json(top->ctl, json);
}

static int print(struct top *top, bool is_first)
{
	size_t n;
	int r;

	if (top->is_live)
		tierctl_style_init(&top->ctl->style); /* its size may have changed */
	n = arrange(top);
	r = top->ctl->json == TIERCTL_JSON_OFF ? print_text(top, n, is_first)
					       : print_json(top, n);
	if (r == TIERCTL_EXIT_OK && fflush(stdout) == EOF)
		return tierctl_failed(-errno, "show the groups");
	return r;
}

/* ---- Keys ---------------------------------------------------------------------- */

/* In quarters of a second up to one second, in seconds from there on. */
static void change_delay(struct top *top, bool up)
{
	uint64_t delay = top->delay_usec, quarter = USEC_PER_SEC / 4;

	if (up)
		delay += delay < USEC_PER_SEC ? quarter : USEC_PER_SEC;
	else if (delay >= 2 * USEC_PER_SEC)
		delay -= USEC_PER_SEC;
	else
		delay = delay > 2 * quarter ? delay - quarter : quarter;
	top->delay_usec = TIER_MIN(delay, TIERCTL_DELAY_MAX_USEC);
}

/* True for a key that shows something else at once. */
static bool press(struct top *top, int key)
{
	enum tierctl_top_order order = tierctl_top_order_from_key(key);

	if (order >= 0)
		top->order = order;
	else if (key == '+' || key == '-')
		change_delay(top, key == '+');
	else if (key == 'h' || key == '?')
		top->shows_help = !top->shows_help;
	else
		return false;
	return true;
}

/* Waits until it is time for another look; TIERCTL_EXIT_OK, or an exit code. Sets
 * *ret_quit for the key that ends it. */
static int await_look(struct top *top, bool *ret_quit)
{
	for (;;) {
		int key = tierctl_keyboard_wait(top->looked_usec + top->delay_usec), r;

		*ret_quit = key == 'q' || key == -ENODATA;
		if (key == 0 || key == ' ' || *ret_quit)
			return TIERCTL_EXIT_OK;
		if (key < 0)
			return tierctl_failed(key, "read the keyboard");
		if (!press(top, key))
			continue;
		r = print(top, true);
		if (r != TIERCTL_EXIT_OK)
			return r;
	}
}

static int run(struct top *top, uint64_t iterations)
{
	bool quit = false;
	int r;

	for (uint64_t i = 0; !quit; i++) {
		r = look(top);
		if (r == TIERCTL_EXIT_OK)
			r = print(top, i == 0);
		if (r != TIERCTL_EXIT_OK || i + 1 == iterations)
			return r;
		r = await_look(top, &quit);
		if (r != TIERCTL_EXIT_OK)
			return r;
	}
	return TIERCTL_EXIT_OK;
}

int tierctl_verb_top(struct tierctl *ctl, _unused_ int argc, _unused_ char **argv)
{
	const struct tierctl_refresh *refresh = &ctl->refresh;
	bool watched = ctl->style.terminal && ctl->json == TIERCTL_JSON_OFF;
	_cleanup_(top_done) struct top top = {
		.ctl = ctl,
		.order = refresh->order,
		.delay_usec = refresh->delay_usec,
		.is_live = watched && !refresh->batch,
	};
	uint64_t iterations = refresh->iterations;
	int r;

	if (!refresh->has_iterations)
		iterations = watched ? 0 : 1;
	if (top.is_live) {
		r = tierctl_keyboard_open();
		if (r < 0 && r != -ENOTTY)
			return tierctl_failed(r, "read the keyboard");
	}
	r = run(&top, iterations);
	tierctl_keyboard_close();
	return r;
}
