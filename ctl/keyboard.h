/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Single keys from a terminal, without echo. However the program ends, short of SIGKILL,
 * the terminal is left as it was found: on exit(), when a signal ends it, and while it is
 * stopped. There is one terminal, and so one keyboard.
 */
#ifndef TIERCTL_KEYBOARD_H
#define TIERCTL_KEYBOARD_H

#include <stdint.h>

/* Errors: -ENOTTY when standard input is no terminal, others. */
int tierctl_keyboard_open(void);

/* Does nothing if it is not open. */
void tierctl_keyboard_close(void);

/*
 * Waits for a key until a time of CLOCK_MONOTONIC. Returns the key, or 0 when the time
 * has come; without a keyboard it just waits. Errors: -ENODATA when no more keys will
 * come, others.
 */
int tierctl_keyboard_wait(uint64_t until_usec);

#endif
