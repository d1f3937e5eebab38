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

_public_ const char *tier_version(void)
{
	return TIER_VERSION;
}
