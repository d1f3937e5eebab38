/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json-c stays in here. */
#include <errno.h>
#include <json-c/json.h>
#include <math.h>

#include "report.h"

/* JSON has no word for never, or for what means nothing. */
static struct json_object *number(double value)
{
	return isfinite(value) ? json_object_new_double(value) : NULL;
}

static struct json_object *figure_object(
	const struct sim_line *line, enum sim_figure figure)
{
	struct json_object *object = json_object_new_object();
	struct json_object *values = json_object_new_array();
	struct sim_summary summary = sim_line_summary(line, figure);

	for (size_t seed = 0; seed < line->n_seeds; seed++)
		json_object_array_add(
			values, number(line->figures[seed * SIM_FIGURE_MAX + figure]));
	json_object_object_add(object, "median", number(summary.median));
	json_object_object_add(object, "worst", number(summary.worst));
	json_object_object_add(object, "values", values);
	return object;
}

static bool has_meaning(const struct sim_line *line, enum sim_figure figure)
{
	for (size_t seed = 0; seed < line->n_seeds; seed++)
		if (!isnan(line->figures[seed * SIM_FIGURE_MAX + figure]))
			return true;
	return false;
}

static struct json_object *targets_array(
	const struct sim_lines *lines, const struct sim_line *line)
{
	struct json_object *array = json_object_new_array();
	const struct sim_target *target;
	struct sim_verdict verdict;

	for (size_t i = 0; (target = sim_row_target(line->row, i)); i++) {
		struct json_object *object;

		if (!sim_line_judge(lines, line, target, &verdict))
			continue;
		object = json_object_new_object();
		json_object_object_add(object, "figure",
			json_object_new_string(sim_figure_to_string(target->figure)));
		json_object_object_add(object, "is",
			json_object_new_string(sim_figure_should_be_high(target->figure)
						       ? "at least"
						       : "at most"));
		json_object_object_add(
			object, "limit_of_median", number(verdict.limit.median));
		json_object_object_add(
			object, "limit_of_worst", number(verdict.limit.worst));
		json_object_object_add(
			object, "met", json_object_new_boolean(verdict.met));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *line_object(
	const struct sim_lines *lines, const struct sim_line *line)
{
	struct json_object *object = json_object_new_object();
	struct json_object *figures = json_object_new_object();

	json_object_object_add(object, "row", json_object_new_string(line->row->name));
	json_object_object_add(object, "title", json_object_new_string(line->row->title));
	json_object_object_add(
		object, "seconds", json_object_new_double(line->row->seconds));
	json_object_object_add(object, "engine", json_object_new_string(line->ops->name));
	json_object_object_add(object, "seeds", json_object_new_int64(line->n_seeds));
	for (int figure = 0; figure < SIM_FIGURE_MAX; figure++)
		if (has_meaning(line, figure))
			json_object_object_add(figures, sim_figure_to_string(figure),
				figure_object(line, figure));
	json_object_object_add(object, "figures", figures);
	json_object_object_add(object, "targets", targets_array(lines, line));
	return object;
}

int sim_report_json(const struct sim_lines *lines)
{
	struct json_object *array = json_object_new_array();
	const char *text;

	if (!array)
		return -ENOMEM;
	for (size_t i = 0; i < lines->n; i++)
		json_object_array_add(array, line_object(lines, &lines->lines[i]));
	text = json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY);
	if (text)
		puts(text);
	json_object_put(array);
	return text ? 0 : -ENOMEM;
}
