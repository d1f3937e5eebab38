/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * compat.h: what differs between the kernels the test machine can run.
 */

#include <linux/hrtimer.h>
#include <linux/version.h>

static inline void tier_hrtimer_setup(struct hrtimer *timer,
	enum hrtimer_restart (*function)(struct hrtimer *), clockid_t clock,
	enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, function, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = function;
#endif
}
