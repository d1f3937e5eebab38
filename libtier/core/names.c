/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stable names of the library's enums. */
#include "libtier.h"

#include <string.h>

#include "base/util.h"

static const char *const engines[TIER_ENGINE_MAX] = {
	[TIER_ENGINE_RANK] = "rank",
	[TIER_ENGINE_MEMTIS] = "memtis",
	[TIER_ENGINE_TPP] = "tpp",
};

static const char *const reasons[TIER_REASON_MAX] = {
	[TIER_REASON_HOT] = "hot",
	[TIER_REASON_FILL] = "fill",
	[TIER_REASON_EXCHANGE] = "exchange",
	[TIER_REASON_QUOTA] = "quota",
	[TIER_REASON_NODE] = "node",
	[TIER_REASON_ALIKE] = "alike",
};

static const char *const directions[TIER_DIRECTION_MAX] = {
	[TIER_PROMOTE] = "promote",
	[TIER_DEMOTE] = "demote",
	[TIER_COLLAPSE] = "collapse",
};

static const char *const results[TIER_RESULT_MAX] = {
	[TIER_RESULT_DONE] = "done",
	[TIER_RESULT_NOMEM] = "nomem",
	[TIER_RESULT_NOROOM] = "noroom",
	[TIER_RESULT_BUSY] = "busy",
	[TIER_RESULT_GONE] = "gone",
	[TIER_RESULT_UNSUPPORTED] = "unsupported",
	[TIER_RESULT_CANCELLED] = "cancelled",
};

static const char *const classes[TIER_CLASS_MAX] = {
	[TIER_CLASS_UNKNOWN] = "unknown",
	[TIER_CLASS_HOT] = "hot",
	[TIER_CLASS_WARM] = "warm",
	[TIER_CLASS_COLD] = "cold",
};

static const char *const whys[TIER_WHY_MAX] = {
	[TIER_WHY_HOT] = "hot",
	[TIER_WHY_COLD] = "cold",
	[TIER_WHY_SPARE] = "spare",
	[TIER_WHY_WARM] = "warm",
	[TIER_WHY_UNKNOWN] = "unknown",
	[TIER_WHY_DUE] = "due",
	[TIER_WHY_BUDGET] = "in-budget-wait",
	[TIER_WHY_COOLING_DOWN] = "cooling-down",
	[TIER_WHY_NO_ROOM] = "no-room",
	[TIER_WHY_QUOTA_ZERO] = "quota-zero",
	[TIER_WHY_PINNED] = "pinned",
	[TIER_WHY_UNSUPPORTED] = "unsupported",
	[TIER_WHY_POLICY] = "numa-policy",
	[TIER_WHY_UNCOVERED] = "uncovered",
};

static const char *const sentences[TIER_WHY_MAX] = {
	[TIER_WHY_HOT] = "It is hot and in the fast tier, where it belongs.",
	[TIER_WHY_COLD] = "It is cold and in a slow tier, where it belongs.",
	[TIER_WHY_SPARE] =
		"It is cold, but nothing hotter wants its place in the fast "
		"tier.",
	[TIER_WHY_WARM] =
		"It is about as hot as what would give or take its place: "
		"moving it would not pay.",
	[TIER_WHY_UNKNOWN] = "It has not been watched long enough to be judged.",
	[TIER_WHY_DUE] = "It is to be moved: it is in the last plan.",
	[TIER_WHY_BUDGET] =
		"It is to be moved, and others come first: a plan moves only "
		"so much.",
	[TIER_WHY_COOLING_DOWN] =
		"It is to be moved, but was a moment ago: it rests first.",
	[TIER_WHY_NO_ROOM] =
		"It would be promoted, but there is no room for it, and "
		"taking a colder page's place would not pay.",
	[TIER_WHY_QUOTA_ZERO] = "The group may not hold any memory in the fast tier.",
	[TIER_WHY_PINNED] = "The kernel would not move it: it is pinned, or under I/O.",
	[TIER_WHY_UNSUPPORTED] =
		"The kernel would not move it: it is shared, or not allowed on the "
		"other node.",
	[TIER_WHY_POLICY] = "The program's own NUMA policy hides it from this engine.",
	[TIER_WHY_UNCOVERED] =
		"It is not known as memory that can be moved, or was not yet looked at.",
};

static const char *to_string(const char *const *names, int max, int value)
{
	return value >= 0 && value < max ? names[value] : NULL;
}

_public_ const char *tier_engine_to_string(int engine)
{
	return to_string(engines, TIER_ENGINE_MAX, engine);
}

_public_ enum tier_engine tier_engine_from_string(const char *name)
{
	for (int engine = 0; engine < TIER_ENGINE_MAX; engine++)
		if (strcmp(engines[engine], name) == 0)
			return engine;
	return TIER_ENGINE_INVALID;
}

_public_ const char *tier_reason_to_string(int reason)
{
	return to_string(reasons, TIER_REASON_MAX, reason);
}

_public_ const char *tier_direction_to_string(int direction)
{
	return to_string(directions, TIER_DIRECTION_MAX, direction);
}

_public_ const char *tier_result_to_string(int result)
{
	return to_string(results, TIER_RESULT_MAX, result);
}

_public_ const char *tier_class_to_string(int class)
{
	return to_string(classes, TIER_CLASS_MAX, class);
}

_public_ const char *tier_why_to_string(int why)
{
	return to_string(whys, TIER_WHY_MAX, why);
}

_public_ const char *tier_why_to_sentence(int why)
{
	return to_string(sentences, TIER_WHY_MAX, why);
}

_public_ const char *tier_version(void)
{
	return TIER_VERSION;
}
