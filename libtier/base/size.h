/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers and byte sizes as people write them. Parsing is strict: the whole text has to
 * be the number, without sign, blank or locale, and what does not fit is an error rather
 * than a clamped value. Nothing here knows about percentages or infinity; those belong
 * to whoever gives them a meaning.
 */
#ifndef TIER_BASE_SIZE_H
#define TIER_BASE_SIZE_H

#include <stdint.h>

#define TIER_SIZE_TEXT_MAX 24

/* Digits only. -EINVAL for anything else, -ERANGE when it does not fit. */
int tier_parse_u64(const char *text, uint64_t *ret);

/* Hexadecimal digits without a prefix, as sysfs prints them. */
int tier_parse_hex(const char *text, uint64_t *ret);

/*
 * "1.25" × unit, rounded down to whole units of the result: tier_parse_scaled("0.25",
 * 1000000000) is a quarter of a second in ns. At most nine digits after the point.
 */
int tier_parse_scaled(const char *text, uint64_t unit, uint64_t *ret);

/* "4096", "1.5G": bytes, or a number with one of K, M, G, T, in powers of 1024. */
int tier_parse_size(const char *text, uint64_t *ret_bytes);

/* "1.5G", one digit after the point at most; returns buf. For people, not for parsing. */
const char *tier_format_size(uint64_t bytes, char buf[static TIER_SIZE_TEXT_MAX]);

#endif
