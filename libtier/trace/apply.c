/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a record means to a group. */
#include <errno.h>

#include "base/util.h"
#include "libtier.h"

static const char *const types[TIER_TRACE_TYPE_MAX] = {
	[TIER_TRACE_SPACE_BEGIN] = "space-begin",
	[TIER_TRACE_SPACE_END] = "space-end",
	[TIER_TRACE_SAMPLE] = "sample",
	[TIER_TRACE_RESIDENCY] = "residency",
	[TIER_TRACE_ADVANCE] = "advance",
	[TIER_TRACE_LIMITS] = "limits",
};

_public_ const char *tier_trace_type_to_string(int type)
{
	return type >= 0 && type < TIER_TRACE_TYPE_MAX ? types[type] : NULL;
}

_public_ int tier_trace_apply(
	const struct tier_trace_record *record, struct tier_group *group)
{
	int r;

	switch (record->type) {
	case TIER_TRACE_SPACE_BEGIN: /* a group learns of spaces by their residency */
		return 0;
	case TIER_TRACE_SPACE_END:
		tier_group_forget_space(group, record->space);
		return 0;
	case TIER_TRACE_SAMPLE:
		tier_group_feed(group, &record->sample.access, 1, NULL);
		return 0;
	case TIER_TRACE_RESIDENCY:
		return tier_group_set_residency(group, record->residency.space,
			record->residency.address, &record->residency.pages);
	case TIER_TRACE_ADVANCE:
		r = tier_group_advance(
			group, record->advance.now_ns, record->advance.exposure);
		return r < 0 ? r : 0;
	case TIER_TRACE_LIMITS:
		return 1;
	default:
		return -EINVAL;
	}
}
