/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which source samples come from: the first in order of preference that works. One that
 * fails, or falls silent while programs run, is replaced by the next; the better ones are
 * tried again, ever more seldom, and go first once they work. With a source that is named
 * there is nothing to choose, but it is opened again in the same way.
 *
 * The ladder reads no clock: it is told the time.
 */
#ifndef TIERD_SAMPLER_LADDER_H
#define TIERD_SAMPLER_LADDER_H

#include "base/util.h"
#include "sampler/sampler.h"

struct tierd_ladder;

enum tierd_rung_state {
	TIERD_RUNG_UNTRIED, /* a better one works */
	TIERD_RUNG_ACTIVE,
	TIERD_RUNG_UNAVAILABLE,
	TIERD_RUNG_MAX,
	TIERD_RUNG_INVALID = -22,
};

struct tierd_rung {
	const char *source;
	enum tierd_rung_state state;
	const char *reason; /* why it is not available, and what to do; "" else. Good
			       until the next step */
};

/* Stable lower-case names; NULL for values out of range. */
const char *tierd_rung_state_to_string(int state);

struct tierd_ladder_config {
	/* In order of preference, ending in NULL. */
	const struct tierd_sampler_ops *const *registry;
	/* `source` is the name of one, or "auto"; what it points to outlives the ladder.
	 */
	struct tierd_sampler_config sampler;
	/* The sampler in use is about to be freed: whoever polls its descriptors stops.
	 */
	void (*on_leave)(void *userdata);
	void *userdata;
};

/*
 * Opens the first source that works, or the one that is named. Errors: of the most
 * preferred, with the reasons of all in *ret_error; as of tierd_sampler_open(). An event
 * that is named and wrong (-ENOENT, -EINVAL) is one whatever else would work.
 */
int tierd_ladder_new(const struct tierd_ladder_config *config, struct tierd_ladder **ret,
	char **ret_error);
struct tierd_ladder *tierd_ladder_free(struct tierd_ladder *ladder);
DEFINE_CLEANUP(struct tierd_ladder *, tierd_ladder_free)

/* The one in use; never NULL, but it may be one that delivers nothing. The ladder's. */
struct tierd_sampler *tierd_ladder_sampler(struct tierd_ladder *ladder);

/*
 * Once a second or so: sees that there is a source that works, and the best. @busy_usec:
 * CPU time that the programs to be sampled have used so far. Returns 1 when another
 * sampler took over, which may be of the same source.
 */
int tierd_ladder_step(struct tierd_ladder *ladder, uint64_t now_ns, uint64_t busy_usec);

size_t tierd_ladder_n_rungs(const struct tierd_ladder *ladder);
void tierd_ladder_get_rung(
	const struct tierd_ladder *ladder, size_t i, struct tierd_rung *ret);

#endif
