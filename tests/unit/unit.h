/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka with the headers it wants to come first. */
#ifndef TEST_UNIT_H
#define TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
