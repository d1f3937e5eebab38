/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * compat.h: what differs between the kernels the test machine can run.
 */

#include <linux/timer.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define timer_delete_sync del_timer_sync
#endif
