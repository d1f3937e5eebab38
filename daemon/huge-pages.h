/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator wants of transparent huge pages: everywhere, where programs ask
 * for them, or nowhere. Only the first lets tierd make any of its own accord.
 */
#ifndef TIERD_HUGE_PAGES_H
#define TIERD_HUGE_PAGES_H

#include <stdbool.h>

#include "settings/root.h"

/* Whether anonymous memory is to be huge, 2 MiB at a time, without being asked. */
bool tierd_huge_pages_are_wanted(const struct tierd_root *root);

#endif
