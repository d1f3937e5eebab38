/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The "0-7,21" lists in which sysfs names CPUs and bits, one range at a time.
 */
#ifndef TIERD_SAMPLER_RANGE_LIST_H
#define TIERD_SAMPLER_RANGE_LIST_H

/* Takes the next range off *list. Returns 1 with the range, 0 at the end, -EINVAL for
 * what is no list; then *list stays. */
int tierd_range_list_next(const char **list, unsigned *ret_first, unsigned *ret_last);

#endif
