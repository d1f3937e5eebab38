/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a group's books are true: against a model of its pages, and its census, which
 * is kept as things change, against one that is taken from scratch.
 */
#ifndef TEST_BOOK_CHECKS_H
#define TEST_BOOK_CHECKS_H

#include "core/group.h"
#include "model.h"

/* Brings the group's census up to date, too. */
bool books_are_true(const struct model *model, struct tier_group *group,
	char ret_why[static PROPERTY_WHY_MAX]);

/* After a plan: each page is in one class. */
bool classes_are_whole(
	const struct tier_group *group, char ret_why[static PROPERTY_WHY_MAX]);

#endif
