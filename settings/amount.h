/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An amount of memory as an administrator states it: bytes, a share of the fast tier, or
 * no limit. A share stays a share until somebody who knows the machine resolves it.
 */
#ifndef TIERD_AMOUNT_H
#define TIERD_AMOUNT_H

#include <stdint.h>

#define TIERD_BYTES_INFINITY UINT64_MAX

enum tierd_amount_kind {
	TIERD_AMOUNT_BYTES,
	TIERD_AMOUNT_SHARE,
	TIERD_AMOUNT_INFINITY,
};

struct tierd_amount {
	enum tierd_amount_kind kind;
	uint64_t value; /* bytes, or parts per million of DRAM */
};

/* "8G", "4096", "12.5%" (at most 100%) or "infinity". */
int tierd_amount_parse(const char *text, struct tierd_amount *ret);

/* In bytes; infinity is TIERD_BYTES_INFINITY. */
uint64_t tierd_amount_resolve(struct tierd_amount amount, uint64_t dram_total_bytes);

/* "400M" or "infinity", and not zero: a limit on bytes per second. */
int tierd_bandwidth_parse(const char *text, uint64_t *ret_bytes_per_second);

/* The same for tables of settings (strict-ini.h); an amount that may not be infinite is
 * refused with -ERANGE. */
int tierd_amount_parse_field(const char *value, void *field);
int tierd_amount_parse_finite_field(const char *value, void *field);
int tierd_bandwidth_parse_field(const char *value, void *field);

#endif
