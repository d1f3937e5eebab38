/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace through a group, and the plans as text: a line "# …" for each plan, and then
 * one for each move, "direction from to address pages reason rate". Moves are taken as
 * done at once. A trace's limits are what its recorder saw, who made no such moves, so
 * they are corrected by what has been moved here.
 */
#ifndef TEST_GOLDEN_REPLAY_H
#define TEST_GOLDEN_REPLAY_H

#include <stdio.h>

#include "libtier.h"

/* Errors: those of reading and of the group; -EPIPE for a trace that is cut short. */
int golden_replay(int fd, enum tier_engine engine, FILE *out);

#endif
