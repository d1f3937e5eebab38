/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few idioms every layer shares: scope-bound clean-up, pointer hand-over, and
 * arithmetic that the C library leaves out. Nothing here allocates, logs or asks the
 * system anything.
 */
#ifndef TIER_BASE_UTIL_H
#define TIER_BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)   __attribute__((cleanup(f)))
#define _public_       __attribute__((visibility("default")))
#define _unused_       __attribute__((unused))
#define _printf_(a, b) __attribute__((format(printf, a, b)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TIER_MIN(a, b)                             \
	({                                         \
		__auto_type _min_a = (a);          \
		__auto_type _min_b = (b);          \
		_min_a < _min_b ? _min_a : _min_b; \
	})

#define TIER_MAX(a, b)                             \
	({                                         \
		__auto_type _max_a = (a);          \
		__auto_type _max_b = (b);          \
		_max_a > _max_b ? _max_a : _max_b; \
	})

static inline uint64_t tier_saturating_sub(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Set bits, without the instruction that not every x86-64 has (Knuth, "The Art of
 * Computer Programming" 4A, 7.1.3). */
static inline unsigned tier_popcount(uint64_t x)
{
	x -= x >> 1 & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return x * UINT64_C(0x0101010101010101) >> 56;
}

#define TAKE_PTR(p)                       \
	({                                \
		__auto_type _taken = (p); \
		(p) = NULL;               \
		_taken;                   \
	})

#define TAKE_FD(fd)                   \
	({                            \
		int _taken_fd = (fd); \
		(fd) = -EBADF;        \
		_taken_fd;            \
	})

/* Defines a helper for _cleanup_() that hands *p to a destructor which takes NULL. */
#define DEFINE_CLEANUP(type, func)          \
	static inline void func##p(type *p) \
	{                                   \
		if (*p)                     \
			func(*p);           \
	}

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#endif
